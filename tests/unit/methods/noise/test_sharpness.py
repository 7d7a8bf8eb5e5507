"""The blur against SciPy, the sums against their definition, the line against made outliers."""

from __future__ import annotations

import numpy as np
import pytest

from imforensics.methods.noise.sharpness import filter_gaussian, fit_robust_line, sum_detail


def picture(shape: tuple[int, int], seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).uniform(0, 255, shape).astype(np.float32)


@pytest.mark.parametrize("sigma", [0.7, 1.0, 2.0])
@pytest.mark.parametrize("shape", [(1, 1), (3, 40), (50, 31)])
def test_blur_is_that_of_scipy(sigma: float, shape: tuple[int, int]) -> None:
    ndimage = pytest.importorskip("scipy.ndimage")
    image = picture(shape)
    expected = ndimage.gaussian_filter(
        image.astype(np.float64), sigma, mode="nearest", radius=int(np.ceil(3 * sigma))
    )
    np.testing.assert_allclose(filter_gaussian(image, sigma=sigma), expected, atol=1e-3)


def test_sums_are_those_of_the_definition_in_every_strip() -> None:
    image = picture((150, 50))
    usable = picture((150, 50), seed=1) > 60
    sums = sum_detail(image, usable, cell=16)
    assert sums.shape == (10, 4, 3)
    fine = np.abs(image - filter_gaussian(image, sigma=0.7)) * usable
    coarse = np.abs(filter_gaussian(image, sigma=1.0) - filter_gaussian(image, sigma=2.0)) * usable
    for row, column in ((0, 0), (4, 1), (9, 3)):
        part = np.s_[16 * row : 16 * row + 16, 16 * column : 16 * column + 16]
        expected = [usable[part].sum(), fine[part].sum(), coarse[part].sum()]
        np.testing.assert_allclose(sums[row, column], expected, rtol=1e-4)


def test_blurring_takes_more_of_the_fine_than_of_the_coarse_detail() -> None:
    image = picture((64, 64))
    usable = np.ones(image.shape, dtype=np.bool_)
    before = sum_detail(image, usable, cell=64)[0, 0]
    after = sum_detail(filter_gaussian(image, sigma=1.5), usable, cell=64)[0, 0]
    assert after[1] / after[2] < 0.4 * before[1] / before[2]


def test_the_line_ignores_outliers_and_says_how_far_they_are() -> None:
    rng = np.random.default_rng(3)
    x = rng.uniform(-1, 3, 500)
    y = 0.8 * x - 0.5 + rng.normal(0, 0.05, 500)
    y[:60] -= 2
    slope, intercept, rest = fit_robust_line(x, y)
    assert slope == pytest.approx(0.8, abs=0.03)
    assert intercept == pytest.approx(-0.5, abs=0.05)
    np.testing.assert_allclose(rest, y - slope * x - intercept)
    assert rest[:60].max() < -1.5


def test_a_line_through_one_place_is_level() -> None:
    slope, intercept, rest = fit_robust_line(np.full(5, 2.0), np.array([1.0, 1, 1, 1, 1]))
    assert (slope, intercept) == (0.0, 1.0)
    np.testing.assert_array_equal(rest, 0)


def test_wrong_input_is_refused() -> None:
    with pytest.raises(ValueError, match="of one"):
        sum_detail(picture((8, 8)), np.ones((8, 9), dtype=np.bool_), cell=8)
    with pytest.raises(ValueError, match="cell=0"):
        sum_detail(picture((8, 8)), np.ones((8, 8), dtype=np.bool_), cell=0)
