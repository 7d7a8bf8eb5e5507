"""Bootstrap intervals that draw whole groups: images of one source are not independent."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from imforensics.metrics.detection import checked

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from numpy.typing import ArrayLike, NDArray

    Float64Array = NDArray[np.float64]

N_RESAMPLES = 2000
CONFIDENCE = 0.95
CHUNK_CELLS = 1_000_000  # weights held at a time: 8 MB, and a few arrays of that size beside them


def draw_weights(
    groups: Sequence[object] | NDArray[np.generic], *, generator: np.random.Generator, n_resamples: int
) -> Iterator[Float64Array]:
    """How often each case is drawn when as many groups are drawn, with replacement, as there are.

    Args:
        groups: (N,) source of each case.
        generator: source of randomness.
        n_resamples: number of resamples.

    Yields:
        (B, N) counts as float64; the B of all chunks sum to `n_resamples`.
    """
    names, member = np.unique(np.asarray(groups), return_inverse=True)
    chunk = max(1, CHUNK_CELLS // max(member.size, 1))
    for start in range(0, n_resamples, chunk):
        size = min(chunk, n_resamples - start)
        drawn = generator.multinomial(names.size, np.full(names.size, 1 / names.size), size=size)
        yield drawn[:, member].astype(np.float64)


def mean_interval(
    values: ArrayLike,
    *,
    groups: Sequence[object] | NDArray[np.generic],
    generator: np.random.Generator,
    n_resamples: int = N_RESAMPLES,
    confidence: float = CONFIDENCE,
) -> tuple[float, float]:
    """Percentile interval of the mean of the values that are not NaN.

    Args:
        values: (N,), one per image; NaN where undefined.
        groups: (N,) source of each image.
        generator: source of randomness.
        n_resamples: number of resamples.
        confidence: coverage, in (0, 1).

    Returns:
        (low, high).

    Raises:
        ValueError: lengths differ or nothing is defined.

    Reference:
        Davison & Hinkley, Bootstrap methods and their application, 1997, section 3.8 (cluster resampling).
    """
    array, keys = np.asarray(values, dtype=np.float64), np.asarray(groups)
    if array.ndim != 1 or array.shape != keys.shape:
        raise ValueError(f"Expected (N,) values and groups, received {array.shape} and {keys.shape}")
    is_defined = ~np.isnan(array)
    if not is_defined.any():
        raise ValueError("Expected at least one defined value, received none")
    array, keys = array[is_defined], keys[is_defined]
    means = [
        weights @ array / weights.sum(axis=1)
        for weights in draw_weights(keys, generator=generator, n_resamples=n_resamples)
    ]
    return percentile_interval(np.concatenate(means), confidence=confidence)


def detection_intervals(
    scores: ArrayLike,
    labels: ArrayLike,
    *,
    threshold: float,
    groups: Sequence[object] | NDArray[np.generic],
    generator: np.random.Generator,
    n_resamples: int = N_RESAMPLES,
    confidence: float = CONFIDENCE,
) -> dict[str, tuple[float, float]]:
    """Percentile intervals of the image-level metrics, all from the same resamples.

    Args:
        scores: (N,), higher = more likely tampered.
        labels: (N,) in {0, 1}, both classes present.
        threshold: a score ≥ threshold is called tampered.
        groups: (N,) source of each image; a tampered image and its twin share one.
        generator: source of randomness.
        n_resamples: number of resamples.
        confidence: coverage, in (0, 1).

    Returns:
        accuracy, balanced_accuracy, precision, recall, fpr, f1, auc, average_precision, tpr_at_fpr_1pct,
        tpr_at_fpr_5pct, each (low, high). Resamples without one class are left out of those that need it.

    Raises:
        ValueError: as `detection_metrics`, or a metric is defined in fewer than half of the resamples.
    """
    values, is_tampered = checked(scores, labels, both_classes=True)
    if np.asarray(groups).shape != values.shape:
        raise ValueError(f"Expected {values.size} groups, received {np.asarray(groups).shape}")
    order = np.argsort(-values, kind="stable")
    ordered, truth = values[order], is_tampered[order]
    level_ends = np.flatnonzero(np.append(np.diff(ordered) != 0, True))
    n_flagged = int((ordered >= threshold).sum())
    collected: dict[str, list[Float64Array]] = {}
    for weights in draw_weights(np.asarray(groups), generator=generator, n_resamples=n_resamples):
        drawn = weights[:, order]
        tp = np.cumsum(drawn * truth, axis=1)
        fp = np.cumsum(drawn * ~truth, axis=1)
        for name, metric in _weighted_metrics(tp, fp, level_ends, n_flagged).items():
            collected.setdefault(name, []).append(metric)
    return {
        name: percentile_interval(np.concatenate(parts), confidence=confidence)
        for name, parts in collected.items()
    }


def percentile_interval(resampled: Float64Array, *, confidence: float = CONFIDENCE) -> tuple[float, float]:
    """Central quantiles of the resampled values that are defined.

    Raises:
        ValueError: more than half are NaN.
    """
    defined = resampled[~np.isnan(resampled)]
    if 2 * defined.size < resampled.size:
        raise ValueError(
            "Expected a metric defined in at least half of the resamples; there are too few groups"
        )
    low, high = np.quantile(defined, [(1 - confidence) / 2, (1 + confidence) / 2])
    return float(low), float(high)


def _weighted_metrics(
    tp: Float64Array, fp: Float64Array, level_ends: NDArray[np.intp], n_flagged: int
) -> dict[str, Float64Array]:
    """Metrics of B resamples from (B, N) running weights by falling score; (B,) each, NaN where undefined."""
    positives, negatives = tp[:, -1], fp[:, -1]
    none = np.zeros_like(positives)
    hits, alarms = (tp[:, n_flagged - 1], fp[:, n_flagged - 1]) if n_flagged else (none, none)
    recall, fpr = _divide(hits, positives), _divide(alarms, negatives)
    tp = np.concatenate([none[:, None], tp[:, level_ends]], axis=1)
    fp = np.concatenate([none[:, None], fp[:, level_ends]], axis=1)
    area = np.sum(np.diff(fp) * (tp[:, 1:] + tp[:, :-1]) / 2, axis=1)
    precisions = tp[:, 1:] / np.maximum(tp[:, 1:] + fp[:, 1:], 1)
    tpr = _divide(tp, positives[:, None])
    rates = _divide(fp, negatives[:, None])
    precision = np.where(hits + alarms > 0, hits / np.maximum(hits + alarms, 1), 0.0)
    return {
        "accuracy": (hits + negatives - alarms) / (positives + negatives),
        "balanced_accuracy": (recall + 1 - fpr) / 2,
        "precision": precision,
        "recall": recall,
        "fpr": fpr,
        "f1": _divide(2 * hits, hits + alarms + positives),
        "auc": _divide(area, positives * negatives),
        "average_precision": _divide(np.sum(np.diff(tp) * precisions, axis=1), positives),
        "tpr_at_fpr_1pct": _largest_below(tpr, rates, 0.01),
        "tpr_at_fpr_5pct": _largest_below(tpr, rates, 0.05),
    }


def _largest_below(tpr: Float64Array, fpr: Float64Array, max_fpr: float) -> Float64Array:
    """Largest TPR whose FPR is at most `max_fpr`; NaN where either class is absent."""
    largest = np.max(np.where(fpr <= max_fpr, tpr, 0.0), axis=1)
    return np.where(np.isnan(tpr[:, 0]) | np.isnan(fpr[:, 0]), np.nan, largest)


def _divide(numerator: Float64Array, denominator: Float64Array) -> Float64Array:
    shape = np.broadcast_shapes(numerator.shape, denominator.shape)
    undefined = np.full(shape, np.nan)
    return np.asarray(np.divide(numerator, denominator, out=undefined, where=denominator > 0))
