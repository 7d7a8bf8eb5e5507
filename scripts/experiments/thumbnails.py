"""How often the thumbnail traces speak: of originals, of thumbnails put into other pictures, of crops."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np

from imforensics.evidence import read_evidence
from imforensics.methods.metadata.metadata import find_thumbnail_traces
from imforensics.methods.metadata.thumbnails import compare_thumbnail
from imforensics.report.markdown import Table
from imforensics.types import UInt8Array

SHARES = (0.95, 0.9, 0.85, 0.8, 0.6)
LONGEST_SIDE = 1024  # pixels that are kept of an image: the comparison uses 256


class Pair(NamedTuple):
    """One original: its camera, its pixels sampled, its thumbnail."""

    camera: str
    pixels: UInt8Array
    thumbnail: UInt8Array


def tabulate_thumbnails(paths: list[Path], *, seed: int) -> Table:
    """Every second original with the thumbnail of another camera's, drawn at random; every sixth cut."""
    pairs, rng = list(read_pairs(paths)), np.random.default_rng(seed)
    compared = [compare_thumbnail(pair.pixels, pair.thumbnail) for pair in pairs]
    noted = sum(bool(list(find_thumbnail_traces(comparison))) for comparison in compared)
    swapped = list(swap_thumbnails(pairs, rng))
    rows = [
        ["as the camera wrote them", str(len(pairs)), str(noted)],
        ["the thumbnail of another camera's picture", str(len(swapped)), str(sum(swapped))],
    ]
    for share in SHARES:
        cut = [is_noted(cut_image(pair.pixels, share, rng), pair.thumbnail) for pair in pairs[::6]]
        rows.append([f"the image cut to {share:.0%} of each side", str(len(cut)), str(sum(cut))])
    same = sorted(max(c.similarity, c.shifted_similarity) for c in compared if c is not None)
    lowest = ", ".join(f"{value:.3f}" for value in same[:5])
    notes = [f"Lowest agreements of an original with its thumbnail: {lowest or 'none'}."]
    return Table("Thumbnails", ("thumbnail and image", "pairs", "noted"), rows, notes=notes)


def read_pairs(paths: list[Path]) -> Iterator[Pair]:
    """Originals that hold a thumbnail."""
    for path in paths:
        evidence = read_evidence(path)
        thumbnail = evidence.metadata.thumbnail
        if thumbnail is not None:
            step = max(1, max(evidence.height, evidence.width) // LONGEST_SIDE)
            pixels = np.ascontiguousarray(evidence.pixels[::step, ::step])
            yield Pair(evidence.metadata.camera or "", pixels, thumbnail)


def swap_thumbnails(pairs: list[Pair], rng: np.random.Generator) -> Iterator[bool]:
    """Whether a thumbnail of another camera is noted, for every second original."""
    for pair in pairs[::2]:
        other = pairs[int(rng.integers(len(pairs)))]
        if other.camera != pair.camera:
            yield is_noted(pair.pixels, other.thumbnail)


def cut_image(pixels: UInt8Array, share: float, rng: np.random.Generator) -> UInt8Array:
    """A random part with a share of the height and of the width."""
    sides = pixels.shape[:2]
    height, width = (round(side * share) for side in sides)
    top, left = (
        int(rng.integers(side - kept + 1)) for side, kept in zip(sides, (height, width), strict=True)
    )
    return np.ascontiguousarray(pixels[top : top + height, left : left + width])


def is_noted(pixels: UInt8Array, thumbnail: UInt8Array) -> bool:
    """Whether any thumbnail trace speaks."""
    return bool(list(find_thumbnail_traces(compare_thumbnail(pixels, thumbnail))))
