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
CHUNK_CELLS = 1 << 16  # weights held at a time: 512 KB, and a few such arrays, in the processor's cache


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
    for drawn in _draw_groups(names.size, member.size, generator=generator, n_resamples=n_resamples):
        yield drawn[:, member]


def mean_interval(
    values: ArrayLike,
    *,
    groups: Sequence[object] | NDArray[np.generic],
    generator: np.random.Generator,
    n_resamples: int = N_RESAMPLES,
) -> tuple[float, float]:
    """Percentile interval of the mean of the values that are not NaN.

    Args:
        values: (N,), one per image; NaN where undefined.
        groups: (N,) source of each image.
        generator: source of randomness.
        n_resamples: number of resamples.

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
    (interval,) = mean_intervals(
        array[is_defined, None],
        groups=keys[is_defined],
        generator=generator,
        n_resamples=n_resamples,
    )
    return interval


def mean_intervals(
    values: Float64Array,
    *,
    groups: Sequence[object] | NDArray[np.generic],
    generator: np.random.Generator,
    n_resamples: int = N_RESAMPLES,
) -> list[tuple[float, float]]:
    """`mean_interval` of several columns of values from the same resamples, all drawn once.

    Args:
        values: (N, M) float64 without NaN, N at least 1.
        groups: (N,) source of each row.
        generator: source of randomness.
        n_resamples: number of resamples.

    Returns:
        (low, high) of each column.
    """
    names, member = np.unique(np.asarray(groups), return_inverse=True)
    sums = np.zeros((names.size, values.shape[1] + 1))
    np.add.at(sums[:, :-1], member, values)
    sums[:, -1] = np.bincount(member)
    draws = _draw_groups(names.size, names.size, generator=generator, n_resamples=n_resamples)
    totals = np.concatenate([drawn @ sums for drawn in draws])
    return [percentile_interval(column) for column in (totals[:, :-1] / totals[:, -1:]).T]


def detection_intervals(
    scores: ArrayLike,
    labels: ArrayLike,
    *,
    threshold: float,
    groups: Sequence[object] | NDArray[np.generic],
    generator: np.random.Generator,
    n_resamples: int = N_RESAMPLES,
) -> dict[str, tuple[float, float]]:
    """Percentile intervals of the image-level metrics, all from the same resamples.

    Args:
        scores: (N,), higher = more likely tampered.
        labels: (N,) in {0, 1}, both classes present.
        threshold: a score ≥ threshold is called tampered.
        groups: (N,) source of each image; a tampered image and its twin share one.
        generator: source of randomness.
        n_resamples: number of resamples.

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
    ordered, truth = values[order], is_tampered[order].astype(np.float64)
    level_starts = np.flatnonzero(np.append(True, np.diff(ordered) != 0))
    n_flagged = int((ordered[level_starts] >= threshold).sum())
    collected: dict[str, list[Float64Array]] = {}
    keys = np.asarray(groups)[order]
    for weights in draw_weights(keys, generator=generator, n_resamples=n_resamples):
        tampered = weights * truth
        authentic = weights - tampered
        if level_starts.size < ordered.size:
            tampered = np.add.reduceat(tampered, level_starts, axis=1)
            authentic = np.add.reduceat(authentic, level_starts, axis=1)
        for name, metric in _weighted_metrics(tampered, authentic, n_flagged).items():
            collected.setdefault(name, []).append(metric)
    return {name: percentile_interval(np.concatenate(parts)) for name, parts in collected.items()}


def percentile_interval(resampled: Float64Array) -> tuple[float, float]:
    """Central quantiles of the resampled values that are defined.

    Raises:
        ValueError: more than half are NaN.
    """
    defined = resampled[~np.isnan(resampled)]
    if 2 * defined.size < resampled.size:
        raise ValueError(
            "Expected a metric defined in at least half of the resamples; there are too few groups"
        )
    low, high = np.quantile(defined, [(1 - CONFIDENCE) / 2, (1 + CONFIDENCE) / 2])
    return float(low), float(high)


def _draw_groups(
    n_groups: int, width: int, *, generator: np.random.Generator, n_resamples: int
) -> Iterator[Float64Array]:
    """(B, n_groups) counts of resamples, as many at a time as `width` columns allow."""
    chunk = max(1, CHUNK_CELLS // max(width, 1))
    shares = np.full(n_groups, 1 / n_groups)
    for start in range(0, n_resamples, chunk):
        size = min(chunk, n_resamples - start)
        yield generator.multinomial(n_groups, shares, size=size).astype(np.float64)


def _weighted_metrics(
    tampered: Float64Array, authentic: Float64Array, n_flagged: int
) -> dict[str, Float64Array]:
    """Metrics of B resamples; (B,) each, NaN where undefined.

    Args:
        tampered: (B, K) drawn tampered cases at each distinct score, highest first.
        authentic: (B, K), the same of authentic ones.
        n_flagged: so many of the scores are flagged.
    """
    tp, fp = np.cumsum(tampered, axis=1), np.cumsum(authentic, axis=1)
    positives, negatives = tp[:, -1], fp[:, -1]
    none = np.zeros_like(positives)
    hits, alarms = (tp[:, n_flagged - 1], fp[:, n_flagged - 1]) if n_flagged else (none, none)
    recall, fpr = _divide(hits, positives), _divide(alarms, negatives)
    ordered = _row_products(authentic, tp) - _row_products(authentic, tampered) / 2  # pairs, ties one half
    precisions = tp / np.maximum(tp + fp, 1)
    return {
        "accuracy": (hits + negatives - alarms) / (positives + negatives),
        "balanced_accuracy": (recall + 1 - fpr) / 2,
        "precision": np.where(hits + alarms > 0, hits / np.maximum(hits + alarms, 1), 0.0),
        "recall": recall,
        "fpr": fpr,
        "f1": _divide(2 * hits, hits + alarms + positives),
        "auc": _divide(ordered, positives * negatives),
        "average_precision": _divide(_row_products(tampered, precisions), positives),
        "tpr_at_fpr_1pct": _largest_below(tp, fp, 0.01),
        "tpr_at_fpr_5pct": _largest_below(tp, fp, 0.05),
    }


def _row_products(left: Float64Array, right: Float64Array) -> Float64Array:
    """(B,) sums of products along the rows of two (B, K) arrays."""
    return np.asarray(np.einsum("bk,bk->b", left, right))


def _largest_below(tp: Float64Array, fp: Float64Array, max_fpr: float) -> Float64Array:
    """Largest TPR whose FPR is at most `max_fpr`; NaN where either class is absent."""
    positives, negatives = tp[:, -1], fp[:, -1]
    allowed = np.floor(
        negatives * max_fpr + 1e-9
    )  # whole false alarms; the product may fall short by rounding
    n_below = np.count_nonzero(fp <= allowed[:, None], axis=1)  # fp never falls
    best = np.where(n_below > 0, tp[np.arange(len(tp)), n_below - 1], 0.0)
    return _divide(np.where(negatives > 0, best, np.nan), positives)


def _divide(numerator: Float64Array, denominator: Float64Array) -> Float64Array:
    shape = np.broadcast_shapes(numerator.shape, denominator.shape)
    undefined = np.full(shape, np.nan)
    return np.asarray(np.divide(numerator, denominator, out=undefined, where=denominator > 0))
