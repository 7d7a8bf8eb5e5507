"""Connected regions of a mask, measured on its map."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from imforensics.preprocessing.components import connect_runs
from imforensics.types import BoolArray, FloatArray, Region

IndexArray = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class _Runs:
    """Maximal horizontal runs of True in row-major order; `stop` is exclusive."""

    row: IndexArray
    start: IndexArray
    stop: IndexArray


def find_regions(mask: BoolArray, values: FloatArray, *, limit: int = 20) -> tuple[int, tuple[Region, ...]]:
    """Find the connected regions of a mask and measure the largest.

    Args:
        mask: (H, W) bool.
        values: (H, W) float32, the map that the mask was taken from.
        limit: number of regions to measure, largest area first.

    Returns:
        The number of all regions, and the `limit` largest.

    Raises:
        ValueError: mask and values differ in shape.

    >>> mask = np.array([[1, 0, 0], [0, 1, 0], [0, 0, 0]], dtype=bool)
    >>> count, regions = find_regions(mask, mask.astype(np.float32))
    >>> count, regions[0].area, regions[0].height
    (1, 2, 2)
    """
    if mask.shape != values.shape:
        raise ValueError(f"mask {mask.shape} and values {values.shape} must have the same shape")
    runs = _find_runs(mask)
    if runs.row.size == 0:
        return 0, ()
    pitch = mask.shape[1] + 2
    first = runs.row * pitch
    root = connect_runs(first + runs.start, first + runs.stop, pitch=pitch)
    areas = np.bincount(root, weights=runs.stop - runs.start, minlength=root.size)
    roots = np.flatnonzero(areas)
    largest = roots[np.argsort(-areas[roots], kind="stable")[:limit]]
    return roots.size, tuple(_measure(runs, np.flatnonzero(root == one), values) for one in largest)


def _find_runs(mask: BoolArray) -> _Runs:
    height, width = mask.shape
    padded = np.zeros((height, width + 2), dtype=np.int8)
    padded[:, 1:-1] = mask
    change = np.diff(padded, axis=1).reshape(-1)
    starts, stops = np.flatnonzero(change > 0), np.flatnonzero(change < 0)
    pitch = width + 1
    return _Runs(row=starts // pitch, start=starts % pitch, stop=stops % pitch)


def _measure(runs: _Runs, members: IndexArray, values: FloatArray) -> Region:
    row, start, stop = runs.row[members], runs.start[members], runs.stop[members]
    top, left = int(row[0]), int(start.min())
    height, width = int(row[-1]) - top + 1, int(stop.max()) - left
    lengths = stop - start
    area = int(lengths.sum())
    offset = np.arange(area) - np.repeat(np.cumsum(lengths) - lengths, lengths)
    inside = values[np.repeat(row, lengths), np.repeat(start, lengths) + offset]
    return Region(top, left, height, width, area, float(inside.mean(dtype=np.float64)), float(inside.max()))
