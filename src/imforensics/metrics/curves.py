"""Metrics over thresholds, and records of images broken down by manipulation, mask area or format."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeVar

import numpy as np

from imforensics.metrics.detection import checked

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from numpy.typing import ArrayLike, NDArray

    Float64Array = NDArray[np.float64]

T = TypeVar("T")

MASK_AREA_EDGES = (0.01, 0.05, 0.15, 0.30)  # shares of the image; the median of CASIA v1 is 0.058
MASK_AREA_NAMES = ("under 1 %", "1 to 5 %", "5 to 15 %", "15 to 30 %", "30 % and over")


@dataclass(frozen=True, slots=True)
class ThresholdCurve:
    """Image-level metrics at each of a row of thresholds; (K,) float64 each, NaN where undefined.

    Attributes:
        thresholds: rising; a score ≥ threshold is called tampered.
        precision: 0 where nothing is flagged.
        recall: true-positive rate.
        fpr: false-positive rate.
        f1: harmonic mean of precision and recall.
        balanced_accuracy: mean of recall and 1 − fpr.
    """

    thresholds: Float64Array
    precision: Float64Array
    recall: Float64Array
    fpr: Float64Array
    f1: Float64Array
    balanced_accuracy: Float64Array


def threshold_curve(scores: ArrayLike, labels: ArrayLike) -> ThresholdCurve:
    """Image-level metrics at the thresholds 0, 0.01, …, 1.

    Args:
        scores: (N,), higher = more likely tampered.
        labels: (N,) in {0, 1}, both classes present.

    Returns:
        The curve.

    Raises:
        ValueError: shapes differ, a score is NaN, or one class is absent.
    """
    values, is_tampered = checked(scores, labels, both_classes=True)
    grid = np.linspace(0, 1, 101)
    tp, fp, n_tampered = _count_found(values, is_tampered, grid)
    recall, fpr = tp / n_tampered, fp / (values.size - n_tampered)
    return ThresholdCurve(
        thresholds=grid,
        precision=np.where(tp + fp > 0, tp / np.maximum(tp + fp, 1), 0.0),
        recall=recall,
        fpr=fpr,
        f1=2 * tp / (tp + fp + n_tampered),
        balanced_accuracy=(recall + 1 - fpr) / 2,
    )


def f1_over_thresholds(scores: ArrayLike, labels: ArrayLike, *, thresholds: ArrayLike) -> Float64Array:
    """F1 of scores ≥ threshold at each of a row of thresholds.

    Args:
        scores: any shape, higher = more likely tampered.
        labels: of the same shape, in {0, 1}.
        thresholds: (K,) rising.

    Returns:
        (K,) float64; 0 where nothing is found, also where nothing is tampered.

    Raises:
        ValueError: shapes differ, or a score is NaN.

    >>> f1_over_thresholds([0.9, 0.6, 0.2], [1, 0, 1], thresholds=[0.1, 0.5, 0.8]).round(3)
    array([0.8  , 0.5  , 0.667])
    """
    values, is_tampered = checked(np.ravel(scores), np.ravel(labels))
    grid = np.asarray(thresholds, dtype=np.float64)
    tp, fp, n_tampered = _count_found(values, is_tampered, grid)
    return np.asarray(2 * tp / np.maximum(tp + fp + n_tampered, 1))


def _count_found(
    values: Float64Array, is_tampered: NDArray[np.bool_], grid: Float64Array
) -> tuple[NDArray[np.int64], NDArray[np.int64], int]:
    """TP and FP at each threshold, and the number of tampered cases."""
    tampered, authentic = np.sort(values[is_tampered]), np.sort(values[~is_tampered])
    tp = tampered.size - np.searchsorted(tampered, grid, side="left")
    fp = authentic.size - np.searchsorted(authentic, grid, side="left")
    return tp, fp, tampered.size


def name_mask_area(share: float) -> str:
    """Name of the bin of a mask's share of the image, in [0, 1].

    Raises:
        ValueError: the share is not in [0, 1].

    >>> name_mask_area(0.058)
    '5 to 15 %'
    """
    if not 0 <= share <= 1:
        raise ValueError(f"Expected a share of the image in [0, 1], received {share}")
    return MASK_AREA_NAMES[int(np.searchsorted(MASK_AREA_EDGES, share, side="right"))]


def break_down(records: Iterable[T], *, key: Callable[[T], str | None]) -> dict[str, list[T]]:
    """Records by a property that every class has, such as the file format.

    Args:
        records: any.
        key: names the part a record belongs to; None leaves it out.

    Returns:
        Name of the part to its records in order, names sorted.
    """
    parts: dict[str, list[T]] = {}
    for record in records:
        name = key(record)
        if name is not None:
            parts.setdefault(name, []).append(record)
    return dict(sorted(parts.items()))


def break_down_tampered(
    records: Iterable[T], *, key: Callable[[T], str | None], is_tampered: Callable[[T], bool]
) -> dict[str, list[T]]:
    """Records by a property of tampered images only, such as the manipulation or the mask's area.

    Each part holds its tampered records and every authentic one, so that detection metrics are defined and
    the false alarms are the same in all parts.

    Args:
        records: any.
        key: names the part a tampered record belongs to; None leaves it out.
        is_tampered: tells the class of a record.

    Returns:
        Name of the part to its records, tampered ones first, names sorted.
    """
    everything = list(records)
    authentic = [record for record in everything if not is_tampered(record)]
    tampered = [record for record in everything if is_tampered(record)]
    return {name: [*part, *authentic] for name, part in break_down(tampered, key=key).items()}
