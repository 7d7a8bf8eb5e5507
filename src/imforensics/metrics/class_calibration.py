"""One calibration for each class of evidence: the curve of all, shifted as far as the class's own data ask.

The classes share the weights of the methods and the form of the curve. A class has an offset and a slope of
its own, held to those of all by a ridge (a hierarchical model), bounds from its own pairs, and thresholds
from its own photographs. A class with few pairs borrows the curve of all, with bounds nearer to no support.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from pydantic import Field

from imforensics.config import ConfigModel
from imforensics.metrics.calibration import Calibration, group_folds
from imforensics.metrics.calibration_curves import LN10, BetaCurve, Curve, IsotonicCurve, PlattCurve
from imforensics.metrics.evidence_classes import describe_class
from imforensics.metrics.likelihood_ratio import elub_bounds

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Float64Array = NDArray[np.float64]
    BoolArray = NDArray[np.bool_]

LEAST_PAIRS = 30  # of each label, for a curve of a class's own
BORROWED_SHARE = 0.5  # of the log10 bounds that a borrowed curve keeps: the square root of the ratios
NOTHING = 1.01  # threshold of a map that marks nothing
OFFSET_SPREAD, SLOPE_SPREAD = (
    1.0,
    0.5,
)  # standard deviations of a class's offset (nats) and slope around (0, 1)


class MapThreshold(ConfigModel):
    """From where on a class's map is marked.

    Attributes:
        value: of the map; above 1 marks nothing.
        note: how many authentic photographs it was chosen on, and how many of them it marks, in a sentence.
    """

    value: float = Field(gt=0)
    note: str


class ClassCalibration(ConfigModel):
    """How the fused score is read on one class of evidence.

    Attributes:
        calibration: curve, bounds, counts and label thresholds of the class.
        is_borrowed: the curve is that of all classes.
        measured: Cllr, calibration error and so on of the ratios held out; empty for a borrowed curve.
        map_threshold: of the map that marks regions; None where the method's own holds.
    """

    calibration: Calibration
    is_borrowed: bool = False
    measured: dict[str, float] = Field(default_factory=dict)
    map_threshold: MapThreshold | None = None

    def describe(self) -> str | None:
        """A sentence where the curve is borrowed; None where it is the class's own."""
        if not self.is_borrowed:
            return None
        found = self.calibration
        return (
            f"Only {found.n_tampered} tampered and {found.n_authentic} authentic images of this kind were "
            "calibrated on: the curve is that of all kinds, and its bounds are the square root of theirs."
        )


@dataclass(frozen=True)
class FittedClass:
    """A class's calibration, and what it rests on.

    Attributes:
        calibration: of the class, without label thresholds.
        members: (N,) bool, which cases are of the class.
        log10_lrs: (members,) bounded ratios of those, each by a shift fitted without its fold.
        is_borrowed: the curve is that of all classes.
    """

    calibration: Calibration
    members: BoolArray
    log10_lrs: Float64Array
    is_borrowed: bool


def fit_classes(
    pooled: Calibration,
    scores: Float64Array,
    labels: NDArray[np.intp],
    *,
    classes: Mapping[str, BoolArray],
    groups: Sequence[object],
    least: int = LEAST_PAIRS,
    seed: int = 0,
) -> dict[str, FittedClass]:
    """Calibrate every class.

    Args:
        pooled: fitted on all cases.
        scores: (N,) fused scores, each by weights fitted without its fold.
        labels: (N,) in {0, 1}.
        classes: name → (N,) bool, its cases; a case may be in several, and a class may have none.
        groups: (N,) source of each case.
        least: cases of each label, and groups, that a curve of its own takes.
        seed: of the folds.

    Returns:
        Name → fit, in the order given.
    """
    keys = np.asarray(groups, dtype=str)
    logs = pooled.curve.log10_lr(scores) * LN10
    fitted = {}
    for name, members in classes.items():
        is_tampered = labels[members] == 1
        own = _Class(logs[members], is_tampered, keys[members])
        if own.is_enough(least):
            fitted[name] = _fit_own(pooled, name, members, own, seed=seed)
        else:
            calibration = borrow(pooled, name, int(is_tampered.sum()), int((~is_tampered).sum()))
            ratios = np.clip(logs[members] / LN10, *calibration.log10_lr_bounds)
            fitted[name] = FittedClass(calibration, members, ratios, is_borrowed=True)
    return fitted


