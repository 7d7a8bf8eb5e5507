"""Fit a fusion: weights and calibration on twins, label thresholds on photographs; and measure it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from imforensics.errors import DatasetError
from imforensics.metrics.calibration import Conditions
from imforensics.metrics.detection import detection_metrics
from imforensics.metrics.fusion_fit import fit_fusion, held_out_fused_scores
from imforensics.metrics.fusion_model import FusionModel
from imforensics.metrics.label_thresholds import choose_label_thresholds
from imforensics.pipeline.fusion.cases import FusionCase, keep_valid, score_table
from imforensics.pipeline.fusion.classes import calibrate_classes, describe_classes
from imforensics.pipeline.fusion.config import TrainFusionConfig
from imforensics.pipeline.fusion.map_thresholds import calibrate_regions
from imforensics.pipeline.fusion.measures import measure_ratios

Float64Array = NDArray[np.float64]


@dataclass(frozen=True)
class FittedFusion:
    """What came of a fit.

    Attributes:
        model: weights, calibration, conditions and label thresholds.
        labels: (N,) int, of the twins that were fitted on.
        held_out: (N,) fused score of each by the weights fitted without its fold.
        log10_lrs: (N,) of the held-out scores, each as its class reads it.
        photos: set → fused score of each photograph within the conditions.
        by_class: name → labels and ratios of its twins, of classes with a curve of their own.
    """

    model: FusionModel
    labels: NDArray[np.intp]
    held_out: Float64Array
    log10_lrs: Float64Array
    photos: Mapping[str, Float64Array]
    by_class: Mapping[str, tuple[NDArray[np.intp], Float64Array]]


def fit(
    config: TrainFusionConfig,
    twins: Sequence[FusionCase],
    photos: Mapping[str, Sequence[FusionCase]],
    *,
    population: str,
) -> FittedFusion:
    """Fuse first, calibrate over all classes and by class, then choose the thresholds of label and map.

    Args:
        config: of the run.
        twins: both halves of each pair.
        photos: title of the set → its pictures, the camera photographs first.
        population: what the twins are, in words.

    Returns:
        The fit.

    Raises:
        DatasetError: there are no twins, or no camera photograph is within the conditions.
    """
    if not twins:
        raise DatasetError(
            f"No pair of the twins can be used (pairs: {config.pairs}). Name more splits, or take pairs: twin"
        )
    methods, unflagged = list(config.methods), masked_methods(config)
    table, groups = score_table(twins, methods), [case.group for case in twins]
    labels = np.array([case.label for case in twins])
    classes = [case.classes[-1] for case in twins]
    model = fit_fusion(
        table,
        labels,
        groups=groups,
        population=population,
        unflagged=unflagged,
        classes=classes,
        ridge=config.ridge,
        seed=config.seed,
    )
    held_out = held_out_fused_scores(
        table,
        labels,
        groups=groups,
        unflagged=unflagged,
        classes=classes,
        ridge=config.ridge,
        seed=config.seed,
    )
    conditions = Conditions(**config.conditions.model_dump())
    calibration = model.calibration.model_copy(update={"conditions": conditions})
    model = model.model_copy(update={"calibration": calibration, "required": config.required})
    fused = {name: _fuse_valid(model, cases) for name, cases in photos.items()}
    camera, *others = fused
    if not fused[camera].size:
        raise DatasetError(f"{camera}: no photograph is within the conditions of the fusion")
    calibration = choose_label_thresholds(
        calibration,
        authentic_camera_scores=fused[camera],
        authentic_scores=held_out[labels == 0],
        tampered_scores=held_out[labels == 1],
        other_authentic_scores={f"images of “{name}”": fused[name] for name in others if fused[name].size},
        max_far=config.max_far,
        max_miss=config.max_miss,
    )
    model = model.model_copy(update={"calibration": calibration})
    read, fits = calibrate_classes(config, model, twins, held_out, photos)
    model = model.model_copy(update={"classes": read, "regions": calibrate_regions(config, twins, read)})
    ratios = calibration.log10_lrs(held_out)
    for each in fits.values():  # the finer classes come last, and are what a picture is read by
        ratios[each.members] = each.log10_lrs
    by_class = {
        name: (labels[each.members], each.log10_lrs) for name, each in fits.items() if not each.is_borrowed
    }
    return FittedFusion(model, labels, held_out, ratios, fused, by_class)


def masked_methods(config: TrainFusionConfig) -> tuple[str, ...]:
    """Methods whose scores are taken as missing on part of the twins, so that applying says nothing."""
    has_training_split = any("train" in source.splits for source in (*config.twins, *config.made_pairs))
    return tuple(
        name
        for name, options in config.methods.items()
        if name in config.exact_only or (has_training_split and "bundle" in options)
    )


def describe_fit(
    fitted: FittedFusion, twins: Sequence[FusionCase], all_twins: Sequence[FusionCase], *, seed: int
) -> dict[str, Any]:
    """The log of a fit, JSON-ready: weights, losses, cross-validated measures, thresholds.

    Args:
        fitted: the fit.
        twins: that were fitted on.
        all_twins: those of other encoders too, for the comparison of AUCs.
        seed: of the calibration error's floor.

    Returns:
        The log.
    """
    model, calibration = fitted.model, fitted.model.calibration
    methods = [part.method for part in model.inputs]
    auc = detection_metrics(fitted.held_out, fitted.labels, threshold=0.5)["auc"]
    kinds = {
        "fitted on": twins,
        "same encoder": [case for case in all_twins if case.is_exact],
        "other encoder": [case for case in all_twins if not case.is_exact],
    }
    return {
        "inputs": [part.model_dump(mode="json") for part in model.inputs],
        "intercept": model.intercept,
        "held_out_log_loss": dict(model.held_out_log_loss),
        "calibration": {
            "kind": calibration.kind,
            "cross_validated_log_loss": dict(calibration.cross_validated_log_loss),
            "log10_lr_bounds": list(calibration.log10_lr_bounds),
            "conditions": calibration.conditions.model_dump(mode="json"),
        },
        "classes": describe_classes(model.classes),
        "regions": None
        if model.regions is None
        else model.regions.model_dump(
            mode="json", include={"curve", "n_authentic", "n_tampered", "log10_lr_bounds"}
        ),
        "cross_validated": {"auc": auc, **measure_ratios(fitted.log10_lrs, fitted.labels, seed=seed)},
        "thresholds": None
        if calibration.thresholds is None
        else calibration.thresholds.model_dump(mode="json"),
        "auc_of_methods": {
            name: {kind: method_auc(cases, name) for kind, cases in kinds.items()} for name in methods
        },
        "failures": sum(bool(case.failed) for case in twins),
    }


def method_auc(cases: Sequence[FusionCase], method: str) -> float | None:
    """AUC of one method's usable scores; None without both classes."""
    scored = [(case.label, score) for case in cases if (score := case.scores[method]) is not None]
    if len({label for label, _ in scored}) < 2:
        return None
    return detection_metrics([s for _, s in scored], [label for label, _ in scored], threshold=0.5)["auc"]


def _fuse_valid(model: FusionModel, cases: Sequence[FusionCase]) -> Float64Array:
    valid, _ = keep_valid(cases, model)
    return np.array([model.fused_score(case.scores) for case in valid], dtype=np.float64)
