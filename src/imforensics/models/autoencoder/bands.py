"""High-pass bands of luma and chroma: what the residual autoencoder reconstructs.

Two levels of Haar's wavelet of Y, Cb and Cr, pressed together by asinh and stacked at a quarter of the
resolution, so that a small network sees 45 channels instead of three large planes.

Reference:
    A. Haar, "Zur Theorie der orthogonalen Funktionensysteme", Mathematische Annalen 69 (1910),
    doi:10.1007/BF01456326; luma and chroma as ITU-R BT.601 and JPEG have them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from imforensics.types import FloatArray, UInt8Array

STEP = 4  # pixels that one position of the stack stands for, down and across
GRID = 8  # the stack is completed to multiples of it, in pixels: the network halves it once
FINE, COARSE = 36, 9  # channels of the first level (4 places x 3 planes x 3 directions) and of the second
BAND_COUNT = FINE + COARSE
# Standard deviation of asinh(band) of Y, Cb, Cr on authentic training images of CASIA v1, half of them saved
# again: fixed, so that the network's error has one unit.
_FINE_SCALE = (2.0, 0.55, 0.5)
_COARSE_SCALE = (2.1, 0.8, 0.75)
GROUP_NAMES = ("fine Y", "fine Cb", "fine Cr", "coarse Y", "coarse Cb", "coarse Cr")
_TO_YCBCR = np.array(
    [[0.299, 0.587, 0.114], [-0.168736, -0.331264, 0.5], [0.5, -0.418688, -0.081312]], dtype=np.float32
)


def residual_bands(pixels: UInt8Array) -> FloatArray:
    """The stack of high-pass bands of an image.

    Args:
        pixels: (H, W, 3) uint8 RGB, H, W >= 1; completed to multiples of 8 by mirroring at the bottom and
            the right.

    Returns:
        (h, w, 45) float32, h = 2 ceil(H / 8), w = 2 ceil(W / 8): asinh of the orthonormal bands divided by
        2 (first level) or 4 (second), over a fixed scale; around 0, most within [-3, 3]. Channels 0-35 are
        the first level, place by place, then plane, then direction; channels 36-44 the second.

    Raises:
        TypeError: not uint8.
        ValueError: another shape.

    >>> residual_bands(np.full((9, 17, 3), 77, np.uint8)).shape
    (4, 6, 45)
    """
    _check(pixels)
    mean, fine = _haar(_to_planes(pixels))
    _, coarse = _haar(mean)
    rows, columns = coarse.shape[:2]
    stack = np.empty((rows, columns, BAND_COUNT), np.float32)
    places = np.arcsinh(fine / 2) / _column(_FINE_SCALE)
    stack[..., :FINE] = (
        places.reshape(rows, 2, columns, 2, COARSE).transpose(0, 2, 1, 3, 4).reshape(rows, columns, FINE)
    )
    levels = np.arcsinh(coarse / 4) / _column(_COARSE_SCALE)
    stack[..., FINE:] = levels.reshape(rows, columns, COARSE)
    return stack


def rebuild_pixels(pixels: UInt8Array, stack: FloatArray) -> FloatArray:
    """The image that has these bands instead of its own, over its own means of 4x4 pixels.

    Args:
        pixels: (H, W, 3) uint8 RGB.
        stack: (h, w, 45) float32, as `residual_bands(pixels)` has them.

    Returns:
        (H, W, 3) float32 in [0, 1].

    Raises:
        TypeError, ValueError: as `residual_bands`, or a stack of another size.

    >>> pixels = np.arange(192, dtype=np.uint8).reshape(8, 8, 3)
    >>> bool(np.allclose(rebuild_pixels(pixels, residual_bands(pixels)) * 255, pixels, atol=0.01))
    True
    """
    _check(pixels)
    height, width = pixels.shape[:2]
    rows, columns = (-(-side // GRID) * GRID // STEP for side in (height, width))
    if stack.shape != (rows, columns, BAND_COUNT):
        raise ValueError(f"Expected bands {(rows, columns, BAND_COUNT)}; received {stack.shape}")
    mean = _haar(_haar(_to_planes(pixels))[0])[0]
    coarse = np.sinh(stack[..., FINE:].reshape(rows, columns, 3, 3) * _column(_COARSE_SCALE)) * np.float32(4)
    places = stack[..., :FINE].reshape(rows, columns, 2, 2, 3, 3).transpose(0, 2, 1, 3, 4, 5)
    fine = np.sinh(places.reshape(2 * rows, 2 * columns, 3, 3) * _column(_FINE_SCALE)) * np.float32(2)
    planes = _inverse_haar(_inverse_haar(mean, coarse), fine)[:height, :width]
    rgb = planes @ np.linalg.inv(_TO_YCBCR.astype(np.float64)).T.astype(np.float32)
    return np.asarray(np.clip(rgb / np.float32(255), 0, 1), np.float32)


def group_means(squares: FloatArray) -> FloatArray:
    """Mean over the channels of each of six groups: level by plane, in the order of GROUP_NAMES.

    Args:
        squares: (..., 45) float32, one value per channel of `residual_bands`.

    Returns:
        (..., 6) float32.

    >>> group_means(np.ones((2, 3, 45), np.float32)).shape
    (2, 3, 6)
    """
    return squares @ _GROUPS


def _to_planes(pixels: UInt8Array) -> FloatArray:
    """Y, Cb, Cr around 0, completed to multiples of 8 by mirroring; (H, W, 3) uint8 to float32."""
    missing = [(0, -side % GRID) for side in pixels.shape[:2]]
    is_whole = not any(after for _, after in missing)
    whole = pixels if is_whole else np.pad(pixels, [*missing, (0, 0)], mode="symmetric")
    return whole.astype(np.float32) @ _TO_YCBCR.T


def _column(scale: tuple[float, ...]) -> FloatArray:
    return np.array(scale, np.float32)[:, None]


def _inverse_haar(mean: FloatArray, details: FloatArray) -> FloatArray:
    across, down, diagonal = (details[..., index] for index in range(3))
    planes = np.empty((2 * mean.shape[0], 2 * mean.shape[1], mean.shape[2]), np.float32)
    planes[::2, ::2] = mean + across + down + diagonal
    planes[::2, 1::2] = mean - across + down - diagonal
    planes[1::2, ::2] = mean + across - down - diagonal
    planes[1::2, 1::2] = mean - across - down + diagonal
    planes /= np.float32(2)
    return planes


def _haar(planes: FloatArray) -> tuple[FloatArray, FloatArray]:
    """One level: (H, W, 3) to the mean (H/2, W/2, 3) and the details (H/2, W/2, 3, 3)."""
    a, b = planes[::2, ::2], planes[::2, 1::2]
    c, d = planes[1::2, ::2], planes[1::2, 1::2]
    upper, lower = a + b, c + d
    left, right = a - b, c - d
    details: FloatArray = np.stack([left + right, upper - lower, left - right], axis=-1)
    details /= np.float32(2)
    return np.asarray((upper + lower) / 2, np.float32), details


def _averaging() -> FloatArray:
    """(45, 6): the share of each channel in the mean of its group."""
    plane = np.repeat(np.arange(3), 3)  # of three planes by three directions
    group = np.concatenate([np.tile(plane, FINE // COARSE), plane + 3])
    one_hot = (group[:, None] == np.arange(len(GROUP_NAMES))).astype(np.float32)
    return np.asarray(one_hot / one_hot.sum(axis=0), np.float32)


def _check(pixels: UInt8Array) -> None:
    if pixels.dtype != np.uint8:
        raise TypeError(f"Expected uint8 pixels in [0, 255]; received {pixels.dtype}")
    if pixels.ndim != 3 or pixels.shape[2] != 3 or pixels.size == 0:
        raise ValueError(f"Expected pixels of shape (H, W, 3) with H, W >= 1; received {pixels.shape}")


_GROUPS = _averaging()
