"""Regions of quiet cells: the number of false alarms against its formula, growth, no alarms by chance."""

from __future__ import annotations

import math
from itertools import pairwise

import numpy as np
import pytest

from imforensics.methods.noise.noise_regions import find_noise_regions, log10_nfa


def test_number_of_false_alarms_is_tests_times_tail() -> None:
    tail = sum(math.comb(20, k) for k in range(17, 21)) / 2**20
    tests = 0.5 * 150**2 * 0.316915 / 3 * 4.062570**3
    found = log10_nfa(17.9, 19.2, cells=3, grid_cells=150)
    assert found == pytest.approx(math.log10(tests * tail), abs=1e-6)


def test_a_quiet_region_is_grown_and_the_rest_left() -> None:
    smooth = np.full((8, 10), 12.0)
    quiet = smooth * 0.48
    quiet[2:4, 3:6] = 11.5
    (region,) = find_noise_regions(smooth, quiet, max_log10_nfa=0)
    expected = np.zeros((8, 10), bool)
    expected[2:4, 3:6] = True
    np.testing.assert_array_equal(region.cells, expected)
    assert (region.smooth, region.quiet) == (72, 69)
    assert region.log10_nfa == pytest.approx(log10_nfa(69, 72, cells=6, grid_cells=80))
    assert region.log10_nfa < -5


def test_regions_that_do_not_touch_are_apart_and_sorted() -> None:
    smooth = np.full((6, 12), 30.0)
    quiet = smooth * 0.4
    quiet[1, 1], quiet[4, 8:10], quiet[1, 10] = 29, 30, 28
    regions = find_noise_regions(smooth, quiet, max_log10_nfa=0)
    assert [int(region.cells.sum()) for region in regions] == [2, 1, 1]
    assert all(first.log10_nfa <= second.log10_nfa for first, second in pairwise(regions))
    assert not (regions[0].cells & regions[1].cells).any()


def test_chance_gives_fewer_alarms_than_the_limit_says() -> None:
    rng = np.random.default_rng(0)
    alarms = 0
    for _ in range(100):
        smooth = rng.integers(0, 30, (8, 12)).astype(float)
        quiet = rng.binomial(smooth.astype(int), 0.5).astype(float)
        alarms += bool(find_noise_regions(smooth, quiet, max_log10_nfa=-1))
    assert alarms <= 10


def test_empty_and_even_grids_have_no_region() -> None:
    assert find_noise_regions(np.zeros((3, 4)), np.zeros((3, 4)), max_log10_nfa=99) == []
    assert find_noise_regions(np.full((3, 4), 8.0), np.full((3, 4), 4.0), max_log10_nfa=99) == []
