"""Samples of a picture's luma in blocks of 8x8, on any grid, to infer a JPEG from."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from imforensics.evidence.block_dct import BLOCK, transform_blocks

if TYPE_CHECKING:
    from collections.abc import Iterator

    from imforensics.types import BoolArray, FloatArray, UInt8Array

LEVEL_SHIFT = 1024.0  # of the mean's coefficient: 8 times 128
_PIXELS = BLOCK * BLOCK
_PATCH, _PATCHES = 32, 64  # pixels a side, number: 1024 blocks on each grid
_STRIPS, _STRIP_BLOCKS = 16, 1 << 14  # rows of blocks of one grid at least, blocks at most in a large picture
_LUMA = (19595, 38470, 7471)  # 2^-16, ITU-R BT.601, rounded as libjpeg does


def to_luma(pixels: UInt8Array) -> UInt8Array:
    """The luma that a JPEG decoder made RGB of: (..., 3) uint8 to (...) uint8.

    Exact wherever no channel was cut to [0, 255]: the rounding of the three channels moves it by less than
    half a gray level.
    """
    red, green, blue = (pixels[..., channel].astype(np.uint32) for channel in range(3))
    total = red * _LUMA[0] + green * _LUMA[1] + blue * _LUMA[2] + (1 << 15)
    return (total >> 16).astype(np.uint8)


def sample_grids(pixels: UInt8Array) -> Iterator[FloatArray]:
    """Coefficients of a sample of the picture's blocks on each of the 64 grids.

    Args:
        pixels: (H, W, 3) uint8 RGB.

    Yields:
        (N, 64) float32, level-shifted, of grid 8 r + c that begins at row r, column c. Blocks that are flat
        or have a clipped pixel are left out, and so are repeats.
    """
    patches = _take_patches(pixels)
    planes = [(to_luma(patch), _is_clipped(patch)) for patch, _, _ in patches]
    for row in range(BLOCK):
        for column in range(BLOCK):
            blocks = [
                _cut_usable(plane, clipped, ((row - top) % BLOCK, (column - left) % BLOCK))
                for (plane, clipped), (_, top, left) in zip(planes, patches, strict=True)
            ]
            yield _transform(_drop_repeats(np.concatenate(blocks)))


def sample_blocks(pixels: UInt8Array, offset: tuple[int, int]) -> FloatArray:
    """Coefficients of the blocks in evenly spaced rows of one grid, of all of them in a small picture.

    Args:
        pixels: (H, W, 3) uint8 RGB, at least one whole block on the grid.
        offset: row and column, 0 to 7, where the grid's first whole block begins.

    Returns:
        As one item of `sample_grids`.
    """
    rows = (pixels.shape[0] - offset[0]) // BLOCK
    columns = (pixels.shape[1] - offset[1]) // BLOCK
    wanted = rows if rows * columns <= _STRIP_BLOCKS else max(_STRIPS, _STRIP_BLOCKS // columns)
    blocks = []
    for row in np.unique(np.linspace(0, rows - 1, min(wanted, rows)).astype(int)):
        top = offset[0] + int(row) * BLOCK
        strip = pixels[top : top + BLOCK, offset[1] :]
        blocks.append(_cut_usable(to_luma(strip), _is_clipped(strip), (0, 0)))
    return _transform(_drop_repeats(np.concatenate(blocks)))


def _take_patches(pixels: UInt8Array) -> list[tuple[UInt8Array, int, int]]:
    """A small picture whole; of a large one evenly spaced patches; each with its top and left."""
    height, width = pixels.shape[:2]
    side = _PATCH + BLOCK - 1
    if height * width <= _PATCHES * _PATCH**2 or min(height, width) <= side:
        return [(pixels[: _PATCHES * _PATCH, : _PATCHES * _PATCH], 0, 0)]
    down = int(np.clip(round((_PATCHES * height / width) ** 0.5), 1, _PATCHES))
    tops = np.linspace(0, height - side, down).astype(int)
    lefts = np.linspace(0, width - side, _PATCHES // down).astype(int)
    return [(pixels[y : y + side, x : x + side], int(y), int(x)) for y in tops for x in lefts]


def _is_clipped(pixels: UInt8Array) -> BoolArray:
    return np.asarray(((pixels == 0) | (pixels == 255)).any(axis=-1))


def _cut_usable(plane: UInt8Array, clipped: BoolArray, start: tuple[int, int]) -> UInt8Array:
    """(N, 64) the whole blocks from a start on that are neither clipped nor flat."""
    rows, columns = ((side - first) // BLOCK for side, first in zip(plane.shape, start, strict=True))
    if rows <= 0 or columns <= 0:
        return np.empty((0, _PIXELS), dtype=np.uint8)
    part = np.s_[start[0] : start[0] + rows * BLOCK, start[1] : start[1] + columns * BLOCK]
    blocks, cut = (
        values[part].reshape(rows, BLOCK, columns, BLOCK).transpose(0, 2, 1, 3).reshape(-1, _PIXELS)
        for values in (plane, clipped)
    )
    return np.asarray(blocks[~cut.any(axis=1) & (np.ptp(blocks, axis=1) > 1)], dtype=np.uint8)


def _drop_repeats(blocks: UInt8Array) -> UInt8Array:
    """Blocks without exact repeats: what graphics repeat is seen once."""
    weights = np.random.default_rng(0).integers(1, 1 << 40, _PIXELS, dtype=np.int64)
    _, first = np.unique(blocks.astype(np.int64) @ weights, return_index=True)
    return np.asarray(blocks[np.sort(first)], dtype=np.uint8)


def _transform(blocks: UInt8Array) -> FloatArray:
    """Coefficients of (N, 64) blocks, level-shifted, float32."""
    values = transform_blocks(blocks.astype(np.float64))
    values[:, 0] -= LEVEL_SHIFT
    return values.astype(np.float32)
