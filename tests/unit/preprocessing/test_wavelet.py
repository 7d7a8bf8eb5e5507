"""Denoising against its formulas and against what it must do to known noise."""

from __future__ import annotations

import math

import numpy as np
import pytest
import pywt

from imforensics.preprocessing.wavelet import denoise_wavelet, estimate_sigma, noise_residual

ODD_SHAPES = [(1, 1), (1, 50), (50, 1), (7, 9), (63, 65), (129, 40)]


def noise(shape: tuple[int, ...], sigma: float, seed: int = 0, mean: float = 128) -> np.ndarray:
    return np.random.default_rng(seed).normal(mean, sigma, shape).astype(np.float32)


def scene(size: int = 256) -> np.ndarray:
    rows, columns = np.mgrid[0:size, 0:size] / size
    disc = (rows - 0.5) ** 2 + (columns - 0.5) ** 2 < 0.1
    return (80 + 60 * np.sin(6 * rows) + 70 * disc).astype(np.float32)


def denoise_slowly(image: np.ndarray, wavelet: str, levels: int, sigma: float, shrinkage: str) -> np.ndarray:
    """The definition, in double precision, over PyWavelets' own multilevel transform and soft threshold."""
    approximation, *scales = pywt.wavedec2(image.astype(np.float64), wavelet, level=levels)
    shrunk = []
    for scale in scales:
        subbands = []
        for subband in scale:
            signal = max(float(np.mean(subband**2)) - sigma**2, 0)
            bayes = sigma**2 / math.sqrt(signal) if signal > 0 else float(np.abs(subband).max()) + 1
            universal = sigma * math.sqrt(2 * math.log(image.size))
            threshold = bayes if shrinkage == "bayes" else universal
            subbands.append(pywt.threshold(subband, threshold, "soft"))
        shrunk.append(tuple(subbands))
    return pywt.waverec2([approximation, *shrunk], wavelet)[: image.shape[0], : image.shape[1]]


@pytest.mark.parametrize("shrinkage", ["bayes", "visu"])
@pytest.mark.parametrize("wavelet", ["sym8", "db4", "haar"])
def test_denoising_is_as_defined(shrinkage: str, wavelet: str) -> None:
    image = scene(201) + noise((201, 201), 6, mean=0)
    result = denoise_wavelet(image, wavelet=wavelet, levels=3, shrinkage=shrinkage, sigma=6.0)
    assert result.dtype == np.float32
    np.testing.assert_allclose(result, denoise_slowly(image, wavelet, 3, 6.0, shrinkage), atol=2e-3)


@pytest.mark.parametrize(("shrinkage", "kept"), [("bayes", 0.15), ("visu", 0.12)])
def test_pure_noise_is_removed(shrinkage: str, kept: float) -> None:
    image = noise((256, 256), 10)
    result = denoise_wavelet(image, shrinkage=shrinkage)
    assert result.std() < kept * image.std()
    assert abs(result.mean() - image.mean()) < 0.05


@pytest.mark.parametrize("shrinkage", ["bayes", "visu"])
@pytest.mark.parametrize("mode", ["soft", "hard"])
def test_denoising_comes_nearer_to_the_clean_image(shrinkage: str, mode: str) -> None:
    clean = scene()
    noisy = clean + noise(clean.shape, 10, mean=0)
    result = denoise_wavelet(noisy, shrinkage=shrinkage, mode=mode)
    assert np.square(result - clean).mean() < 0.35 * np.square(noisy - clean).mean()


@pytest.mark.parametrize("shape", [*ODD_SHAPES, (63, 65, 3), (1, 1, 3)])
@pytest.mark.parametrize("shrinkage", ["bayes", "visu"])
@pytest.mark.parametrize("mode", ["soft", "hard"])
def test_zero_sigma_reconstructs_perfectly(shape: tuple[int, ...], shrinkage: str, mode: str) -> None:
    image = noise(shape, 40)
    result = denoise_wavelet(image, sigma=0.0, shrinkage=shrinkage, mode=mode)
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


def test_hard_mode_keeps_what_is_above_the_threshold() -> None:
    image = noise((64, 64), 1)
    image[32, 32] += 200
    soft = denoise_wavelet(image, sigma=1.0, shrinkage="visu", mode="soft", wavelet="haar", levels=1)
    hard = denoise_wavelet(image, sigma=1.0, shrinkage="visu", mode="hard", wavelet="haar", levels=1)
    assert abs(hard[32, 32] - image[32, 32]) < 2
    assert soft[32, 32] < hard[32, 32] - 3


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"shrinkage": "sure"}, "shrinkage to be one of"),
        ({"mode": "firm"}, "mode to be one of"),
        ({"levels": 0}, "levels >= 1"),
        ({"sigma": -1.0}, "sigma >= 0"),
        ({"sigma": float("nan")}, "sigma >= 0"),
        ({"wavelet": "no such"}, "wavelet"),
    ],
)
def test_wrong_options_are_refused(options: dict, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        denoise_wavelet(np.zeros((64, 64), np.float32), **options)


def test_wrong_images_are_refused() -> None:
    with pytest.raises(TypeError, match="received uint8"):
        denoise_wavelet(np.zeros((8, 8), np.uint8))
    with pytest.raises(ValueError, match="received shape"):
        denoise_wavelet(np.zeros((8, 8, 2), np.float32))
    with pytest.raises(ValueError, match="received shape"):
        denoise_wavelet(np.zeros((0, 8), np.float32))
