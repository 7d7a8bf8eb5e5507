"""Noise levels against known noise and against PyWavelets' full transform."""

from __future__ import annotations

import numpy as np
import pytest
import pywt

from imforensics.preprocessing.noise import NOISE_WAVELET, diagonal_detail, estimate_sigma, luma


def noise(shape: tuple[int, ...], sigma: float, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).normal(128, sigma, shape).astype(np.float32)


@pytest.mark.parametrize("shape", [(1, 1), (1, 30), (5, 3), (64, 64), (131, 77)])
def test_diagonal_detail_is_the_subband_of_the_full_transform(shape: tuple[int, int]) -> None:
    image = noise(shape, 30)
    full = pywt.dwt2(image.astype(np.float64), NOISE_WAVELET, mode="symmetric")[1][2]
    start = (pywt.Wavelet(NOISE_WAVELET).dec_len - 2) // 4
    rows, columns = -(-shape[0] // 2), -(-shape[1] // 2)
    expected = full[start : start + rows, start : start + columns]
    np.testing.assert_allclose(diagonal_detail(image), expected, atol=1e-3)


@pytest.mark.parametrize("sigma", [0.5, 2.0, 5.0, 25.0])
def test_sigma_of_normal_noise_is_found_within_three_percent(sigma: float) -> None:
    assert estimate_sigma(noise((512, 512), sigma)) == pytest.approx(sigma, rel=0.03)


def test_sigma_ignores_edges() -> None:
    image = noise((512, 512), 3)
    image[:, 200:] += 90
    image[100:, :] -= 60
    assert estimate_sigma(image) == pytest.approx(3, rel=0.05)


@pytest.mark.parametrize("shape", [(1, 1), (1, 40), (40, 1), (17, 33), (16, 16)])
@pytest.mark.parametrize("value", [0, 128, 255])
def test_constant_images_of_any_size_have_no_noise(shape: tuple[int, int], value: int) -> None:
    assert estimate_sigma(np.full(shape, value, np.float32)) == pytest.approx(0, abs=1e-3)


def test_luma_is_the_weighted_sum() -> None:
    pixels = np.random.default_rng(0).integers(0, 256, (70, 9, 3), dtype=np.uint8)
    exact = pixels @ np.array([0.299, 0.587, 0.114])
    np.testing.assert_array_equal(luma(pixels), np.rint(exact * 64) / 64)
