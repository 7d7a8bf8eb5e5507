"""What median filtering leaves behind: equal neighbours, and little that a second median would change.

References:
    M. Kirchner, J. Fridrich, "On detection of median filtering in digital images", SPIE 7541 (2010),
    doi:10.1117/12.839100 (streaking: ratio of zero to unit first differences).
    G. Cao, Y. Zhao, R. Ni, L. Yu, H. Tian, "Forensic detection of median filtering in digital images", IEEE
    International Conference on Multimedia and Expo (2010), doi:10.1109/ICME.2010.5583869 (only where there is
    texture).
    X. Kang, M. C. Stamm, A. Peng, K. J. R. Liu, "Robust median filtering forensics using an autoregressive
    model", IEEE TIFS 8 (2013), doi:10.1109/TIFS.2013.2273394 (the median filter residual, its correlation).
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from imforensics.preprocessing.blocks import block_means
from imforensics.types import BoolArray, FloatArray, UInt8Array

TEXTURE_RANGE = 20  # gray levels within 5x5 pixels: below, equal neighbours are what a flat area has anyway
BRIGHTEST, DARKEST = 250, 5
SUMS = 12
FEATURES = (
    "zero_to_unit_differences",
    "zero_beyond_laplacian",
    "unchanged_by_median",
    "median_residual",
    "second_differences",
    "third_differences",
    "residual_kurtosis",
    "residual_correlation_1",
    "residual_correlation_2",
)

_MARGIN = 3  # rows around a strip: texture (2), third differences and lags to the right and below
_STRIP = 64
_PAIRS = ((0, 1), (1, 2), (0, 1))  # sorting network of three


def filter_median(plane: UInt8Array) -> UInt8Array:
    """Median of each pixel and its eight neighbours; the outermost pixels are repeated beyond the edge.

    Sorts the columns of three, then takes the median of the largest minimum, the median middle and the
    smallest maximum.

    Args:
        plane: (H, W) uint8, H, W >= 1.

    Returns:
        (H, W) uint8.

    >>> filter_median(np.array([[0, 0, 9], [0, 9, 0], [0, 0, 0]], np.uint8))[1, 1]
    np.uint8(0)
    """
    padded = np.pad(plane, 1, mode="edge")
    low, middle, high = _sort_three(padded[:-2], padded[1:-1], padded[2:])
    lows = np.maximum(np.maximum(low[:, :-2], low[:, 1:-1]), low[:, 2:])
    highs = np.minimum(np.minimum(high[:, :-2], high[:, 1:-1]), high[:, 2:])
    middles = _sort_three(middle[:, :-2], middle[:, 1:-1], middle[:, 2:])[1]
    return _sort_three(lows, middles, highs)[1]


def find_texture(plane: UInt8Array) -> BoolArray:
    """Pixels with a range of at least 20 gray levels within 5x5 pixels, themselves not cut off.

    Args:
        plane: (H, W) uint8.

    Returns:
        (H, W) bool.
    """
    highest, lowest = plane, plane
    for axis in (0, 1):
        highest = _reduce_five(highest, np.maximum, axis)
        lowest = _reduce_five(lowest, np.minimum, axis)
    return (highest - lowest >= TEXTURE_RANGE) & (plane < BRIGHTEST) & (plane > DARKEST)


def sum_median_traces(plane: UInt8Array, *, cell: int) -> FloatArray:
    """Sums over the textured pixels of each cell of a grid that starts at the top-left corner.

    With d the first differences to the right and below and m the median of 3x3 less the pixel, the sums are
    of: 1; d = 0; |d| = 1; |d| = 2; m = 0; |m|; m^2; m times its neighbour, right and below; m times its
    second neighbour, right and below; first, second and third absolute differences, right and below.

    Args:
        plane: (H, W) uint8, one channel or the rounded luma.
        cell: side of a cell in pixels, >= 1.

    Returns:
        (ceil(H / cell), ceil(W / cell), 12) float32.
    """
    height, width = plane.shape
    rows, columns = -(-height // cell), -(-width // cell)
    sums = np.empty((rows, columns, SUMS), dtype=np.float32)
    padded = np.pad(plane, _MARGIN, mode="reflect")  # repeated pixels would count as equal neighbours
    cells_a_strip = max(1, _STRIP // cell)
    sizes = np.multiply.outer(*(np.minimum(cell, n - np.arange(0, n, cell)) for n in (height, width)))
    for first in range(0, rows, cells_a_strip):
        last = min(first + cells_a_strip, rows)
        strip = padded[first * cell : min(last * cell, height) + 2 * _MARGIN]
        for index, values in enumerate(_trace_planes(strip)):
            sums[first:last, :, index] = block_means(values, block=cell)
    sums *= sizes[..., None]
    return sums


def describe_traces(sums: FloatArray) -> FloatArray:
    """The nine numbers that tell median filtering from other smoothing, see FEATURES.

    Args:
        sums: (..., 12) as of `sum_median_traces`, over any area.

    Returns:
        (..., 9) float32: logarithms of ratios (the first seven), correlation coefficients (the last two).
        "zero_beyond_laplacian" is ln(h0 h2 / h1^2), 0 for differences with a Laplacian distribution whatever
        their scale.
    """
    count, zero, unit, two, same, size, power, lag1, lag2, first, second, third = np.moveaxis(
        sums.astype(np.float64), -1, 0
    )
    pixels = count + 1
    features = (
        np.log((zero + 1) / (unit + 1)),
        np.log(2 * (zero + 1) * (two + 1) / (unit + 1) ** 2),
        np.log((same + 1) / pixels),
        np.log((size + 1) / (first + 1)),
        np.log((second + 1) / (first + 1)),
        np.log((third + 1) / (first + 1)),
        np.log((power + 1) * pixels / (size + 1) ** 2),
        lag1 / (2 * power + 1),
        lag2 / (2 * power + 1),
    )
    return np.stack(features, axis=-1).astype(np.float32)


def _trace_planes(strip: UInt8Array) -> list[FloatArray]:
    """The summands of `sum_median_traces` at each pixel of a strip without its margins."""
    inner = (slice(_MARGIN, -_MARGIN), slice(_MARGIN, -_MARGIN))
    textured = find_texture(strip)
    weight = textured[inner].astype(np.float32)
    values = strip.astype(np.float32)
    residual = (filter_median(strip) - values) * textured
    core = residual[inner]
    right, below = _shift(values, 0, 1) - values, _shift(values, 1, 0) - values
    steps = [np.abs(right[inner]), np.abs(below[inner])]
    levels = [sum((step == level) for step in steps) * weight for level in (0, 1, 2)]
    lags = [core * (_shift(residual, 0, lag)[inner] + _shift(residual, lag, 0)[inner]) for lag in (1, 2)]
    totals = [sum(steps) * weight]
    for _ in range(2):
        right, below = _shift(right, 0, 1) - right, _shift(below, 1, 0) - below
        totals.append((np.abs(right[inner]) + np.abs(below[inner])) * weight)
    size = np.abs(core)
    return [weight, *levels, (core == 0) * weight, size, core * core, *lags, *totals]


def _shift(values: FloatArray, down: int, right: int) -> FloatArray:
    """Each pixel takes the value so many pixels below and to the right; what wraps lies in the margin."""
    return np.roll(values, (-down, -right), axis=(0, 1))


def _sort_three(*planes: UInt8Array) -> list[UInt8Array]:
    ordered = list(planes)
    for one, other in _PAIRS:
        low, high = np.minimum(ordered[one], ordered[other]), np.maximum(ordered[one], ordered[other])
        ordered[one], ordered[other] = low, high
    return ordered


def _reduce_five(plane: NDArray[np.uint8], take: np.ufunc, axis: int) -> NDArray[np.uint8]:
    padded = np.pad(plane, [(2, 2) if i == axis else (0, 0) for i in (0, 1)], mode="edge")
    size = plane.shape[axis]
    parts = [padded[i : i + size] if axis == 0 else padded[:, i : i + size] for i in range(5)]
    result = take(parts[0], parts[1])
    for part in parts[2:]:
        take(result, part, out=result)
    return np.asarray(result, dtype=np.uint8)
