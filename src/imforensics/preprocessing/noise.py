"""Luma, and the noise level of an image from the diagonal detail of the finest wavelet scale.

Reference:
    D. L. Donoho, I. M. Johnstone, "Ideal spatial adaptation by wavelet shrinkage", Biometrika 81 (1994),
    doi:10.1093/biomet/81.3.425 (noise level from the median).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pywt

if TYPE_CHECKING:
    from imforensics.types import FloatArray, UInt8Array

MAD_OF_NORMAL = 0.6745  # 75 % quantile of N(0, 1): median |x| = 0.6745 sigma, Donoho and Johnstone 1994
NOISE_WAVELET = "db4"
_BAND_ROWS = 32  # rows at a time: a band stays in the cache
_LUMA = (299, 587, 114)  # thousandths, ITU-R BT.601, as JPEG


def estimate_sigma(plane: FloatArray) -> float:
    """Noise standard deviation: median |diagonal detail of the finest scale| / 0.6745.

    Args:
        plane: (H, W) float32 in [0, 255].

    Returns:
        sigma >= 0 in gray levels; robust against edges, biased upwards by fine texture all over the image.

    >>> noise = np.random.default_rng(0).normal(100, 5, (256, 256)).astype(np.float32)
    >>> abs(estimate_sigma(noise) - 5) < 0.15
    True
    """
    return float(np.median(np.abs(diagonal_detail(plane)))) / MAD_OF_NORMAL


def diagonal_detail(image: FloatArray) -> FloatArray:
    """Diagonal detail coefficients of the finest scale; coefficient (i, j) belongs to pixel (2i, 2j).

    The one subband that the noise level needs, without computing the other three: the coefficients of
    `pywt.dwt2(image, NOISE_WAVELET, mode="symmetric")` less the (L - 2) // 4 rows and columns before the
    image, L the length of the filter.

    Args:
        image: (H, W) float32.

    Returns:
        (ceil(H / 2), ceil(W / 2)) float32, of the standard deviation of the noise where that is white.

    >>> diagonal_detail(np.ones((5, 8), np.float32)).shape
    (3, 4)
    """
    taps = np.array(pywt.Wavelet(NOISE_WAVELET).dec_hi[::-1], dtype=np.float32)
    height, width = image.shape
    rows, columns = (height + 1) // 2, (width + 1) // 2
    before = len(taps) - 2 - 2 * ((len(taps) - 2) // 4)
    result = np.zeros((rows, columns), dtype=np.float32)
    column_index = _mirror(np.arange(-before, 2 * columns + len(taps) - before), width)
    row_index = _mirror(np.arange(-before, 2 * rows + len(taps) - before), height)
    for top in range(0, rows, _BAND_ROWS):
        count = min(_BAND_ROWS, rows - top)
        band = image[row_index[2 * top : 2 * (top + count) + len(taps)]]
        filtered = taps[0] * band[0 : 2 * count : 2]
        for offset, tap in enumerate(taps[1:], start=1):
            filtered += tap * band[offset : offset + 2 * count : 2]
        phases = [filtered[:, column_index[parity::2]] for parity in (0, 1)]
        part = result[top : top + count]
        for offset, tap in enumerate(taps):
            shift = offset // 2
            part += tap * phases[offset % 2][:, shift : shift + columns]
    return result


def luma(pixels: UInt8Array) -> FloatArray:
    """Luma of an RGB image, ITU-R BT.601, to the nearest 1/64 of a gray level.

    Whole numbers all the way: the same bits on every machine, and exact sums in `block_dct`.

    Args:
        pixels: (H, W, 3) uint8 RGB.

    Returns:
        (H, W) float32 in [0, 255], multiples of 1/64.

    >>> luma(np.full((1, 1, 3), 255, np.uint8))
    array([[255.]], dtype=float32)
    """
    result = np.empty(pixels.shape[:2], dtype=np.float32)
    for top in range(0, len(pixels), _BAND_ROWS):
        band = pixels[top : top + _BAND_ROWS]
        part = result[top : top + _BAND_ROWS]
        np.multiply(band[..., 0], np.float32(_LUMA[0]), out=part)
        for channel in (1, 2):
            part += band[..., channel] * np.float32(_LUMA[channel])
        part *= np.float32(64 / 1000)  # no sum is within 1/250 of a tie
        np.rint(part, out=part)
        part *= np.float32(1 / 64)
    return result


def _mirror(index: np.ndarray, size: int) -> np.ndarray:
    """Half-sample symmetric extension, for an index any distance outside 0..size-1."""
    wrapped = np.mod(index, 2 * size)
    return np.asarray(np.where(wrapped < size, wrapped, 2 * size - 1 - wrapped), dtype=np.intp)


def check_float_image(image: FloatArray) -> None:
    """Refuse what is not a float image of shape (H, W) or (H, W, 3) with H, W >= 1.

    Raises:
        TypeError: not a float array.
        ValueError: any other shape, or no pixels.
    """
    if not isinstance(image, np.ndarray) or not np.issubdtype(image.dtype, np.floating):
        received = getattr(image, "dtype", type(image).__name__)
        raise TypeError(
            f"Expected a float32 image in [0, 255]; received {received}. Use .astype(numpy.float32)"
        )
    if not (image.ndim == 2 or (image.ndim == 3 and image.shape[2] == 3)) or image.size == 0:
        raise ValueError(
            f"Expected an image of shape (H, W) or (H, W, 3) with H, W >= 1; received shape {image.shape}"
        )
