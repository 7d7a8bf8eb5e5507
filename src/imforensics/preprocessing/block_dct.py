"""The block DCT of JPEG, on any of the 64 grids that a plane can be cut into."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from imforensics.preprocessing.dct_statistics import dct_matrix

if TYPE_CHECKING:
    from imforensics.types import FloatArray, UInt8Array

BLOCK = 8
_STRIP_PIXELS = 1 << 18  # pixels transformed at a time: working arrays of some MB, whatever the plane's size


def block_dct(plane: FloatArray | UInt8Array, *, top: int = 0, left: int = 0) -> FloatArray:
    """Orthonormal DCT-II of the whole 8x8 blocks of one grid.

    Blocks that the bottom or right edge cuts are left out.

    Args:
        plane: (H, W), any real dtype; no level shift is taken off.
        top: row of the grid's first block, at least 0; more than 7 leaves whole blocks out.
        left: column of the grid's first block, at least 0.

    Returns:
        (max(H - top, 0) // 8, max(W - left, 0) // 8, 8, 8) float32 in the unit of `plane`: [r, c, u, v] is
        vertical frequency u and horizontal frequency v of the block at row top + 8 r, column left + 8 c.

    Raises:
        ValueError: `plane` has other than two axes, or `top` or `left` is negative.

    Reference:
        ITU-T T.81 (JPEG), A.3.3.

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
    result = np.empty((rows, columns, BLOCK, BLOCK), dtype=np.float32)
    if not result.size:
        return result
    grid = plane[top : top + rows * BLOCK, left : left + columns * BLOCK]
    blocks = grid.reshape(rows, BLOCK, columns, BLOCK)
    transform = dct_matrix()
    strip = max(1, _STRIP_PIXELS // (columns * BLOCK * BLOCK))
    for first in range(0, rows, strip):
        part = blocks[first : first + strip].astype(np.float32, copy=False)
        across = part.reshape(-1, BLOCK) @ transform.T  # rows of (block row, line, block column)
        lines = across.reshape(part.shape).transpose(0, 2, 1, 3)
        np.matmul(transform, lines, out=result[first : first + strip])
    return result
