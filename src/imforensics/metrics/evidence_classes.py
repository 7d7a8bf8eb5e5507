"""Kinds of evidence that a calibration tells apart, inferred from the evidence itself.

A class is a history (how the pixels reached the file) and a size; JPEG files are also told apart by how fine
their luma table is, which depends on how they were delivered. Nothing here needs a file's own account of
itself.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, get_args

import numpy as np

from imforensics.evidence.quantization import ijg_tables

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

    from imforensics.types import Evidence, UInt8Array

History = Literal["jpeg", "inferred_jpeg", "no_jpeg"]
HISTORIES: tuple[History, ...] = get_args(History)
SIZES = ("small", "medium", "large")
FINENESS = ("fine", "coarse")
SMALL_BELOW, LARGE_ABOVE = 1_000_000, 4_000_000  # pixels
FINE_QUALITY = 90
FINE_DIVISOR = float(ijg_tables(FINE_QUALITY)[0].mean())  # mean luma divisor at that quality

FLATTEST = 0.75  # share of blocks of one colour; docs/calibration.md has what photographs have
FEWEST_COLOURS = 32  # among the blocks looked at
_BLOCK = 8
_SAMPLED = 4096  # blocks looked at, at most

_HISTORY_WORDS: dict[str, str] = {
    "jpeg": "JPEG files",
    "inferred_jpeg": "other formats whose pixels show an earlier JPEG",
    "no_jpeg": "other formats without traces of a JPEG",
}
_SIZE_WORDS = {
    "small": "under 1 megapixel",
    "medium": "of 1 to 4 megapixels",
    "large": "over 4 megapixels",
}
_FINENESS_WORDS = {"fine": "at quality 90 and above", "coarse": "below quality 90"}

CLASS_NAMES: tuple[str, ...] = tuple(f"{history}_{size}" for history in HISTORIES for size in SIZES)


def history_of(evidence: Evidence) -> History:
    """How the pixels reached the file: as a JPEG, through an earlier JPEG that they show, or neither."""
    if evidence.jpeg is not None:
        return "jpeg"
    return "no_jpeg" if getattr(evidence, "inferred_jpeg", None) is None else "inferred_jpeg"


def name_classes(
    *, height: int, width: int, history: History, luma_table: ArrayLike | None = None
) -> tuple[str, ...]:
    """The classes that evidence belongs to, the narrowest first.

    Args:
        height: in pixels.
        width: in pixels.
        history: see `history_of`.
        luma_table: (8, 8) or (64,) divisors of a JPEG file; None where they are not known.

    Returns:
        For a JPEG with a table its class by size and fineness, then the one by size; else the latter alone.

    >>> name_classes(height=3000, width=4000, history="jpeg", luma_table=[2] * 64)
    ('jpeg_large_fine', 'jpeg_large')
    >>> name_classes(height=480, width=640, history="no_jpeg")
    ('no_jpeg_small',)
    """
    pixels = height * width
    size = "small" if pixels < SMALL_BELOW else "large" if pixels > LARGE_ABOVE else "medium"
    name = f"{history}_{size}"
    if history != "jpeg" or luma_table is None:
        return (name,)
    is_fine = float(np.asarray(luma_table, dtype=np.float64).mean()) <= FINE_DIVISOR
    return f"{name}_{FINENESS[0] if is_fine else FINENESS[1]}", name


def classes_of(evidence: Evidence) -> tuple[str, ...]:
    """The classes that a piece of evidence belongs to, the narrowest first; see `name_classes`."""
    table = None if evidence.jpeg is None else evidence.jpeg.quantization_tables[0]
    return name_classes(
        height=evidence.height, width=evidence.width, history=history_of(evidence), luma_table=table
    )


def describe_class(name: str) -> str:
    """A class in words.

    >>> describe_class("jpeg_large"), describe_class("jpeg_small_coarse")
    ('JPEG files over 4 megapixels', 'JPEG files under 1 megapixel, below quality 90')
    """
    broad, _, last = name.rpartition("_")
    if last in _FINENESS_WORDS:
        return f"{describe_class(broad)}, {_FINENESS_WORDS[last]}"
    return f"{_HISTORY_WORDS[broad]} {_SIZE_WORDS[last]}"


def describe_graphic(pixels: UInt8Array) -> str | None:
    """Why a picture is taken for a drawing or a graphic instead of a photograph; None where it is not.

    A sensor leaves noise in nearly every 8x8 block, a drawing program fills blocks with one colour. Looked at
    are up to 4096 blocks, spread evenly over the grid.

    Args:
        pixels: (H, W, 3) uint8.

    Returns:
        A clause with the figure that decided; None also for a picture without one whole block.
    """
    rows, columns = pixels.shape[0] // _BLOCK, pixels.shape[1] // _BLOCK
    if not rows or not columns:
        return None
    step = max(1, int(np.ceil((rows * columns / _SAMPLED) ** 0.5)))
    grid = pixels[: rows * _BLOCK, : columns * _BLOCK].reshape(rows, _BLOCK, columns, _BLOCK, 3)
    blocks = grid[::step, :, ::step].swapaxes(1, 2).reshape(-1, _BLOCK * _BLOCK, 3)
    flat = float((blocks == blocks[:, :1]).all(axis=(1, 2)).mean())
    if flat >= FLATTEST:
        return f"{100 * flat:.0f} % of its 8x8 blocks are of one colour, as in a drawing or a graphic"
    colours = np.unique(blocks.reshape(-1, 3).astype(np.uint32) @ np.array([65536, 256, 1], np.uint32)).size
    if colours < FEWEST_COLOURS:
        return f"it has {colours} colours where {FEWEST_COLOURS} are the least of a photograph"
    return None
