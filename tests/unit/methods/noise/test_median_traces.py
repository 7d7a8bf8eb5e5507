"""The median against a sorted neighbourhood, its traces against sums taken pixel by pixel."""

from __future__ import annotations

import numpy as np
import pytest

from imforensics.methods.noise.median_traces import (
    FEATURES,
    describe_traces,
    filter_median,
    find_texture,
    sum_median_traces,
)


def picture(shape: tuple[int, int], high: int = 256, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, high, shape, dtype=np.uint8)


def neighbourhoods(plane: np.ndarray, reach: int) -> np.ndarray:
    padded = np.pad(plane, reach, mode="edge")
    side = 2 * reach + 1
    return np.lib.stride_tricks.sliding_window_view(padded, (side, side)).reshape(*plane.shape, -1)


@pytest.mark.parametrize("shape", [(1, 1), (1, 9), (9, 1), (2, 2), (31, 44)])
@pytest.mark.parametrize("high", [3, 256])
def test_median_is_the_middle_of_the_sorted_neighbourhood(shape: tuple[int, int], high: int) -> None:
    plane = picture(shape, high)
    expected = np.sort(neighbourhoods(plane, 1), axis=-1)[..., 4]
    np.testing.assert_array_equal(filter_median(plane), expected)


def test_texture_is_a_range_of_twenty_within_five_pixels() -> None:
    plane = picture((40, 30), 24) + np.uint8(100)
    around = neighbourhoods(plane, 2)
    np.testing.assert_array_equal(find_texture(plane), np.ptp(around, axis=-1) >= 20)
    assert not find_texture(np.full((9, 9), 100, np.uint8)).any()
    bright = picture((20, 20))
    assert not find_texture(bright)[(bright >= 250) | (bright <= 5)].any()


def test_sums_are_those_of_the_definition() -> None:
    plane = picture((70, 45), 60) + np.uint8(60)
    sums = sum_median_traces(plane, cell=16)
    assert sums.shape == (5, 3, 12)
    values = np.pad(plane, 3, mode="reflect").astype(np.int64)
    residual = filter_median(values.astype(np.uint8)) - values
    textured = find_texture(values.astype(np.uint8))
    expected = np.zeros(12)
    for y, x in np.argwhere(textured[16 + 3 : 32 + 3, 16 + 3 : 32 + 3]) + 19:
        lines = values[y, x : x + 4], values[y : y + 4, x]
        steps = [abs(line[1] - line[0]) for line in lines]
        m = residual[y, x]
        expected += [
            1,
            *(sum(step == level for step in steps) for level in (0, 1, 2)),
            m == 0,
            abs(m),
            m * m,
            *(
                m
                * (residual[y, x + lag] * textured[y, x + lag] + residual[y + lag, x] * textured[y + lag, x])
                for lag in (1, 2)
            ),
            *(sum(abs(int(np.diff(line, order)[0])) for line in lines) for order in (1, 2, 3)),
        ]
    np.testing.assert_allclose(sums[1, 1], expected, rtol=1e-4)


def test_sums_do_not_depend_on_the_strips() -> None:
    plane = picture((150, 60))
    np.testing.assert_allclose(
        sum_median_traces(plane, cell=10).sum(axis=(0, 1)),
        sum_median_traces(plane, cell=200)[0, 0],
        rtol=1e-4,
    )


def test_differences_with_a_laplacian_distribution_have_no_excess_of_zeros() -> None:
    share = 0.8
    levels = 40_000 * share ** np.arange(3)  # two-sided geometric: both signs of 1 and 2
    sums = np.ones(12)
    sums[1:4] = levels[0], 2 * levels[1], 2 * levels[2]
    assert describe_traces(sums)[FEATURES.index("zero_beyond_laplacian")] == pytest.approx(0, abs=1e-3)


def test_a_median_filtered_picture_has_more_equal_neighbours_and_changes_less() -> None:
    plane = picture((128, 128))
    before, after = (
        describe_traces(sum_median_traces(p, cell=128)[0, 0]) for p in (plane, filter_median(plane))
    )
    assert before.shape == (9,)
    for name in ("zero_to_unit_differences", "unchanged_by_median"):
        index = FEATURES.index(name)
        assert after[index] - before[index] > 0.3


@pytest.mark.parametrize("shape", [(1, 1), (1, 30), (2, 3), (16, 16)])
def test_small_pictures_give_finite_numbers(shape: tuple[int, int]) -> None:
    assert np.isfinite(describe_traces(sum_median_traces(picture(shape), cell=16))).all()
