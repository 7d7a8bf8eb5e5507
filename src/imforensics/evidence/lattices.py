"""The lattice that a JPEG saving leaves in block DCT coefficients: which divisors explain them.

A decoder multiplies whole numbers by the divisors of the quantization table and rounds the pixels. On the
right grid, the coefficients of the decoded luma are therefore multiples of a divisor plus the rounding of 64
pixels, which is near to normal with a variance of 1/12; on the other 63 grids, and in pictures that never
were a JPEG, they are not.

References:
    Z. Fan, R. de Queiroz, IEEE Transactions on Image Processing 12(2), 2003, doi:10.1109/TIP.2002.807361
    R. Neelamani, R. de Queiroz, Z. Fan, S. Dash, R. Baraniuk, IEEE Transactions on Image Processing 15(6),
    2006, doi:10.1109/TIP.2005.864171 (divisors by likelihood)
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from imforensics.types import FloatArray

FREQUENCIES = 64
MAX_DIVISOR = 128  # larger ones leave next to no coefficient that is not 0
ROUNDING = 1 / 12  # variance of the rounding of pixels: uniform, one gray level wide
_BINS_A_LEVEL = 4
_BINS = 512  # of magnitudes up to 128; larger ones are not counted
_SPREAD = 0.3  # standard deviation that is allowed for: the rounding and half a bin
_STRAYS = 0.1  # share of coefficients that follow no lattice
_NEAR_ZERO = 1.25  # more than four standard deviations of the rounding
_ALLOWED = ROUNDING + 0.025  # variance, for bins and for blocks that were altered
_DEVIATIONS = 3.0  # of the variance as measured, allowed on top of that


def count_magnitudes(coefficients: FloatArray) -> NDArray[np.int64]:
    """Histograms of the magnitudes of block DCT coefficients.

    Args:
        coefficients: (N, 64) of N blocks, natural order, unquantized.

    Returns:
        (64, bins) int64; the last bin, of all larger magnitudes, is 0.
    """
    bins = np.minimum((np.abs(coefficients) * _BINS_A_LEVEL).astype(np.int32), _BINS - 1)
    bins += np.arange(FREQUENCIES, dtype=np.int32) * _BINS
    counts = np.bincount(bins.ravel(), minlength=FREQUENCIES * _BINS).reshape(FREQUENCIES, _BINS)
    counts[:, -1] = 0
    return counts


@dataclass(frozen=True, slots=True)
class LatticeFit:
    """How well each divisor explains the coefficients of each frequency; divisor - 1 on the last axis.

    Attributes:
        gains: (..., 64, MAX_DIVISOR) nats, the log likelihood ratio of multiples of the divisor with rounding
            against an even spread. What is rounded to 0 counts only where it is too far from 0 for that: the
            coefficients of smooth pictures are near 0 on any grid.
        errors: (..., 64, MAX_DIVISOR) sum of the squared distances from the multiples.
        numbers: (..., 64, MAX_DIVISOR) number of coefficients that are not rounded to 0.
        counted: (..., 64) number of coefficients.
    """

    gains: NDArray[np.float64]
    errors: NDArray[np.float64]
    numbers: NDArray[np.float64]
    counted: NDArray[np.int64]

    def mean_error(self, divisors: NDArray[np.int64]) -> NDArray[np.float64]:
        """Mean squared distance from the multiples of (..., 64) divisors: (...), of all coefficients."""
        columns = np.minimum(divisors, MAX_DIVISOR) - 1
        errors = self.errors[np.arange(FREQUENCIES), columns].sum(axis=-1)
        return np.asarray(errors / max(int(self.counted.sum()), 1), dtype=np.float64)

    def strict_gains(self) -> NDArray[np.float64]:
        """The gains, negative where the errors are larger than rounding makes them.

        So are those of a picture that was saved again with a finer table from the multiples of the first.
        """
        allowed = _ALLOWED + _DEVIATIONS * ROUNDING * np.sqrt(2 / np.maximum(self.numbers, 1))
        is_rounding = self.errors <= allowed * self.counted[..., np.newaxis]
        return np.where(is_rounding, self.gains, -np.abs(self.gains))


def fit_lattices(counts: NDArray[np.int64]) -> LatticeFit:
    """Compare every divisor with the histograms (..., 64, bins) of `count_magnitudes`."""
    gains, errors, numbers = (_sum_over_bins(counts, table) for table in _tables())
    return LatticeFit(gains, errors, numbers, counts.sum(axis=-1))


def best_gains(counts: NDArray[np.int64]) -> NDArray[np.float64]:
    """Nats that the best divisor of each frequency gives beyond chance: (..., 64), at least 0."""
    gains = _sum_over_bins(counts, _tables()[0]).max(axis=-1)
    return np.asarray(np.maximum(gains - np.log(MAX_DIVISOR), 0), dtype=np.float64)


def _sum_over_bins(counts: NDArray[np.int64], table: NDArray[np.float64]) -> NDArray[np.float64]:
    """(..., 64, bins) times (bins, MAX_DIVISOR), in products so small that BLAS takes one thread for each."""
    sums = np.matmul(counts.reshape(-1, 4, _BINS).astype(np.float64), table)
    return np.asarray(sums.reshape(*counts.shape[:-1], MAX_DIVISOR), dtype=np.float64)


@lru_cache(maxsize=1)
def _tables() -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    """Gain of one coefficient, its squared error, and whether it is not rounded to 0: (bins, MAX_DIVISOR)."""
    magnitudes = (np.arange(_BINS)[:, np.newaxis] + 0.5) / _BINS_A_LEVEL
    divisors = np.arange(1, MAX_DIVISOR + 1)
    errors = magnitudes - divisors * np.rint(magnitudes / divisors)
    density = sum(np.exp(-0.5 * ((errors + turn * divisors) / _SPREAD) ** 2) for turn in (-1, 0, 1))
    density = density / (_SPREAD * np.sqrt(2 * np.pi))
    gains = np.log((1 - _STRAYS) * divisors * density + _STRAYS)
    near_zero = np.where(magnitudes < _NEAR_ZERO, 0.0, np.log(_STRAYS))
    is_counted = magnitudes > divisors / 2
    return np.where(is_counted, gains, near_zero), errors**2, is_counted.astype(np.float64)
