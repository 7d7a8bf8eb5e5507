"""Pixel-level metrics of localization maps: per image, and pooled over a set in constant memory.

A map is float32 in [0, 1], higher = more likely tampered; a pixel is flagged where value ≥ threshold. Pixels
that the method calls invalid are left out of every count. Names carry the threshold policy, then the
reduction:

- `_fixed` at the stored threshold, `_half` at 0.5, `_best` at the best threshold (of each image for `_mean`,
  one for the whole set for `_pooled`): an oracle that looks at the truth, never mixed with the others;
- `_mean` mean over images where the metric is defined, `_pooled` from the pixels of all images together.

`_fixed`, `_half` and the false-alarm areas are exact. AUC, AP and `_best` are taken over 65,536 thresholds in
equal steps: two values within one step count as equal, which moves an AUC by at most ½ Σ t·u / (T·U), where t
and u are the tampered and untampered pixels in a step and T and U those of the image.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from math import isnan
from typing import TYPE_CHECKING

import numpy as np

from imforensics.metrics.detection import (
    NAN,
    Confusion,
    area_under_curve,
    average_precision_from_counts,
    f1,
    iou,
    mcc,
    ratio,
)

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from imforensics.types import BoolArray, FloatArray

    Int64Array = NDArray[np.int64]

BINS = 65536  # steps of 1.5e-5; one (BINS, 2) int64 table is 1 MB whatever the size of the image or the set
CHUNK = 1 << 20  # pixels binned at a time: bounds the temporary arrays of large photographs to 20 MB


def count_pixels(
    values: FloatArray, gt_mask: BoolArray, *, threshold: float, valid: BoolArray | None = None
) -> Confusion:
    """Counts of pixels when every value ≥ threshold is flagged.

    Args:
        values: (H, W) in [0, 1].
        gt_mask: (H, W) bool, True = tampered.
        threshold: in [0, 1].
        valid: (H, W) bool, pixels to count; None counts all.

    Returns:
        The counts.

    Raises:
        ValueError: sizes differ, or a value is outside [0, 1].
    """
    return _confusion(*_select(values, gt_mask, valid), threshold)


def histogram_pixels(values: FloatArray, gt_mask: BoolArray, *, valid: BoolArray | None = None) -> Int64Array:
    """Pixels by value and truth.

    Args:
        values: (H, W) in [0, 1].
        gt_mask: (H, W) bool, True = tampered.
        valid: (H, W) bool, pixels to count; None counts all.

    Returns:
        (BINS, 2) int64: row k counts k/BINS ≤ value < (k+1)/BINS, the last row 1 too; column 0 untampered,
        column 1 tampered.

    Raises:
        ValueError: sizes differ, or a value is outside [0, 1].
    """
    return _histogram(*_select(values, gt_mask, valid))


def localize_metrics(
    values: FloatArray, gt_mask: BoolArray, *, threshold: float | None, valid: BoolArray | None = None
) -> dict[str, float]:
    """Every pixel-level metric of one tampered image.

    Args:
        values: (H, W) map in [0, 1].
        gt_mask: (H, W) bool, True = tampered.
        threshold: the stored one; None where the method has none: the `_fixed` metrics are then NaN.
        valid: (H, W) bool, pixels to count; None counts all.

    Returns:
        f1, iou and mcc each with `_fixed`, `_half` and `_best`; auc, ap; f1_all (of a mask that flags every
        pixel: the floor of f1_best); mask_area and valid_area (shares). NaN where undefined: no tampered or
        no untampered pixel among the valid ones.

    Raises:
        ValueError: sizes differ, or a value is outside [0, 1].
    """
    return LocalizationAccumulator(threshold=threshold).add_tampered(values, gt_mask, valid=valid)


def false_alarm_metrics(
    values: FloatArray, *, threshold: float | None, valid: BoolArray | None = None
) -> dict[str, float]:
    """Share of the valid pixels of an authentic image that are flagged.

    Returns:
        false_alarm_area_fixed (NaN without a stored threshold), false_alarm_area_half, valid_area; NaN where
        no pixel is valid.
    """
    flat, _ = _select(values, np.zeros(values.shape, dtype=np.bool_), valid)
    fixed = NAN if threshold is None else ratio(int((flat >= threshold).sum()), flat.size)
    return {
        "false_alarm_area_fixed": fixed,
        "false_alarm_area_half": ratio(int((flat >= 0.5).sum()), flat.size),
        "valid_area": flat.size / values.size,
    }


@dataclass
class LocalizationAccumulator:
    """Metrics over a set of images, one at a time, in constant memory; parts can be merged.

    Attributes:
        threshold: stored threshold of the method, None without one.
        pixels: (BINS, 2) pixels of all tampered images by value and truth, see `histogram_pixels`.
        counts: pooled counts by policy, and of authentic images.
        sums: name of a metric to (sum, number of images where it is defined).
        n_tampered: tampered images seen.
        n_authentic: authentic images seen.
    """

    threshold: float | None
    pixels: Int64Array = field(default_factory=lambda: np.zeros((BINS, 2), dtype=np.int64), repr=False)
    counts: dict[str, Confusion] = field(default_factory=dict)
    sums: dict[str, tuple[float, int]] = field(default_factory=dict)
    n_tampered: int = 0
    n_authentic: int = 0

    def add_tampered(
        self, values: FloatArray, gt_mask: BoolArray, *, valid: BoolArray | None = None
    ) -> dict[str, float]:
        """Take one tampered image in and return its own metrics, see `localize_metrics`."""
        flat, truth = _select(values, gt_mask, valid)
        counts, table = _confusions(flat, truth, self.threshold), _histogram(flat, truth)
        shares = {"mask_area": float(np.mean(gt_mask)), "valid_area": flat.size / values.size}
        result = shares | _measure(counts, table)
        self.pixels += table
        for policy, confusion in counts.items():
            self._count(policy, confusion)
        self._add_to_sums(result, prefix="")
        self.n_tampered += 1
        return result

    def add_authentic(self, values: FloatArray, *, valid: BoolArray | None = None) -> dict[str, float]:
        """Take one authentic image in and return its own metrics, see `false_alarm_metrics`."""
        result = false_alarm_metrics(values, threshold=self.threshold, valid=valid)
        flat, truth = _select(values, np.zeros(values.shape, dtype=np.bool_), valid)
        for policy, confusion in _confusions(flat, truth, self.threshold).items():
            self._count(f"authentic_{policy}", confusion)
        self._add_to_sums(result, prefix="authentic_")
        self.n_authentic += 1
        return result

    def merge(self, other: LocalizationAccumulator) -> None:
        """Take in everything another accumulator with the same threshold has seen.

        Raises:
            ValueError: the thresholds differ.
        """
        if self.threshold != other.threshold:
            raise ValueError(f"Expected threshold {self.threshold}, received {other.threshold}")
        self.pixels += other.pixels
        for name, counts in other.counts.items():
            self._count(name, counts)
        for name, (total, n) in other.sums.items():
            old_total, old_n = self.sums.get(name, (0.0, 0))
            self.sums[name] = (old_total + total, old_n + n)
        self.n_tampered += other.n_tampered
        self.n_authentic += other.n_authentic

    def summary(self) -> dict[str, float]:
        """Every metric with its reduction in the name.

        Returns:
            `<metric>_mean` with `<metric>_mean_n`, the images where it is defined; `<metric>_pooled`; and
            `auc_pooled_error`, the most by which binning can have moved `auc_pooled`. Pooled AUC, AP and
            `_best` take values in one bin as equal; the `_fixed` and `_half` counts are exact.
        """
        result: dict[str, float] = {"n_tampered": self.n_tampered, "n_authentic": self.n_authentic}
        for name, (total, n) in self.sums.items():
            result |= {f"{name}_mean": ratio(total, n), f"{name}_mean_n": n}
        if self.n_tampered:
            result |= _pooled(self.pixels)
            for policy in ("fixed", "half"):
                at = _at_threshold(self.counts.get(policy), policy)
                result |= {f"{name}_pooled": value for name, value in at.items()}
        for policy in ("fixed", "half"):
            alarms = self.counts.get(f"authentic_{policy}")
            if alarms is not None:
                share = ratio(alarms.fp, alarms.fp + alarms.tn)
                result[f"false_alarm_area_{policy}_pooled"] = share
        return result

    def _count(self, name: str, counts: Confusion) -> None:
        self.counts[name] = self.counts.get(name, Confusion(0, 0, 0, 0)) + counts

    def _add_to_sums(self, metrics: dict[str, float], *, prefix: str) -> None:
        for name, value in metrics.items():
            key = name if name.startswith("false_alarm") else prefix + name
            total, n = self.sums.get(key, (0.0, 0))
            self.sums[key] = (total, n) if isnan(value) else (total + value, n + 1)


def _pooled(pixels: Int64Array) -> dict[str, float]:
    result = {f"{name}_pooled": value for name, value in _over_thresholds(*_cumulate(pixels)).items()}
    untampered, tampered = pixels.astype(np.float64).T
    pairs = float(untampered.sum() * tampered.sum())
    return result | {"auc_pooled_error": ratio(float(untampered @ tampered) / 2, pairs)}


def _measure(counts: dict[str, Confusion], table: Int64Array) -> dict[str, float]:
    """The metrics of one image, from its counts by policy and its table of pixels."""
    n_untampered, n_tampered = (int(column.sum()) for column in table.T)  # 20 times sum(axis=0)'s speed
    result = _at_threshold(counts.get("fixed"), "fixed") | _at_threshold(counts["half"], "half")
    result |= _over_thresholds(*_cumulate(table))
    return result | {"f1_all": ratio(2 * n_tampered, 2 * n_tampered + n_untampered)}


def _over_thresholds(tp: Int64Array, fp: Int64Array) -> dict[str, float]:
    n_tampered, n_untampered = (int(tp[-1]), int(fp[-1])) if tp.size else (0, 0)
    if not n_tampered:
        return dict.fromkeys(("f1_best", "iou_best", "mcc_best", "auc", "ap"), NAN)
    best_f1 = float(np.max(2 * tp / (tp + fp + n_tampered)))
    hits, alarms = tp.astype(np.float64), fp.astype(np.float64)
    flagged, rest = hits + alarms, n_tampered + n_untampered - hits - alarms
    numerator = hits * (n_untampered - alarms) - alarms * (n_tampered - hits)
    denominator = np.sqrt(flagged * rest * float(n_tampered) * float(n_untampered))
    best_mcc = np.max(np.divide(numerator, denominator, out=np.zeros_like(hits), where=denominator > 0))
    return {
        "f1_best": best_f1,
        "iou_best": best_f1 / (2 - best_f1),  # IoU rises with F1: both are best at one threshold
        "mcc_best": float(best_mcc),
        "auc": area_under_curve(tp, fp),
        "ap": average_precision_from_counts(tp, fp),
    }


def _at_threshold(counts: Confusion | None, policy: str) -> dict[str, float]:
    formulas = {"f1": f1, "iou": iou, "mcc": mcc}
    return {
        f"{name}_{policy}": NAN if counts is None else formula(counts) for name, formula in formulas.items()
    }


def _confusion(flat: FloatArray, truth: BoolArray, threshold: float) -> Confusion:
    flagged = flat >= threshold
    n_flagged, n_tampered = int(flagged.sum()), int(truth.sum())
    tp = int((flagged & truth).sum())
    fp = n_flagged - tp
    return Confusion(tp=tp, fp=fp, fn=n_tampered - tp, tn=flat.size - n_tampered - fp)


def _confusions(flat: FloatArray, truth: BoolArray, threshold: float | None) -> dict[str, Confusion]:
    """Counts at 0.5 and, where there is one, at the stored threshold, by the name of the policy."""
    counts = {"half": _confusion(flat, truth, 0.5)}
    return counts if threshold is None else counts | {"fixed": _confusion(flat, truth, threshold)}


def _histogram(flat: FloatArray, truth: BoolArray) -> Int64Array:
    table = np.zeros(2 * BINS, dtype=np.int64)
    for start in range(0, flat.size, CHUNK):
        part = slice(start, start + CHUNK)
        keys = (flat[part] * np.float32(2 * BINS)).astype(np.int64)
        keys &= -2  # twice the bin; the lowest bit takes the truth
        np.minimum(keys, 2 * BINS - 2, out=keys)
        keys |= truth[part]
        table += np.bincount(keys, minlength=2 * BINS)
    return table.reshape(BINS, 2)


def _cumulate(table: Int64Array) -> tuple[Int64Array, Int64Array]:
    """Tampered and untampered pixels flagged at the lower end of each bin in use, highest first."""
    used = table[(table[:, 0] | table[:, 1]) != 0][::-1]
    return np.cumsum(used[:, 1]), np.cumsum(used[:, 0])


def _select(values: FloatArray, gt_mask: BoolArray, valid: BoolArray | None) -> tuple[FloatArray, BoolArray]:
    """The valid pixels, as (N,) float32 values and (N,) bool truth."""
    for name, array in (("gt_mask", gt_mask), ("valid", valid)):
        if array is not None and (array.shape != values.shape or array.dtype != np.bool_):
            raise ValueError(
                f"Expected {name} as bool {values.shape} like the map, received {array.dtype} {array.shape}"
            )
    flat = np.asarray(values, dtype=np.float32)
    flat, truth = (flat.ravel(), gt_mask.ravel()) if valid is None else (flat[valid], gt_mask[valid])
    if flat.size and not (flat.min() >= 0 and flat.max() <= 1):  # false for NaN too
        raise ValueError(f"Expected map values in [0, 1], received {flat.min()} to {flat.max()}")
    return flat, truth
