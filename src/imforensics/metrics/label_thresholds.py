"""Thresholds for the label, from false-alarm rates on camera photographs and on twin hosts."""

from __future__ import annotations

from math import exp, lgamma
from typing import TYPE_CHECKING

import numpy as np

from imforensics.metrics.calibration import LEAST_SUPPORT, Calibration, LabelThresholds, checked_scores

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import ArrayLike, NDArray

SIGNIFICANCE = 0.01  # one-sided; stricter than 0.05 because tampered images of one host are not independent


def choose_label_thresholds(
    calibration: Calibration,
    *,
    authentic_camera_scores: ArrayLike,
    authentic_scores: ArrayLike,
    tampered_scores: ArrayLike,
    other_authentic_scores: Mapping[str, ArrayLike] | None = None,
    max_far: float = 0.02,
    max_miss: float = 0.05,
    significance: float = SIGNIFICANCE,
) -> Calibration:
    """Add label thresholds that keep the error rates, and none on a side where a label would be a bluff.

    `tampered_above` is the smallest score that keeps false alarms to `max_far` both on the camera
    photographs and on the authentic images of the protocol (twin hosts); `authentic_below` the largest score
    below which at most `max_miss` of the tampered images lie. A rate is kept where its one-sided 95 % upper
    bound is: k of n images may be wrong where the bound of k in n is at most the rate. A threshold that keeps
    it in expectation alone would exceed it on every second set of further images. Where n images are so few
    that even none wrong does not show the rate, none may be wrong, and the note says so.

    A label needs a ratio of at least 2 in its direction: under that the verbal scale says that nothing is
    supported, and the label would contradict it. A side is None, and its label is never given, unless the
    share rightly labelled is above the share wrongly labelled by a one-sided Fisher exact test. The tests
    compare images of the protocol only: camera photographs differ from them in more than tampering.

    Args:
        calibration: fitted on other images, or on these.
        authentic_camera_scores: (N,) in [0, 1], camera photographs.
        authentic_scores: (M,) in [0, 1], authentic images of the protocol, such as twin hosts.
        tampered_scores: (K,) in [0, 1], tampered images of the protocol.
        other_authentic_scores: what they are, in words → scores of further authentic images, each kind of
            which has to keep `max_far` by itself.
        max_far: accepted share of authentic images labelled tampered.
        max_miss: accepted share of tampered images labelled authentic.
        significance: of the two tests.

    Returns:
        A copy with `thresholds`.

    Raises:
        ValueError: a list is empty or a score is not in [0, 1].

    Reference:
        Clopper & Pearson 1934, DOI 10.1093/biomet/26.4.404 (the bound).
    """
    camera, hosts, tampered = (
        _checked_list(scores) for scores in (authentic_camera_scores, authentic_scores, tampered_scores)
    )
    others = {name: _checked_list(scores) for name, scores in (other_authentic_scores or {}).items()}
    above = max(_upper_limit(scores, max_far) for scores in (camera, hosts, *others.values()))
    below = -_upper_limit(-tampered, max_miss)
    if below > above:  # the classes are nearly separable: the gap between the limits stays inconclusive
        above, below = float(np.nextafter(below, 0.0)), float(np.nextafter(above, 1.0))
    camera_alarms, alarms, hits, *other_alarms = (
        (scores > above) & (calibration.log10_lrs(scores) >= LEAST_SUPPORT)
        for scores in (camera, hosts, tampered, *others.values())
    )
    clear, misses = (
        (scores < below) & (calibration.log10_lrs(scores) <= -LEAST_SUPPORT) for scores in (hosts, tampered)
    )
    p_above = _p_value(hits, alarms)
    p_below = _p_value(clear, misses)
    notes = (
        _rate_note("camera photographs above the tampered threshold", camera_alarms, max_far),
        _rate_note("authentic images of the protocol above it", alarms, max_far),
        *(
            _rate_note(f"{name} above it", wrong, max_far)
            for name, wrong in zip(others, other_alarms, strict=True)
        ),
        _side_note("tampered", hits, p_above, significance),
        _rate_note("tampered images below the authentic threshold", misses, max_miss),
        _side_note("authentic", clear, p_below, significance),
    )
    thresholds = LabelThresholds(
        tampered_above=above if p_above <= significance else None,
        authentic_below=below if p_below <= significance else None,
        policy=f"far_{_percent(max_far)}_miss_{_percent(max_miss)}",
        notes=notes,
    )
    return calibration.model_copy(update={"thresholds": thresholds})


