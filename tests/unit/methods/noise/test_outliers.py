"""Principal components against a singular value decomposition, the fit against a Gaussian that is known."""

from __future__ import annotations

import numpy as np
import pytest

from imforensics.methods.noise.outliers import GaussianFit, fit_gaussian, project_principal

MEAN = np.array([3.0, -2.0, 0.5])
COVARIANCE = np.array([[2.0, 0.6, 0.0], [0.6, 1.0, -0.3], [0.0, -0.3, 0.5]])


def contaminated(share: float, count: int = 4000) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(1)
    outliers = round(share * count)
    samples = rng.multivariate_normal(MEAN, COVARIANCE, count)
    samples[:outliers] = rng.uniform(10, 25, (outliers, 3))
    return samples.astype(np.float32), np.arange(count) < outliers


def test_components_are_those_of_a_singular_value_decomposition() -> None:
    samples = contaminated(0.0, 300)[0] @ np.random.default_rng(0).normal(0, 1, (3, 8)).astype(np.float32)
    left, strengths, _ = np.linalg.svd(samples.astype(np.float64) - samples.mean(axis=0), full_matrices=False)
    expected = left[:, :3] * strengths[:3]
    found = project_principal(samples, components=3)
    np.testing.assert_allclose(np.abs(found), np.abs(expected), atol=1e-3)
    assert project_principal(samples, components=8).shape == (300, 3)


def test_samples_that_are_all_equal_have_no_component() -> None:
    assert project_principal(np.full((20, 5), 0.3, np.float32), components=4).shape == (20, 0)


@pytest.mark.parametrize("share", [0.0, 0.1, 0.3])
def test_outliers_do_not_move_the_gaussian(share: float) -> None:
    samples, _ = contaminated(share)
    fit = fit_gaussian(samples)
    np.testing.assert_allclose(fit.mean, MEAN, atol=0.1)
    np.testing.assert_allclose(fit.covariance, COVARIANCE, atol=0.15)
    assert fit.share == pytest.approx(1 - share, abs=0.01)


def test_distances_are_those_of_mahalanobis_and_tell_outliers() -> None:
    samples, is_outlier = contaminated(0.1)
    fit = fit_gaussian(samples)
    distances = fit.squared_distances(samples)
    inverse = np.linalg.inv(fit.covariance)
    for sample, distance in zip(samples[390:410], distances[390:410], strict=True):
        assert distance == pytest.approx((sample - fit.mean) @ inverse @ (sample - fit.mean), rel=1e-6)
    assert distances[is_outlier].min() > 40
    assert np.mean(distances[~is_outlier]) == pytest.approx(3, rel=0.05)  # chi-squared of three dimensions


def test_the_fit_is_the_same_every_time_and_bounded_on_constant_samples() -> None:
    samples, _ = contaminated(0.2)
    first, second = fit_gaussian(samples), fit_gaussian(samples)
    np.testing.assert_array_equal(first.covariance, second.covariance)
    constant = fit_gaussian(np.full((30, 2), 0.5, np.float32))
    assert isinstance(constant, GaussianFit)
    np.testing.assert_allclose(constant.squared_distances(np.full((1, 2), 0.5, np.float32)), 0, atol=1e-6)


@pytest.mark.parametrize("shape", [(1, 3), (5, 0), (5,)])
def test_too_few_samples_are_refused(shape: tuple[int, ...]) -> None:
    with pytest.raises(ValueError, match="n >= 2 and d >= 1"):
        fit_gaussian(np.zeros(shape, np.float32))
