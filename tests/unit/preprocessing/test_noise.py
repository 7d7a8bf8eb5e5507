"""Noise levels against known noise and against PyWavelets' full transform."""

from __future__ import annotations

import numpy as np
import pytest
import pywt

from imforensics.preprocessing.noise import (
    block_noise_levels,
    diagonal_detail,
    estimate_sigma,
    local_noise_map,
    luma,
)


def noise(shape: tuple[int, ...], sigma: float, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).normal(128, sigma, shape).astype(np.float32)


@pytest.mark.parametrize("wavelet", ["haar", "db2", "db4", "db8", "sym8"])
@pytest.mark.parametrize("shape", [(1, 1), (1, 30), (5, 3), (64, 64), (131, 77)])
def test_diagonal_detail_is_the_subband_of_the_full_transform(wavelet: str, shape: tuple[int, int]) -> None:
    image = noise(shape, 30)
    full = pywt.dwt2(image.astype(np.float64), wavelet, mode="symmetric")[1][2]
    start = (pywt.Wavelet(wavelet).dec_len - 2) // 4
    rows, columns = -(-shape[0] // 2), -(-shape[1] // 2)
    expected = full[start : start + rows, start : start + columns]
    np.testing.assert_allclose(diagonal_detail(image, wavelet=wavelet), expected, atol=1e-3)


@pytest.mark.parametrize("sigma", [0.5, 2.0, 5.0, 25.0])
@pytest.mark.parametrize("wavelet", ["db4", "sym8"])
def test_sigma_of_normal_noise_is_found_within_three_percent(sigma: float, wavelet: str) -> None:
    assert estimate_sigma(noise((512, 512), sigma), wavelet=wavelet) == pytest.approx(sigma, rel=0.03)


def test_sigma_ignores_edges_and_averages_channels() -> None:
    image = noise((512, 512), 3)
    image[:, 200:] += 90
    image[100:, :] -= 60
    assert estimate_sigma(image) == pytest.approx(3, rel=0.05)
    color = np.stack([noise((256, 256), sigma, seed=int(sigma)) for sigma in (2, 4, 6)], axis=-1)
    assert estimate_sigma(color) == pytest.approx(4, rel=0.04)


def test_local_map_finds_each_level_in_its_place() -> None:
    image = np.concatenate([noise((256, 128), 2), noise((256, 128), 8, seed=1)], axis=1)
    levels = local_noise_map(image)
    assert levels.shape == image.shape
    assert levels.dtype == np.float32
    assert np.median(levels[:, :112]) == pytest.approx(2, rel=0.1)
    assert np.median(levels[:, 144:]) == pytest.approx(8, rel=0.1)


def test_block_levels_are_the_medians_of_their_coefficients() -> None:
    image = noise((50, 70), 4)
    detail = np.abs(diagonal_detail(image))
    levels = block_noise_levels(image, block=16)
    assert levels.shape == (4, 5)
    assert levels[1, 2] == pytest.approx(np.median(detail[8:16, 16:24]) / 0.6745, rel=1e-5)


@pytest.mark.parametrize("shape", [(1, 1), (1, 40), (40, 1), (17, 33), (16, 16)])
@pytest.mark.parametrize("value", [0, 128, 255])
def test_constant_images_of_any_size_have_no_noise(shape: tuple[int, int], value: int) -> None:
    levels = local_noise_map(np.full(shape, value, np.float32))
    assert levels.shape == shape
    np.testing.assert_allclose(levels, 0, atol=1e-3)


def test_luma_is_the_weighted_sum() -> None:
    pixels = np.random.default_rng(0).integers(0, 256, (70, 9, 3), dtype=np.uint8)
    exact = pixels @ np.array([0.299, 0.587, 0.114])
    np.testing.assert_array_equal(luma(pixels), np.rint(exact * 64) / 64)


def test_wrong_input_is_refused() -> None:
    with pytest.raises(ValueError, match="even and at least 4"):
        block_noise_levels(np.zeros((8, 8), np.float32), block=7)
    with pytest.raises(ValueError, match="even and at least 4"):
        block_noise_levels(np.zeros((8, 8), np.float32), block=2)
    with pytest.raises(ValueError, match=r"shape \(H, W\) with"):
        local_noise_map(np.zeros((8, 8, 3), np.float32))
    with pytest.raises(TypeError, match="received uint8"):
        estimate_sigma(np.zeros((8, 8), np.uint8))
