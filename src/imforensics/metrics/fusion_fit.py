"""Fit a fusion: weights by group-wise cross-validation, the calibration on the fused scores held out."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np

from imforensics.metrics.calibration import balanced_log_loss, fit_calibration, group_folds
from imforensics.metrics.calibration_curves import fit_logistic, fit_platt
from imforensics.metrics.fusion_model import FusionInput, FusionModel, logit, sigmoid

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

    Float64Array = NDArray[np.float64]

RIDGE = 0.01  # on standardized features beside the mean log loss: calms weights of methods that agree


def fit_fusion(
    scores: Mapping[str, ArrayLike],
    labels: ArrayLike,
    *,
    groups: Sequence[object] | NDArray[np.generic],
    population: str,
    unflagged: Collection[str] = (),
    classes: Sequence[str] | None = None,
    ridge: float = RIDGE,
    seed: int = 0,
) -> FusionModel:
    """Fit the weights on twins by group-wise cross-validation, and the calibration on held-out fused scores.

    A weight that would be negative is set to 0 and the others are fitted again: a score says "higher = more
    likely tampered". Where a method applies to every case or to none, its `applied_weight` is 0.

    Args:
        scores: name of method → (N,) scores in [0, 1], NaN where it gave none.
        labels: (N,) in {0, 1}.
        groups: (N,) source of each image.
        population: what the images are, in words.
        unflagged: methods whose scores are missing for a reason of the study, such as images that they were
            trained on: that they apply says nothing, their `applied_weight` is 0.
        classes: (N,) class of each image. The weights are fitted beside an offset for each class, so that
            they say what a score tells within a class; the offsets themselves are left to the calibration
            of each class. None: all are of one class.
        ridge: weight of the squared standardized weights beside the mean log loss.
        seed: of the random folds.

    Returns:
        The model; its calibration has no label thresholds yet.

    Raises:
        ValueError: lengths differ, a score is outside [0, 1], or a method has no score at all.
    """
    table = {name: _checked_column(name, column, len(groups)) for name, column in scores.items()}
    is_tampered = np.asarray(labels).astype(np.bool_)
    folds = group_folds(is_tampered, groups, seed)
    offsets = _class_columns(classes, is_tampered.size)
    held_out = _hold_out(table, is_tampered, folds, offsets, ridge, unflagged)
    alone = {name: np.zeros(is_tampered.size) for name in table}
    for fold in np.unique(folds):
        inside = folds == fold
        for name, column in table.items():
            alone[name][inside] = _alone(column[~inside], is_tampered[~inside], column[inside])
    parts, intercept = _fit_inputs(table, is_tampered, offsets, ridge, unflagged)
    calibration = fit_calibration(
        held_out, is_tampered, groups=groups, protocol="twin", population=population, seed=seed
    )
    losses = {"fusion": calibration.cross_validated_log_loss[calibration.kind]}
    losses |= {name: balanced_log_loss(ratios, is_tampered) for name, ratios in alone.items()}
    return FusionModel(inputs=parts, intercept=intercept, calibration=calibration, held_out_log_loss=losses)


def held_out_fused_scores(
    scores: Mapping[str, ArrayLike],
    labels: ArrayLike,
    *,
    groups: Sequence[object] | NDArray[np.generic],
    unflagged: Collection[str] = (),
    classes: Sequence[str] | None = None,
    ridge: float = RIDGE,
    seed: int = 0,
) -> Float64Array:
    """Fused score of each case by the weights fitted without its fold: what `fit_fusion` calibrates on.

    Args:
        scores: as for `fit_fusion`.
        labels: as for `fit_fusion`.
        groups: as for `fit_fusion`.
        unflagged: as for `fit_fusion`.
        classes: as for `fit_fusion`.
        ridge: as for `fit_fusion`.
        seed: of the random folds; the same seed gives the same folds.

    Returns:
        (N,) in (0, 1).

    Raises:
        ValueError: as for `fit_fusion`.
    """
    table = {name: _checked_column(name, column, len(groups)) for name, column in scores.items()}
    is_tampered = np.asarray(labels).astype(np.bool_)
    folds = group_folds(is_tampered, groups, seed)
    return _hold_out(table, is_tampered, folds, _class_columns(classes, is_tampered.size), ridge, unflagged)


def _hold_out(
    table: Mapping[str, Float64Array],
    is_tampered: NDArray[np.bool_],
    folds: NDArray[np.intp],
    offsets: Float64Array,
    ridge: float,
    unflagged: Collection[str],
) -> Float64Array:
    held_out = np.empty(is_tampered.size)
    for fold in np.unique(folds):
        inside = folds == fold
        rest = {name: column[~inside] for name, column in table.items()}
        parts, intercept = _fit_inputs(rest, is_tampered[~inside], offsets[~inside], ridge, unflagged)
        held_out[inside] = _fused_scores(parts, intercept, {n: c[inside] for n, c in table.items()})
    return held_out


def _fit_inputs(
    table: Mapping[str, Float64Array],
    is_tampered: NDArray[np.bool_],
    offsets: Float64Array,
    ridge: float,
    unflagged: Collection[str],
) -> tuple[tuple[FusionInput, ...], float]:
    """Weights of every method and the intercept, both labels weighing one half.

    The intercept is that of the mean class: the offsets (N, K) of single classes are fitted and dropped.
    """
    names = list(table)
    applied = np.column_stack([~np.isnan(column) for column in table.values()])
    missing = ", ".join(name for name, column in table.items() if np.isnan(column).all())
    if missing:
        raise ValueError(
            f"Expected scores of every method, received none of {names[int(np.argmin(applied.any(0)))]}"
        )
    logits = logit(np.column_stack(list(table.values())))
    means, scales = np.nanmean(logits, axis=0), np.nanstd(logits, axis=0)
    scales[scales == 0] = 1.0
    standardized = (logits - means) / scales
    features = np.concatenate([np.where(applied, standardized, 0.0), applied, offsets], axis=1)
    ignored = {len(names) + names.index(name) for name in unflagged}
    kept = [k for k in range(features.shape[1]) if k not in ignored and np.ptp(features[:, k]) > 0]
    class_weights = np.where(is_tampered, 0.5 / is_tampered.sum(), 0.5 / (~is_tampered).sum())
    while True:
        fitted, intercept = fit_logistic(
            features[:, kept], is_tampered.astype(np.float64), class_weights, ridge=ridge
        )
        of_scores = {k: value for k, value in zip(kept, fitted.tolist(), strict=True) if k < len(names)}
        worst = min(of_scores, key=lambda k: of_scores[k], default=None)
        if worst is None or of_scores[worst] >= 0:
            break
        kept.remove(worst)
    weights = np.zeros(features.shape[1])
    weights[kept] = fitted
    intercept += float(class_weights @ offsets @ weights[2 * len(names) :])
    parts = tuple(
        FusionInput(
            method=name,
            mean=float(means[k]),
            scale=float(scales[k]),
            weight=float(weights[k]),
            applied_weight=float(weights[len(names) + k]),
            limits=(float(np.nanmin(standardized[:, k])), float(np.nanmax(standardized[:, k]))),
        )
        for k, name in enumerate(names)
    )
    return parts, intercept


def _class_columns(classes: Sequence[str] | None, length: int) -> Float64Array:
    """(N, K) one column of 0 and 1 for each class but the first."""
    names = sorted(set(classes or ()))[1:]
    if classes is not None and len(classes) != length:
        raise ValueError(f"Expected a class for each of {length} images, received {len(classes)}")
    return np.array([[each == name for name in names] for each in classes or [""] * length], np.float64)


def _fused_scores(
    parts: Sequence[FusionInput], intercept: float, table: Mapping[str, Float64Array]
) -> Float64Array:
    total = np.full(len(next(iter(table.values()))), intercept)
    for part in parts:
        total += [part.contribution(None if np.isnan(s) else s) for s in table[part.method].tolist()]
    return np.asarray([sigmoid(value) for value in total.tolist()])


def _alone(column: Float64Array, is_tampered: NDArray[np.bool_], held_out: Float64Array) -> Float64Array:
    """Log10 ratios of one method alone on held-out cases; 0 where it gave no score or cannot be fitted."""
    known = ~np.isnan(column)
    ratios = np.zeros(held_out.size)
    if is_tampered[known].any() and not is_tampered[known].all():
        curve = fit_platt(column[known], is_tampered[known])
        applies = ~np.isnan(held_out)
        ratios[applies] = curve.log10_lr(held_out[applies])
    return ratios


def _checked_column(name: str, column: ArrayLike, length: int) -> Float64Array:
    values = np.asarray(column, dtype=np.float64)
    known = values[~np.isnan(values)] if values.ndim == 1 else values
    if values.shape != (length,) or not np.all((known >= 0) & (known <= 1)):
        raise ValueError(f"Expected ({length},) scores in [0, 1] or NaN of {name}, received {values.shape}")
    return values
