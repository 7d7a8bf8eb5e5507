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
    padded = pad_planes(stack)
    starts, stops = find_runs(padded)
    names, number = np.unique(connect_runs(starts, stops, pitch=padded.shape[2]), return_inverse=True)
    changes = np.zeros(padded.size, dtype=np.int32)
    changes[starts] = number + 1
    changes[stops] -= (number + 1).astype(np.int32)
    labels = np.cumsum(changes, dtype=np.int32).reshape(padded.shape)
    return np.ascontiguousarray(labels[:, :-1, 1:-1]), len(names)


def sum_components(stack: BoolArray, weights: NDArray[np.uint8]) -> NDArray[np.int64]:
    """Sum of the cells' weights in each component; without a label a cell it takes a third of the work.

    Args:
        stack: (N, R, C) bool, as for `label_components`.
        weights: (N, R, C) uint8.

    >>> sum_components(np.array([[[1, 0, 1], [0, 1, 0]]], dtype=bool), np.full((1, 2, 3), 2, np.uint8))
    array([6])
    """
    padded = pad_planes(stack)
    starts, stops = find_runs(padded)
    roots = connect_runs(starts, stops, pitch=padded.shape[2])
    up_to = np.cumsum(pad_planes(weights).ravel(), dtype=np.uint32)  # modulo 2^32, as are the differences
    sums = np.bincount(roots, weights=up_to[stops - 1] - up_to[starts - 1]).astype(np.int64)
    return np.asarray(sums[np.unique(roots)])


def pad_planes(stack: BoolArray | NDArray[np.uint8]) -> NDArray[np.uint8]:
    """(N, R + 1, C + 2) uint8, a free column on both sides and a free row after: no plane touches another."""
    return np.pad(stack.view(np.uint8), ((0, 0), (0, 1), (1, 1)))


def find_runs(padded: NDArray[np.uint8]) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Place of the first cell of each horizontal run of cells of 1, and the place beyond its last."""
    flat = padded.ravel()
    edges = np.flatnonzero(flat[1:] != flat[:-1]) + 1
    return edges[::2], edges[1::2]


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
