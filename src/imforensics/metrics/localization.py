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

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from imforensics.metrics.detection import (
    NAN,
    Confusion,
    f1,
    false_positive_rate,
    iou,
    mcc,
    ratio,
)
from imforensics.metrics.pixel_counts import BINS, Histogram, Pixels, select_pixels

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from imforensics.types import BoolArray, FloatArray

    Float64Array = NDArray[np.float64]
    Int64Array = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Measured:
    """One tampered image.

    Attributes:
        metrics: of `localize_metrics`.
        counts: pixels by policy, "half" and, with a stored threshold, "fixed".
        histogram: its pixels by value and truth.
    """

    metrics: dict[str, float]
    counts: dict[str, Confusion]
    histogram: Histogram


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
    return measure_tampered(values, gt_mask, threshold=threshold, valid=valid).metrics


def measure_tampered(
    values: FloatArray, gt_mask: BoolArray, *, threshold: float | None, valid: BoolArray | None = None
) -> Measured:
    """`localize_metrics` with the counts it was made from."""
    pixels = select_pixels(values, gt_mask, valid=valid)
    counts, histogram = _confusions(pixels, threshold), pixels.histogram()
    half = counts["half"]
    n_tampered = half.tp + half.fn
    metrics = {
        "mask_area": np.count_nonzero(gt_mask) / max(gt_mask.size, 1),
        "valid_area": pixels.n_valid / values.size,
        **_at_threshold(counts.get("fixed"), "fixed"),
        **_at_threshold(half, "half"),
        **_over_thresholds(histogram.untampered, histogram.tampered),
        "f1_all": ratio(2 * n_tampered, n_tampered + pixels.n_valid),
    }
    return Measured(metrics, counts, histogram)


def false_alarm_metrics(
    values: FloatArray, *, threshold: float | None, valid: BoolArray | None = None
) -> dict[str, float]:
    """Share of the valid pixels of an authentic image that are flagged.

    Returns:
        false_alarm_area_fixed (NaN without a stored threshold), false_alarm_area_half, valid_area; NaN where
        no pixel is valid.
    """
    pixels = select_pixels(values, valid=valid)
    return _false_alarms(_confusions(pixels, threshold)) | {"valid_area": pixels.n_valid / values.size}


def centre_prior(height: int, width: int) -> FloatArray:
    """The map of the centre-prior baseline: exp(-(y² + x²)), y and x from -1 to 1 between opposite edges.

    People alter what stands in the centre of a picture; a map has to be better than one that knows only that.

    Returns:
        (height, width) float32 in [exp(-2), 1], brightest in the centre.

    >>> (centre_prior(3, 5)[1] * 100).astype(int).tolist()
    [36, 77, 100, 77, 36]
    """
    rows, columns = (np.linspace(-1, 1, side, dtype=np.float32) for side in (height, width))
    return np.asarray(np.exp(-(rows[:, None] ** 2 + columns**2)), np.float32)


def centre_prior_metrics(gt_mask: BoolArray) -> dict[str, float]:
    """AUC, AP, F1 at 0.5 and best F1 of the centre-prior map against a (H, W) bool mask."""
    found = localize_metrics(centre_prior(*gt_mask.shape), gt_mask, threshold=None)
    return {name: found[name] for name in ("auc", "ap", "f1_half", "f1_best")}


@dataclass
class PooledPixels:
    """The pixels of all tampered images of a set, in constant memory.

    Attributes:
        threshold: stored threshold of the method, None without one.
        pixels: (BINS, 2) pixels by value and truth.
        counts: by policy.
    """

    threshold: float | None
    pixels: Int64Array = field(default_factory=lambda: np.zeros((BINS, 2), dtype=np.int64), repr=False)
    counts: dict[str, Confusion] = field(default_factory=dict)

    def add_counts(self, counts: Mapping[str, Confusion]) -> None:
        """Take in the counts of one image, by policy."""
        for policy, found in counts.items():
            self.counts[policy] = self.counts.get(policy, Confusion(0, 0, 0, 0)) + found

    def metrics(self) -> dict[str, float]:
        """Every metric over all pixels together.

        Returns:
            `<metric>_pooled`; and `auc_pooled_error`, the most by which binning can have moved `auc_pooled`.
            AUC, AP and `_best` take values in one bin as equal; the `_fixed` and `_half` counts are exact.
        """
        result = _pooled(self.pixels)
        for policy in ("fixed", "half"):
            at = _at_threshold(self.counts.get(policy), policy)
            result |= {f"{name}_pooled": value for name, value in at.items()}
        return result


