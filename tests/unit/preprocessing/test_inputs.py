"""Network inputs: shapes, fixed scales, and the resize against exact averages."""

from __future__ import annotations

import numpy as np
import pytest

from imforensics.preprocessing.ela import ela_residual
from imforensics.preprocessing.inputs import (
    ELA_INPUT_SCALE,
    INPUT_CHANNELS,
    INPUT_KINDS,
    WAVELET_INPUT_SCALE,
    build_network_input,
    normalize,
    resize_image,
)
from imforensics.preprocessing.wavelet import noise_residual


def photo(height: int = 90, width: int = 130) -> np.ndarray:
    rng = np.random.default_rng(5)
    base = np.add.outer(np.arange(height), np.arange(width))[..., None] % 180
    return np.clip(base + rng.normal(30, 9, (height, width, 3)), 0, 255).astype(np.uint8)


def test_normalize_maps_the_ends() -> None:
    values = normalize(np.array([0, 51, 255], np.uint8))
    np.testing.assert_allclose(values, [0, 0.2, 1], atol=1e-7)
    assert values.max() <= 1
    with pytest.raises(TypeError, match="received float64"):
        normalize(np.zeros(3))


def test_resize_averages_what_a_pixel_covers() -> None:
    stripes = np.tile(np.array([0, 1], np.float32), (64, 128))[..., None]
    small = resize_image(stripes, (16, 16))
    np.testing.assert_allclose(small, 0.5, atol=0.02)
    ramp = np.repeat(np.arange(64, dtype=np.float32)[:, None], 8, axis=1)
    np.testing.assert_allclose(resize_image(ramp, (16, 4))[1:-1, 0], np.arange(16)[1:-1] * 4 + 1.5, atol=1e-4)


def test_resize_keeps_small_differences_and_takes_height_first() -> None:
    image = np.full((40, 60, 2), 0.00123, np.float32)
    result = resize_image(image, (10, 20))
    assert result.shape == (10, 20, 2)
    np.testing.assert_allclose(result, 0.00123, rtol=1e-5)
    assert resize_image(image[..., 0], (128, 7)).shape == (128, 7)


@pytest.mark.parametrize(("shape", "size"), [((4,), (2, 2)), ((0, 3), (2, 2)), ((3, 3), (0, 2))])
def test_resize_refuses_what_it_cannot_do(shape: tuple[int, ...], size: tuple[int, int]) -> None:
    with pytest.raises(ValueError, match="Expected"):
        resize_image(np.zeros(shape, np.float32), size)


@pytest.mark.parametrize("kind", INPUT_KINDS)
@pytest.mark.parametrize("shape", [(1, 1), (1, 50), (200, 3), (90, 130)])
def test_every_kind_at_every_size(kind: str, shape: tuple[int, int]) -> None:
    pixels = photo(*shape)
    before = pixels.copy()
    result = build_network_input(pixels, kind, size=(64, 96))
    assert result.shape == (64, 96, INPUT_CHANNELS[kind])
    assert result.dtype == np.float32
    assert result.min() >= 0
    assert result.max() <= 1
    np.testing.assert_array_equal(pixels, before)


def test_scales_are_fixed() -> None:
    pixels = photo()
    size = pixels.shape[:2]
    np.testing.assert_allclose(build_network_input(pixels, "rgb", size=size), pixels / 255, atol=1e-6)
    ela = np.minimum(ela_residual(pixels, quality=80), ELA_INPUT_SCALE) / ELA_INPUT_SCALE
    np.testing.assert_allclose(build_network_input(pixels, "ela", size=size, ela_quality=80), ela, atol=1e-6)
    noise = noise_residual(pixels.astype(np.float32)) / (2 * WAVELET_INPUT_SCALE) + 0.5
    wavelet = build_network_input(pixels, "wavelet", size=size)
    np.testing.assert_allclose(wavelet, np.clip(noise, 0, 1), atol=1e-5)
    both = build_network_input(pixels, "ela_wavelet", size=size, ela_quality=80)
    np.testing.assert_allclose(both[..., :3], ela, atol=1e-6)
    np.testing.assert_array_equal(both[..., 3:], wavelet)


def test_a_gray_image_is_the_zero_of_each_scale() -> None:
    pixels = np.full((32, 32, 3), 128, np.uint8)
    both = build_network_input(pixels, "ela_wavelet")
    np.testing.assert_array_equal(both[..., :3], 0)
    np.testing.assert_allclose(both[..., 3:], 0.5, atol=1e-5)


def test_unknown_kind_is_refused() -> None:
    with pytest.raises(ValueError, match="received 'dct'"):
        build_network_input(photo(), "dct")
