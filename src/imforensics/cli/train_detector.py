"""`imforensics train-detector`: train a detector, the paper's or a localizer."""

from __future__ import annotations

import json
import math
from typing import TYPE_CHECKING, Any

import click

from imforensics.cli.options import TrainingOptions, training_options
from imforensics.cli.progress import training_progress

if TYPE_CHECKING:
    from collections.abc import Mapping

    from imforensics.models.classifier.train import TrainResult
    from imforensics.models.localizer.train import TrainLocalizerResult


@click.command("train-detector")
@training_options("checkpoints, logs, curves, metrics and the bundle")
def command(options: TrainingOptions) -> None:
    """Train a detector and export it as a bundle.

    A classifier learns from a labelled data set; with `kind: localizer` in the configuration a localizer
    learns from synthetic forgeries of authentic photographs. Needs the extra "train" (TensorFlow). The folder
    of a data set is its `root`; by default it is searched for below the folder given by IMFORENSICS_DATA. The
    results are written to standard output as JSON.

    \b
    Examples:
      imforensics train-detector -c configs/train_detector_paper.yaml -o runs/paper
      imforensics train-detector -c configs/train_detector_twin.yaml --set input.kind=rgb -o runs/rgb
      imforensics train-detector -c configs/train_detector_paper.yaml -o runs/paper --resume
      imforensics train-detector -c configs/train_localizer.yaml -o runs/localizer_synthesis
    """
    from imforensics.config import load_config
    from imforensics.models.kinds import detector_config

    kind = detector_config(options.config_path, options.overrides)
    config = load_config(kind, options.config_path, options.overrides)
    if config.kind == "localizer":
        from imforensics.models.localizer.train import train_localizer

        summary = _summarize_localizer(train_localizer(config, **_run(options)))
    else:
        from imforensics.models.classifier.train import train_detector

        summary = _summarize(train_detector(config, **_run(options)))
    click.echo(json.dumps(summary, indent=2, allow_nan=False))


def _run(options: TrainingOptions) -> dict[str, Any]:
    return {
        "run_folder": options.run_folder,
        "resume": options.resume,
        "overwrite": options.overwrite,
        "progress": training_progress(quiet=options.quiet),
    }


def _summarize_localizer(result: TrainLocalizerResult) -> dict[str, Any]:
    from imforensics.models.localizer.validation import describe_validation

    validation = describe_validation(result.validation)
    return {
        "bundle": str(result.bundle_folder),
        "epochs": result.state.epoch,
        "curves": result.reading.verdict,
        "validation": validation["by_origin"],
        "untouched_alarms": validation["untouched_alarms"],
    }


def _summarize(result: TrainResult) -> dict[str, Any]:
    manifest = result.manifest
    return {
        "bundle": str(result.bundle_folder),
        "epochs": result.state.epoch,
        "best_epoch": result.state.best_epoch,
        "curves": result.reading.verdict,
        "test": {
            item.pairs: {"threshold": item.threshold} | _defined(item.metrics)
            for item in manifest.measurements
            if item.split == "test"
        },
        "shortcut_accuracy": manifest.shortcut.accuracy if manifest.shortcut else None,
    }


def _defined(figures: Mapping[str, float]) -> dict[str, float | None]:
    """Figures for JSON, which has no NaN: null where one is not defined."""
    return {name: value if math.isfinite(value) else None for name, value in figures.items()}


if __name__ == "__main__":
    command()
