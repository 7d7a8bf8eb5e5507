"""Sliding windows over a grid of cells."""

from __future__ import annotations

import numpy as np

from imforensics.types import FloatArray


def gather_windows(counts: FloatArray, *, cells: int) -> FloatArray:
    """Sum of the counts over a square window around each cell; windows at the edges are moved inside.

    Args:
        counts: (h, w, n) float32.
        cells: side of a window in cells; a picture of fewer has one window on that axis.

    Returns:
        (h, w, n) float32.

    >>> gather_windows(np.array([[[1.0], [2.0], [4.0], [8.0]]], np.float32), cells=3)[0, :, 0]
    array([ 7.,  7., 14., 14.], dtype=float32)
    """
    result = counts
    for axis in (0, 1):
        size = counts.shape[axis]
        first = np.clip(np.arange(size) - cells // 2, 0, max(size - cells, 0))
        last = np.minimum(first + cells, size)
        shape = [1 if i == axis else n for i, n in enumerate(counts.shape)]
        sums = np.concatenate([np.zeros(shape), np.cumsum(result, axis=axis, dtype=np.float64)], axis=axis)
        result = (np.take(sums, last, axis=axis) - np.take(sums, first, axis=axis)).astype(np.float32)
    return result
