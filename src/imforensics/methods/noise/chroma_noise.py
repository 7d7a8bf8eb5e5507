"""The noise level of the colour-difference planes around each place, with that of the luma beside it.

Colour differences hold little texture, so that noise and the traces of processing stand out in them. They are
taken at half size: most JPEGs keep no more of them.

References:
    D. L. Donoho, I. M. Johnstone, "Ideal spatial adaptation by wavelet shrinkage", Biometrika 81 (1994),
    doi:10.1093/biomet/81.3.425 (noise from the finest diagonal detail).
    B. Mahdian, S. Saic, "Using noise inconsistencies for blind image forensics", Image and Vision Computing
    27 (2009), doi:10.1016/j.imavis.2009.02.001 (noise level of each block).
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from imforensics.preprocessing.blocks import block_means
from imforensics.preprocessing.noise import diagonal_detail

if TYPE_CHECKING:
    from imforensics.types import FloatArray, UInt8Array

SIGMA_OF_MEAN = math.sqrt(math.pi / 2)  # of N(0, sigma): mean |x| = sigma sqrt(2 / pi)
_STRIP_ROWS = 64
# ITU-R BT.601 as JPEG, over the four pixels that are added up
_YCBCR = np.array(
    [[0.299, 0.587, 0.114], [-0.168736, -0.331264, 0.5], [0.5, -0.418688, -0.081312]], dtype=np.float32
)


def half_size_ycbcr(pixels: UInt8Array) -> FloatArray:
    """Luma and colour differences of the means over 2x2 pixels.

    Args:
        pixels: (H, W, 3) uint8 RGB.

    Returns:
        (3, ceil(H / 2), ceil(W / 2)) float32: Y in [0, 255], Cb and Cr in [-127.5, 127.5]. A last odd row or
        column stands for its missing neighbour.

    >>> half_size_ycbcr(np.full((3, 2, 3), 90, np.uint8)).shape
    (3, 2, 1)
    """
    height, width = pixels.shape[:2]
    result = np.empty((3, -(-height // 2), -(-width // 2)), dtype=np.float32)
    matrix = (_YCBCR / 4).T
    for top in range(0, height, _STRIP_ROWS):
        part = pixels[top : top + _STRIP_ROWS]
        part = np.pad(part, ((0, len(part) % 2), (0, width % 2), (0, 0)), mode="edge")
        pairs = part[0::2].astype(np.uint16) + part[1::2]
        sums = (pairs[:, 0::2] + pairs[:, 1::2]).astype(np.float32)
        result[:, top // 2 : top // 2 + len(sums)] = np.moveaxis(sums @ matrix, -1, 0)
    return result


def block_detail_levels(plane: FloatArray, *, block: int) -> FloatArray:
    """Noise level of each block: mean |diagonal detail of the half-size plane| x sqrt(pi / 2).

    A block of 8 pixels holds four coefficients, a rough estimate: average blocks before taking one for the
    noise of a place. A mean is moved by edges where a median is not, and needs far fewer samples.

    Args:
        plane: (ceil(H / 2), ceil(W / 2)) float32, one of `half_size_ycbcr`.
        block: side of a block in pixels of the image, a multiple of 4.

    Returns:
        (ceil(H / block), ceil(W / block)) float32 >= 0: the standard deviation of white noise in the
        half-size plane, in gray levels.

    Raises:
        ValueError: `block` is no positive multiple of 4.

    >>> block_detail_levels(np.zeros((10, 5), np.float32), block=8).shape
    (3, 2)
    """
    if block < 4 or block % 4:
        raise ValueError(f"Expected block to be a positive multiple of 4 pixels; received {block}")
    detail = np.abs(diagonal_detail(plane))
    return block_means(detail, block=block // 4) * np.float32(SIGMA_OF_MEAN)


def gaussian_mean(values: FloatArray, weights: FloatArray, *, sigma: float) -> FloatArray:
    """Weighted mean around each cell, with weights that fall off as a Gaussian.

    Args:
        values: (h, w) float32.
        weights: (h, w) float32 >= 0, how far each cell counts.
        sigma: standard deviation of the Gaussian in cells, > 0; it is cut at three of them.

    Returns:
        (h, w) float32; 0 where no cell in reach has weight.

    Raises:
        ValueError: `sigma` is not positive.

    >>> ones = np.ones((1, 3), np.float32)
    >>> gaussian_mean(np.array([[2.0, 5.0, 2.0]], np.float32), np.array([[1.0, 0, 1]], np.float32), sigma=1)
    array([[2., 2., 2.]], dtype=float32)
    """
    if not sigma > 0:
        raise ValueError(f"Expected sigma > 0 cells; received {sigma}")
    reach = math.ceil(3 * sigma)
    kernel = np.exp(-0.5 * (np.arange(-reach, reach + 1) / sigma) ** 2).astype(np.float32)
    total, weight = _blur(values * weights, kernel), _blur(weights, kernel)
    return np.divide(total, weight, out=np.zeros_like(total), where=weight > 0)


def _blur(values: FloatArray, kernel: FloatArray) -> FloatArray:
    """Convolution along both axes; nothing lies beyond the edges."""
    reach = len(kernel) // 2
    for _ in range(2):
        size = values.shape[0]
        padded = np.pad(values, ((reach, reach), (0, 0)))
        blurred = np.zeros_like(values)
        for shift, weight in enumerate(kernel):
            blurred += weight * padded[shift : shift + size]
        values = np.ascontiguousarray(blurred.T)
    return values
