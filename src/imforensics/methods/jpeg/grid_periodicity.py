"""How far DCT coefficients on each of the 64 block grids lie on the lattice of a quantization table.

Quantized coefficients are multiples of their divisor. Decoded, cropped and saved again, the image shows them
on no grid but the earlier one, blurred by the last saving's rounding. For each offset of the grid, each low
frequency and each divisor q, the mean of cos(2 pi x / q) over the coefficients x tells how well they keep to
multiples of q (an integer periodicity map, with the phase that quantization must have). Small coefficients,
|x| < q / 2, lie near a multiple without any quantization and are left out.

Reference:
    T. Bianchi, A. Piva, "Detection of nonaligned double JPEG compression based on integer periodicity maps",
    IEEE Transactions on Information Forensics and Security 7(2), 2012, doi:10.1109/TIFS.2011.2170836.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np

from imforensics.evidence.block_dct import SAMPLE_STEPS, dct_matrix

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from imforensics.types import FloatArray

BLOCK = 8
MIN_SIDE = 4 * BLOCK  # pixels
LOW = 5  # frequencies u + v < LOW are used: higher ones are mostly 0, or drowned by the last saving
U = np.array([u for u in range(LOW) for _ in range(LOW - u)])
V = np.array([v for u in range(LOW) for v in range(LOW - u)])
MAX_DIVISOR = 48
MAX_BLOCKS = 32_768  # block rows are skipped evenly until no more blocks are left; 2 megapixels need none
MAX_TILES = 48
MIN_TILE = 8  # blocks a side
_MATRIX_STEPS = 2.0**18  # exact sums, see block_dct: 128 x 64 steps x 8 x 2^36 < 2^53
_BIN = 0.5  # of a coefficient's magnitude
_BINS = 1024  # larger magnitudes, about 512 and above, are left out


@dataclass(frozen=True, slots=True)
class Periodicity:
    """Sums over the coefficients of each window, for each offset and each low frequency (U[f], V[f]).

    Attributes:
        cosines: (64, windows, F, MAX_DIVISOR) float32, sum of cos(2 pi x / q) over |x| >= q / 2: index
            8 i + j for the grid that starts at row i, column j, and q - 1 on the last axis.
        counts: the same shape, number of these coefficients.
        windows: (windows, 4) int64 top, left, bottom, right in pixels: the whole image first, then tiles,
            then squares of four tiles.
    """

    cosines: FloatArray
    counts: FloatArray
    windows: NDArray[np.int64]


def measure_periodicity(plane: FloatArray) -> Periodicity:
    """Lattice sums of every offset of the grid, in windows over the image.

    Args:
        plane: (H, W) float32, luma minus 128, taken in steps of 1/64; at least MIN_SIDE pixels a side.

    Returns:
        See `Periodicity`. Of large images not all rows of blocks are looked at.

    Raises:
        ValueError: not a plane of that size.

    >>> measure_periodicity(np.zeros((40, 48), np.float32)).windows
    array([[ 0,  0, 40, 48]])
    """
    if plane.ndim != 2 or min(plane.shape) < MIN_SIDE:
        raise ValueError(
            f"Expected a plane of at least {MIN_SIDE} pixels a side; received shape {plane.shape}. Leave "
            "smaller images out."
        )
    rows, columns = ((side - BLOCK + 1) // BLOCK for side in plane.shape)  # whole blocks at every offset
    tile = max(MIN_TILE, int(np.ceil(np.sqrt(rows * columns / MAX_TILES))))
    stride = -(-rows * columns // MAX_BLOCKS)
    edges = [_tile_edges(count, tile) for count in (rows, columns)]
    kept = np.arange(0, rows, stride)
    tile_rows, tile_columns = (
        np.searchsorted(edge, places, side="right") - 1
        for edge, places in zip(edges, (kept, np.arange(columns)), strict=True)
    )
    shape = (len(edges[0]) - 1, len(edges[1]) - 1)
    first_bins = (tile_rows[:, None] * shape[1] + tile_columns) * _BINS
    waves = _cosine_table()
    cosines = np.empty((64, *shape, len(U), MAX_DIVISOR), dtype=np.float32)
    counts = np.empty_like(cosines)
    plane = np.rint(plane * np.float32(SAMPLE_STEPS))
    for top in range(BLOCK):
        strips = plane[top : top + rows * BLOCK].reshape(rows, BLOCK, -1)[::stride]
        lines = np.matmul(_whole_matrix()[0], strips.astype(np.float64))
        for left in range(BLOCK):
            histograms = _count_magnitudes(lines[..., left : left + columns * BLOCK], first_bins, shape)
            index = top * BLOCK + left
            cosines[index] = histograms @ waves
            counts[index] = _count_from(histograms)
    windows = _window_edges(edges, (plane.shape[0], plane.shape[1]))
    return Periodicity(_join_tiles(cosines), _join_tiles(counts), windows)


def _tile_edges(count: int, tile: int) -> NDArray[np.int64]:
    """First blocks of the tiles and the end; the last tile takes the rest."""
    edges = np.arange(max(1, count // tile) + 1) * tile
    edges[-1] = count
    return edges


def _count_magnitudes(
    lines: NDArray[np.float64], first_bins: NDArray[np.int64], shape: tuple[int, int]
) -> FloatArray:
    """(tile rows, tile columns, F, _BINS) float32 histograms of |coefficient| of one offset.

    `lines` is (block rows, LOW, 8 columns), the vertical DCT of each row of blocks in whole numbers.
    """
    rows, _, width = lines.shape
    coefficients = lines.reshape(rows, LOW, width // BLOCK, BLOCK) @ _whole_matrix()[0].T
    coefficients /= _whole_matrix()[1][:, None]
    tiles = shape[0] * shape[1]
    result = np.empty((tiles, len(U), _BINS), dtype=np.float32)
    for index, (u, v) in enumerate(zip(U, V, strict=True)):
        magnitudes = np.abs(coefficients[:, u, :, v])
        bins = np.rint(np.minimum(magnitudes, _BINS - 1, out=magnitudes), out=magnitudes).astype(np.int64)
        bins += first_bins
        result[:, index] = np.bincount(bins.ravel(), minlength=tiles * _BINS).reshape(tiles, _BINS)
    result[..., -1] = 0
    return result.reshape(*shape, len(U), _BINS)


@lru_cache(maxsize=1)
def _whole_matrix() -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """(LOW, 8) lowest frequencies of the DCT in whole numbers, and (LOW, LOW) the divisors to bins.

    Rows 0 and 4 are +1 and -1 times 1 / sqrt(8): kept apart, their products are exact, ties too.
    """
    matrix = dct_matrix()[:LOW]
    is_sign = np.arange(LOW) % 4 == 0
    whole = np.where(is_sign[:, None], np.sign(matrix), np.rint(matrix * _MATRIX_STEPS))
    steps = np.where(is_sign, np.sqrt(8), _MATRIX_STEPS)
    divisors = np.where(np.logical_and.outer(is_sign, is_sign), 8, np.multiply.outer(steps, steps))
    return whole, divisors * SAMPLE_STEPS * _BIN


@lru_cache(maxsize=1)
def _cosine_table() -> FloatArray:
    """(_BINS, MAX_DIVISOR) float32 cos(2 pi x / q), 0 below q / 2."""
    values, divisors = np.arange(_BINS)[:, None] * _BIN, np.arange(1, MAX_DIVISOR + 1)
    waves = np.where(values >= divisors / 2, np.cos(2 * np.pi * values / divisors), 0)
    return np.asarray(waves, dtype=np.float32)


def _count_from(histograms: FloatArray) -> FloatArray:
    """Number of magnitudes of at least q / 2 for each divisor q."""
    first = np.ceil(np.arange(1, MAX_DIVISOR + 1) / 2 / _BIN).astype(np.intp)
    between = np.add.reduceat(histograms, first, axis=-1)
    return np.asarray(np.cumsum(between[..., ::-1], axis=-1)[..., ::-1], dtype=np.float32)


def _join_tiles(sums: FloatArray) -> FloatArray:
    """(64, windows, F, Q): the whole, the tiles, squares of four tiles; the whole alone of a single tile."""
    whole: FloatArray = sums.sum(axis=(1, 2))[:, None]
    if sums.shape[1] * sums.shape[2] == 1:
        return whole
    squares = sums[:, :-1, :-1] + sums[:, 1:, :-1] + sums[:, :-1, 1:] + sums[:, 1:, 1:]
    flat = [part.reshape(len(sums), -1, *sums.shape[3:]) for part in (sums, squares)]
    return np.concatenate([whole, *flat], axis=1)


def _window_edges(edges: list[NDArray[np.int64]], shape: tuple[int, int]) -> NDArray[np.int64]:
    """Pixels of the windows of `_join_tiles`, the last of a line up to the edge of the image."""
    rows, columns = (edge * BLOCK for edge in edges)
    rows[-1], columns[-1] = shape
    windows = [(0, 0, *shape)]
    for size in (1, 2) if len(rows) * len(columns) > 4 else ():
        windows += [
            (rows[r], columns[c], rows[r + size], columns[c + size])
            for r in range(len(rows) - size)
            for c in range(len(columns) - size)
        ]
    return np.array(windows, dtype=np.int64)