def borrow(pooled: Calibration, name: str, n_tampered: int, n_authentic: int) -> Calibration:
    """The calibration of all classes for one with too few cases: same curve, bounds nearer to 0, no label.

    The numbers are those of the class; thresholds are not borrowed.
    """
    low, high = pooled.log10_lr_bounds
    return pooled.model_copy(
        update={
            "log10_lr_bounds": (BORROWED_SHARE * low, BORROWED_SHARE * high),
            "population": f"{pooled.population}; borrowed for {describe_class(name)}",
            "n_tampered": n_tampered,
            "n_authentic": n_authentic,
            "cross_validated_log_loss": {},
            "thresholds": None,
        }
    )


def fit_shift(logs: Float64Array, is_tampered: BoolArray) -> tuple[float, float]:
    """Slope and offset that make ratios of all classes fit one class, held to (1, 0) by a ridge.

    Both labels weigh one half; the cases together weigh as many as they are, so that few cases move little.

    Args:
        logs: (N,) natural-log ratios.
        is_tampered: (N,) bool, both labels present.

    Returns:
        Slope > 0 and offset in nats: ln LR = slope · log + offset.

    >>> fit_shift(np.array([-4.0, 4.0]), np.array([False, True]))[1]
    0.0
    """
    design = np.column_stack([logs, np.ones_like(logs)])
    weights = logs.size * np.where(is_tampered, 0.5 / is_tampered.sum(), 0.5 / (~is_tampered).sum())
    centre = np.array([1.0, 0.0])
    precision = np.array([SLOPE_SPREAD**-2, OFFSET_SPREAD**-2])

    def loss(candidate: Float64Array) -> float:
        z = design @ candidate
        return float(
            weights @ (np.logaddexp(0.0, z) - is_tampered * z) + 0.5 * precision @ (candidate - centre) ** 2
        )

    theta = centre.copy()
    for _ in range(100):
        p = 0.5 * (1 + np.tanh(0.5 * (design @ theta)))
        gradient = design.T @ (weights * (p - is_tampered)) + precision * (theta - centre)
        hessian = (design * (weights * p * (1 - p))[:, None]).T @ design + np.diag(precision)
        step = np.linalg.solve(hessian, gradient)
        if float(gradient @ step) < 1e-12:
            break
        size = 1.0
        while loss(theta - size * step) > loss(theta) and size > 1e-8:
            size *= 0.5
        theta = theta - size * step
    return max(float(theta[0]), 1e-3), round(float(theta[1]), 12) + 0.0


def shift_curve(curve: Curve, *, slope: float, offset: float) -> Curve:
    """The curve whose ln LR is slope · that of the curve given + offset; the kind stays."""
    if isinstance(curve, PlattCurve):
        return PlattCurve(slope=slope * curve.slope, intercept=slope * curve.intercept + offset)
    if isinstance(curve, BetaCurve):
        return BetaCurve(a=slope * curve.a, b=slope * curve.b, c=slope * curve.c + offset)
    return IsotonicCurve(knots=tuple((s, slope * ratio + offset / LN10) for s, ratio in curve.knots))


@dataclass(frozen=True)
class _Class:
    logs: Float64Array
    is_tampered: BoolArray
    groups: NDArray[np.str_]

    def is_enough(self, least: int) -> bool:
        sides = (self.is_tampered, ~self.is_tampered)
        return all(side.sum() >= least and np.unique(self.groups[side]).size >= 5 for side in sides)


def _fit_own(pooled: Calibration, name: str, members: BoolArray, own: _Class, *, seed: int) -> FittedClass:
    folds = group_folds(own.is_tampered, own.groups.tolist(), seed)
    held_out = np.empty(own.logs.size)
    for fold in np.unique(folds):
        inside = folds == fold
        slope, offset = fit_shift(own.logs[~inside], own.is_tampered[~inside])
        held_out[inside] = (slope * own.logs[inside] + offset) / LN10
    slope, offset = fit_shift(own.logs, own.is_tampered)
    n_tampered, n_authentic = int(own.is_tampered.sum()), int((~own.is_tampered).sum())
    low, high = elub_bounds(held_out, own.is_tampered)
    bounds = (max(low, -float(np.log10(n_tampered + 1))), min(high, float(np.log10(n_authentic + 1))))
    calibration = pooled.model_copy(
        update={
            "curve": shift_curve(pooled.curve, slope=slope, offset=offset),
            "log10_lr_bounds": bounds,
            "population": f"{pooled.population}; {describe_class(name)}",
            "n_tampered": n_tampered,
            "n_authentic": n_authentic,
            "cross_validated_log_loss": {},
            "thresholds": None,
        }
    )
    return FittedClass(calibration, members, np.clip(held_out, *bounds), is_borrowed=False)
