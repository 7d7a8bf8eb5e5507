"""Wavelet denoising and the noise residual; the noise levels of `noise.py` are offered here too.

References:
    S. G. Chang, B. Yu, M. Vetterli, "Adaptive wavelet thresholding for image denoising and compression",
    IEEE Transactions on Image Processing 9 (2000), doi:10.1109/83.862633 (BayesShrink).
    D. L. Donoho, I. M. Johnstone, "Ideal spatial adaptation by wavelet shrinkage", Biometrika 81 (1994),
    doi:10.1093/biomet/81.3.425 (VisuShrink).
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Literal, get_args

import numpy as np
import pywt

from imforensics.preprocessing.noise import (
    block_noise_levels,
    check_float_image,
    estimate_sigma,
    local_noise_map,
)

if TYPE_CHECKING:
    from imforensics.types import FloatArray

__all__ = ["block_noise_levels", "denoise_wavelet", "estimate_sigma", "local_noise_map", "noise_residual"]

Shrinkage = Literal["bayes", "visu"]
ThresholdMode = Literal["soft", "hard"]
DENOISING_WAVELET = "sym8"  # least asymmetric, eight vanishing moments, four scales: as Chang et al. 2000


def denoise_wavelet(
    image: FloatArray,
    *,
    wavelet: str = DENOISING_WAVELET,
    levels: int = 4,
    shrinkage: Shrinkage = "bayes",
    sigma: float | None = None,
    mode: ThresholdMode = "soft",
) -> FloatArray:
    """Remove white noise by shrinking wavelet coefficients.

    BayesShrink takes sigma^2 / sigma_x in each subband, sigma_x^2 = max(mean(w^2) - sigma^2, 0);
    VisuShrink takes sigma sqrt(2 ln N) for all, N the number of pixels.

    Args:
        image: (H, W) or (H, W, 3) float32 in [0, 255]; channels are denoised one by one.
        wavelet: name of a discrete wavelet of PyWavelets.
        levels: scales to decompose into, >= 1; fewer where the image is too small for the filter, and an
            image too small for a single one is returned as it is.
        shrinkage: rule for the threshold.
        sigma: noise standard deviation in gray levels; None estimates it, see `estimate_sigma`.
        mode: "soft" also shrinks what stays, "hard" keeps it.

    Returns:
        float32 of the shape of `image`; not clipped to [0, 255].

    Raises:
        TypeError: `image` is not a float array.
        ValueError: wrong shape or option.

    >>> image = np.full((64, 64), 50, np.float32)
    >>> bool(np.allclose(denoise_wavelet(image), 50, atol=1e-3))
    True
    """
    check_float_image(image)
    _check_choice("shrinkage", shrinkage, get_args(Shrinkage))
    _check_choice("mode", mode, get_args(ThresholdMode))
    if levels < 1 or (sigma is not None and not sigma >= 0):
        raise ValueError(f"Expected levels >= 1 and sigma >= 0; received levels={levels}, sigma={sigma}")
    if image.ndim == 2:
        return _denoise_plane(image, wavelet, levels, shrinkage, sigma, mode)
    result = np.empty(image.shape, dtype=np.float32)
    for channel in range(image.shape[2]):
        plane = np.ascontiguousarray(image[..., channel])
        result[..., channel] = _denoise_plane(plane, wavelet, levels, shrinkage, sigma, mode)
    return result


def noise_residual(
    image: FloatArray,
    *,
    wavelet: str = DENOISING_WAVELET,
    levels: int = 4,
    shrinkage: Shrinkage = "bayes",
    sigma: float | None = None,
    mode: ThresholdMode = "soft",
) -> FloatArray:
    """Image minus denoised image; arguments and errors as for `denoise_wavelet`.

    Returns:
        float32 of the shape of `image`, signed, in gray levels, around 0.

    >>> float(abs(noise_residual(np.zeros((9, 1), np.float32))).max())
    0.0
    """
    denoised = denoise_wavelet(
        image, wavelet=wavelet, levels=levels, shrinkage=shrinkage, sigma=sigma, mode=mode
    )
    return np.subtract(image, denoised, out=denoised)


def _denoise_plane(
    plane: FloatArray, wavelet: str, levels: int, shrinkage: str, sigma: float | None, mode: str
) -> FloatArray:
    """One channel; the scales are left one by one, so that only their details are kept."""
    levels = min(levels, pywt.dwt_max_level(min(plane.shape), pywt.Wavelet(wavelet).dec_len))
    if levels == 0:
        return np.array(plane, dtype=np.float32)
    noise = estimate_sigma(plane) if sigma is None else sigma
    universal = noise * math.sqrt(2 * math.log(plane.size))
    approximation = np.asarray(plane, dtype=np.float32)
    details, shapes = [], []
    for _ in range(levels):
        shapes.append(approximation.shape)
        approximation, subbands = pywt.dwt2(approximation, wavelet)
        for subband in subbands:
            threshold = universal if shrinkage == "visu" else _bayes_threshold(subband, noise)
            _shrink(subband, threshold, mode)
        details.append(subbands)
    while details:
        approximation = pywt.idwt2((approximation, details.pop()), wavelet)
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


def _shrink(subband: FloatArray, threshold: float, mode: str) -> None:
    """Threshold in place."""
    if mode == "soft":
        subband -= np.clip(subband, -threshold, threshold)
    else:
        subband[np.abs(subband) <= threshold] = 0


def _check_choice(name: str, value: str, choices: tuple[str, ...]) -> None:
    if value not in choices:
        raise ValueError(f"Expected {name} to be one of {choices}; received {value!r}")
