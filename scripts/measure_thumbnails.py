"""How often the thumbnail traces speak: of originals, of thumbnails put into other pictures, of crops.

    python scripts/measure_thumbnails.py originals.json --root FOLDER

Reads the files of a result of measure_camera_originals.py. Every second original is given the thumbnail of
another camera's, drawn at random; every sixth is cut to a share of its height and width at a random place.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np

from imforensics.evidence import read_evidence
from imforensics.methods.metadata.metadata import find_thumbnail_traces
from imforensics.methods.metadata.thumbnails import compare_thumbnail
from imforensics.types import UInt8Array

SHARES = (0.95, 0.9, 0.85, 0.8, 0.6)
LONGEST_SIDE = 1024  # pixels that are kept of an image: the comparison uses 256


class Pair(NamedTuple):
    """One original: its camera, its pixels sampled, its thumbnail."""

    camera: str
    pixels: UInt8Array
    thumbnail: UInt8Array


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("originals", type=Path)
    parser.add_argument("--root", type=Path, default=Path(), help="folder that the paths in it start from")
    arguments = parser.parse_args()
    rows = json.loads(arguments.originals.read_text("utf-8"))
    pairs = list(read_pairs([arguments.root / row["path"] for row in rows]))
    rng = np.random.default_rng(0)
    compared = [compare_thumbnail(pair.pixels, pair.thumbnail) for pair in pairs]
    noted = sum(bool(list(find_thumbnail_traces(comparison))) for comparison in compared)
    print(f"originals with a thumbnail: {len(pairs)}, noted {noted}")
    same = sorted(max(c.similarity, c.shifted_similarity) for c in compared if c is not None)
    print(f"lowest agreements: {[round(value, 3) for value in same[:5]]}")
    swapped = list(swap_thumbnails(pairs, rng))
    print(f"thumbnails of other cameras: {len(swapped)}, noted {sum(swapped)}")
    for share in SHARES:
        cut = [is_noted(cut_image(pair.pixels, share, rng), pair.thumbnail) for pair in pairs[::6]]
        print(f"cut to {share:.0%} of each side: {len(cut)}, noted {sum(cut)}")


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
    height, width = (round(side * share) for side in pixels.shape[:2])
    top, left = (
        int(rng.integers(side - kept + 1))
        for side, kept in zip(pixels.shape[:2], (height, width), strict=True)
    )
    return np.ascontiguousarray(pixels[top : top + height, left : left + width])


def is_noted(pixels: UInt8Array, thumbnail: UInt8Array) -> bool:
    """Whether any thumbnail trace speaks."""
    return bool(list(find_thumbnail_traces(compare_thumbnail(pixels, thumbnail))))


if __name__ == "__main__":
    main()
