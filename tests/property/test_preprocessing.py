"""Preprocessing holds its shapes, ranges and identities for any size and content."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from imforensics.preprocessing.blocks import block_means, upsample_blocks
from imforensics.preprocessing.ela import ela_residual
from imforensics.preprocessing.jpeg import resave_jpeg
from imforensics.preprocessing.noise import estimate_sigma
from imforensics.preprocessing.patches import cut_windows, read_window, stitch_windows
from imforensics.preprocessing.wavelet import denoise_wavelet, noise_residual

sides = st.integers(1, 90)
seeds = st.integers(0, 2**32 - 1)
steps = st.integers(1, 6)


def image(height: int, width: int, seed: int) -> np.ndarray:
    rng = np.random.default_rng(seed)
    scale = int(rng.integers(1, 256))
    return rng.integers(0, scale, (height, width, 3), dtype=np.uint8)


@settings(max_examples=60, deadline=None)
@given(sides, sides, seeds, st.integers(1, 100), st.sampled_from(["4:4:4", "4:2:2", "4:2:0"]))
def test_ela_is_the_difference_to_the_resave(
    height: int, width: int, seed: int, quality: int, subsampling: str
) -> None:
    pixels = image(height, width, seed)
    residual = ela_residual(pixels, quality=quality, subsampling=subsampling)
    resaved = resave_jpeg(pixels, quality=quality, subsampling=subsampling)
    np.testing.assert_array_equal(residual, np.abs(pixels.astype(np.int16) - resaved))


@settings(max_examples=60, deadline=None)
@given(st.integers(1, 400), st.integers(1, 400), steps, st.integers(0, 5))
def test_windows_cover_and_keep_to_the_grid(height: int, width: int, steps: int, overlap: int) -> None:
    window = 8 * steps
    windows = cut_windows(height, width, window=window, overlap=8 * min(overlap, steps - 1))
    covered = np.zeros((height, width), bool)
    for part in windows:
        assert part.top % 8 == part.left % 8 == 0
        assert part.top + part.height <= height
        assert part.left + part.width <= width
        assert min(height, window) - 7 <= part.height <= window
        assert min(width, window) - 7 <= part.width <= window
        covered[part.slices] = True
    assert covered.all()
    assert len(set(windows)) == len(windows)


@settings(max_examples=60, deadline=None)
@given(st.integers(1, 150), st.integers(1, 150), steps, st.integers(0, 5), seeds)
def test_stitching_undoes_cutting(height: int, width: int, steps: int, overlap: int, seed: int) -> None:
    values = np.random.default_rng(seed).normal(0, 100, (height, width)).astype(np.float32)
    windows = cut_windows(height, width, window=8 * steps, overlap=8 * min(overlap, steps - 1))
    parts = (read_window(values, part) for part in windows)
    np.testing.assert_array_equal(stitch_windows((height, width), windows, parts), values)


@settings(max_examples=40, deadline=None)
@given(sides, sides, seeds)
def test_denoised_and_residual_add_up(height: int, width: int, seed: int) -> None:
    plane = image(height, width, seed)[..., 0].astype(np.float32)
    denoised = denoise_wavelet(plane)
    assert denoised.shape == plane.shape
    np.testing.assert_allclose(noise_residual(plane) + denoised, plane, atol=1e-3)


@settings(max_examples=40, deadline=None)
@given(sides, sides, seeds, st.sampled_from([0.5, 2.0, 4.0]))
def test_the_noise_level_scales_with_the_image(height: int, width: int, seed: int, factor: float) -> None:
    plane = image(height, width, seed)[..., 0].astype(np.float32)
    sigma = estimate_sigma(plane)
    assert sigma >= 0
    np.testing.assert_allclose(estimate_sigma(plane * factor), sigma * factor, rtol=1e-3, atol=1e-3)


@settings(max_examples=60, deadline=None)
@given(sides, sides, seeds, st.integers(1, 20))
def test_blocks_stay_in_range(height: int, width: int, seed: int, block: int) -> None:
    pixels = image(height, width, seed)
    means = block_means(pixels, block=block)
    assert pixels.min() - 1e-3 <= means.min() <= means.max() <= pixels.max() + 1e-3
    spread = upsample_blocks(means, (height, width), block=block)
    assert means.min() - 1e-3 <= spread.min() <= spread.max() <= means.max() + 1e-3
