"""From the columns of an evaluation to its figures: metrics with bootstrap intervals over source groups."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray

from imforensics.metrics.curves import break_down, break_down_tampered, name_mask_area
from imforensics.metrics.detection import detection_metrics
from imforensics.metrics.intervals import detection_intervals, mean_interval, mean_intervals
from imforensics.metrics.likelihood_ratio import (
    calibration_error_floor,
    cllr,
    cllr_min,
    expected_calibration_error,
    posterior_probability,
)
from imforensics.pipeline.evaluate.columns import Case, Column

THRESHOLD_FREE = ("auc", "average_precision", "tpr_at_fpr_1pct", "tpr_at_fpr_5pct")
AT_THRESHOLD = ("accuracy", "balanced_accuracy", "precision", "recall", "fpr", "f1")
HEADLINE_PIXEL = ("auc", "f1_fixed", "f1_half", "f1_best")
MIN_CASES = 2  # an interval of one case tells nothing
Figures = dict[str, Any]


def summarize_column(
    column: Column, *, seed: int, n_resamples: int, thresholds: Mapping[str, float] | None = None
) -> Figures:
    """Every figure of one entry under one condition.

    Args:
        column: its cases.
        seed: of the bootstrap.
        n_resamples: of the bootstrap.
        thresholds: of the score, by policy, chosen on other data.

    Returns:
        counts, detection, decisions, calibration, localization, breakdowns; None for what is not defined.
    """
    cases = column.cases
    return {
        "counts": count_cases(cases),
        "seconds_per_image": column.seconds / max(len(cases), 1),
        "detection": summarize_detection(cases, seed=seed, n_resamples=n_resamples),
        "decisions": _decisions(cases, thresholds or {}, seed=seed, n_resamples=n_resamples),
        "pairs": _pairs(cases, seed=seed, n_resamples=n_resamples),
        "calibration": _calibration(cases, seed=seed),
        "localization": summarize_localization(column, seed=seed, n_resamples=n_resamples),
        "breakdowns": _breakdowns(cases),
    }


def count_cases(cases: Sequence[Case]) -> dict[str, int]:
    """Cases by class, status and what they have; those without a score are in no metric of detection."""
    statuses = Counter(case.status for case in cases)
    tampered = [case for case in cases if case.label == 1]
    return {
        "authentic": len(cases) - len(tampered),
        "tampered": len(tampered),
        "groups": len({case.group for case in cases}),
        **{name: statuses[name] for name in ("ok", "not_applicable", "failed", "unreadable", "crashed")},
        "scored": len(_scored(cases)),
        "scored_authentic": sum(case.label == 0 for case in _scored(cases)),
        "scored_tampered": sum(case.label == 1 for case in _scored(cases)),
        "tampered_without_mask": sum(case.mask_area is None for case in tampered if case.status == "ok"),
    }


def summarize_detection(cases: Sequence[Case], *, seed: int, n_resamples: int) -> Figures | None:
    """Threshold-free metrics of the scored cases with intervals; None without scores of both classes."""
    scored = _scored(cases)
    labels = [case.label for case in scored]
    if len(set(labels)) < 2:
        return None
    scores = [cast("float", case.score) for case in scored]
    return _with_intervals(scored, scores, 0.5, THRESHOLD_FREE, seed=seed, n_resamples=n_resamples)


def summarize_localization(column: Column, *, seed: int, n_resamples: int) -> Figures | None:
    """Per-image means with intervals, and pooled values; None where no map was measured."""
    measured = [case for case in column.cases if case.pixel is not None]
    if not measured:
        return None
    metrics, intervals = _summarize_means(measured, seed=seed, n_resamples=n_resamples)
    pooled = column.pooled.metrics() if column.pooled is not None else {}
    metrics |= {name: _finite(value) for name, value in pooled.items()}
    return {
        "n_tampered": sum(case.label == 1 for case in measured),
        "n_authentic": sum(case.label == 0 for case in measured),
        "threshold": column.pooled.threshold if column.pooled is not None else None,
        "threshold_policy": column.policy,
        "metrics": metrics,
        "intervals": intervals,
    }


def _summarize_means(
    measured: Sequence[Case], *, seed: int, n_resamples: int
) -> tuple[dict[str, float | None], dict[str, list[float] | None]]:
    """Means of the pixel metrics and their intervals; metrics of the same cases share their resamples."""
    names = sorted({name for case in measured for name in case.pixel or ()} - {"valid_area"})
    metrics: dict[str, float | None] = {}
    intervals: dict[str, list[float] | None] = dict.fromkeys(f"{name}_mean" for name in names)
    alike: dict[tuple[int, ...], list[str]] = {}
    columns: dict[str, NDArray[np.float64]] = {}
    for name in names:
        values = [(case.pixel or {}).get(name) for case in measured]
        defined = tuple(index for index, value in enumerate(values) if value is not None)
        columns[name] = np.array([value for value in values if value is not None], dtype=np.float64)
        metrics[f"{name}_mean"] = float(columns[name].mean()) if defined else None
        alike.setdefault(defined, []).append(name)
    for defined, together in alike.items():
        if len(defined) >= MIN_CASES:
            found = mean_intervals(
                np.stack([columns[name] for name in together], axis=1),
                groups=np.array([measured[index].group for index in defined]),
                generator=np.random.default_rng(seed),
                n_resamples=n_resamples,
            )
            for name, interval in zip(together, found, strict=True):
                intervals[f"{name}_mean"] = list(interval)
    return metrics, intervals


def headline(column: Column, *, seed: int, n_resamples: int) -> Figures:
    """The few figures of one point of a robustness curve."""
    detection = summarize_detection(column.cases, seed=seed, n_resamples=n_resamples)
    localization = summarize_localization(column, seed=seed, n_resamples=n_resamples)
    kept: Figures = {"counts": count_cases(column.cases), "detection": None, "localization": None}
    if detection is not None:
        kept["detection"] = {part: {"auc": detection[part].get("auc")} for part in ("metrics", "intervals")}
    if localization is not None:
        names = [f"{name}_mean" for name in HEADLINE_PIXEL]
        kept["localization"] = {
            part: {name: localization[part].get(name) for name in names} for part in ("metrics", "intervals")
        }
    return kept


def _scored(cases: Sequence[Case]) -> list[Case]:
    return [case for case in cases if case.status == "ok" and case.score is not None]


def _with_intervals(
    cases: Sequence[Case],
    scores: Sequence[float],
    threshold: float,
    names: Sequence[str],
    *,
    seed: int,
    n_resamples: int,
) -> Figures:
    labels = [case.label for case in cases]
    metrics = detection_metrics(scores, labels, threshold=threshold)
    try:
        intervals = detection_intervals(
            scores,
            labels,
            threshold=threshold,
            groups=np.array([case.group for case in cases]),
            generator=np.random.default_rng(seed),
            n_resamples=n_resamples,
        )
    except ValueError:  # too few groups: most resamples lack a class
        intervals = {}
    return {
        "metrics": {name: _finite(metrics[name]) for name in names},
        "intervals": {name: list(intervals[name]) if name in intervals else None for name in names},
    }


def _decisions(
    cases: Sequence[Case], thresholds: Mapping[str, float], *, seed: int, n_resamples: int
) -> dict[str, Figures]:
    """Metrics of decisions: the label that the method states, and each stored threshold of the score."""
    found: dict[str, Figures] = {}
    scored = _scored(cases)
    stated = [case for case in scored if case.stated is not None]
    if len({case.label for case in stated}) == 2:
        flags = [float(case.stated == "tampered") for case in stated]
        found["label"] = _with_intervals(stated, flags, 0.5, AT_THRESHOLD, seed=seed, n_resamples=n_resamples)
        by_class = {
            name: [c.stated for c in stated if c.label == i]
            for i, name in enumerate(("authentic", "tampered"))
        }
        found["label"]["threshold"] = None
        found["label"]["stated"] = {name: dict(Counter(labels)) for name, labels in by_class.items()}
    if len({case.label for case in scored}) == 2:
        scores = [cast("float", case.score) for case in scored]
        for policy, threshold in thresholds.items():
            at = _with_intervals(scored, scores, threshold, AT_THRESHOLD, seed=seed, n_resamples=n_resamples)
            found[policy] = {"threshold": threshold, "stated": None, **at}
    return found


def _pairs(cases: Sequence[Case], *, seed: int, n_resamples: int) -> Figures | None:
    """How often the tampered half of a twin scores higher than its host, ties counting one half."""
    halves: dict[str, dict[int, Case]] = {}
    for case in _scored(cases):
        if case.pair is not None:
            halves.setdefault(case.pair, {})[case.label] = case
    whole = [half for half in halves.values() if len(half) == 2]
    if not whole:
        return None
    difference = np.array([cast("float", half[1].score) - cast("float", half[0].score) for half in whole])
    wins = (np.sign(difference) + 1) / 2
    interval = _mean_interval(wins, [half[1].group for half in whole], seed, n_resamples)
    return {"n": len(whole), "tampered_higher": float(wins.mean()), "interval": interval}


def _calibration(cases: Sequence[Case], *, seed: int) -> Figures | None:
    """Cost and calibration error of the stated likelihood ratios; None without them for both classes."""
    rated = [case for case in cases if case.status == "ok" and case.log10_lr is not None]
    labels = np.array([case.label for case in rated])
    if len(set(labels.tolist())) < 2:
        return None
    ratios = np.array([cast("float", case.log10_lr) for case in rated])
    prior = float(np.log10(labels.sum() / (labels == 0).sum()))
    probabilities = posterior_probability(ratios, log10_prior_odds=prior)
    generator = np.random.default_rng(seed)
    return {
        "n": len(rated),
        "cllr": cllr(ratios, labels),
        "cllr_min": cllr_min(ratios, labels),
        "ece": expected_calibration_error(probabilities, labels),
        "ece_floor": calibration_error_floor(probabilities, generator=generator),
    }


def _breakdowns(cases: Sequence[Case]) -> dict[str, dict[str, Figures]]:
    """AUC and mean F1 by manipulation, mask area and format."""

    def by_tampered(key: Callable[[Case], str | None]) -> dict[str, list[Case]]:
        return break_down_tampered(cases, key=key, is_tampered=lambda case: case.label == 1)

    parts = {
        "manipulation": by_tampered(lambda case: case.manipulation),
        "mask_area": by_tampered(
            lambda case: None if case.mask_area is None else name_mask_area(case.mask_area)
        ),
        "format": break_down(cases, key=lambda case: case.format),
    }
    return {
        name: {value: _describe_part(part) for value, part in by_value.items()}
        for name, by_value in parts.items()
    }


def _describe_part(cases: Sequence[Case]) -> Figures:
    scored = _scored(cases)
    labels = [case.label for case in scored]
    found: Figures = {
        "authentic": sum(c.label == 0 for c in cases),
        "tampered": sum(c.label == 1 for c in cases),
    }
    found["auc"] = None
    if len(set(labels)) == 2:
        scores = [cast("float", case.score) for case in scored]
        found["auc"] = detection_metrics(scores, labels, threshold=0.5)["auc"]
    for name in HEADLINE_PIXEL:
        values = [v for c in cases if c.pixel is not None and (v := c.pixel.get(name)) is not None]
        found[f"pixel_{name}_mean"] = float(np.mean(values)) if values else None
    return found


def _mean_interval(
    values: NDArray[np.float64], groups: Sequence[str], seed: int, n_resamples: int
) -> list[float] | None:
    if values.size < MIN_CASES:
        return None
    generator = np.random.default_rng(seed)
    low, high = mean_interval(values, groups=np.array(groups), generator=generator, n_resamples=n_resamples)
    return [low, high]


def _finite(value: float) -> float | None:
    return float(value) if np.isfinite(value) else None
