"""Structural similarity against a slow oracle, and exact identities."""

from __future__ import annotations

import math

import numpy as np
import pytest
from numpy.typing import NDArray

from imforensics.metrics.similarity import mse, psnr, ssim, ssim_map


def picture(height: int = 37, width: int = 45, seed: int = 0) -> NDArray[np.float64]:
    rng = np.random.default_rng(seed)
    rows, columns = np.mgrid[0:height, 0:width]
    return np.clip(0.5 + 0.3 * np.sin(rows / 5) * np.cos(columns / 7) + rng.normal(0, 0.05, rows.shape), 0, 1)


def slow_ssim(x: NDArray[np.float64], y: NDArray[np.float64], data_range: float) -> float:
    """Wang et al. 2004, window by window, in float64."""
    axis = np.arange(-5, 6)
    window = np.exp(-(axis[:, None] ** 2 + axis[None] ** 2) / (2 * 1.5**2))
    window /= window.sum()
    c1, c2 = (0.01 * data_range) ** 2, (0.03 * data_range) ** 2
    found = []
    for top in range(x.shape[0] - 10):
        for left in range(x.shape[1] - 10):
            a, b = x[top : top + 11, left : left + 11], y[top : top + 11, left : left + 11]
            mean_a, mean_b = (window * a).sum(), (window * b).sum()
            var_a, var_b = (window * (a - mean_a) ** 2).sum(), (window * (b - mean_b) ** 2).sum()
            covariance = (window * (a - mean_a) * (b - mean_b)).sum()
            found.append(
                (2 * mean_a * mean_b + c1)
                * (2 * covariance + c2)
                / ((mean_a**2 + mean_b**2 + c1) * (var_a + var_b + c2))
            )
    return float(np.mean(found))


@pytest.mark.parametrize("data_range", [1.0, 255.0])
def test_ssim_is_the_papers(data_range: float) -> None:
    x, y = picture() * data_range, picture(seed=1) * data_range * 0.9
    assert ssim(x, y, data_range=data_range) == pytest.approx(slow_ssim(x, y, data_range), abs=2e-5)


def test_ssim_agrees_with_scipys_filter() -> None:
    ndimage = pytest.importorskip("scipy.ndimage")
    x, y = picture(50, 33), picture(50, 33, seed=3)

    def blur(plane: NDArray[np.float64]) -> NDArray[np.float64]:
        return np.asarray(ndimage.gaussian_filter(plane, 1.5, radius=5, mode="reflect"))

    mean_x, mean_y = blur(x), blur(y)
    numerator = (2 * mean_x * mean_y + 1e-4) * (2 * (blur(x * y) - mean_x * mean_y) + 9e-4)
    variances = blur(x * x) - mean_x**2 + blur(y * y) - mean_y**2
    wanted = numerator / ((mean_x**2 + mean_y**2 + 1e-4) * (variances + 9e-4))
    np.testing.assert_allclose(ssim_map(x, y), wanted, atol=5e-5)


def test_channels_are_averaged_and_bands_leave_no_seam() -> None:
    x = np.stack([picture(90, 40, seed=s) for s in range(3)], axis=-1)
    y = np.stack([picture(90, 40, seed=s + 5) for s in range(3)], axis=-1)
    each = [ssim_map(x[..., c], y[..., c]) for c in range(3)]
    np.testing.assert_allclose(ssim_map(x, y), np.mean(each, axis=0), atol=1e-6)
    np.testing.assert_allclose(ssim_map(x[20:70], y[20:70])[10:-10], ssim_map(x, y)[30:60], atol=2e-5)


def test_identities() -> None:
    x = picture()
    assert ssim(x, x) == pytest.approx(1.0, abs=1e-6)
    assert ssim(x, 1 - x) < 0
    assert mse(x, x) == 0
    assert psnr(x, x) == math.inf
    pixels = np.zeros((12, 12, 3), np.uint8)
    assert mse(pixels, pixels + 10) == 100  # no wrap-around of uint8 below 0
    assert psnr(pixels, pixels + 255, data_range=255) == pytest.approx(0.0)


def test_bright_pictures_keep_their_precision() -> None:
    x = np.full((40, 40), 250.0) + picture(40, 40) * 0.01
    assert ssim(x, x, data_range=255) == pytest.approx(1.0, abs=1e-6)


@pytest.mark.parametrize(("height", "width"), [(1, 1), (1, 20), (3, 5)])
def test_small_pictures_have_a_map(height: int, width: int) -> None:
    x = picture(height, width)
    np.testing.assert_allclose(ssim_map(x, x), 1, atol=1e-6)
    with pytest.raises(ValueError, match="at least 11x11"):
        ssim(x, x)


def test_what_cannot_be_compared_is_refused() -> None:
    x = picture()
    for compare in (mse, psnr, ssim, ssim_map):
        with pytest.raises(ValueError, match="one shape"):
            compare(x, x[1:])
    with pytest.raises(ValueError, match="data_range"):
        ssim(x, x, data_range=0)
    with pytest.raises(ValueError, match=r"\(H, W\)"):
        ssim_map(x[0], x[0])
