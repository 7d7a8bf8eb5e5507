"""Connected components against a flood fill."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from imforensics.preprocessing.components import connect_runs, label_components, sum_components


def flood(plane: NDArray[np.bool_], first: int) -> tuple[NDArray[np.int32], int]:
    """Numbers from first + 1 on, by one flood fill after the other in row-major order."""
    labels, count = np.zeros(plane.shape, np.int32), first
    for seed in zip(*np.nonzero(plane), strict=True):
        if labels[seed]:
            continue
        count += 1
        stack = [seed]
        while stack:
            row, column = stack.pop()
            inside = 0 <= row < plane.shape[0] and 0 <= column < plane.shape[1]
            if inside and plane[row, column] and not labels[row, column]:
                labels[row, column] = count
                stack += [(row + i, column + j) for i in (-1, 0, 1) for j in (-1, 0, 1)]
    return labels, count


@pytest.mark.parametrize("density", [0.1, 0.35, 0.5, 0.9])
def test_same_components_as_a_flood_fill(density: float) -> None:
    stack = np.random.default_rng(3).random((4, 23, 31)) < density
    labels, count = label_components(stack)
    expected = 0
    for plane, part in zip(stack, labels, strict=True):
        whole, expected = flood(plane, expected)
        np.testing.assert_array_equal(part, whole)
    assert count == expected


def test_a_spiral_is_one_component() -> None:
    spiral = np.zeros((1, 9, 9), dtype=bool)
    spiral[0, 0], spiral[0, :, 8], spiral[0, 8], spiral[0, 2:, 0], spiral[0, 2, :7] = (True,) * 5
    spiral[0, 2:7, 6], spiral[0, 6, 2:7] = True, True
    assert label_components(spiral)[1] == 1


@pytest.mark.parametrize("shape", [(0, 3, 3), (1, 0, 4), (2, 3, 3)])
def test_nothing_gives_no_component(shape: tuple[int, int, int]) -> None:
    labels, count = label_components(np.zeros(shape, dtype=bool))
    assert count == 0
    assert labels.shape == shape
    assert not labels.any()


def test_runs_that_touch_only_across_the_ends_of_rows_stay_apart() -> None:
    width = 4  # a row's last cell, then the first cells of the next two rows
    rows, starts, stops = np.array([0, 1, 3]), np.array([3, 0, 0]), np.array([4, 1, width])
    first = rows * (width + 2)
    np.testing.assert_array_equal(connect_runs(first + starts, first + stops, pitch=width + 2), [0, 1, 2])


def test_a_run_that_joins_two_names_the_first_for_all() -> None:
    starts, stops = np.array([0, 4, 11, 30]), np.array([1, 5, 14, 31])  # two, one below both, one far away
    np.testing.assert_array_equal(connect_runs(starts, stops, pitch=10), [0, 0, 0, 3])
    assert connect_runs(starts[:0], stops[:0], pitch=10).size == 0


def test_sums_are_those_of_the_labelled_cells() -> None:
    rng = np.random.default_rng(8)
    stack = rng.random((3, 20, 31)) < 0.3
    weights = rng.integers(0, 65, stack.shape).astype(np.uint8)
    labels, count = label_components(stack)
    expected = np.bincount(labels.ravel(), weights=weights.ravel(), minlength=count + 1)[1:]
    np.testing.assert_array_equal(sum_components(stack, weights), expected)
    assert not sum_components(np.zeros_like(stack), weights).size
