"""What a batch shows: whole files are read, one window of each is learned from.

The histograms that the traces are measured against, and the tables, are those of the whole file, as they are
when a whole photograph is analysed.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
from PIL import Image

from imforensics.evidence import read_evidence
from imforensics.evidence.luma import BLOCK
from imforensics.models.localizer.evidence import read_traces
from imforensics.models.localizer.inputs import LocalizerInput, view_pixels
from imforensics.models.localizer.traces import BlockTraces
from imforensics.preprocessing.chains import apply_chain, draw_chain
from imforensics.preprocessing.jpeg import decode_jpeg

if TYPE_CHECKING:
    from collections.abc import Sequence

    from imforensics.models.localizer.config import LabelledPairsConfig
    from imforensics.models.localizer.pairs import LabelledPair
    from imforensics.types import BoolArray, UInt8Array

Corner = tuple[int, int]


@dataclass(frozen=True, slots=True, eq=False)
class Shown:
    """One file of a batch.

    Attributes:
        content: the file's bytes.
        mask: (H, W) bool, True = tampered; None for an authentic one.
        origin: where it comes from.
        weight: 0 where its label must not be learned from.
        corner: row and column of the window's first pixel, multiples of 8.
    """

    content: bytes
    mask: BoolArray | None
    origin: str
    weight: float = 1.0
    corner: Corner = (0, 0)

    def read(self, size: tuple[int, int], streams: Sequence[str]) -> LocalizerInput:
        """The window of `size` pixels as the network takes it."""
        evidence = read_evidence(self.content)
        return cut_window(read_traces(evidence).traces, evidence.pixels, self.corner, size, streams)

    def cut_mask(self, size: tuple[int, int]) -> BoolArray | None:
        """The mask in the window; None for an authentic file."""
        if self.mask is None:
            return None
        top, left = self.corner
        return self.mask[top : top + size[0], left : left + size[1]]


def cut_window(
    traces: BlockTraces,
    pixels: UInt8Array,
    corner: Corner,
    size: tuple[int, int],
    streams: Sequence[str],
) -> LocalizerInput:
    """A window of a picture.

    Args:
        traces: of the whole picture.
        pixels: (H, W, 3) uint8 of the whole picture.
        corner: row and column of its first pixel, multiples of 8.
        size: (height, width) in pixels, multiples of 8, inside the picture.
        streams: of the network.
    """
    rows, columns = (
        slice(start // BLOCK, (start + side) // BLOCK) for start, side in zip(corner, size, strict=True)
    )
    window = pixels[corner[0] : corner[0] + size[0], corner[1] : corner[1] + size[1]]
    return LocalizerInput(
        BlockTraces(traces.values[rows, columns], traces.table), view_pixels(window, streams)
    )


def place_pair(
    pair: tuple[Shown, Shown], size: tuple[int, int], rng: np.random.Generator
) -> tuple[Shown, Shown]:
    """Both halves of a pair with one window that holds a part of the alteration.

    Nothing is drawn where the files are as large as the window.

    Raises:
        ValueError: the first half has no mask, or is smaller than the window.
    """
    mask = pair[0].mask
    if mask is None or mask.shape[0] < size[0] or mask.shape[1] < size[1]:
        raise ValueError(f"Expected a forgery of at least {size} pixels, with its mask, first in the pair.")
    if mask.shape == size:
        return pair
    rows, columns = np.nonzero(mask)
    number = int(rng.integers(len(rows)))
    seen = int(rows[number]), int(columns[number])
    corner = (
        _draw_start(rng, seen[0], size[0], mask.shape[0]),
        _draw_start(rng, seen[1], size[1], mask.shape[1]),
    )
    return replace(pair[0], corner=corner), replace(pair[1], corner=corner)


def _draw_start(rng: np.random.Generator, seen: int, length: int, side: int) -> int:
    """Where a window of a length starts, on the grid, so that it holds one pixel."""
    first = -(-max(0, seen - length + 1) // BLOCK)
    last = min(side - length, seen) // BLOCK
    return int(rng.integers(min(first, last), last + 1)) * BLOCK


def show_labelled(
    pair: LabelledPair, size: tuple[int, int], rng: np.random.Generator, config: LabelledPairsConfig
) -> tuple[Shown, Shown]:
    """A labelled forgery and its host, as they are or both through one more chain.

    One more save does not take away what another encoder did to the whole of the forgery: its label does not
    count in either case.
    """
    kind = rng.random()
    weight = float(pair.is_exact)
    if kind < config.resaved:
        chain = draw_chain(rng, may_scale=False)
        contents = [apply_chain(decode_jpeg(content), chain) for content in (pair.tampered, pair.host)]
        mask, origin = pair.mask, "resaved"
    elif kind < config.resaved + config.resized:
        least = max(wanted / side for wanted, side in zip(size, pair.mask.shape, strict=True))
        low, high = config.resize
        scale = rng.uniform(max(low, least), max(high, least))
        shape = tuple(
            max(wanted, round(side * scale)) for wanted, side in zip(size, pair.mask.shape, strict=True)
        )
        chain = draw_chain(rng, may_scale=False)
        contents = [
            apply_chain(_resize(decode_jpeg(content), shape), chain) for content in (pair.tampered, pair.host)
        ]
        cover = _resize(pair.mask.astype(np.uint8) * np.uint8(255), shape)
        mask, origin = cover >= min(128, cover.max()), "resized"
    else:
        contents, mask, origin = [pair.tampered, pair.host], pair.mask, "labelled"
    shown = Shown(contents[0], mask, origin, weight), Shown(contents[1], None, origin, weight)
    return place_pair(shown, size, rng)


def _resize(pixels: UInt8Array, shape: tuple[int, ...]) -> UInt8Array:
    picture = Image.fromarray(pixels).resize((shape[1], shape[0]), Image.Resampling.BICUBIC)
    return np.asarray(picture)
