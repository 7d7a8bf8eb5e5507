"""Rotation-invariant descriptions of every patch of a picture: magnitudes of Zernike moments."""

from __future__ import annotations

from math import factorial
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from imforensics.types import FloatArray

    Complex = NDArray[np.complex128]

MAX_ORDER = 5  # twelve moments, as in Cozzolino et al. 2015


def zernike_features(luma: FloatArray, *, radius: int, max_order: int = MAX_ORDER) -> FloatArray:
    """Magnitudes of the Zernike moments of the disc around each pixel.

    The moments are projections on functions of unit length on the disc, so that distances of features are in
    gray levels times the root of the number of pixels. Turning or mirroring a patch leaves them as they are,
    but for sampling.

    Args:
        luma: (H, W) float32, gray levels; beyond the edges it is mirrored.
        radius: of the disc, in pixels, at least 2.
        max_order: highest order n; all (n, m) with 0 <= m <= n, n - m even are taken.

    Returns:
        (H, W, K) float32; K = 12 for order 5.

    Raises:
        ValueError: a radius below 2.

    Reference: D. Cozzolino, G. Poggi, L. Verdoliva, Efficient dense-field copy-move forgery detection, IEEE
        TIFS 10(11), 2015, doi 10.1109/TIFS.2015.2455334; M. R. Teague, Image analysis via the general theory
        of moments, JOSA 70(8), 1980, doi 10.1364/JOSA.70.000920.
    """
    if radius < 2:
        raise ValueError(f"Expected a radius of at least 2 pixels; received {radius}")
    height, width = luma.shape
    padded = np.pad(luma, radius, mode="symmetric").astype(np.float32)
    size = (_fast_length(height + 2 * radius), _fast_length(width + 2 * radius))
    spectrum = np.fft.rfft2(padded, s=size).astype(np.complex64)
    kernels = zernike_kernels(radius, max_order=max_order)
    features = np.empty((height, width, len(kernels)), dtype=np.float32)
    for index, kernel in enumerate(kernels):
        parts = [_correlate(spectrum, part, size)[:height, :width] for part in _real_parts(kernel)]
        features[..., index] = parts[0] if len(parts) == 1 else np.hypot(*parts)
    return features


def zernike_kernels(radius: int, *, max_order: int) -> list[Complex]:
    """Zernike functions sampled on a disc of pixels, each of unit length.

    Args:
        radius: of the disc, in pixels.
        max_order: highest order n.

    Returns:
        (2 radius + 1, 2 radius + 1) complex128 arrays, 0 outside the disc, ordered by n, then m.
    """
    offsets = np.arange(-radius, radius + 1)
    y, x = np.meshgrid(offsets, offsets, indexing="ij")
    distance, angle = np.hypot(y, x) / (radius + 0.5), np.arctan2(y, x)
    inside = distance <= 1
    kernels = []
    for n in range(max_order + 1):
        for m in range(n % 2, n + 1, 2):
            kernel = np.where(inside, _radial(n, m, distance) * np.exp(-1j * m * angle), 0)
            kernels.append(kernel / np.sqrt((np.abs(kernel) ** 2).sum()))
    return kernels


def _radial(n: int, m: int, distance: NDArray[np.float64]) -> NDArray[np.float64]:
    """Radial polynomial R_nm (Teague 1980, eq. 45)."""
    total = np.zeros_like(distance)
    for k in range((n - m) // 2 + 1):
        below = factorial(k) * factorial((n + m) // 2 - k) * factorial((n - m) // 2 - k)
        total += (-1) ** k * factorial(n - k) / below * distance ** (n - 2 * k)
    return total


def _real_parts(kernel: Complex) -> list[FloatArray]:
    parts = [kernel.real.astype(np.float32)]
    return parts if not kernel.imag.any() else [*parts, kernel.imag.astype(np.float32)]


def _correlate(spectrum: NDArray[np.complex64], kernel: FloatArray, size: tuple[int, int]) -> FloatArray:
    filtered = spectrum * np.conj(np.fft.rfft2(kernel, s=size))
    return np.asarray(np.fft.irfft2(filtered, s=size), dtype=np.float32)


def _fast_length(length: int) -> int:
    """The next length that has no prime factor above 5."""
    while True:
        rest = length
        for factor in (2, 3, 5):
            while rest % factor == 0:
                rest //= factor
        if rest == 1:
            return length
        length += 1
