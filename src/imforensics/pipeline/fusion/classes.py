"""What each class of evidence gets of its own: bounds, label thresholds, the threshold of the map."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import ceil, log

import numpy as np
from numpy.typing import NDArray

from imforensics.metrics.calibration import Calibration
from imforensics.metrics.class_calibration import ClassCalibration, FittedClass, fit_classes
from imforensics.metrics.evidence_classes import CLASS_NAMES, FINENESS, describe_class
from imforensics.metrics.fusion_model import FusionModel
from imforensics.metrics.label_thresholds import choose_label_thresholds
from imforensics.metrics.likelihood_ratio import cllr
from imforensics.pipeline.fusion.cases import FusionCase, keep_valid
from imforensics.pipeline.fusion.config import TrainFusionConfig
from imforensics.pipeline.fusion.map_thresholds import choose_map_threshold
from imforensics.pipeline.fusion.measures import measure_ratios

Float64Array = NDArray[np.float64]

FINER_PAIRS = 3  # times the pairs of a class, for each half of one that is split by fineness
LEAST_GAIN = 0.01  # bits of Cllr that a split has to save: halves have fewer images to show a rate with


def calibrate_classes(
    config: TrainFusionConfig,
    model: FusionModel,
    twins: Sequence[FusionCase],
    held_out: Float64Array,
    photos: Mapping[str, Sequence[FusionCase]],
) -> tuple[dict[str, ClassCalibration], dict[str, FittedClass]]:
    """Every class by size and history, and of the finer ones those with enough pairs.

    Args:
        config: of the run.
        model: weights, and the calibration over all classes with its conditions.
        twins: both halves of each pair.
        held_out: (N,) fused score of each, by weights fitted without its fold.
        photos: title of the set → its pictures, the camera photographs first.

    Returns:
        Name → calibration with thresholds, and name → the fit behind it; the broad classes come first.
    """
    labels = np.array([case.label for case in twins])
    fits = fit_classes(
        model.calibration,
        held_out,
        labels,
        classes=_find_members(twins, labels, FINER_PAIRS * config.least_pairs),
        groups=[case.group for case in twins],
        least=config.least_pairs,
        seed=config.seed,
    )
    fits = {
        name: fit for name, fit in fits.items() if name in CLASS_NAMES or _is_worthwhile(name, fits, labels)
    }
    valid = {title: keep_valid(cases, model)[0] for title, cases in photos.items()}
    found = {}
    for name, fitted in fits.items():
        own = {title: [case for case in cases if name in case.classes] for title, cases in valid.items()}
        calibration = _choose_labels(config, model, fitted, held_out, labels, own, valid)
        is_rated = not fitted.is_borrowed
        found[name] = ClassCalibration(
            calibration=calibration,
            is_borrowed=fitted.is_borrowed,
            measured=measure_ratios(fitted.log10_lrs, labels[fitted.members], seed=config.seed)
            if is_rated
            else {},
            map_threshold=choose_map_threshold(
                config, _authentic(twins, name), own, [_authentic(twins), *valid.values()]
            ),
        )
    return found, fits


def _find_members(
    twins: Sequence[FusionCase], labels: NDArray[np.intp], least: int
) -> dict[str, NDArray[np.bool_]]:
    """The cases of every broad class, and of the finer ones with so many pairs on either side."""
    finer = [f"{name}_{end}" for name in CLASS_NAMES for end in FINENESS]
    members = {name: np.array([name in case.classes for case in twins]) for name in (*CLASS_NAMES, *finer)}
    enough = {
        name
        for name, inside in members.items()
        if min((labels[inside] == label).sum() for label in (0, 1)) >= least
    }
    return {
        name: inside
        for name, inside in members.items()
        if name in CLASS_NAMES or enough >= {f"{name.rpartition('_')[0]}_{end}" for end in FINENESS}
    }


def _is_worthwhile(name: str, fits: Mapping[str, FittedClass], labels: NDArray[np.intp]) -> bool:
    """True where splitting the broad class of a finer one makes the held-out ratios clearly better."""
    broad = fits[name.rpartition("_")[0]]
    halves = [fits[f"{name.rpartition('_')[0]}_{end}"] for end in FINENESS]
    if any(half.is_borrowed for half in halves):
        return False
    split = np.zeros(labels.size)
    for half in halves:
        split[half.members] = half.log10_lrs
    own = labels[broad.members]
    return cllr(split[broad.members], own) < cllr(broad.log10_lrs, own) - LEAST_GAIN


def _choose_labels(
    config: TrainFusionConfig,
    model: FusionModel,
    fitted: FittedClass,
    held_out: Float64Array,
    labels: NDArray[np.intp],
    own: Mapping[str, Sequence[FusionCase]],
    everywhere: Mapping[str, Sequence[FusionCase]],
) -> Calibration:
    """Thresholds by the class's own false alarms; those of all classes bind too where its own are few.

    A class that borrows its curve gets no label unless it has as many photographs of its own as a curve takes
    pairs.
    """
    camera_title, *titles = everywhere
    count = sum(map(len, own.values()))
    if fitted.is_borrowed and count < config.least_pairs:
        return fitted.calibration
    members = np.ones_like(fitted.members) if fitted.is_borrowed else fitted.members
    others = {f"images of “{title}”": _fuse(model, own[title]) for title in titles if own[title]}
    if count < _needed(config.max_far):
        others["photographs of every class"] = _fuse(model, _all(everywhere))
    if count + int((members & (labels == 0)).sum()) < _needed(config.max_far):
        # Controls of one photograph are not independent, and a small class rests on few photographs.
        others["matched controls of every class"] = held_out[labels == 0]
    camera = own[camera_title] or everywhere[camera_title]
    calibration = choose_label_thresholds(
        fitted.calibration,
        authentic_camera_scores=_fuse(model, camera),
        authentic_scores=held_out[members & (labels == 0)],
        tampered_scores=held_out[members & (labels == 1)],
        other_authentic_scores=others,
        max_far=config.max_far,
        max_miss=config.max_miss,
    )
    if own[camera_title] or calibration.thresholds is None:
        return calibration
    note = "No camera photograph of this class was at hand: those of every class were counted."
    thresholds = calibration.thresholds.model_copy(update={"notes": (note, *calibration.thresholds.notes)})
    return calibration.model_copy(update={"thresholds": thresholds})


def describe_classes(classes: Mapping[str, ClassCalibration]) -> dict[str, object]:
    """Name → what the log says of a class, JSON-ready."""
    return {
        name: {
            "words": describe_class(name),
            "n_tampered": each.calibration.n_tampered,
            "n_authentic": each.calibration.n_authentic,
            "is_borrowed": each.is_borrowed,
            "log10_lr_bounds": list(each.calibration.log10_lr_bounds),
            "measured": dict(each.measured),
            "thresholds": None
            if each.calibration.thresholds is None
            else each.calibration.thresholds.model_dump(mode="json"),
            "map_threshold": None
            if each.map_threshold is None
            else each.map_threshold.model_dump(mode="json"),
        }
        for name, each in classes.items()
    }


def _needed(rate: float) -> int:
    """Number of images that show a rate where none of them is wrong."""
    return ceil(log(0.05) / log(1 - rate))


def _fuse(model: FusionModel, cases: Sequence[FusionCase]) -> Float64Array:
    return np.array([model.fused_score(case.scores) for case in cases], dtype=np.float64)


def _authentic(twins: Sequence[FusionCase], name: str | None = None) -> list[FusionCase]:
    return [case for case in twins if case.label == 0 and (name is None or name in case.classes)]


def _all(groups: Mapping[str, Sequence[FusionCase]]) -> list[FusionCase]:
    return [case for cases in groups.values() for case in cases]
