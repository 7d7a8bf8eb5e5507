"""Pixels of a localization map counted by value and truth: everything its metrics are made from.

Nothing the size of the map is made but flags: copying the valid pixels would cost as much as counting them.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from imforensics.metrics.detection import Confusion

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from imforensics.types import BoolArray, FloatArray

    Int64Array = NDArray[np.int64]

BINS = 65536  # steps of 1.5e-5; one (BINS, 2) int64 table is 1 MB whatever the size of the image or the set
CHUNK = 1 << 14  # pixels binned at a time: what is made on the way stays in the processor's cache
LEFT_OUT = np.float32(-1 / BINS)  # what an invalid pixel is binned as: a step below all values


@dataclass(frozen=True, slots=True)
class Histogram:
    """Pixels by value and truth over the bins that a map reaches; all other bins are empty.

    Attributes:
        first: lowest bin; bin k counts k/BINS ≤ value < (k+1)/BINS, the last bin 1 too.
        untampered: (K,) int64, pixels of bins first, first + 1, ...
        tampered: (K,) int64.
    """

    first: int
    untampered: Int64Array
    tampered: Int64Array

    def add_to(self, table: Int64Array) -> None:
        """Add the counts to a (BINS, 2) table: column 0 untampered, column 1 tampered."""
        part = table[self.first : self.first + self.untampered.size]
        part[:, 0] += self.untampered
        part[:, 1] += self.tampered

    def coarse(self, n_bins: int) -> Int64Array:
        """(n_bins, 2) counts in that many equal steps; n_bins divides BINS."""
        step = BINS // n_bins
        table = np.zeros((n_bins, 2), dtype=np.int64)
        start, size = self.first // step, self.untampered.size
        edges = np.maximum(np.arange(self.first // step * step, self.first + size, step) - self.first, 0)
        for column, counts in enumerate((self.untampered, self.tampered)):
            table[start : start + edges.size, column] = np.add.reduceat(counts, edges)
        return table


@dataclass(frozen=True, slots=True)
class Pixels:
    """The pixels of one map, ready to be counted.

    Attributes:
        values: (N,) float32, in [0, 1] where valid.
        truth: (N,) bool, True = tampered and valid.
        inside: (N,) bool, True = valid; None: all are.
        n_valid: how many are valid.
        low: no valid value is below.
        high: no valid value is above.
    """

    values: FloatArray
    truth: BoolArray
    inside: BoolArray | None
    n_valid: int
    low: float
    high: float

    def confusion(self, threshold: float) -> Confusion:
        """Counts when every valid value ≥ threshold is flagged."""
        flagged = self.values >= threshold
        if self.inside is not None:
            flagged &= self.inside
        n_flagged, n_tampered = int(np.count_nonzero(flagged)), int(np.count_nonzero(self.truth))
        tp = int(np.count_nonzero(flagged & self.truth))
        fp = n_flagged - tp
        return Confusion(tp=tp, fp=fp, fn=n_tampered - tp, tn=self.n_valid - n_tampered - fp)

    def histogram(self) -> Histogram:
        """Pixels by value and truth."""
        first, last = (min(int(value * BINS), BINS - 1) for value in (self.low, self.high))
        untampered, tampered = np.zeros((2, last - first + 2), dtype=np.int64)  # one bin for what is invalid
        for start in range(0, self.values.size, CHUNK):
            part = slice(start, start + CHUNK)
            values = self.values[part]
            if self.inside is not None:
                values = np.where(self.inside[part], values, LEFT_OUT)
            keys = (values * np.float32(BINS)).astype(np.intp)
            np.clip(keys, first - 1, last, out=keys)
            keys -= first - 1
            np.add.at(untampered, keys, 1)
            np.add.at(tampered, keys[self.truth[part]], 1)
        untampered -= tampered
        return Histogram(first, untampered[1:], tampered[1:])


def select_pixels(
    values: FloatArray, gt_mask: BoolArray | None = None, *, valid: BoolArray | None = None
) -> Pixels:
    """Check a map and its truth, and mark what is not valid.

    Args:
        values: (H, W) in [0, 1] where valid.
        gt_mask: (H, W) bool, True = tampered; None: nothing is.
        valid: (H, W) bool, pixels to count; None counts all.

    Returns:
        All pixels.

    Raises:
        ValueError: sizes differ, or a valid value is outside [0, 1].
    """
    for name, array in (("gt_mask", gt_mask), ("valid", valid)):
        if array is not None and (array.shape != values.shape or array.dtype != np.bool_):
            raise ValueError(
                f"Expected {name} as bool {values.shape} like the map, received {array.dtype} {array.shape}"
            )
    flat = np.asarray(values, dtype=np.float32).ravel()
    truth = np.zeros(flat.shape, dtype=np.bool_) if gt_mask is None else gt_mask.ravel()
    n_valid = flat.size if valid is None else int(np.count_nonzero(valid))
    inside = None if valid is None or n_valid == flat.size else valid.ravel()
    truth = truth if inside is None else truth & inside
    return Pixels(flat, truth, inside, n_valid, *_find_range(flat, inside))


def _find_range(flat: FloatArray, inside: BoolArray | None) -> tuple[float, float]:
    """Bounds of the valid values; where all values are in [0, 1], those of all, at no copy."""
    seen = flat
    if inside is not None and flat.size and not (flat.min() >= 0 and flat.max() <= 1):
        seen = flat[inside]
    if not seen.size:
        return 0.0, 0.0
    low, high = float(seen.min()), float(seen.max())
    if not (low >= 0 and high <= 1):  # false for NaN too
        raise ValueError(f"Expected map values in [0, 1], received {low} to {high}")
    return low, high
