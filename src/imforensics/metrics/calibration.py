"""From a score to a probability, a bounded likelihood ratio and a label: the calibration of one method.

A calibration is conditional on what it was fitted on: it names the population, the counts, the evaluation
protocol and the conditions under which it may be used. Evaluating it needs numpy only.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Literal

import numpy as np
from pydantic import Field, model_validator

from imforensics.config import ConfigModel
from imforensics.errors import MissingExtraError
from imforensics.metrics.calibration_curves import FITTERS, LN10, Curve, CurveKind, Float64Array
from imforensics.metrics.likelihood_ratio import elub_bounds
from imforensics.types import Label, Opinion

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import ArrayLike, NDArray

Protocol = Literal["raw", "resaved", "twin"]
KINDS: tuple[CurveKind, ...] = ("platt", "beta", "isotonic")
LEAST_SUPPORT = float(np.log10(2.0))  # log10 LR; nearer to 0 the verbal scale says "no support either way"


class Conditions(ConfigModel):
    """Evidence that a calibration is valid for; anything else gets no likelihood ratio.

    Attributes:
        requires_jpeg: True where only JPEG files were calibrated on.
        min_side: smallest shorter side, in pixels.
        max_pixels: largest height × width, None without a limit.
    """

    requires_jpeg: bool = False
    min_side: int = Field(0, ge=0)
    max_pixels: int | None = Field(None, gt=0)


class LabelThresholds(ConfigModel):
    """Scores beyond which a label is given; None on a side that never gets one.

    Attributes:
        tampered_above: scores greater than this are "tampered".
        authentic_below: scores smaller than this are "authentic".
        policy: short name of the rule, for example "far_2pct".
        notes: how each was chosen, on what, with the counts seen; one sentence each.
    """

    tampered_above: float | None = None
    authentic_below: float | None = None
    policy: str
    notes: tuple[str, ...] = ()

    @model_validator(mode="after")
    def _check_order(self) -> LabelThresholds:
        below, above = self.authentic_below, self.tampered_above
        if below is not None and above is not None and below > above:
            raise ValueError(f"authentic_below ({below}) must not exceed tampered_above ({above})")
        return self


class Calibration(ConfigModel):
    """How to read one method's score.

    Attributes:
        curve: from score to log10 likelihood ratio, before the bounds.
        population: what it was fitted on, in words.
        protocol: evaluation protocol of the scores it was fitted on.
        n_authentic: number of authentic images it was fitted on.
        n_tampered: number of tampered images it was fitted on.
        log10_lr_bounds: largest support for H2 (≤ 0) and for H1 (≥ 0) that the data allow.
        cross_validated_log_loss: each kind tried to its log loss in nats, both classes weighing one half.
        thresholds: for the label; None where no label is ever given.
        conditions: evidence that it is valid for.
    """

    curve: Annotated[Curve, Field(discriminator="kind")]
    population: str = Field(min_length=1)
    protocol: Protocol
    n_authentic: int = Field(ge=0)
    n_tampered: int = Field(ge=0)
    log10_lr_bounds: tuple[Annotated[float, Field(le=0)], Annotated[float, Field(ge=0)]]
    cross_validated_log_loss: dict[str, float] = Field(default_factory=dict)
    thresholds: LabelThresholds | None = None
    conditions: Conditions = Conditions()

    @property
    def kind(self) -> CurveKind:
        """Kind of the curve: platt, beta or isotonic."""
        return self.curve.kind

    @property
    def population_with_counts(self) -> str:
        """The population and how many images of each class stand for it."""
        return f"{self.population} ({self.n_authentic} authentic, {self.n_tampered} tampered)"

    def log10_lrs(self, scores: ArrayLike) -> Float64Array:
        """Bounded log10 likelihood ratios.

        Args:
            scores: (N,) in [0, 1].

        Returns:
            (N,) float64 within `log10_lr_bounds`, never falling with the score.

        Raises:
            ValueError: a score is outside [0, 1] or not a number.
        """
        return np.clip(self.curve.log10_lr(checked_scores(scores)), *self.log10_lr_bounds)

    def log10_lr(self, score: float) -> float:
        """Bounded log10 likelihood ratio of one score in [0, 1]; see `log10_lrs`."""
        return float(self.log10_lrs([score])[0])

    def probability(self, score: float, *, prior: float = 0.5) -> float:
        """Probability of H1 (tampered), from the bounded ratio.

        Args:
            score: in [0, 1].
            prior: probability of H1 before the finding, strictly between 0 and 1.

        Returns:
            In (0, 1).

        Raises:
            ValueError: the score or the prior is out of range.
        """
        if not 0 < prior < 1:
            raise ValueError(f"Expected a prior strictly between 0 and 1, received {prior}")
        log_odds = self.log10_lr(score) * LN10 + np.log(prior / (1 - prior))
        return float(1 / (1 + np.exp(-log_odds)))

    def label(self, score: float) -> Label:
        """Label by the thresholds; inconclusive between them, without them, or where the ratio says little.

        Args:
            score: in [0, 1].

        Returns:
            "tampered" only where the ratio is at least 2 for H1, "authentic" only where it is for H2.
        """
        ratio, limits = self.log10_lr(score), self.thresholds
        if limits is None:
            return "inconclusive"
        if limits.tampered_above is not None and score > limits.tampered_above and ratio >= LEAST_SUPPORT:
            return "tampered"
        if limits.authentic_below is not None and score < limits.authentic_below and ratio <= -LEAST_SUPPORT:
            return "authentic"
        return "inconclusive"

    def opinion(self, score: float) -> Opinion:
        """The calibrated reading of one score in [0, 1], at even prior odds."""
        return Opinion(
            probability=self.probability(score),
            log10_lr=self.log10_lr(score),
            log10_lr_bounds=self.log10_lr_bounds,
            label=self.label(score),
            population=self.population_with_counts,
            protocol=self.protocol,
        )

    def describe_mismatch(self, *, height: int, width: int, is_jpeg: bool) -> tuple[str, ...]:
        """Why the calibration is not valid for an image; empty where it is.

        Args:
            height: of the evidence in pixels.
            width: of the evidence in pixels.
            is_jpeg: True where the evidence is a JPEG file.

        Returns:
            One clause for each condition that is not met.
        """
        wanted, clauses = self.conditions, []
        if wanted.requires_jpeg and not is_jpeg:
            clauses.append("the file is not a JPEG and the calibration holds JPEG files only")
        if min(height, width) < wanted.min_side:
            clauses.append(
                f"the shorter side is {min(height, width)} pixels, under the {wanted.min_side} calibrated for"
            )
        if wanted.max_pixels is not None and height * width > wanted.max_pixels:
            clauses.append(
                f"the image has {height * width} pixels, over the {wanted.max_pixels} calibrated for"
            )
        return tuple(clauses)


def fit_calibration(
    scores: ArrayLike,
    labels: ArrayLike,
    *,
    protocol: Protocol,
    population: str,
    groups: Sequence[object] | NDArray[np.generic] | None = None,
    kinds: Sequence[CurveKind] = KINDS,
    conditions: Conditions | None = None,
    seed: int = 0,
) -> Calibration:
    """Fit the kind of curve with the smallest cross-validated log loss, and bound its ratios.

    The bounds are the ELUB of the out-of-fold ratios (Vergeer et al. 2016,
    DOI 10.1016/j.scijus.2016.06.003), capped at log10(n + 1) of the class that would have to be wrong:
    authentic images cap the support for H1, tampered ones that for H2. No label thresholds are set: see
    `imforensics.metrics.label_thresholds.choose_label_thresholds`.

    Args:
        scores: (N,) in [0, 1], from images that the method was not trained on.
        labels: (N,) in {0, 1}, at least two independent cases of each.
        protocol: evaluation protocol of these scores.
        population: what the images are, in words; counts are added.
        groups: (N,) source of each image; cases of one group stay in one fold. None: all independent.
        kinds: kinds of curve to try; the first wins a tie.
        conditions: evidence that the calibration is valid for; None allows any.
        seed: of the random folds.

    Returns:
        The calibration, without label thresholds.

    Raises:
        ValueError: scores out of range, one class only, or too few groups for two folds.
    """
    values, is_tampered = checked_scores(scores), np.asarray(labels)
    if is_tampered.shape != values.shape or not np.isin(is_tampered, (0, 1)).all():
        raise ValueError(
            f"Expected one label 0 or 1 for each of {values.size} scores, received {is_tampered.shape}"
        )
    is_tampered = is_tampered.astype(np.bool_)
    folds = group_folds(is_tampered, groups, seed)
    losses: dict[CurveKind, float] = {}
    held_out: dict[CurveKind, Float64Array] = {}
    for kind in kinds:
        held_out[kind] = np.empty(values.size)
        for fold in np.unique(folds):
            inside = folds == fold
            curve = FITTERS[kind](values[~inside], is_tampered[~inside])
            held_out[kind][inside] = curve.log10_lr(values[inside])
        losses[kind] = balanced_log_loss(held_out[kind], is_tampered)
    best = min(kinds, key=lambda kind: losses[kind])
    n_tampered = int(is_tampered.sum())
    n_authentic = values.size - n_tampered
    lower, upper = elub_bounds(held_out[best], is_tampered)
    return Calibration(
        curve=FITTERS[best](values, is_tampered),
        population=population,
        protocol=protocol,
        n_authentic=n_authentic,
        n_tampered=n_tampered,
        log10_lr_bounds=(
            max(lower, -float(np.log10(n_tampered + 1))),
            min(upper, float(np.log10(n_authentic + 1))),
        ),
        cross_validated_log_loss={kind: losses[kind] for kind in kinds},
        conditions=conditions if conditions is not None else Conditions(),
    )


def balanced_log_loss(log10_lrs: Float64Array, is_tampered: NDArray[np.bool_]) -> float:
    """Mean log loss in nats at even prior odds, each class weighing one half: Cllr · ln 2."""
    cost = np.logaddexp(0.0, np.where(is_tampered, -log10_lrs, log10_lrs) * LN10)
    return float(0.5 * cost[is_tampered].mean() + 0.5 * cost[~is_tampered].mean())


def checked_scores(scores: ArrayLike) -> Float64Array:
    """The scores as (N,) float64, or ValueError where one is not in [0, 1]."""
    values = np.asarray(scores, dtype=np.float64)
    if values.ndim != 1 or not np.all((values >= 0) & (values <= 1)):
        raise ValueError(f"Expected (N,) scores in [0, 1], received shape {values.shape} with {values[:3]}…")
    return values


def group_folds(
    is_tampered: NDArray[np.bool_], groups: Sequence[object] | NDArray[np.generic] | None, seed: int
) -> NDArray[np.intp]:
    """Number of the fold of each case: at most five, groups whole, both classes in every one's complement."""
    try:
        from sklearn.model_selection import StratifiedGroupKFold
    except ModuleNotFoundError:
        raise MissingExtraError("train", "Fitting a calibration") from None

    keys = np.arange(is_tampered.size) if groups is None else np.asarray(groups)
    if keys.shape != is_tampered.shape:
        raise ValueError(f"Expected {is_tampered.size} groups, received {keys.shape}")
    n_groups = min(np.unique(keys[is_tampered]).size, np.unique(keys[~is_tampered]).size)
    if n_groups < 2:
        raise ValueError("Expected at least two groups with each class, so that one can be held out")
    splitter = StratifiedGroupKFold(n_splits=min(5, n_groups), shuffle=True, random_state=seed)
    folds = np.empty(is_tampered.size, dtype=np.intp)
    for number, (_, held_out) in enumerate(splitter.split(folds, is_tampered, keys)):
        folds[held_out] = number
    for number in np.unique(folds):
        rest = is_tampered[folds != number]
        if rest.all() or not rest.any():
            raise ValueError("Expected groups spread over both classes: one fold holds every case of a class")
    return folds
