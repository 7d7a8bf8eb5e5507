"""How alike two pictures are: mean squared error, peak signal-to-noise ratio, structural similarity.

References:
    Z. Wang, A. C. Bovik, H. R. Sheikh, E. P. Simoncelli, "Image quality assessment: from error visibility to
    structural similarity", IEEE Transactions on Image Processing 13 (2004), doi:10.1109/TIP.2003.819861.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from imforensics.types import FloatArray

WINDOW = 11  # pixels across the Gaussian window, Wang et al. 2004, section III-B
SIGMA = 1.5  # pixels, likewise
K1, K2 = 0.01, 0.03  # likewise
_BORDER = WINDOW // 2
_BAND_ROWS = 32  # rows at a time: the five filtered products of a band stay in the cache


def mse(first: NDArray[Any], second: NDArray[Any]) -> float:
    """Mean squared difference of two pictures.

    Args:
        first: any shape, any real dtype.
        second: of the same shape.

    Returns:
        >= 0, in the square of the unit of the pictures.

    Raises:
        ValueError: the shapes differ, or there are no values.

    >>> mse(np.array([0.0, 1.0]), np.array([0.0, 3.0]))
    2.0
    """
    _check(first, second)
    total = 0.0
    for one, other in zip(_bands(first), _bands(second), strict=True):
        difference = np.subtract(one, other, dtype=np.float32).ravel()
        total += float(np.dot(difference, difference))
    return total / first.size


def psnr(first: NDArray[Any], second: NDArray[Any], *, data_range: float = 1.0) -> float:
    """Peak signal-to-noise ratio, 10 log10(data_range^2 / mse).

    Args:
        first: any shape, any real dtype.
        second: of the same shape.
        data_range: largest less smallest value that the pictures could have: 1 for [0, 1], 255 for uint8.

    Returns:
        Decibel; infinite for equal pictures.

    Raises:
        ValueError: as `mse`; or data_range is not above 0.

    >>> round(psnr(np.zeros((2, 2)), np.full((2, 2), 0.1)), 6)
    20.0
    """
    _check_range(data_range)
    error = mse(first, second)
    return math.inf if error == 0 else 10 * math.log10(data_range**2 / error)


def ssim(first: NDArray[Any], second: NDArray[Any], *, data_range: float = 1.0) -> float:
    """Mean structural similarity over the windows that lie inside the picture (Wang et al. 2004, eq. 13, 17).

    Args:
        first: (H, W) or (H, W, C), any real dtype, H, W >= 11; the mean over the channels is taken.
        second: of the same shape.
        data_range: largest less smallest value that the pictures could have.

    Returns:
        At most 1, which equal pictures have; below 0 where structures are opposite.

    Raises:
        ValueError: the shapes differ or are too small; or data_range is not above 0.

    >>> ssim(np.eye(16), np.eye(16))
    1.0
    """
    _check(first, second)
    if min(first.shape[:2]) < WINDOW:
        raise ValueError(f"Expected pictures of at least {WINDOW}x{WINDOW}; received {first.shape}")
    inside = ssim_map(first, second, data_range=data_range)[_BORDER:-_BORDER, _BORDER:-_BORDER]
    return float(inside.mean(dtype=np.float64))


def ssim_map(first: NDArray[Any], second: NDArray[Any], *, data_range: float = 1.0) -> FloatArray:
    """Structural similarity around each pixel (Wang et al. 2004, eq. 13), mean over the channels.

    Means, variances and the covariance are weighted by a Gaussian of 1.5 pixels, cut at 11x11; pictures are
    mirrored beyond their edges.

    Args:
        first: (H, W) or (H, W, C), any real dtype.
        second: of the same shape.
        data_range: largest less smallest value that the pictures could have.

    Returns:
        (H, W) float32 in [-1, 1]; 1 = alike.

    Raises:
        ValueError: the shapes differ or have no pixel; or data_range is not above 0.

    >>> ssim_map(np.zeros((3, 5)), np.zeros((3, 5))).shape
    (3, 5)
    """
    _check(first, second)
    _check_range(data_range)
    if first.ndim not in (2, 3):
        raise ValueError(f"Expected pictures (H, W) or (H, W, C); received shape {first.shape}")
    height, width = first.shape[:2]
    channels = 1 if first.ndim == 2 else first.shape[2]
    rows = _mirror(np.arange(-_BORDER, height + _BORDER), height)
    columns = _mirror(np.arange(-_BORDER, width + _BORDER), width)
    result = np.zeros((height, width), np.float32)
    for channel in range(channels):
        one, other = ((p if p.ndim == 2 else p[..., channel]) for p in (first, second))
        for top in range(0, height, _BAND_ROWS):
            part = result[top : top + _BAND_ROWS]
            taken = np.ix_(rows[top : top + len(part) + 2 * _BORDER], columns)
            part += _similarity(one[taken].astype(np.float32), other[taken].astype(np.float32), data_range)
    result /= np.float32(channels)
    return result


def _similarity(x: FloatArray, y: FloatArray, data_range: float) -> FloatArray:
    """Eq. 13 for one band with its border; (h + 10, w + 10) to (h, w)."""
    middle = np.float32(x.mean())  # variances do not depend on it; small numbers keep float32 exact
    x, y = x - middle, y - middle
    mean_x, mean_y = _blur(x), _blur(y)
    products = mean_x * mean_y
    squares = mean_x**2 + mean_y**2
    covariance = _blur(x * y) - products
    variances = np.maximum(_blur(x * x + y * y) - squares, 0)
    # the means themselves, middle included, belong into the term of luminance
    first, second = mean_x + middle, mean_y + middle
    c1, c2 = np.float32((K1 * data_range) ** 2), np.float32((K2 * data_range) ** 2)
    luminance = (2 * first * second + c1) / (first**2 + second**2 + c1)
    return np.asarray(luminance * (2 * covariance + c2) / (variances + c2), dtype=np.float32)


def _blur(plane: FloatArray) -> FloatArray:
    """Gaussian window, only where it lies inside: (h + 10, w + 10) to (h, w)."""
    height, width = plane.shape[0] - 2 * _BORDER, plane.shape[1] - 2 * _BORDER
    across = _TAPS[0] * plane[:, :width]
    for offset in range(1, WINDOW):
        across += _TAPS[offset] * plane[:, offset : offset + width]
    down = _TAPS[0] * across[:height]
    for offset in range(1, WINDOW):
        down += _TAPS[offset] * across[offset : offset + height]
    return np.asarray(down, dtype=np.float32)


def _gaussian() -> FloatArray:
    weights = np.exp(-(np.arange(-_BORDER, _BORDER + 1) ** 2) / (2 * SIGMA**2))
    return np.asarray(weights / weights.sum(), dtype=np.float32)


def _mirror(index: NDArray[np.int64], size: int) -> NDArray[np.int64]:
    """Half-sample symmetric extension, for an index any distance outside 0..size-1."""
    wrapped = np.mod(index, 2 * size)
    return np.where(wrapped < size, wrapped, 2 * size - 1 - wrapped)


def _bands(picture: NDArray[Any]) -> Iterator[NDArray[Any]]:
    if picture.ndim == 0:
        yield picture
        return
    for top in range(0, len(picture), _BAND_ROWS):
        yield picture[top : top + _BAND_ROWS]


def _check(first: NDArray[Any], second: NDArray[Any]) -> None:
    if first.shape != second.shape or first.size == 0:
        raise ValueError(
            f"Expected two pictures of one shape, with pixels; received {first.shape} and {second.shape}"
        )


def _check_range(data_range: float) -> None:
    if not data_range > 0:
        raise ValueError(f"Expected a data_range above 0; received {data_range}")


_TAPS = _gaussian()
