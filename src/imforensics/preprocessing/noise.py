"""The noise level of an image and of each place in it, from the diagonal detail of the finest wavelet scale.

References:
    D. L. Donoho, I. M. Johnstone, "Ideal spatial adaptation by wavelet shrinkage", Biometrika 81 (1994),
    doi:10.1093/biomet/81.3.425 (noise level from the median).
    B. Mahdian, S. Saic, "Using noise inconsistencies for blind image forensics", Image and Vision Computing
    27 (2009), doi:10.1016/j.imavis.2009.02.001 (noise level of each block).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pywt

from imforensics.preprocessing.blocks import upsample_blocks

if TYPE_CHECKING:
    from imforensics.types import FloatArray, UInt8Array

MAD_OF_NORMAL = 0.6745  # 75 % quantile of N(0, 1): median |x| = 0.6745 sigma, Donoho and Johnstone 1994
NOISE_BLOCK = 16  # pixels; 8 x 8 = 64 diagonal coefficients for each median
NOISE_WAVELET = "db4"
_BAND_ROWS = 32  # rows at a time: a band stays in the cache
_LUMA = (299, 587, 114)  # thousandths, ITU-R BT.601, as JPEG


def estimate_sigma(image: FloatArray, *, wavelet: str = NOISE_WAVELET) -> float:
    """Noise standard deviation: median |diagonal detail of the finest scale| / 0.6745.

    Args:
        image: (H, W) or (H, W, 3) float32 in [0, 255]; the mean of the channels' estimates is taken.
        wavelet: name of an orthogonal wavelet of PyWavelets.

    Returns:
        sigma >= 0 in gray levels; robust against edges, biased upwards by fine texture all over the image.

    Raises:
        TypeError, ValueError: as `denoise_wavelet`.

    >>> noise = np.random.default_rng(0).normal(100, 5, (256, 256)).astype(np.float32)
    >>> abs(estimate_sigma(noise) - 5) < 0.15
    True
    """
    check_float_image(image)
    planes = [image] if image.ndim == 2 else [image[..., channel] for channel in range(image.shape[2])]
    medians = [float(np.median(np.abs(diagonal_detail(plane, wavelet=wavelet)))) for plane in planes]
    return sum(medians) / len(medians) / MAD_OF_NORMAL


def local_noise_map(
    image: FloatArray, *, block: int = NOISE_BLOCK, wavelet: str = NOISE_WAVELET
) -> FloatArray:
    """Noise standard deviation around each pixel (Mahdian and Saic 2009), interpolated between blocks.

    Args:
        image: (H, W) float32 in [0, 255].
        block: side of a block in pixels, even, >= 4.
        wavelet: name of an orthogonal wavelet of PyWavelets.

    Returns:
        (H, W) float32 >= 0, in gray levels.

    Raises:
        TypeError, ValueError: as `block_noise_levels`.

    >>> local_noise_map(np.zeros((20, 30), np.float32)).shape
    (20, 30)
    """
    levels = block_noise_levels(image, block=block, wavelet=wavelet)
    return upsample_blocks(levels, (image.shape[0], image.shape[1]), block=block)


def block_noise_levels(
    image: FloatArray, *, block: int = NOISE_BLOCK, wavelet: str = NOISE_WAVELET
) -> FloatArray:
    """Noise standard deviation of each block: median |diagonal detail| / 0.6745 over the block.

    Args:
        image: (H, W) float32 in [0, 255].
        block: side of a block in pixels, even, >= 4.
        wavelet: name of an orthogonal wavelet of PyWavelets.

    Returns:
        (ceil(H / block), ceil(W / block)) float32 >= 0, in gray levels. Blocks that the edge cuts are
        completed by mirroring the detail coefficients.

    Raises:
        TypeError: `image` is not a float array.
        ValueError: wrong shape or block.

    >>> block_noise_levels(np.zeros((20, 30), np.float32)).shape
    (2, 2)
    """
    check_float_image(image, planes=(2,))
    if block < 4 or block % 2:
        raise ValueError(f"Expected block to be even and at least 4 pixels; received {block}")
    detail = diagonal_detail(image, wavelet=wavelet)
    side = block // 2
    rows, columns = (-(-extent // block) for extent in image.shape)
    missing = (rows * side - detail.shape[0], columns * side - detail.shape[1])
    if any(missing):
        detail = np.pad(detail, ((0, missing[0]), (0, missing[1])), mode="symmetric")
    np.abs(detail, out=detail)
    values = detail.reshape(rows, side, columns, side).swapaxes(1, 2).reshape(rows, columns, side * side)
    values.sort(axis=-1)
    middle = side * side // 2
    medians = (values[..., (side * side - 1) // 2] + values[..., middle]) / 2
    return np.asarray(medians / MAD_OF_NORMAL, dtype=np.float32)


def diagonal_detail(image: FloatArray, *, wavelet: str = NOISE_WAVELET) -> FloatArray:
    """Diagonal detail coefficients of the finest scale; coefficient (i, j) belongs to pixel (2i, 2j).

    The one subband that the noise level needs, without computing the other three: the coefficients of
    `pywt.dwt2(image, wavelet, mode="symmetric")` less the (L - 2) // 4 rows and columns before the image,
    L the length of the filter.

    Args:
        image: (H, W) float32.
        wavelet: name of an orthogonal wavelet of PyWavelets.

    Returns:
        (ceil(H / 2), ceil(W / 2)) float32, of the standard deviation of the noise where that is white.

    >>> diagonal_detail(np.ones((5, 8), np.float32)).shape
    (3, 4)
    """
    taps = np.array(pywt.Wavelet(wavelet).dec_hi[::-1], dtype=np.float32)
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


def check_float_image(image: FloatArray, *, planes: tuple[int, ...] = (2, 3)) -> None:
    """Refuse what is not a float image of shape (H, W), or (H, W, 3) where `planes` holds 3, with H, W >= 1.

    Raises:
        TypeError: not a float array.
        ValueError: any other shape, or no pixels.
    """
    if not isinstance(image, np.ndarray) or not np.issubdtype(image.dtype, np.floating):
        received = getattr(image, "dtype", type(image).__name__)
        raise TypeError(
            f"Expected a float32 image in [0, 255]; received {received}. Use .astype(numpy.float32)"
        )
    is_known = image.ndim in planes and (image.ndim == 2 or image.shape[2] == 3)
    if not is_known or image.size == 0:
        expected = " or ".join({2: "(H, W)", 3: "(H, W, 3)"}[count] for count in planes)
        raise ValueError(
            f"Expected an image of shape {expected} with H, W >= 1; received shape {image.shape}"
        )
