"""How a JPEG's encoder rounded small coefficients: to the nearest, or more of them to 0.

Plain encoders round to the nearest multiple of the divisor. Others decide for each coefficient whether a 1 is
worth its bits: jpegli by the masking around it, mozjpeg by a trellis, hardware by a dead zone. Their
histograms have fewer 1s than those of the same picture on a moved grid, at all frequencies alike, where an
earlier quantization takes 1s from some frequencies and gives them to others, or takes nearly all.

Reference:
    G. J. Sullivan, "Efficient scalar quantization of exponential and Laplacian random variables", IEEE
    Transactions on Information Theory 42(5), 1996, doi:10.1109/18.532878 (dead zones)
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from imforensics.preprocessing.coefficient_histograms import Histogram

# Share of the expected 1s that is left. Files saved once by a plain encoder keep 0.87 to 1.07 (5 % to 95 %),
# by jpegli 0.45 to 0.76; an earlier, coarser quantization mostly leaves next to none
# (docs/experiments/encoders.md).
LEAST_KEPT, MOST_KEPT = 0.4, 0.75
SIGNIFICANT = 2.0  # standard deviations, of a frequency with more 1s than expected
MOST_EXCEEDING = 0.03  # share of the frequencies


@dataclass(frozen=True, slots=True)
class Rounding:
    """What the counts of 1 say.

    Attributes:
        kept_ones: number of coefficients of magnitude 1, over that of the same picture on a moved grid; 1
            where there are none.
        exceeding: share of the frequencies with significantly more of them than on the moved grid, 0-1.
    """

    kept_ones: float
    exceeding: float

    @property
    def is_towards_zero(self) -> bool:
        """Whether small coefficients were rounded to 0 more often than to the nearest, at all frequencies.

        An earlier quantization may do the same: ask `find_period` before.
        """
        return LEAST_KEPT < self.kept_ones < MOST_KEPT and self.exceeding <= MOST_EXCEEDING


def estimate_rounding(histograms: Sequence[Histogram]) -> Rounding:
    """How many coefficients of magnitude 1 the last saving kept.

    Args:
        histograms: of a picture, on the grid and off it, see `count_coefficients`; at least one.
    """
    observed = np.array([histogram.observed[1] for histogram in histograms])
    expected = np.array([histogram.expected[1] for histogram in histograms])
    weights = np.array([histogram.expected_weight for histogram in histograms])
    deviations = (observed - expected) / np.sqrt(observed + weights * expected + 1)
    kept = float(observed.sum() / expected.sum()) if expected.sum() > 0 else 1.0
    return Rounding(kept, float((deviations > SIGNIFICANT).mean()))
