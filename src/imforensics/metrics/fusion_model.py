"""A small, interpretable fusion of methods: logistic regression on their scores, calibrated by class.

Ratios of methods that look at the same pixels are not independent and are never multiplied.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import exp
from typing import TYPE_CHECKING

import numpy as np
from pydantic import Field

from imforensics.config import ConfigModel
from imforensics.metrics.calibration import Calibration
from imforensics.metrics.calibration_curves import SCORE_MARGIN
from imforensics.metrics.class_calibration import ClassCalibration

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Float64Array = NDArray[np.float64]


class FusionInput(ConfigModel):
    """One method in a fusion model.

    Attributes:
        method: name of the method.
        mean: of logit(score) over the cases where the method applied.
        scale: standard deviation of the same.
        weight: natural-log odds for each standard deviation of logit(score); at least 0.
        applied_weight: natural-log odds added where the method applied at all.
        limits: smallest and largest standardized logit(score) that were fitted on; scores beyond count as
            these, so that nothing is extrapolated. None does not limit.
    """

    method: str
    mean: float
    scale: float = Field(gt=0)
    weight: float = Field(ge=0)
    applied_weight: float = 0.0
    limits: tuple[float, float] | None = None

    @property
    def has_weight(self) -> bool:
        """False where the method moves nothing."""
        return self.weight > 0 or self.applied_weight != 0

    def contribution(self, score: float | None) -> float:
        """Natural-log odds that a score in [0, 1] adds; 0 for None: a missing method is neutral."""
        if score is None:
            return 0.0
        standardized = (float(logit(score)) - self.mean) / self.scale
        if self.limits is not None:
            standardized = min(max(standardized, self.limits[0]), self.limits[1])
        return self.weight * standardized + self.applied_weight


class FusionModel(ConfigModel):
    """Logistic regression on the scores of several methods and on whether each applied, then a calibration.

    Attributes:
        inputs: one for each method.
        intercept: natural-log odds where nothing applied.
        calibration: of the fused score over all classes, fitted on cases that the weights were not; its
            conditions are those of every class.
        classes: name of a class of evidence to its own calibration; empty where all evidence is read alike.
        regions: calibration of a marked region's strength, None where regions get no ratio of their own.
        required: methods without whose score the calibration is not valid.
        held_out_log_loss: log loss in nats at even odds of the fusion and of each method alone, each class
            weighing one half, on cases not fitted on; ln 2 is what knowing nothing costs.
    """

    inputs: tuple[FusionInput, ...] = Field(min_length=1)
    intercept: float
    calibration: Calibration
    classes: dict[str, ClassCalibration] = Field(default_factory=dict)
    regions: Calibration | None = None
    required: tuple[str, ...] = ()
    held_out_log_loss: dict[str, float] = Field(default_factory=dict)

    def contributions(self, scores: Mapping[str, float | None]) -> dict[str, float]:
        """Natural-log odds that each method adds; methods without a score add 0."""
        return {part.method: part.contribution(scores.get(part.method)) for part in self.inputs}

    def describe_missing(self, scores: Mapping[str, float | None]) -> tuple[str, ...]:
        """A clause for each required method that gave no score; empty where the calibration is valid."""
        return tuple(
            f"{name}, which the calibration rests on, gave no usable score"
            for name in self.required
            if scores.get(name) is None
        )

    def fused_score(self, scores: Mapping[str, float | None]) -> float:
        """One score in (0, 1) from name of method → score or None; never falls when a score rises."""
        return sigmoid(self.intercept + sum(self.contributions(scores).values()))

    def find_class(self, names: Sequence[str]) -> str | None:
        """The first of these classes that has a calibration; None where all evidence is read alike."""
        return next((name for name in names if name in self.classes), None)

    def calibration_of(self, name: str | None) -> Calibration:
        """The calibration of a class that `find_class` gave; that of all for None."""
        return self.calibration if name is None else self.classes[name].calibration

    @property
    def largest_log10_lr(self) -> float:
        """The largest support for H1 that any class can state, log10."""
        bounds = [each.calibration.log10_lr_bounds[1] for each in self.classes.values()]
        return max(bounds, default=self.calibration.log10_lr_bounds[1])


def logit(scores: float | Float64Array) -> Float64Array:
    """Natural-log odds of scores in [0, 1], which are held a millionth from the ends; same shape."""
    inside = np.clip(np.asarray(scores, dtype=np.float64), SCORE_MARGIN, 1 - SCORE_MARGIN)
    return np.asarray(np.log(inside / (1 - inside)))


def sigmoid(value: float) -> float:
    """Score in (0, 1) of natural-log odds."""
    return 1 / (1 + exp(-value)) if value > -700 else 0.0