def _pooled(pixels: Int64Array) -> dict[str, float]:
    over = _over_thresholds(pixels[:, 0], pixels[:, 1])
    result = {f"{name}_pooled": value for name, value in over.items()}
    untampered, tampered = pixels.astype(np.float64).T
    pairs = float(untampered.sum() * tampered.sum())
    return result | {"auc_pooled_error": ratio(float(untampered @ tampered) / 2, pairs)}


def _over_thresholds(untampered: Int64Array, tampered: Int64Array) -> dict[str, float]:
    """AUC, AP and the best of F1, IoU and MCC over the lower ends of bins, from their (K,) counts.

    Only bins with tampered pixels are looked at: lowering a threshold past others adds false alarms alone,
    which raises none of the metrics where it is above 0.
    """
    bins = np.flatnonzero(tampered)[::-1]  # highest value first
    if not bins.size:
        return dict.fromkeys(("f1_best", "iou_best", "mcc_best", "auc", "ap"), NAN)
    up_to = np.cumsum(untampered)
    n_untampered = float(up_to[-1])
    hits, ties = tampered[bins].astype(np.float64), untampered[bins].astype(np.float64)
    below = up_to[bins] - ties
    tp, fp = np.cumsum(hits), n_untampered - below  # whole numbers: exact
    n_tampered = float(tp[-1])
    best_f1 = float(np.max(2 * tp / (tp + fp + n_tampered)))
    return {
        "f1_best": best_f1,
        "iou_best": best_f1 / (2 - best_f1),  # IoU rises with F1: both are best at one threshold
        "mcc_best": _best_mcc(tp, fp, n_tampered, n_untampered),
        "auc": ratio(float(np.sum(hits * (below + ties / 2))), n_tampered * n_untampered),  # pairs in order
        "ap": float(np.sum(hits * (tp / (tp + fp)))) / n_tampered,
    }


def _best_mcc(tp: Float64Array, fp: Float64Array, n_tampered: float, n_untampered: float) -> float:
    """Largest MCC over counts, at least 0: that of flagging every pixel or none, by convention."""
    flagged = tp + fp
    scale = np.sqrt(flagged * (n_tampered + n_untampered - flagged))
    covariance = tp * n_untampered - fp * n_tampered
    best = np.max(np.divide(covariance, scale, out=np.zeros_like(tp), where=scale > 0), initial=0.0)
    return ratio(float(best), (n_tampered * n_untampered) ** 0.5, zero_division=0.0)


def _at_threshold(counts: Confusion | None, policy: str) -> dict[str, float]:
    formulas = {"f1": f1, "iou": iou, "mcc": mcc}
    return {
        f"{name}_{policy}": NAN if counts is None else formula(counts) for name, formula in formulas.items()
    }


def _confusions(pixels: Pixels, threshold: float | None) -> dict[str, Confusion]:
    """Counts at 0.5 and, where there is one, at the stored threshold, by the name of the policy."""
    counts = {"half": pixels.confusion(0.5)}
    return counts if threshold is None else counts | {"fixed": pixels.confusion(threshold)}


def _false_alarms(counts: dict[str, Confusion]) -> dict[str, float]:
    """Shares of an authentic image that are flagged, by policy."""
    found = {policy: counts.get(policy) for policy in ("fixed", "half")}
    return {
        f"false_alarm_area_{policy}": NAN if at is None else false_positive_rate(at)
        for policy, at in found.items()
    }