def fisher_greater(hits: int, n: int, alarms: int, m: int) -> float:
    """One-sided Fisher exact test: probability of at least `hits` of n, given hits + alarms of n + m in all.

    >>> round(fisher_greater(3, 3, 0, 3), 3)
    0.05
    """
    total = hits + alarms
    logs = [
        _log_choose(n, k) + _log_choose(m, total - k) - _log_choose(n + m, total)
        for k in range(hits, min(n, total) + 1)
        if total - k <= m
    ]
    return min(1.0, sum(exp(value) for value in logs))


def clopper_pearson_upper(successes: int, n: int, *, confidence: float = 0.95) -> float:
    """One-sided upper bound of a rate: the rate at which so few successes have probability 1 − confidence.

    >>> round(clopper_pearson_upper(0, 149), 4)
    0.0199
    """
    if successes >= n:
        return 1.0
    low, high = successes / n, 1.0
    for _ in range(60):  # bisection to beyond double precision
        rate = (low + high) / 2
        logs = [
            _log_choose(n, k) + k * np.log(rate) + (n - k) * np.log1p(-rate) for k in range(successes + 1)
        ]
        if sum(exp(value) for value in logs) > 1 - confidence:
            low = rate
        else:
            high = rate
    return (low + high) / 2


def _upper_limit(scores: NDArray[np.float64], rate: float) -> float:
    """Smallest score exceeded by so few that the upper bound of their share is at most the rate.

    The largest score, exceeded by none, where no number of them shows the rate.
    """
    allowed = 0
    while clopper_pearson_upper(allowed + 1, scores.size) <= rate:
        allowed += 1
    return float(np.sort(scores)[::-1][allowed])


def _checked_list(scores: ArrayLike) -> NDArray[np.float64]:
    values = checked_scores(scores)
    if not values.size:
        raise ValueError("Expected at least one score of each kind of image, received an empty list")
    return values


def _rate_note(what: str, is_wrong: NDArray[np.bool_], rate: float) -> str:
    wrong, n = int(is_wrong.sum()), is_wrong.size
    note = (
        f"{wrong} of {n} {what} ({100 * wrong / n:.1f} %; one-sided 95 % upper bound "
        f"{100 * clopper_pearson_upper(wrong, n):.1f} %; at most {100 * rate:g} % wanted)."
    )
    if clopper_pearson_upper(0, n) > rate:
        note += f" So few images cannot show a rate of {100 * rate:g} %: no error was accepted."
    return note


def _p_value(is_right: NDArray[np.bool_], is_wrong: NDArray[np.bool_]) -> float:
    return fisher_greater(int(is_right.sum()), is_right.size, int(is_wrong.sum()), is_wrong.size)


def _side_note(label: str, is_right: NDArray[np.bool_], p_value: float, significance: float) -> str:
    right, n = int(is_right.sum()), is_right.size
    if p_value <= significance:
        return f'"{label}" is given to {right} of {n} {label} images (one-sided Fisher p = {p_value:.2g}).'
    return (
        f'"{label}" is never given: {right} of {n} {label} images would get it, not clearly more than the '
        f"wrong ones (one-sided Fisher p = {p_value:.2g} > {significance:g})."
    )


def _percent(rate: float) -> str:
    return f"{100 * rate:g}pct".replace(".", "_")


def _log_choose(n: int, k: int) -> float:
    return lgamma(n + 1) - lgamma(k + 1) - lgamma(n - k + 1)
