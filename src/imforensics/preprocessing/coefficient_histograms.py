"""Histograms of quantized DCT coefficients: against those off the grid, their periods, their first digits.

A picture quantized once has smooth histograms. Earlier quantizations on the same grid leave peaks and gaps.
How the histograms would look without any is taken from the picture itself, cut on a grid moved by (4, 4),
on which it was never quantized.

Reference:
    A. C. Popescu, H. Farid, Statistical tools for digital forensics, Information Hiding 2004,
    doi:10.1007/978-3-540-30114-1_10 (periods of histograms); S. Ye, Q. Sun, E.-C. Chang, ICME 2007,
    doi:10.1109/ICME.2007.4284574 (blocks that do not follow the image's histograms); D. Fu, Y. Q. Shi, W. Su,
    Proc. SPIE 6505, 2007, doi:10.1117/12.704723 (generalized first-digit law)
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np

from imforensics.preprocessing.dct_statistics import magnitude_limit, move_off_grid
from imforensics.preprocessing.kept import keep_with_array

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from imforensics.types import BoolArray, FloatArray, Int16Array, UInt16Array

# The 35 frequencies up to the main antidiagonal, mean apart, lowest first; chosen on CASIA v1 train, where 20
# or all 63 localize worse.
FREQUENCIES = tuple(
    sorted(((u, v) for u in range(8) for v in range(8 - u) if u + v), key=lambda uv: (sum(uv), uv))
)
LIKELY = 15.0  # coefficients added to both counts of a ratio; 5 to 30 localize almost equally well
SHORTEST_HISTOGRAM = 8  # magnitudes from 1 on with enough coefficients, for a period to be looked for
SMALLEST_PERIODIC = 2  # magnitude: how many 1s become 0s is up to the encoder, see `estimate_rounding`
GROUPS, SMALLEST_GROUP = 8, 16  # of blocks, by the number of their coefficients that are not 0
ENOUGH = 5.0  # coefficients expected of a magnitude, for its count to be near to normal
LONGEST_PERIOD = 0.4  # of the histogram's length: slower waves are a misfit of the expected shape
_SPECTRUM = 512  # points
_MOST = 65_536  # blocks that the histograms off the grid are taken of: 4 megapixels give a shape well enough
_STRIP = 17  # rows of blocks; they give 16 off the grid


@dataclass(frozen=True, slots=True)
class Histogram:
    """Counts of the magnitudes |x| of one frequency's quantized coefficients.

    Attributes:
        frequency: (vertical, horizontal), 0-7.
        observed: (limit + 1,) float64; the last magnitude stands for all above too.
        expected: (limit + 1,) float64, the same total: as off the grid.
        expected_weight: what one coefficient off the grid counts in `expected`.
        first_digits: (9,) int64, coefficients by first digit 1-9.
    """

    frequency: tuple[int, int]
    observed: NDArray[np.float64]
    expected: NDArray[np.float64]
    expected_weight: float
    first_digits: NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Period:
    """The strongest wave in a histogram.

    Attributes:
        length: in quantization steps, at least 2.
        log10_chance: log10 of the probability of a wave as strong in a histogram without one.
    """

    length: float
    log10_chance: float


@dataclass(frozen=True, slots=True)
class FirstDigitLaw:
    """p(d) = N log10(1 + 1 / (s + d^q)), fitted; N makes the nine sum to 1.

    Attributes:
        s: offset; 0 in Benford's law.
        q: exponent; 1 in Benford's law.
        divergence: Kullback-Leibler divergence of the digits seen from the law, in nats.
    """

    s: float
    q: float
    divergence: float


@keep_with_array
def count_coefficients(coefficients: Int16Array, table: UInt16Array) -> list[Histogram]:
    """Histograms of the frequencies in FREQUENCIES, on the grid and off it.

    Args:
        coefficients: (rows, columns, 8, 8) int16, quantized luma; at least 2 rows and columns.
        table: (8, 8) divisors, at least 1.
    """
    moved = np.concatenate([move_off_grid(strip, table) for strip in _take_strips(coefficients)])
    result = []
    for u, v in FREQUENCIES:
        limit = magnitude_limit(int(table[u, v]))
        counts = np.bincount(np.abs(coefficients[:, :, u, v].astype(np.int32)).ravel(), minlength=limit + 1)
        expected = np.bincount(np.minimum(np.abs(moved[:, :, u, v]), limit).ravel(), minlength=limit + 1)
        observed = counts[: limit + 1].astype(np.float64)
        observed[limit] += counts[limit + 1 :].sum()
        weight = float(observed.sum() / expected.sum())
        scaled = expected.astype(np.float64) * weight
        result.append(Histogram((u, v), observed, scaled, weight, _count_digits(counts)))
    return result


def measure_deviation(coefficients: Int16Array, histograms: Sequence[Histogram]) -> FloatArray:
    """How little each block's coefficients share the peaks of the image's histograms.

    Args:
        coefficients: (rows, columns, 8, 8) int16, quantized luma.
        histograms: of these coefficients, see `count_coefficients`.

    Returns:
        (rows, columns) float32 in nats, higher = the block follows the image less: the sum over frequencies
        of -ln((observed + LIKELY) / (expected + LIKELY)) at the block's magnitudes.
    """
    total = np.zeros(coefficients.shape[:2], dtype=np.float32)
    for histogram in histograms:
        ratios = (histogram.observed + LIKELY) / (histogram.expected + LIKELY)
        surprise = -np.log(ratios).astype(np.float32)
        u, v = histogram.frequency
        magnitudes = np.minimum(np.abs(coefficients[:, :, u, v].astype(np.int32)), len(surprise) - 1)
        total += surprise[magnitudes]
    return total


def expect_deviation(deviations: FloatArray, filled: NDArray[np.int64], usable: BoolArray) -> FloatArray:
    """Deviation that is usual for a block with as many coefficients that are not 0.

    Blocks with more of them have more to say: a smooth block neither follows nor opposes the image's peaks.
    The median is taken in groups of equal size, between which it is interpolated.

    Args:
        deviations: (rows, columns) float32 nats, see `measure_deviation`.
        filled: (rows, columns), number of coefficients that are not 0, see `count_filled`.
        usable: (rows, columns) bool, blocks that count; at least one.

    Returns:
        (rows, columns) float32 nats.
    """
    numbers, values = filled[usable], deviations[usable]
    edges = np.unique(np.quantile(numbers, np.linspace(0, 1, GROUPS + 1)[1:-1]))
    groups = np.digitize(numbers, edges)
    centers, medians = [], []
    for group in range(len(edges) + 1):
        members = groups == group
        if members.sum() >= SMALLEST_GROUP:
            centers.append(numbers[members].mean())
            medians.append(np.median(values[members]))
    if not centers:
        return np.full(deviations.shape, np.median(values), dtype=np.float32)
    return np.asarray(np.interp(filled, centers, medians), dtype=np.float32)


def count_filled(coefficients: Int16Array) -> NDArray[np.int64]:
    """Number of coefficients that are not 0 among FREQUENCIES: (rows, columns) from (rows, columns, 8, 8)."""
    rows, columns = zip(*FREQUENCIES, strict=True)
    return np.asarray(np.count_nonzero(coefficients[:, :, rows, columns], axis=2), dtype=np.int64)


def find_period(histogram: Histogram) -> Period | None:
    """The strongest peak in the spectrum of a histogram's normalized excess over the expected one.

    Without waves, the excess of each magnitude is near N(0, 1), and the power of each frequency of its
    spectrum is exponential with mean 1: the chance of the strongest of n / 2 follows. Larger images are taken
    as if they had _MOST blocks: with more, the least misfit of the expected shape would count. Magnitudes
    below SMALLEST_PERIODIC are left out, and the others compared among themselves.

    Returns:
        None where fewer than SHORTEST_HISTOGRAM magnitudes have enough coefficients.
    """
    share = min(1.0, _MOST / histogram.observed.sum())
    # The last magnitude stands for all above too.
    observed = histogram.observed[SMALLEST_PERIODIC:-1] * share
    expected = histogram.expected[SMALLEST_PERIODIC:-1] * share
    length = int(np.argmax(np.append(observed + expected, 0) < 2 * ENOUGH))
    if length <= SHORTEST_HISTOGRAM - SMALLEST_PERIODIC:
        return None
    observed, expected = observed[:length], expected[:length]
    factor = float(observed.sum() / max(expected.sum(), 1.0))
    variance = observed + histogram.expected_weight * share * factor**2 * expected
    excess = (observed - factor * expected) / np.sqrt(np.maximum(variance, 1))
    power = np.abs(np.fft.rfft(excess - excess.mean(), _SPECTRUM)) ** 2 / length
    power[: math.ceil(_SPECTRUM / (LONGEST_PERIOD * length))] = 0
    best = int(power.argmax())
    log_chance = math.log(length / 2) - float(power[best])
    return Period(_SPECTRUM / max(best, 1), min(0.0, log_chance / math.log(10)))


def fit_first_digits(counts: NDArray[np.int64]) -> FirstDigitLaw | None:
    """Fit the generalized first-digit law of Fu, Shi and Su (equation 2) by least divergence on a fixed grid.

    Args:
        counts: (9,) coefficients by first digit.

    Returns:
        None without coefficients.
    """
    total = counts.sum()
    if total == 0:
        return None
    shares = counts / total
    s, q, logarithms = _first_digit_laws()
    seen = shares[shares > 0]
    divergences = float((seen * np.log(seen)).sum()) - logarithms @ shares
    best = int(divergences.argmin())
    return FirstDigitLaw(float(s[best]), float(q[best]), max(0.0, float(divergences[best])))


def _take_strips(coefficients: Int16Array) -> list[Int16Array]:
    """A small image whole; of a large one evenly spaced strips of block rows, together about _MOST blocks."""
    rows, columns = coefficients.shape[:2]
    if rows * columns <= _MOST or rows <= _STRIP:
        return [coefficients]
    count = max(1, min(rows, _MOST // columns) // _STRIP)
    return [coefficients[top : top + _STRIP] for top in np.linspace(0, rows - _STRIP, count).astype(np.intp)]


def _count_digits(counts: NDArray[np.intp]) -> NDArray[np.int64]:
    """Coefficients by first digit, from the counts of the magnitudes 0, 1, 2, ..."""
    magnitudes = np.arange(1, len(counts))
    digits = magnitudes // 10 ** np.floor(np.log10(magnitudes) + 1e-9).astype(np.int64)
    return np.bincount(digits, weights=counts[1:], minlength=10)[1:].astype(np.int64)


@lru_cache(maxsize=1)
def _first_digit_laws() -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    """s and q of each law tried, (n,), and ln p(d), (n, 9)."""
    s, q = (axis.ravel() for axis in np.meshgrid(np.linspace(-0.9, 1, 96), np.linspace(0.5, 4, 141)))
    values = np.log10(1 + 1 / (s[:, None] + np.arange(1, 10) ** q[:, None]))
    return s, q, np.log(values / values.sum(axis=1, keepdims=True))
