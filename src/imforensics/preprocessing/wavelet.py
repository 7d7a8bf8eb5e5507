"""Wavelet denoising and the noise residual.

Reference:
    S. G. Chang, B. Yu, M. Vetterli, "Adaptive wavelet thresholding for image denoising and compression",
    IEEE Transactions on Image Processing 9 (2000), doi:10.1109/83.862633 (BayesShrink).
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np
import pywt

from imforensics.preprocessing.noise import check_float_image, estimate_sigma

if TYPE_CHECKING:
    from imforensics.types import FloatArray

WAVELET = "sym8"  # least asymmetric, eight vanishing moments, four scales: as Chang et al. 2000
LEVELS = 4


def denoise_wavelet(image: FloatArray) -> FloatArray:
    """Remove white noise by shrinking wavelet coefficients softly.

    The threshold of a subband is sigma^2 / sigma_x, sigma_x^2 = max(mean(w^2) - sigma^2, 0); sigma is that of
    `estimate_sigma`. Small images are decomposed into fewer scales; one too small for a single scale is
    returned as it is.

    Args:
        image: (H, W) or (H, W, 3) float32 in [0, 255]; channels are denoised one by one.

    Returns:
        float32 of the shape of `image`; not clipped to [0, 255].

    Raises:
        TypeError: `image` is not a float array.
        ValueError: wrong shape.

    >>> image = np.full((64, 64), 50, np.float32)
    >>> bool(np.allclose(denoise_wavelet(image), 50, atol=1e-3))
    True
    """
    check_float_image(image)
    if image.ndim == 2:
        return _denoise_plane(image)
    result = np.empty(image.shape, dtype=np.float32)
    for channel in range(image.shape[2]):
        result[..., channel] = _denoise_plane(np.ascontiguousarray(image[..., channel]))
    return result


def noise_residual(image: FloatArray) -> FloatArray:
    """Image minus denoised image; arguments and errors as for `denoise_wavelet`.

    Returns:
        float32 of the shape of `image`, signed, in gray levels, around 0.

    >>> float(abs(noise_residual(np.zeros((9, 1), np.float32))).max())
    0.0
    """
    denoised = denoise_wavelet(image)
    return np.subtract(image, denoised, out=denoised)


def _denoise_plane(plane: FloatArray) -> FloatArray:
    """One channel; the scales are left one by one, so that only their details are kept."""
    levels = min(LEVELS, pywt.dwt_max_level(min(plane.shape), pywt.Wavelet(WAVELET).dec_len))
    if levels == 0:
        return np.array(plane, dtype=np.float32)
    noise = estimate_sigma(plane)
    approximation = np.asarray(plane, dtype=np.float32)
    details, shapes = [], []
    for _ in range(levels):
        shapes.append(approximation.shape)
        approximation, subbands = pywt.dwt2(approximation, WAVELET)
        for subband in subbands:
            threshold = _bayes_threshold(subband, noise)
            np.subtract(subband, np.clip(subband, -threshold, threshold), out=subband)
        details.append(subbands)
    while details:
        approximation = pywt.idwt2((approximation, details.pop()), WAVELET)
        height, width = shapes.pop()
        approximation = approximation[:height, :width]
    return np.ascontiguousarray(approximation, dtype=np.float32)


def _bayes_threshold(subband: FloatArray, sigma: float) -> float:
    """sigma^2 / sigma_x; infinite where the subband holds no more than noise."""
    energy = float(np.vdot(subband, subband)) / subband.size
    signal = energy - sigma**2
    if sigma == 0:
        return 0.0
    return sigma**2 / math.sqrt(signal) if signal > 0 else math.inf
