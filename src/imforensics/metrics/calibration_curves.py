"""Curves from a score to a log10 likelihood ratio: Platt, beta and isotonic, and how each is fitted.

Every curve is non-decreasing (a score says "higher = more likely tampered") and both classes weigh one half
in every fit, so that the prior odds of the calibration set are 1 and posterior odds are the ratio itself.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray
from pydantic import Field, model_validator

from imforensics.config import ConfigModel
from imforensics.metrics.likelihood_ratio import pool_adjacent_violators

if TYPE_CHECKING:
    from collections.abc import Callable

Float64Array = NDArray[np.float64]

SCORE_MARGIN = 1e-6  # scores are held this far from 0 and 1 before a logarithm; float32 sigmoids saturate
LN10 = float(np.log(10.0))
RIDGE = 1e-8  # on the slopes of standardized features: keeps Newton's matrix regular, moves no result visibly


class PlattCurve(ConfigModel):
    """ln LR = slope · logit(score) + intercept (Platt 1999, on the logit of the score).

    Attributes:
        kind: "platt".
        slope: at least 0.
        intercept: natural logarithm of the ratio at score 0.5.
    """

    kind: Literal["platt"] = "platt"
    slope: float = Field(ge=0)
    intercept: float

    def log10_lr(self, scores: ArrayLike) -> Float64Array:
        """Log10 likelihood ratios, without bounds, of scores in [0, 1]; same shape."""
        s = _inside(scores)
        return np.asarray((self.slope * np.log(s / (1 - s)) + self.intercept) / LN10)


class BetaCurve(ConfigModel):
    """ln LR = a · ln(score) − b · ln(1 − score) + c (Kull et al. 2017, DOI 10.1214/17-EJS1338SI).

    Attributes:
        kind: "beta".
        a: at least 0.
        b: at least 0.
        c: offset, natural logarithm.
    """

    kind: Literal["beta"] = "beta"
    a: float = Field(ge=0)
    b: float = Field(ge=0)
    c: float

    def log10_lr(self, scores: ArrayLike) -> Float64Array:
        """Log10 likelihood ratios, without bounds, of scores in [0, 1]; same shape."""
        s = _inside(scores)
        return np.asarray((self.a * np.log(s) - self.b * np.log1p(-s) + self.c) / LN10)


class IsotonicCurve(ConfigModel):
    """Straight lines between knots, flat outside (Zadrozny & Elkan 2002, DOI 10.1145/775047.775151).

    Attributes:
        kind: "isotonic".
        knots: (score, log10 LR) pairs, scores strictly rising, ratios never falling.
    """

    kind: Literal["isotonic"] = "isotonic"
    knots: tuple[tuple[float, float], ...] = Field(min_length=1)

    @model_validator(mode="after")
    def _check_order(self) -> IsotonicCurve:
        table = np.asarray(self.knots)
        if np.any(np.diff(table[:, 0]) <= 0) or np.any(np.diff(table[:, 1]) < 0):
            raise ValueError("knots must have strictly rising scores and log10 ratios that never fall")
        return self

    def log10_lr(self, scores: ArrayLike) -> Float64Array:
        """Log10 likelihood ratios, without bounds, of scores in [0, 1]; same shape."""
        table = np.asarray(self.knots)
        return np.asarray(np.interp(np.asarray(scores, dtype=np.float64), table[:, 0], table[:, 1]))


Curve = PlattCurve | BetaCurve | IsotonicCurve
CurveKind = Literal["platt", "beta", "isotonic"]


def fit_platt(scores: Float64Array, labels: NDArray[np.bool_]) -> PlattCurve:
    """Fit a Platt curve with Platt's smoothed targets; a falling curve becomes a flat one.

    Args:
        scores: (N,) in [0, 1].
        labels: (N,) bool, True = tampered; both classes present.

    Returns:
        The curve.

    Reference:
        J. Platt, Probabilistic outputs for support vector machines, 1999, section 2.2.
    """
    s = _inside(scores)
    (slope,), intercept = _fit_monotone_logistic(np.log(s / (1 - s))[:, None], labels)
    return PlattCurve(slope=slope, intercept=intercept)


def fit_beta(scores: Float64Array, labels: NDArray[np.bool_]) -> BetaCurve:
    """Fit a beta curve; a negative coefficient is set to 0 and the others are fitted again, as in the paper.

    Departs from the paper in Platt's smoothed targets, which keep separable data finite.

    Args:
        scores: (N,) in [0, 1].
        labels: (N,) bool, True = tampered; both classes present.

    Returns:
        The curve.

    Reference:
        Kull, Silva Filho & Flach 2017, DOI 10.1214/17-EJS1338SI, section 4.2.
    """
    s = _inside(scores)
    (a, b), c = _fit_monotone_logistic(np.column_stack([np.log(s), -np.log1p(-s)]), labels)
    return BetaCurve(a=a, b=b, c=c)


def fit_isotonic(scores: Float64Array, labels: NDArray[np.bool_]) -> IsotonicCurve:
    """Fit by pool-adjacent-violators after one misleading case is added at either end.

    One authentic case above every score and one tampered case below every score shrink the outermost
    blocks, so that every ratio is finite (as `add_misleading=1` of the reference package `lir`).

    Args:
        scores: (N,) in [0, 1].
        labels: (N,) bool, True = tampered; both classes present.

    Returns:
        The curve; its knots are the first and last score of each block.
    """
    levels, member = np.unique(scores, return_inverse=True)
    tampered = np.bincount(member, weights=labels).astype(np.float64)
    authentic = np.bincount(member, weights=~labels).astype(np.float64)
    tampered = np.concatenate([[1.0], tampered, [0.0]]) / (labels.sum() + 1)
    authentic = np.concatenate([[0.0], authentic, [1.0]]) / ((~labels).sum() + 1)
    total = tampered + authentic
    posterior = pool_adjacent_violators(tampered / total, total)[1:-1]
    ratios = np.log10(posterior / (1 - posterior))
    is_edge = np.ones(levels.size, dtype=np.bool_)
    is_edge[1:-1] = (ratios[1:-1] != ratios[:-2]) | (ratios[1:-1] != ratios[2:])
    return IsotonicCurve(knots=tuple(zip(levels[is_edge].tolist(), ratios[is_edge].tolist(), strict=True)))


FITTERS: dict[CurveKind, Callable[[Float64Array, NDArray[np.bool_]], Curve]] = {
    "platt": fit_platt,
    "beta": fit_beta,
    "isotonic": fit_isotonic,
}


def _inside(scores: ArrayLike) -> Float64Array:
    return np.clip(np.asarray(scores, dtype=np.float64), SCORE_MARGIN, 1 - SCORE_MARGIN)


def _fit_monotone_logistic(
    features: Float64Array, labels: NDArray[np.bool_]
) -> tuple[tuple[float, ...], float]:
    """Slopes ≥ 0 and intercept of ln LR; features whose slope would be negative are dropped one by one."""
    n_tampered, n_authentic = int(labels.sum()), int((~labels).sum())
    targets = np.where(labels, (n_tampered + 1) / (n_tampered + 2), 1 / (n_authentic + 2))
    weights = np.where(labels, 0.5 / n_tampered, 0.5 / n_authentic)
    kept = [k for k in range(features.shape[1]) if np.ptp(features[:, k]) > 0]
    while True:
        slopes, intercept = fit_logistic(features[:, kept], targets, weights)
        if not kept or slopes.min() >= 0:
            break
        del kept[int(np.argmin(slopes))]
    result = np.zeros(features.shape[1])
    result[kept] = slopes
    return tuple(result.tolist()), intercept


def fit_logistic(
    features: Float64Array, targets: Float64Array, weights: Float64Array, *, ridge: float = RIDGE
) -> tuple[Float64Array, float]:
    """Logistic regression with soft targets by Newton's method.

    Args:
        features: (N, K).
        targets: (N,) probabilities in [0, 1].
        weights: (N,), positive, summing to 1.
        ridge: weight of the squared slopes of standardized features beside the mean log loss.

    Returns:
        (K,) slopes and the intercept, for the features as given.

    Raises:
        ArithmeticError: no minimum was reached in 200 steps.
    """
    centre = weights @ features
    scale = np.sqrt(weights @ (features - centre) ** 2)
    scale[scale == 0] = 1.0
    design = np.column_stack([(features - centre) / scale, np.ones(len(features))])
    penalty = np.append(np.full(features.shape[1], ridge), 0.0)

    def loss(candidate: Float64Array) -> float:
        z = design @ candidate
        return float(weights @ (np.logaddexp(0.0, z) - targets * z) + 0.5 * penalty @ candidate**2)

    theta, current = np.zeros(design.shape[1]), loss(np.zeros(design.shape[1]))
    for _ in range(200):
        p = 0.5 * (1 + np.tanh(0.5 * (design @ theta)))
        gradient = design.T @ (weights * (p - targets)) + penalty * theta
        hessian = (design * (weights * p * (1 - p))[:, None]).T @ design + np.diag(penalty + 1e-12)
        step = np.linalg.solve(hessian, gradient)
        decrease = float(gradient @ step)
        if decrease < 1e-14:  # twice the distance to the minimum of the quadratic model
            slopes = theta[:-1] / scale
            return slopes, float(theta[-1] - slopes @ centre)
        size = 1.0
        while (proposed := loss(theta - size * step)) > current - 1e-4 * size * decrease and size > 1e-8:
            size *= 0.5
        theta, current = theta - size * step, proposed
    raise ArithmeticError("logistic regression did not converge in 200 steps; check the scores for outliers")
