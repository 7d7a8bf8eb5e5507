"""Denoising against its formulas and against what it must do to known noise."""

from __future__ import annotations

import math

import numpy as np
import pytest
import pywt

from imforensics.preprocessing import wavelet
from imforensics.preprocessing.noise import estimate_sigma
from imforensics.preprocessing.wavelet import LEVELS, WAVELET, denoise_wavelet, noise_residual

ODD_SHAPES = [(1, 1), (1, 50), (50, 1), (7, 9), (63, 65), (129, 40)]


def noise(shape: tuple[int, ...], sigma: float, seed: int = 0, mean: float = 128) -> np.ndarray:
    return np.random.default_rng(seed).normal(mean, sigma, shape).astype(np.float32)


def scene(size: int = 256) -> np.ndarray:
    rows, columns = np.mgrid[0:size, 0:size] / size
    disc = (rows - 0.5) ** 2 + (columns - 0.5) ** 2 < 0.1
    return (80 + 60 * np.sin(6 * rows) + 70 * disc).astype(np.float32)


def denoise_slowly(image: np.ndarray) -> np.ndarray:
    """The definition, in double precision, over PyWavelets' own multilevel transform and soft threshold."""
    sigma = estimate_sigma(image)
    approximation, *scales = pywt.wavedec2(image.astype(np.float64), WAVELET, level=LEVELS)
    shrunk = []
    for scale in scales:
        subbands = []
        for subband in scale:
            signal = max(float(np.mean(subband**2)) - sigma**2, 0)
            bayes = sigma**2 / math.sqrt(signal) if signal > 0 else float(np.abs(subband).max()) + 1
            subbands.append(pywt.threshold(subband, bayes, "soft"))
        shrunk.append(tuple(subbands))
    return pywt.waverec2([approximation, *shrunk], WAVELET)[: image.shape[0], : image.shape[1]]


@pytest.mark.parametrize("shape", [(401, 401), (500, 433)])
def test_denoising_is_as_defined(shape: tuple[int, int]) -> None:
    image = scene(500)[: shape[0], : shape[1]] + noise(shape, 6, mean=0)
    result = denoise_wavelet(image)
    assert result.dtype == np.float32
    np.testing.assert_allclose(result, denoise_slowly(image), atol=2e-3)


def test_pure_noise_is_removed() -> None:
    image = noise((256, 256), 10)
    result = denoise_wavelet(image)
    assert result.std() < 0.15 * image.std()
    assert abs(result.mean() - image.mean()) < 0.05


def test_denoising_comes_nearer_to_the_clean_image() -> None:
    clean = scene()
    noisy = clean + noise(clean.shape, 10, mean=0)
    result = denoise_wavelet(noisy)
    assert np.square(result - clean).mean() < 0.35 * np.square(noisy - clean).mean()


@pytest.mark.parametrize("shape", [*ODD_SHAPES, (63, 65, 3), (1, 1, 3)])
def test_without_noise_the_image_comes_back(shape: tuple[int, ...], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(wavelet, "estimate_sigma", lambda _: 0.0)
    image = noise(shape, 40)
    result = denoise_wavelet(image)
    assert result.shape == shape
    np.testing.assert_allclose(result, image, atol=1e-3)


@pytest.mark.parametrize("shape", ODD_SHAPES)
def test_a_constant_image_has_no_noise(shape: tuple[int, int]) -> None:
    image = np.full(shape, 77, np.float32)
    np.testing.assert_allclose(noise_residual(image), 0, atol=1e-3)
    assert estimate_sigma(image) < 1e-4


def test_channels_are_denoised_one_by_one_and_the_input_stays() -> None:
    image = noise((70, 90, 3), 12)
    before = image.copy()
    result = denoise_wavelet(image)
    np.testing.assert_array_equal(result[..., 2], denoise_wavelet(np.ascontiguousarray(image[..., 2])))
    np.testing.assert_array_equal(noise_residual(image), before - result)
    np.testing.assert_array_equal(image, before)
    assert not np.shares_memory(denoise_wavelet(image[:1, :1, 0]), image)


def test_wrong_images_are_refused() -> None:
    with pytest.raises(TypeError, match="received uint8"):
        denoise_wavelet(np.zeros((8, 8), np.uint8))
    with pytest.raises(ValueError, match="received shape"):
        denoise_wavelet(np.zeros((8, 8, 2), np.float32))
    with pytest.raises(ValueError, match="received shape"):
        denoise_wavelet(np.zeros((0, 8), np.float32))
