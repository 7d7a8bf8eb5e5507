"""Sliding windows against sums taken one by one."""

from __future__ import annotations

import numpy as np
import pytest

from imforensics.preprocessing.windows import gather_windows


@pytest.mark.parametrize("cells", [1, 2, 3, 5, 7, 9])
def test_each_window_is_the_sum_of_its_cells_and_lies_inside(cells: int) -> None:
    counts = np.random.default_rng(0).integers(0, 1000, (7, 9, 3)).astype(np.float32)
    found = gather_windows(counts, cells=cells)
    for row in range(7):
        top = min(max(row - cells // 2, 0), max(7 - cells, 0))
        for column in range(9):
            left = min(max(column - cells // 2, 0), max(9 - cells, 0))
            expected = counts[top : top + cells, left : left + cells].sum(axis=(0, 1))
            np.testing.assert_array_equal(found[row, column], expected)
