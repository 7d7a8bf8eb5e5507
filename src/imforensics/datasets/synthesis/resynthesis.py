"""Content as a generative network leaves it: plausible, and without a sensor's noise or a JPEG's traces."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from PIL import Image, ImageFilter

from imforensics.datasets.synthesis.draws import draw_flag, draw_log_uniform

if TYPE_CHECKING:
    from imforensics.types import UInt8Array

REDUCTIONS = (1.5, 4.0)  # of the low resolution that content is made at, log-uniform
REDUCING = (Image.Resampling.LANCZOS, Image.Resampling.BICUBIC, Image.Resampling.BOX)
ENLARGING = (Image.Resampling.LANCZOS, Image.Resampling.BICUBIC)
TEXTURE_SHARE = 0.6  # with made-up detail at the low resolution
TEXTURE = (0.5, 3.5)  # its standard deviation, gray levels
SHARPENED_SHARE = 0.6
SHARPENING = (20, 120)  # percent, mild
NOISE_SHARE = 0.3  # with white noise over it, as editors add to match a photograph's grain
NOISE = (0.4, 2.5)


def resynthesise(pixels: UInt8Array, rng: np.random.Generator) -> tuple[UInt8Array, float]:
    """Make content anew: reduce it, add smooth detail there, enlarge it, sharpen it mildly.

    Stands for what diffusion networks and super-resolution give: content that follows the picture, with the
    spectrum of an enlargement, made-up texture, and no trace of sensor or compression.

    Args:
        pixels: (H, W, 3) uint8 RGB; not modified.
        rng: gives factor, filters and texture.

    Returns:
        (H, W, 3) uint8, and the factor of the reduction.
    """
    height, width = pixels.shape[:2]
    factor = draw_log_uniform(rng, *REDUCTIONS)
    size = max(1, round(width / factor)), max(1, round(height / factor))
    small = Image.fromarray(np.ascontiguousarray(pixels)).resize(size, _choose(rng, REDUCING))
    if draw_flag(rng, TEXTURE_SHARE):
        small = _add_noise(small, rng.uniform(*TEXTURE), rng).filter(ImageFilter.GaussianBlur(0.5))
    large = small.resize((width, height), _choose(rng, ENLARGING))
    if draw_flag(rng, SHARPENED_SHARE):
        large = large.filter(ImageFilter.UnsharpMask(factor / 2, int(rng.integers(*SHARPENING)), 0))
    if draw_flag(rng, NOISE_SHARE):
        large = _add_noise(large, rng.uniform(*NOISE), rng)
    return np.asarray(large), factor


def _choose(rng: np.random.Generator, filters: tuple[Image.Resampling, ...]) -> Image.Resampling:
    return filters[int(rng.integers(len(filters)))]


def _add_noise(image: Image.Image, sigma: float, rng: np.random.Generator) -> Image.Image:
    values = np.asarray(image, dtype=np.float32)
    noisy = values + np.float32(sigma) * rng.standard_normal(values.shape, dtype=np.float32)
    return Image.fromarray(np.clip(np.rint(noisy), 0, 255).astype(np.uint8))
