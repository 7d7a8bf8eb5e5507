"""Votes of pixels for the origin of the JPEG grid that they were compressed on.

JPEG sets many DCT coefficients of its 8x8 blocks to zero; blocks cut across its grid have fewer zeros. Each
pixel lies in 64 blocks, one of each possible grid, and votes for the grid of the one with most zeros.

Reference:
    T. Nikoukhah et al., ZERO: a local JPEG grid origin detector based on the number of DCT zeros and its
    applications in image forensics, Image Processing On Line 11, 2021, doi:10.5201/ipol.2021.390
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from imforensics.evidence.block_dct import dct_matrix

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from imforensics.types import BoolArray, CellT, UInt8Array, UInt16Array

BLOCK = 8
GRIDS = 64
NO_VOTE = 64
# JPEG's finest quantization is to integers: below 0.5 a coefficient is 0. Those of exactly 0.5, which
# integers give often, are kept out of the reach of the matrix's rounding.
_ZERO_BELOW = 0.4999
# Counted in float32, whose sums depend on the machine: near the limit they were off by 3.1e-5 at most, in
# 200,000 random blocks of 0 and 255. Coefficients nearer to it than this are counted again in whole numbers,
# 255 x 8 x 2^42 < 2^53, see block_dct: every machine counts the same.
_IN_DOUBT = 5e-5
_MATRIX_STEPS = 2.0**21
_CENTER = 128  # taken off, which changes no coefficient but the mean
_TILE = (64, 1024)  # rows, columns of blocks transformed at a time, which stay in the processor's cache
_RECOUNTED = 4096  # blocks at a time
_BAND = 64  # rows of pixels that vote at a time
_NO_GRID = 127  # in a block's code: it has no zeros or is constant along an axis, or blocks are tied


@dataclass(frozen=True, slots=True)
class GridVotes:
    """What the pixels voted for. Grid number = 8 x (row of the origin) + column of the origin.

    Attributes:
        grids: (H, W) uint8, grid voted for, NO_VOTE for none: on ties and within 7 pixels of the border.
        counts: (64,) int64, votes of each grid.
    """

    grids: UInt8Array
    counts: NDArray[np.int64]


def vote_for_grids(plane: UInt8Array) -> GridVotes:
    """Each pixel's vote among the 64 grids.

    Args:
        plane: (H, W) uint8, the luma.

    Returns:
        See `GridVotes`.
    """
    height, width = plane.shape
    grids = np.full((height, width), NO_VOTE, dtype=np.uint8)
    reach = 2 * (BLOCK - 1)
    if min(height, width) > reach:
        shared = count_zeros(plane[:reach])  # of the rows of blocks that two bands look at
        for top in range(0, height - reach, _BAND):
            bottom = min(top + _BAND, height - reach)
            zeros = np.concatenate([shared, count_zeros(plane[top + BLOCK - 1 : bottom + reach])])
            shared = zeros[1 - BLOCK :]
            codes = _code_blocks(plane[top : bottom + reach], zeros, top)
            best = _slide(_slide(codes, axis=0), axis=1) & np.uint16(_NO_GRID)
            voted = np.where(best == _NO_GRID, np.uint16(NO_VOTE), best)
            grids[top + BLOCK - 1 : bottom + BLOCK - 1, BLOCK - 1 : 1 - BLOCK] = voted
    counts = np.zeros(GRIDS + 1, dtype=np.int64)
    for top in range(0, height, _BAND):
        counts += np.bincount(grids[top : top + _BAND].ravel(), minlength=GRIDS + 1)
    return GridVotes(grids, counts[:GRIDS])


def count_zeros(plane: UInt8Array) -> UInt8Array:
    """Number of zero DCT coefficients, the mean apart, of the block that starts at each pixel.

    Args:
        plane: (H, W) uint8, H and W at least 8.

    Returns:
        (H - 7, W - 7) uint8 in [0, 63].

    >>> count_zeros(np.zeros((8, 9), np.uint8))
    array([[63, 63]], dtype=uint8)
    """
    height, width = (side - BLOCK + 1 for side in plane.shape)
    result = np.empty((height, width), dtype=np.uint8)
    for left in range(0, width, _TILE[1]):
        for top in range(0, height, _TILE[0]):
            tile = np.s_[top : top + _TILE[0], left : left + _TILE[1]]
            counted = result[tile]
            rows, columns = (size + BLOCK - 1 for size in counted.shape)
            _count_in_tile(plane[top : top + rows, left : left + columns], counted)
    return result


def gather_blocks(votes: UInt8Array) -> UInt8Array:
    """Votes by the block that they were given for.

    Args:
        votes: (H, W) uint8, see `GridVotes.grids`.

    Returns:
        (H, W) uint8 in [0, 64]: at a block's first pixel the number of its pixels that voted for its grid.
        The blocks of grid 8 r + c are `[r::8, c::8]`.
    """
    height, width = votes.shape
    result = np.zeros((height + BLOCK, width), dtype=np.uint8)  # 8 rows more above: tops of the first band
    for top in range(0, height, _BAND):
        places = np.flatnonzero(votes[top : top + _BAND] != NO_VOTE).astype(np.int32)
        grids = votes[top : top + _BAND].ravel()[places]
        rows, columns = np.divmod(places, np.int32(width))
        up = ((rows + np.int32(top)).astype(np.uint8) - (grids >> 3)) & 7
        aside = (columns.astype(np.uint8) - grids) & 7
        size = min(_BAND, height - top) + BLOCK
        firsts = places + np.int32(BLOCK * width) - up * np.int32(width) - aside
        sums = np.bincount(firsts, minlength=size * width)
        result[top : top + size] += sums.reshape(size, width).astype(np.uint8)
    return result[BLOCK:]


def _count_in_tile(part: UInt8Array, out: UInt8Array) -> None:
    """Zeros of the blocks in (rows + 7, columns + 7) pixels, to `out` (rows, columns)."""
    rows, columns = out.shape
    transform = dct_matrix().astype(np.float32)
    padded = np.pad(part, ((0, 0), (0, -columns % BLOCK)))  # whole words of 8 counts
    width = padded.shape[1] - BLOCK + 1
    windows = sliding_window_view(padded, width, axis=1).astype(np.float32)  # (rows + 7, 8, width)
    windows -= _CENTER
    # In halves of a row, products so small that BLAS takes one thread for each, see block_dct.
    across = np.matmul(transform, windows).reshape(rows + BLOCK - 1, 2, -1).swapaxes(0, 1)
    coefficients = np.empty((BLOCK, BLOCK * width), dtype=np.float32)
    halves = coefficients.reshape(BLOCK, 2, -1).swapaxes(0, 1)
    is_zero = np.empty((BLOCK, BLOCK * width), dtype=np.bool_)
    words = is_zero.view(np.uint64)  # (8, width): 8 counts below 256 each
    by_frequency = np.empty(width, dtype=np.uint64)
    counts = np.empty((2, rows, width // BLOCK), dtype=np.uint64)  # at least, at most
    for row in range(rows):
        np.matmul(transform, across[:, row : row + BLOCK], out=halves)
        np.abs(coefficients, out=coefficients)
        for count, margin in zip(counts, (-_IN_DOUBT, _IN_DOUBT), strict=True):
            np.less(coefficients, np.float32(_ZERO_BELOW + margin), out=is_zero)
            is_zero[0, :width] = False  # the mean is no evidence
            np.add.reduce(words, axis=0, out=by_frequency)
            np.add.reduce(by_frequency.reshape(BLOCK, -1), axis=0, out=count[row])
    least, most = counts.view(np.uint8)[..., :columns]
    out[...] = least
    tops, lefts = np.nonzero(least != most)
    blocks = sliding_window_view(part, (BLOCK, BLOCK))
    for first in range(0, len(tops), _RECOUNTED):
        chosen = tops[first : first + _RECOUNTED], lefts[first : first + _RECOUNTED]
        out[chosen] = _count_exactly(blocks[chosen])


def _count_exactly(blocks: UInt8Array) -> UInt8Array:
    """Zeros of (N, 8, 8) blocks, the mean apart: (N,) in [0, 63]."""
    transform = np.rint(dct_matrix() * _MATRIX_STEPS)
    coefficients = np.abs(transform @ blocks.astype(np.float64) @ transform.T)
    is_zero = (coefficients < _ZERO_BELOW * _MATRIX_STEPS**2).reshape(-1, BLOCK * BLOCK)
    return np.asarray(np.count_nonzero(is_zero[:, 1:], axis=1), dtype=np.uint8)


def _code_blocks(plane: UInt8Array, zeros: UInt8Array, top: int) -> UInt16Array:
    """128 x zeros + grid of the block that starts at each pixel, of a band whose first row is `top`.

    The grid is _NO_GRID for a block that must not be voted for.

    Blocks that are constant along an axis are left out, as in the paper: they have as many zeros on several
    grids, whatever was done to them.
    """
    codes = zeros.astype(np.uint16) << np.uint16(7)
    height, width = zeros.shape
    rows, columns = (top + np.arange(height)) % BLOCK, np.arange(width) % BLOCK
    grids = np.add.outer(BLOCK * rows, columns).astype(np.uint16)
    left_out = zeros == 0
    left_out |= _all_in_block(plane[1:] == plane[:-1], (BLOCK - 1, BLOCK))
    left_out |= _all_in_block(plane[:, 1:] == plane[:, :-1], (BLOCK, BLOCK - 1))
    grids[left_out] = _NO_GRID
    codes |= grids
    return codes


def _all_in_block(equal: BoolArray, size: tuple[int, int]) -> BoolArray:
    """Whether all of the `size` cells from each one on are True."""
    for axis, length in enumerate(size):
        window = 1
        while window < length:
            step = min(window, length - window)
            one, other = _ends(equal, step, axis)
            equal = one & other
            window += step
    return equal


def _slide(codes: UInt16Array, axis: int) -> UInt16Array:
    """Best of the 8 codes from each one on; equal numbers of zeros are a tie."""
    for step in (1, 2, 4):
        one, other = _ends(codes, step, axis)
        codes = np.maximum(one, other)
        codes |= ((one ^ other) <= _NO_GRID).view(np.uint8) * np.uint8(_NO_GRID)
    return codes


def _ends(cells: NDArray[CellT], step: int, axis: int) -> tuple[NDArray[CellT], NDArray[CellT]]:
    """All but the last `step` cells along an axis, and all but the first."""
    if axis == 0:
        return cells[:-step], cells[step:]
    return cells[:, :-step], cells[:, step:]
