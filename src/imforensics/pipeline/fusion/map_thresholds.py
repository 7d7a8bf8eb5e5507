"""From where on a map is marked, and what a marked region is worth: both on validation pictures."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from imforensics.metrics.calibration import Calibration, fit_calibration
from imforensics.metrics.class_calibration import NOTHING, ClassCalibration, MapThreshold
from imforensics.metrics.label_thresholds import clopper_pearson_upper
from imforensics.pipeline.evaluate.marks import LEVELS
from imforensics.pipeline.fusion.cases import FusionCase
from imforensics.pipeline.fusion.config import TrainFusionConfig

Float64Array = NDArray[np.float64]

LOUD_SHARE = 0.01  # of the area: an authentic picture that is marked more is a false alarm of the map
FEWEST = 29  # pictures of which none may be loud for the bound of the rate to be 10 %
HIT_SHARE = 0.5  # of a region that has to be tampered for it to count as found
LEAST_REGIONS = 30  # of each kind, for a ratio of regions


def choose_map_threshold(
    config: TrainFusionConfig,
    twins: Sequence[FusionCase],
    photos: Mapping[str, Sequence[FusionCase]],
    everywhere: Sequence[Sequence[FusionCase]],
) -> MapThreshold | None:
    """The lowest level at which few authentic pictures of each kind are marked over more than 1 %.

    The rate of each kind with at least 29 pictures is kept where its one-sided 95 % upper bound is; a class
    without such a kind keeps it on each kind of every class, and on its own pictures together.

    Args:
        config: `map_method` and `max_marked`.
        twins: authentic ones of the class.
        photos: title of a set → its photographs of the class.
        everywhere: authentic pictures of every class, kind by kind.

    Returns:
        The threshold; None without a map method, or where nothing was recorded of its maps.
    """
    if config.map_method is None:
        return None
    kinds = [_shares(cases, config.map_method) for cases in (twins, *photos.values())]
    own = np.concatenate(kinds)
    large = [shares for shares in kinds if len(shares) >= FEWEST]
    of_all = [_shares(cases, config.map_method) for cases in everywhere]
    tested = large or [shares for shares in of_all if len(shares)]
    if not tested:
        return None
    for index, level in enumerate(LEVELS):
        is_kept = all(_is_quiet(shares[:, index], config.max_marked) for shares in tested)
        rate_is_met = not len(own) or (own[:, index] > LOUD_SHARE).mean() <= config.max_marked
        if is_kept and rate_is_met:
            return MapThreshold(value=level, note=_describe(level, own[:, index], is_enough=bool(large)))
    note = f"No level up to {LEVELS[-1]:g} marks few enough authentic images of this kind: nothing is marked."
    return MapThreshold(value=NOTHING, note=note)


def _describe(level: float, shares: Float64Array, *, is_enough: bool) -> str:
    loud, n = int((shares > LOUD_SHARE).sum()), len(shares)
    note = f"At {level:g}, {loud} of {n} authentic images of this kind are marked over more than 1 %."
    if is_enough:
        return note
    few = note if n else "No authentic image of this kind was at hand."
    return f"{few} The threshold keeps the rate on images of every other kind."


def calibrate_regions(
    config: TrainFusionConfig, twins: Sequence[FusionCase], classes: Mapping[str, ClassCalibration]
) -> Calibration | None:
    """From a marked region's mean to a likelihood ratio: regions of alterations against regions of twins.

    Regions are taken where a report would take them: at the map's own threshold and at that of the class. One
    of a tampered picture counts where at least half of it is tampered; other regions of such a picture are
    left out, since a lookout of the alteration is neither.

    Returns:
        The calibration; None without a map method, or with fewer than 30 regions of either kind.
    """
    scores, labels, groups = [], [], []
    for case in twins:
        if config.map_method is None or config.map_method not in case.marks:
            continue
        name = next((name for name in case.classes if name in classes), None)
        threshold = None if name is None else classes[name].map_threshold
        own, *levels = case.marks[config.map_method]
        at = [own, *(each for each in levels if threshold is not None and each["level"] == threshold.value)]
        for _, mean, _, hit in (region for each in at for region in each["regions"]):
            if case.label == 0 or hit >= HIT_SHARE:
                scores.append(mean)
                labels.append(case.label)
                groups.append(case.group)
    if min(sum(labels), len(labels) - sum(labels)) < LEAST_REGIONS:
        return None
    return fit_calibration(
        scores,
        labels,
        protocol="twin",
        population="regions that lie in the alteration, against regions marked in matched controls",
        groups=groups,
        kinds=("platt", "beta"),
        seed=config.seed,
    )


def _shares(cases: Sequence[FusionCase], method: str) -> Float64Array:
    """(N, levels) marked share of each picture with a map."""
    rows = [[each["share"] for each in case.marks[method][1:]] for case in cases if method in case.marks]
    return np.array(rows, dtype=np.float64).reshape(len(rows), len(LEVELS))


def _is_quiet(shares: Float64Array, rate: float) -> bool:
    loud = int((shares > LOUD_SHARE).sum())
    return clopper_pearson_upper(loud, shares.size) <= rate or (
        shares.size < FEWEST and loud <= rate * shares.size
    )
