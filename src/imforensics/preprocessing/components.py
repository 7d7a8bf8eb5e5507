"""Connected components of planes by their runs, without loops over pixels. Pure numpy: importing
scipy.ndimage takes longer.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from imforensics.types import BoolArray


def label_components(stack: BoolArray) -> tuple[NDArray[np.int32], int]:
    """Number the connected components of each plane; cells that touch at a side or a corner belong together.

    Args:
        stack: (N, R, C) bool; nothing connects one plane to another.

    Returns:
        (N, R, C) int32, 0 where `stack` is False, else the component's number from 1 on, in the order of
        first cells; and the number of components.

    >>> label_components(np.array([[[1, 0, 1], [0, 1, 0]], [[1, 0, 1], [0, 0, 0]]], dtype=bool))
    (array([[[1, 0, 1],
            [0, 1, 0]],
    <BLANKLINE>
           [[2, 0, 3],
            [0, 0, 0]]], dtype=int32), 3)
    """
    planes, rows, columns = stack.shape
    pitch = columns + 2  # a free column on both sides, a free row after each plane: nothing touches across
    padded = np.zeros((planes, rows + 1, pitch), dtype=np.int8)
    padded[:, :-1, 1:-1] = stack
    flat = padded.ravel()
    steps = np.diff(flat, prepend=np.int8(0))
    starts, stops = np.flatnonzero(steps == 1), np.flatnonzero(steps == -1)
    roots = connect_runs(starts, stops, pitch=pitch)
    names, number = np.unique(roots, return_inverse=True)
    labels = np.zeros(flat.size, dtype=np.int32)
    labels[starts] = number + 1
    labels[stops] -= (number + 1).astype(np.int32)
    labels = np.cumsum(labels, dtype=np.int32).reshape(padded.shape)
    return np.ascontiguousarray(labels[:, :-1, 1:-1]), len(names)


def connect_runs(starts: NDArray[np.intp], stops: NDArray[np.intp], *, pitch: int) -> NDArray[np.intp]:
    """For each run of True cells the first run of its component, by hooking and pointer jumping.

    A cell has the place row * pitch + column. With `pitch` the width + 2, or more, nothing touches across
    the ends of rows.

    Args:
        starts: (N,) place of the first cell of each horizontal run, ascending.
        stops: (N,) place beyond the last one.
        pitch: places from a cell to the one below it.

    Returns:
        (N,) the smallest index of a run that is connected with it, over sides or corners.

    >>> connect_runs(np.array([0, 2, 6, 10]), np.array([1, 3, 7, 12]), pitch=5)
    array([0, 0, 0, 0])
    """
    first = np.searchsorted(stops, starts - pitch, side="left")
    last = np.searchsorted(starts, stops - pitch, side="right")
    counts = np.maximum(last - first, 0)
    lower = np.repeat(np.arange(starts.size), counts)
    upper = np.repeat(first - np.cumsum(counts) + counts, counts) + np.arange(lower.size)
    parents = np.arange(starts.size)
    while lower.size:
        low, high = np.minimum(lower, upper), np.maximum(lower, upper)
        np.minimum.at(parents, high, low)
        while not np.array_equal(parents, shorter := parents[parents]):
            parents = shorter
        lower, upper = parents[lower], parents[upper]
        differ = lower != upper
        lower, upper = lower[differ], upper[differ]
    return parents
