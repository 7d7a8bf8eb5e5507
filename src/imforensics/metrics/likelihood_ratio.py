"""Quality of likelihood ratios: Cllr, its minimum, calibration error, ELUB bounds, plot points.

Names and definitions follow `lir`, the Netherlands Forensic Institute's package. Ratios are given as
log10 LR; label 1 (tampered) is H1, label 0 (authentic) is H2. Both hypotheses weigh one half everywhere.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from imforensics.metrics.detection import checked, cumulative_counts

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

    Float64Array = NDArray[np.float64]
    Int64Array = NDArray[np.int64]

LN10 = float(np.log(10.0))
ELUB_STEP = 0.01  # natural-log step between the prior odds tried, as in lir
ELUB_EXTREME = 20.0  # natural log: ratios beyond exp(±20) count as this, as in lir


def pool_adjacent_violators(values: Float64Array, weights: Float64Array) -> Float64Array:
    """The non-decreasing sequence nearest to `values` in weighted least squares.

    Args:
        values: (N,).
        weights: (N,), positive.

    Returns:
        (N,) float64.

    Reference:
        Ayer et al., An empirical distribution function for sampling with incomplete information, 1955,
        DOI 10.1214/aoms/1177728423.

    >>> pool_adjacent_violators(np.array([0.0, 2.0, 1.0]), np.ones(3)).tolist()
    [0.0, 1.5, 1.5]
    """
    means: list[float] = []
    masses: list[float] = []
    lengths: list[int] = []
    for value, weight in zip(values.tolist(), weights.tolist(), strict=True):
        mean, mass, length = value, weight, 1
        while means and means[-1] >= mean:
            previous = masses.pop()
            mean = (means.pop() * previous + mean * mass) / (previous + mass)
            mass += previous
            length += lengths.pop()
        means.append(mean)
        masses.append(mass)
        lengths.append(length)
    return np.repeat(np.asarray(means, dtype=np.float64), lengths)


def cllr(log10_lrs: ArrayLike, labels: ArrayLike) -> float:
    """Log-likelihood-ratio cost in bits; 0 is perfect, 1 is what LR = 1 for everything costs.

    Args:
        log10_lrs: (N,), infinities allowed.
        labels: (N,) in {0, 1}, both present.

    Returns:
        ½ · mean over H1 of log2(1 + 1/LR) + ½ · mean over H2 of log2(1 + LR); inf where an infinite
        ratio misleads.

    Reference:
        Brümmer & du Preez 2006, DOI 10.1016/j.csl.2005.08.001.

    >>> cllr([0.0, 0.0], [0, 1])
    1.0
    """
    ratios, is_tampered = checked(log10_lrs, labels, both_classes=True)
    cost = np.logaddexp(0.0, np.where(is_tampered, -ratios, ratios) * LN10) / np.log(2.0)
    return float(0.5 * cost[is_tampered].mean() + 0.5 * cost[~is_tampered].mean())


def cllr_min(log10_lrs: ArrayLike, labels: ArrayLike) -> float:
    """Cllr after the best monotone recalibration (PAV): what discrimination alone costs, in bits.

    Args:
        log10_lrs: (N,); any score with the same order gives the same value.
        labels: (N,) in {0, 1}, both present.

    Returns:
        In [0, 1].

    Reference:
        Brümmer & du Preez 2006, DOI 10.1016/j.csl.2005.08.001.
    """
    ratios, is_tampered = checked(log10_lrs, labels, both_classes=True)
    return cllr(pav_log10_lr(ratios, is_tampered), is_tampered)


def pav_log10_lr(scores: ArrayLike, labels: ArrayLike) -> Float64Array:
    """The log10 ratios that PAV gives each case when fitted on these very cases; ±inf at pure ends."""
    values, is_tampered = checked(scores, labels, both_classes=True)
    _, member = np.unique(values, return_inverse=True)
    tampered = np.bincount(member, weights=is_tampered) / is_tampered.sum()
    authentic = np.bincount(member, weights=~is_tampered) / (~is_tampered).sum()
    posterior = pool_adjacent_violators(tampered / (tampered + authentic), tampered + authentic)
    # A block of one class only is exactly 0 or 1: a mean of equal numbers can be off by one rounding.
    posterior = np.where(posterior < 1e-12, 0.0, np.where(posterior > 1 - 1e-12, 1.0, posterior))
    with np.errstate(divide="ignore"):
        return np.asarray(np.log10(posterior) - np.log10(1 - posterior))[member]


def elub_bounds(log10_lrs: ArrayLike, labels: ArrayLike, *, add_misleading: int = 1) -> tuple[float, float]:
    """Empirical lower and upper bound: beyond them the ratios are worth less than no ratio at all.

    For every prior odds on a grid, deciding by these ratios (with `add_misleading` misleading cases added to
    each class) is compared with deciding by the prior alone; the bounds enclose the ratios for which the
    decisions are better.

    Args:
        log10_lrs: (N,).
        labels: (N,) in {0, 1}, both present.
        add_misleading: strongly misleading cases assumed unseen in each class.

    Returns:
        (lower ≤ 0, upper ≥ 0), in log10.

    Reference:
        Vergeer et al. 2016, DOI 10.1016/j.scijus.2016.06.003.
    """
    ratios, is_tampered = checked(log10_lrs, labels, both_classes=True)
    ratios = np.clip(ratios * LN10, -ELUB_EXTREME, ELUB_EXTREME)
    thresholds = np.arange(min(0.0, ratios.min()), max(0.0, ratios.max()) + ELUB_STEP, ELUB_STEP)
    neutral = _expected_cost(np.zeros_like(ratios), is_tampered, thresholds, 0)
    system = _expected_cost(ratios, is_tampered, thresholds, add_misleading)
    worse = thresholds[neutral < system]
    lower = np.max(worse[worse <= 0], initial=thresholds[0] - ELUB_STEP) + ELUB_STEP
    upper = np.min(worse[worse >= 0], initial=thresholds[-1] + ELUB_STEP) - ELUB_STEP
    return min(float(lower) / LN10, 0.0), max(float(upper) / LN10, 0.0)


def _expected_cost(
    ratios: Float64Array, is_tampered: NDArray[np.bool_], thresholds: Float64Array, add_misleading: int
) -> Float64Array:
    """Cost of deciding H1 where LR > threshold (both as ln): misses + false alarms · threshold."""
    h1, h2 = np.sort(ratios[is_tampered]), np.sort(ratios[~is_tampered])
    misses = (np.searchsorted(h1, thresholds, side="right") + add_misleading) / (h1.size + add_misleading)
    alarms = (h2.size - np.searchsorted(h2, thresholds, side="right") + add_misleading) / (
        h2.size + add_misleading
    )
    return np.asarray(misses + alarms * np.exp(thresholds))


def empirical_cross_entropy(
    log10_lrs: ArrayLike, labels: ArrayLike, *, log10_prior_odds: ArrayLike
) -> Float64Array:
    """Empirical cross-entropy in bits at each prior; at prior odds 1 it is Cllr. Not the calibration error.

    Args:
        log10_lrs: (N,).
        labels: (N,) in {0, 1}, both present.
        log10_prior_odds: (K,) log10 of P(H1) / P(H2).

    Returns:
        (K,) P(H1) · mean over H1 of log2(1 + 1/(LR·odds)) + P(H2) · mean over H2 of log2(1 + LR·odds).

    Reference:
        Ramos & Gonzalez-Rodriguez 2013, DOI 10.1016/j.forsciint.2013.04.014.
    """
    ratios, is_tampered = checked(log10_lrs, labels, both_classes=True)
    odds = np.asarray(log10_prior_odds, dtype=np.float64)[:, None] * LN10
    posterior = ratios * LN10 + odds
    h1 = np.logaddexp(0.0, -posterior[:, is_tampered]).mean(axis=1)
    h2 = np.logaddexp(0.0, posterior[:, ~is_tampered]).mean(axis=1)
    prior = posterior_probability(np.zeros(1), log10_prior_odds=odds / LN10)[:, 0]
    return np.asarray((prior * h1 + (1 - prior) * h2) / np.log(2.0))


def posterior_probability(log10_lrs: ArrayLike, *, log10_prior_odds: ArrayLike = 0.0) -> Float64Array:
    """P(H1) after the finding: LR · odds / (1 + LR · odds); broadcasts.

    >>> posterior_probability([0.0, 1.0]).round(3).tolist()
    [0.5, 0.909]
    """
    log_odds = (np.asarray(log10_lrs, dtype=np.float64) + np.asarray(log10_prior_odds)) * LN10
    return np.asarray(0.5 * (1 + np.tanh(0.5 * log_odds)))


@dataclass(frozen=True, slots=True)
class ReliabilityBins:
    """Points of a reliability diagram, by rising probability; empty bins are left out.

    Attributes:
        mean_probability: (K,) mean of the stated probabilities in the bin.
        tampered_share: (K,) share of tampered cases in the bin.
        counts: (K,) cases in the bin.
    """

    mean_probability: Float64Array
    tampered_share: Float64Array
    counts: Int64Array


def reliability_bins(probabilities: ArrayLike, labels: ArrayLike, *, n_bins: int = 10) -> ReliabilityBins:
    """Bins of equal mass: N / n_bins cases each, equal probabilities kept together.

    Args:
        probabilities: (N,) of H1, at the prior that is the share of tampered cases among these.
        labels: (N,) in {0, 1}.
        n_bins: at most so many bins.

    Returns:
        The bins.
    """
    values, is_tampered = checked(probabilities, labels)
    levels, member, counts = np.unique(values, return_inverse=True, return_counts=True)
    middle = (np.cumsum(counts) - counts / 2) / values.size  # of each level, as a share of all cases
    _, bins = np.unique(np.floor(middle * n_bins), return_inverse=True)
    total = np.bincount(bins, weights=counts)
    return ReliabilityBins(
        mean_probability=np.bincount(bins, weights=counts * levels) / total,
        tampered_share=np.bincount(bins, weights=np.bincount(member, weights=is_tampered)) / total,
        counts=total.astype(np.int64),
    )


def expected_calibration_error(probabilities: ArrayLike, labels: ArrayLike, *, n_bins: int = 10) -> float:
    """Σ over equal-mass bins of (share of cases) · |mean probability − share tampered|, in [0, 1].

    Even perfect probabilities give more than 0 on a finite set: compare with `calibration_error_floor`.

    Reference:
        Nixon et al., Measuring calibration in deep learning, 2019 (adaptive binning).
    """
    bins = reliability_bins(probabilities, labels, n_bins=n_bins)
    gaps = np.abs(bins.mean_probability - bins.tampered_share)
    return float(np.sum(bins.counts * gaps) / bins.counts.sum())


def calibration_error_floor(
    probabilities: ArrayLike, *, generator: np.random.Generator, n_bins: int = 10, n_draws: int = 200
) -> float:
    """Mean `expected_calibration_error` of exactly right probabilities: labels are drawn from them."""
    values = np.asarray(probabilities, dtype=np.float64)
    draws = generator.random((n_draws, values.size)) < values
    return float(np.mean([expected_calibration_error(values, draw, n_bins=n_bins) for draw in draws]))


@dataclass(frozen=True, slots=True)
class TippettPoints:
    """Points of a Tippett plot: two falling step functions.

    Attributes:
        log10_lr: (K,) distinct ratios, rising.
        tampered_share: (K,) share of tampered cases with at least this ratio.
        authentic_share: (K,) share of authentic cases with at least this ratio.
    """

    log10_lr: Float64Array
    tampered_share: Float64Array
    authentic_share: Float64Array


def tippett_points(log10_lrs: ArrayLike, labels: ArrayLike) -> TippettPoints:
    """The points of a Tippett plot; both classes must be present."""
    ratios, is_tampered = checked(log10_lrs, labels, both_classes=True)
    tp, fp, levels = cumulative_counts(ratios, is_tampered)
    return TippettPoints(
        log10_lr=levels[::-1], tampered_share=(tp / tp[-1])[::-1], authentic_share=(fp / fp[-1])[::-1]
    )
