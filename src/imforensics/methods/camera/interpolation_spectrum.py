"""Traces of interpolation: peaks in the spectrum of how well each pixel is predicted by its neighbours.

Interpolated samples depend on their neighbours in a pattern that repeats with the ratio of the sizes, and so
does the error of a fixed linear prediction. Source: M. Kirchner, Fast and reliable resampling detection by
spectral analysis of fixed linear predictor residue, ACM MM&Sec 2008, doi:10.1145/1411328.1411333; after
A. C. Popescu, H. Farid, Exposing digital forgeries by detecting traces of resampling, IEEE TSP 53(2), 2005,
doi:10.1109/TSP.2004.839932.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from imforensics.types import BoolArray, FloatArray

MAX_ERROR = 20.0  # gray levels: beyond, an edge says nothing of interpolation
BACKGROUND = 5  # bins to each side of the one whose surroundings give the expected power
LOWEST = 0.1  # cycles a pixel: below, the picture's own content rules the spectrum
GRID = 8  # pixels: a JPEG's blocks, and with them a Bayer mosaic and a doubling, peak at multiples of 1 / 8
_LEAST_POWER = 1e-6
_KERNEL = ((0.5, ((0, 1), (1, 0), (1, 2), (2, 1))), (-0.25, ((0, 0), (0, 2), (2, 0), (2, 2))))


def prediction_error(plane: FloatArray) -> FloatArray:
    """Absolute error of predicting each sample from its eight neighbours, cut at MAX_ERROR.

    Args:
        plane: (H, W) float32, at least 1x1; the edge is mirrored.

    Returns:
        (H, W) float32 in [0, MAX_ERROR].
    """
    height, width = plane.shape
    padded = np.pad(plane, 1, mode="symmetric")
    error = plane.copy()
    for weight, places in _KERNEL:
        for top, left in places:
            error -= np.float32(weight) * padded[top : top + height, left : left + width]
    np.abs(error, out=error)
    return np.minimum(error, np.float32(MAX_ERROR))


def relative_power(windows: FloatArray) -> FloatArray:
    """Power spectrum of each window over the mean power around each frequency.

    For noise without a period each value follows about the exponential distribution with mean 1.

    Args:
        windows: (N, S, S) float32, S even.

    Returns:
        (N, S, S // 2 + 1) float32 >= 0, as `np.fft.rfft2` orders frequencies; 0 where `usable_frequencies` is
        False.
    """
    side = windows.shape[1]
    taper = np.hanning(side).astype(np.float32)
    centered = (windows - windows.mean(axis=(1, 2), keepdims=True)) * (taper[:, None] * taper)
    power = np.abs(np.fft.rfft2(centered)) ** 2
    whole = np.concatenate([power, _mirror_frequencies(power, side)], axis=2)
    around = _average_around(_average_around(whole, axis=1), axis=2)[:, :, : side // 2 + 1]
    ratio = power / (around + _LEAST_POWER)
    return np.asarray(np.where(usable_frequencies(side), ratio, 0), dtype=np.float32)


def usable_frequencies(side: int) -> BoolArray:
    """Frequencies at which a peak means interpolation: (S, S // 2 + 1) bool.

    Left out are low ones, those within a bin of multiples of 1 / GRID in both directions, and the mirrored
    half of the two columns that hold their own mirror image.
    """
    rows, columns = np.arange(side)[:, None], np.arange(side // 2 + 1)[None, :]
    signed = np.minimum(rows, side - rows)
    is_low = np.hypot(signed, columns) < LOWEST * side
    step = side // GRID
    is_grid = _is_near_multiple(rows, step) & _is_near_multiple(columns, step)
    is_repeated = (rows > side // 2) & ((columns == 0) | (columns == side // 2))
    return np.asarray(~(is_low | is_grid | is_repeated))


def _is_near_multiple(index: NDArray[np.intp], step: int) -> NDArray[np.bool_]:
    rest = index % step
    return np.asarray(np.minimum(rest, step - rest) <= 1)


def _mirror_frequencies(power: FloatArray, side: int) -> FloatArray:
    """The columns that `rfft2` leaves out, from those that it gives: P(-y, -x) = P(y, x)."""
    rows = (-np.arange(side)) % side
    return power[:, rows][:, :, side // 2 - 1 : 0 : -1]


def _average_around(power: FloatArray, *, axis: int) -> FloatArray:
    """Mean over 2 * BACKGROUND + 1 bins; frequencies wrap around."""
    total = power.copy()
    for shift in range(1, BACKGROUND + 1):
        total += np.roll(power, shift, axis) + np.roll(power, -shift, axis)
    return np.asarray(total / np.float32(2 * BACKGROUND + 1))
