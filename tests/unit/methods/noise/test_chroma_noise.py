"""Colour noise levels against known noise, and Gaussian means against their definition."""

from __future__ import annotations

import numpy as np
import pytest

from imforensics.methods.noise.chroma_noise import block_detail_levels, gaussian_mean, half_size_ycbcr
from imforensics.preprocessing.noise import diagonal_detail


@pytest.mark.parametrize("shape", [(6, 10), (131, 4), (130, 7)])
def test_half_size_planes_are_the_means_over_four_pixels(shape: tuple[int, int]) -> None:
    pixels = np.random.default_rng(0).integers(0, 256, (*shape, 3), dtype=np.uint8)
    even = np.pad(pixels, ((0, shape[0] % 2), (0, shape[1] % 2), (0, 0)), mode="edge").astype(np.float64)
    red, green, blue = np.moveaxis(
        even.reshape(even.shape[0] // 2, 2, even.shape[1] // 2, 2, 3).mean((1, 3)), -1, 0
    )
    luma = 0.299 * red + 0.587 * green + 0.114 * blue
    expected = np.stack([luma, (blue - luma) / 1.772, (red - luma) / 1.402])  # JFIF
    np.testing.assert_allclose(half_size_ycbcr(pixels), expected, atol=2e-3)


def test_gray_has_no_colour() -> None:
    pixels = np.repeat(np.random.default_rng(0).integers(0, 256, (20, 30, 1), dtype=np.uint8), 3, axis=2)
    assert np.abs(half_size_ycbcr(pixels)[1:]).max() < 1e-3


@pytest.mark.parametrize("sigma", [0.5, 3.0, 20.0])
def test_level_is_the_standard_deviation_of_white_noise(sigma: float) -> None:
    plane = np.random.default_rng(0).normal(5, sigma, (256, 256)).astype(np.float32)
    levels = block_detail_levels(plane, block=8)
    assert levels.shape == (64, 64)
    assert levels.mean() == pytest.approx(sigma, rel=0.03)


def test_level_of_a_block_is_the_mean_of_its_coefficients() -> None:
    plane = np.random.default_rng(0).normal(0, 4, (50, 70)).astype(np.float32)
    detail = np.abs(diagonal_detail(plane))
    levels = block_detail_levels(plane, block=16)
    assert levels.shape == (7, 9)
    assert levels[2, 3] == pytest.approx(detail[8:12, 12:16].mean() * (np.pi / 2) ** 0.5, rel=1e-5)


def test_gaussian_mean_is_the_weighted_sum() -> None:
    rng = np.random.default_rng(0)
    values, weights = rng.normal(0, 1, (9, 14)).astype(np.float32), rng.uniform(0, 1, (9, 14))
    weights = weights.astype(np.float32)
    rows, columns = np.mgrid[:9, :14]
    kernel = np.exp(-((rows - 3) ** 2 + (columns - 5) ** 2) / (2 * 1.5**2))
    kernel *= (abs(rows - 3) <= 5) & (abs(columns - 5) <= 5)
    expected = (kernel * weights * values).sum() / (kernel * weights).sum()
    assert gaussian_mean(values, weights, sigma=1.5)[3, 5] == pytest.approx(expected, rel=1e-4)


def test_places_without_weight_do_not_count() -> None:
    values = np.array([[1.0, 900.0, 1.0, 7.0]], np.float32)
    weights = np.array([[1.0, 0.0, 1.0, 0.0]], np.float32)
    np.testing.assert_allclose(gaussian_mean(values, weights, sigma=1), 1)
    assert not gaussian_mean(values, np.zeros_like(values), sigma=1).any()


def test_wrong_input_is_refused() -> None:
    for block in (0, 2, 6):
        with pytest.raises(ValueError, match="multiple of 4"):
            block_detail_levels(np.zeros((8, 8), np.float32), block=block)
    with pytest.raises(ValueError, match="sigma > 0"):
        gaussian_mean(np.zeros((2, 2), np.float32), np.ones((2, 2), np.float32), sigma=0)
