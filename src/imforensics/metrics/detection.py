"""Image-level metrics from scores and labels: counts first, then formulas with their zero division stated.

Scores are (N,), higher = more likely tampered; labels are 0 authentic, 1 tampered. Equal scores are never
told apart: a threshold flags all of them or none.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

    Float64Array = NDArray[np.float64]
    Int64Array = NDArray[np.int64]

NAN = float("nan")


@dataclass(frozen=True, slots=True)
class Confusion:
    """Counts of a decision "tampered" (positive) or "authentic" (negative).

    Attributes:
        tp: tampered and said so.
        fp: authentic, said tampered.
        fn: tampered, said authentic.
        tn: authentic and said so.
    """

    tp: int
    fp: int
    fn: int
    tn: int

    def __add__(self, other: Confusion) -> Confusion:
        """Counts of both together."""
        return Confusion(self.tp + other.tp, self.fp + other.fp, self.fn + other.fn, self.tn + other.tn)


@dataclass(frozen=True, slots=True)
class Curve:
    """Points of a ROC or precision-recall curve, in order of falling threshold.

    Attributes:
        x: (K,) false-positive rate (ROC) or recall (PR), never falling.
        y: (K,) true-positive rate (ROC) or precision (PR).
        thresholds: (K,) flag where score ≥ threshold; inf first: nothing is flagged.
    """

    x: Float64Array
    y: Float64Array
    thresholds: Float64Array


def count_confusion(scores: ArrayLike, labels: ArrayLike, *, threshold: float) -> Confusion:
    """Counts when every score ≥ threshold is called tampered.

    Args:
        scores: (N,).
        labels: (N,) in {0, 1}; one class may be absent.
        threshold: in the unit of the scores.

    Returns:
        The counts.

    Raises:
        ValueError: shapes differ, a score is NaN, or a label is neither 0 nor 1.

    >>> count_confusion([0.2, 0.7], [0, 1], threshold=0.5)
    Confusion(tp=1, fp=0, fn=0, tn=1)
    """
    values, is_tampered = checked(scores, labels)
    flagged = values >= threshold
    tp, fp = int((flagged & is_tampered).sum()), int((flagged & ~is_tampered).sum())
    n_tampered = int(is_tampered.sum())
    return Confusion(tp=tp, fp=fp, fn=n_tampered - tp, tn=values.size - n_tampered - fp)


def ratio(numerator: float, denominator: float, *, zero_division: float = NAN) -> float:
    """Numerator / denominator, or `zero_division` where the denominator is 0."""
    return numerator / denominator if denominator else zero_division


def accuracy(counts: Confusion) -> float:
    """(TP + TN) / N; NaN without cases."""
    return ratio(counts.tp + counts.tn, counts.tp + counts.fp + counts.fn + counts.tn)


def recall(counts: Confusion) -> float:
    """TP / (TP + FN), the true-positive rate; NaN without tampered cases."""
    return ratio(counts.tp, counts.tp + counts.fn)


def false_positive_rate(counts: Confusion) -> float:
    """FP / (FP + TN); NaN without authentic cases."""
    return ratio(counts.fp, counts.fp + counts.tn)


def balanced_accuracy(counts: Confusion) -> float:
    """(TPR + TNR) / 2; NaN without cases of both classes."""
    return (recall(counts) + 1 - false_positive_rate(counts)) / 2


def precision(counts: Confusion) -> float:
    """TP / (TP + FP); 0 where nothing is flagged."""
    return ratio(counts.tp, counts.tp + counts.fp, zero_division=0.0)


def f1(counts: Confusion) -> float:
    """2TP / (2TP + FP + FN); NaN where nothing is tampered and nothing flagged."""
    return ratio(2 * counts.tp, 2 * counts.tp + counts.fp + counts.fn)


def iou(counts: Confusion) -> float:
    """TP / (TP + FP + FN), intersection over union; NaN where nothing is tampered and nothing flagged."""
    return ratio(counts.tp, counts.tp + counts.fp + counts.fn)


def mcc(counts: Confusion) -> float:
    """Matthews correlation coefficient, in [-1, 1]; 0 where a class is absent or never said."""
    tp, fp, fn, tn = counts.tp, counts.fp, counts.fn, counts.tn
    product = (tp + fp) * (tp + fn) * (tn + fp) * (tn + fn)  # Python integers: no overflow
    return ratio(tp * tn - fp * fn, float(product) ** 0.5, zero_division=0.0)


def cumulative_counts(
    scores: Float64Array, is_tampered: NDArray[np.bool_]
) -> tuple[Int64Array, Int64Array, Float64Array]:
    """TP and FP at each distinct score as threshold, highest first, and those scores; three (K,) arrays."""
    levels, member = np.unique(scores, return_inverse=True)
    tp = np.cumsum(np.bincount(member, weights=is_tampered)[::-1]).astype(np.int64)
    fp = np.cumsum(np.bincount(member, weights=~is_tampered)[::-1]).astype(np.int64)
    return tp, fp, levels[::-1]


def roc_curve(scores: ArrayLike, labels: ArrayLike) -> Curve:
    """Every point of the ROC curve, (0, 0) first.

    Raises:
        ValueError: as `count_confusion`, or one class is absent.
    """
    values, is_tampered = checked(scores, labels, both_classes=True)
    tp, fp, levels = cumulative_counts(values, is_tampered)
    return Curve(
        x=np.concatenate([[0.0], fp / fp[-1]]),
        y=np.concatenate([[0.0], tp / tp[-1]]),
        thresholds=np.concatenate([[np.inf], levels]),
    )


def pr_curve(scores: ArrayLike, labels: ArrayLike) -> Curve:
    """Every point of the precision-recall curve; the first, recall 0, has precision 1 by convention.

    Raises:
        ValueError: as `count_confusion`, or one class is absent.
    """
    values, is_tampered = checked(scores, labels, both_classes=True)
    tp, fp, levels = cumulative_counts(values, is_tampered)
    return Curve(
        x=np.concatenate([[0.0], tp / tp[-1]]),
        y=np.concatenate([[1.0], tp / (tp + fp)]),
        thresholds=np.concatenate([[np.inf], levels]),
    )


def area_under_curve(tp: ArrayLike, fp: ArrayLike) -> float:
    """ROC AUC by trapezoids from cumulative counts in order of falling threshold; NaN without both classes.

    Equals the probability that a tampered case scores higher than an authentic one, ties counting one half
    (Hanley & McNeil 1982, DOI 10.1148/radiology.143.1.7063747).
    """
    positives = np.concatenate([[0], np.asarray(tp)]).astype(np.float64)
    negatives = np.concatenate([[0], np.asarray(fp)]).astype(np.float64)
    area = float(np.sum(np.diff(negatives) * (positives[1:] + positives[:-1]) / 2))
    return ratio(area, float(positives[-1] * negatives[-1]))


def roc_auc(scores: ArrayLike, labels: ArrayLike) -> float:
    """ROC AUC of scores of any shape, see `area_under_curve`; NaN where one class is absent.

    Raises:
        ValueError: as `count_confusion`.

    >>> roc_auc([0.9, 0.4, 0.4, 0.1], [1, 1, 0, 0])
    0.875
    """
    values, is_tampered = checked(np.ravel(scores), np.ravel(labels))
    tp, fp, _ = cumulative_counts(values, is_tampered)
    return area_under_curve(tp, fp)


def average_precision_from_counts(tp: ArrayLike, fp: ArrayLike) -> float:
    """Σ (recall step) · precision from cumulative counts in order of falling threshold; NaN without tampered.

    No interpolation, as scikit-learn's `average_precision_score`.
    """
    positives, negatives = np.asarray(tp, dtype=np.float64), np.asarray(fp, dtype=np.float64)
    flagged = np.maximum(positives + negatives, 1)  # where nothing is flagged the step is 0 anyway
    steps = np.diff(np.concatenate([[0.0], positives]))
    return ratio(float(np.sum(steps * positives / flagged)), float(positives[-1]))


def tpr_at_fpr(scores: ArrayLike, labels: ArrayLike, *, max_fpr: float) -> float:
    """Largest true-positive rate among thresholds whose false-positive rate is at most `max_fpr`.

    No interpolation between points: with fewer than 1 / max_fpr authentic cases this is the rate at zero
    false alarms.
    """
    curve = roc_curve(scores, labels)
    return float(curve.y[curve.x <= max_fpr].max())


def detection_metrics(scores: ArrayLike, labels: ArrayLike, *, threshold: float) -> dict[str, float]:
    """Every image-level metric.

    Args:
        scores: (N,), higher = more likely tampered.
        labels: (N,) in {0, 1}, both classes present.
        threshold: chosen on other data; a score ≥ threshold is called tampered.

    Returns:
        Name to value: n_authentic, n_tampered, threshold, tp, fp, fn, tn, accuracy, balanced_accuracy,
        precision, recall, fpr, f1, mcc (all at the threshold), auc, average_precision, tpr_at_fpr_1pct and
        tpr_at_fpr_5pct (over all thresholds).

    Raises:
        ValueError: as `count_confusion`, or one class is absent.

    >>> detection_metrics([0.1, 0.6, 0.9], [0, 0, 1], threshold=0.5)["auc"]
    1.0
    """
    values, is_tampered = checked(scores, labels, both_classes=True)
    counts = count_confusion(values, is_tampered, threshold=threshold)
    tp, fp, _ = cumulative_counts(values, is_tampered)
    return {
        "n_authentic": counts.fp + counts.tn,
        "n_tampered": counts.tp + counts.fn,
        "threshold": threshold,
        "tp": counts.tp,
        "fp": counts.fp,
        "fn": counts.fn,
        "tn": counts.tn,
        "accuracy": accuracy(counts),
        "balanced_accuracy": balanced_accuracy(counts),
        "precision": precision(counts),
        "recall": recall(counts),
        "fpr": false_positive_rate(counts),
        "f1": f1(counts),
        "mcc": mcc(counts),
        "auc": area_under_curve(tp, fp),
        "average_precision": average_precision_from_counts(tp, fp),
        "tpr_at_fpr_1pct": tpr_at_fpr(values, is_tampered, max_fpr=0.01),
        "tpr_at_fpr_5pct": tpr_at_fpr(values, is_tampered, max_fpr=0.05),
    }


def checked(
    scores: ArrayLike, labels: ArrayLike, *, both_classes: bool = False
) -> tuple[Float64Array, NDArray[np.bool_]]:
    """Scores as (N,) float64 and labels as (N,) bool.

    Raises:
        ValueError: shapes differ, a score is NaN, a label is neither 0 nor 1, or a class is absent that
            `both_classes` asks for.
    """
    values, classes = np.asarray(scores, dtype=np.float64), np.asarray(labels)
    if values.ndim != 1 or values.shape != classes.shape:
        raise ValueError(f"Expected (N,) scores and labels, received {values.shape} and {classes.shape}")
    if np.isnan(values).any():
        raise ValueError("Expected numbers, received NaN; leave cases without a score out")
    if not np.isin(classes, (0, 1)).all():
        raise ValueError(f"Expected labels 0 and 1, received {np.unique(classes)[:5].tolist()}")
    is_tampered = classes.astype(np.bool_)
    if both_classes and (is_tampered.all() or not is_tampered.any()):
        raise ValueError("Expected cases of both classes, received one class only")
    return values, is_tampered
