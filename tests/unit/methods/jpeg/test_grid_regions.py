"""Significance of grids and regions against scipy's binomial law, and on made votes."""

from __future__ import annotations

import math

import numpy as np
import pytest

from imforensics.methods.jpeg.grid_regions import (
    close_blocks,
    find_regions,
    log10_binomial_tail,
    log10_nfa,
    log10_tests,
)

SHAPE = (256, 320)


@pytest.mark.parametrize(("successes", "trials"), [(1, 1), (3, 10), (40, 1000), (3100, 187_500), (60, 60)])
def test_binomial_tail_is_scipy_s(successes: int, trials: int) -> None:
    binom = pytest.importorskip("scipy.stats").binom
    expected = binom.logsf(successes - 1, trials, 1 / 64) / math.log(10)
    assert log10_binomial_tail(successes, trials, 1 / 64) == pytest.approx(expected, rel=1e-6)


def test_binomial_tail_by_hand() -> None:
    assert log10_binomial_tail(3, 3, 0.25) == pytest.approx(3 * math.log10(0.25))
    assert log10_binomial_tail(1, 2, 0.25) == pytest.approx(math.log10(1 - 0.75**2))
    assert log10_binomial_tail(0, 5, 0.25) == 0.0
    with pytest.raises(ValueError, match="0 to 3"):
        log10_binomial_tail(4, 3, 0.25)


def test_number_of_false_alarms_counts_64_votes_as_one() -> None:
    expected = log10_tests(SHAPE) + log10_binomial_tail(20, 30, 1 / 64)
    assert log10_nfa(20 * 64 + 63, 30, SHAPE) == expected
    assert log10_tests(SHAPE) == pytest.approx(2 * math.log10(64 * 256 * 320))


def votes_of(grid: int, rows: slice, columns: slice, votes: int) -> np.ndarray:
    blocks = np.zeros(SHAPE, dtype=np.uint8)
    blocks[grid // 8 :: 8, grid % 8 :: 8][rows, columns] = votes
    return blocks


def test_a_dense_region_is_found_where_it_is() -> None:
    regions = find_regions(votes_of(21, slice(4, 10), slice(5, 12), 60), range(64))
    assert len(regions) == 1
    assert (regions[0].grid, regions[0].top, regions[0].left) == (21, 2 + 32, 5 + 40)
    assert regions[0].blocks.shape == (6, 7)
    assert regions[0].votes == 6 * 7 * 60
    assert regions[0].log10_nfa == log10_nfa(6 * 7 * 60, 42, SHAPE)
    assert find_regions(votes_of(21, slice(4, 10), slice(5, 12), 60), set(range(64)) - {21}) == []


def test_blocks_join_across_one_block_and_no_more() -> None:
    every_second = find_regions(votes_of(0, slice(0, 20, 2), slice(0, 30, 2), 64), [0])
    assert [region.blocks.shape for region in every_second] == [(19, 29)]
    assert every_second[0].blocks.sum() == 10 * 15
    assert find_regions(votes_of(0, slice(0, 30, 3), slice(0, 39, 3), 64), [0]) == []


def test_scattered_votes_are_not_significant() -> None:
    rng = np.random.default_rng(5)
    blocks = np.where(rng.random(SHAPE) < 1 / 40, rng.integers(20, 60, SHAPE), 0).astype(np.uint8)
    assert find_regions(blocks, range(64)) == []
    assert find_regions(np.zeros(SHAPE, np.uint8), range(64)) == []


def test_closing_fills_gaps_and_does_not_grow() -> None:
    blocks = np.zeros((7, 8), dtype=bool)
    blocks[2:5, 2:6] = True
    holed = blocks.copy()
    holed[3, 3:5] = False
    np.testing.assert_array_equal(close_blocks(holed), blocks)
    corner = np.zeros((4, 4), dtype=bool)
    corner[0, 0] = corner[3, 3] = True
    np.testing.assert_array_equal(close_blocks(corner), corner)
