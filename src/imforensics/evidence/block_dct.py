"""The block DCT of JPEG in exact arithmetic: every machine computes the same bits.

A sum of floats depends on the order of its terms, and so on the processor: a sum that lands on a tie is then
rounded up on one machine and down on another. Here every term is a whole number: samples in steps of 1/64 of
a gray level, the basis in steps of 2^-34. Their sums stay below 2^53, where float64 holds whole numbers
exactly, whatever the order.

Reference:
    ITU-T T.81 (JPEG), A.3.3.
"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from imforensics.types import FloatArray, UInt8Array

BLOCK = 8
SAMPLE_STEPS = 64  # a gray level
BASIS_STEPS = 2.0**34  # |sample| < 1024: 2^10 samples x 2^6 steps x 8 (largest sum of |basis|) x 2^34 = 2^53
_STRIP_PIXELS = 1 << 17  # pixels transformed at a time: working arrays of some MB, whatever the plane's size


def dct_matrix() -> NDArray[np.float64]:
    """The orthonormal 8-point DCT-II: (8, 8) float64, rows are frequencies."""
    angles = np.pi * np.outer(np.arange(BLOCK), 2 * np.arange(BLOCK) + 1) / 16
    matrix = np.cos(angles) / 2
    matrix[0] = np.sqrt(1 / 8)
    return np.asarray(matrix, dtype=np.float64)


@lru_cache(maxsize=1)
def whole_basis() -> NDArray[np.float64]:
    """The 64 basis pictures times BASIS_STEPS: (64, 64) float64 whole numbers, [8 u + v, 8 row + column]."""
    matrix = dct_matrix()
    basis: NDArray[np.float64] = np.rint(np.kron(matrix, matrix) * BASIS_STEPS)
    basis.flags.writeable = False
    return basis


@lru_cache(maxsize=1)
def _scaled_basis() -> NDArray[np.float64]:
    """The basis itself. A power of two divides it: sums are as exact as those of whole numbers."""
    return whole_basis() / BASIS_STEPS


def block_dct(plane: FloatArray | UInt8Array, *, top: int = 0, left: int = 0) -> FloatArray:
    """Orthonormal DCT-II of the whole 8x8 blocks of one grid.

    Blocks that the bottom or right edge cuts are left out.

    Args:
        plane: (H, W), any real dtype, |values| < 1024; taken in steps of 1/64; no level shift is taken off.
        top: row of the grid's first block, at least 0; more than 7 leaves whole blocks out.
        left: column of the grid's first block, at least 0.

    Returns:
        (max(H - top, 0) // 8, max(W - left, 0) // 8, 8, 8) float32 in the unit of `plane`: [r, c, u, v] is
        vertical frequency u and horizontal frequency v of the block at row top + 8 r, column left + 8 c. The
        same bits on every machine.

    Raises:
        ValueError: `plane` has other than two axes, or `top` or `left` is negative.

    >>> block_dct(np.full((9, 19), 2, np.uint8), left=3)[0, :, 0, 0].round(3)
    array([16., 16.], dtype=float32)
    """
    if plane.ndim != 2:
        raise ValueError(
            f"Expected a plane (H, W); received shape {plane.shape}. Take one channel or the luma."
        )
    if top < 0 or left < 0:
        raise ValueError(f"Expected top and left >= 0; received top={top}, left={left}.")
    rows, columns = max(plane.shape[0] - top, 0) // BLOCK, max(plane.shape[1] - left, 0) // BLOCK
    result = np.empty((rows, columns, BLOCK * BLOCK), dtype=np.float32)
    if result.size:
        grid = plane[top : top + rows * BLOCK, left : left + columns * BLOCK]
        blocks = grid.reshape(rows, BLOCK, columns, BLOCK).transpose(0, 2, 1, 3)
        strip = max(1, _STRIP_PIXELS // (columns * BLOCK * BLOCK))
        for first in range(0, rows, strip):
            samples = blocks[first : first + strip].astype(np.float64).reshape(-1, columns, BLOCK * BLOCK)
            if not np.issubdtype(plane.dtype, np.integer):
                samples *= SAMPLE_STEPS
                np.rint(samples, out=samples)
                samples /= SAMPLE_STEPS
            result[first : first + strip] = transform_blocks(samples)
    return result.reshape(rows, columns, BLOCK, BLOCK)


def transform_blocks(samples: NDArray[np.float64]) -> NDArray[np.float64]:
    """DCT of blocks whose samples are multiples of 1/64 below 1024: (..., 64) float64 to (..., 64), exact."""
    return _multiply(samples, _scaled_basis().T)


def restore_blocks(coefficients: NDArray[np.float64]) -> NDArray[np.float64]:
    """Samples of blocks whose coefficients are whole numbers up to 2^15: (..., 64) to (..., 64), exact."""
    return _multiply(coefficients, _scaled_basis())


def _multiply(blocks: NDArray[np.float64], basis: NDArray[np.float64]) -> NDArray[np.float64]:
    """(..., 64) times (64, 64), in products so small that BLAS takes one thread for each: methods run side by
    side, and its threads would wait for each other.
    """
    rows = blocks.reshape(-1, 64)
    result = np.empty(rows.shape)
    whole = len(rows) // 64 * 64
    np.matmul(rows[:whole].reshape(-1, 64, 64), basis, out=result[:whole].reshape(-1, 64, 64))
    np.matmul(rows[whole:], basis, out=result[whole:])
    return result.reshape(blocks.shape)
