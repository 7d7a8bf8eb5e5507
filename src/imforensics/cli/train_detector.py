"""`imforensics train-detector`: train, evaluate and export the paper's detector."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import click

from imforensics.cli.options import TrainingOptions, training_options
from imforensics.cli.progress import training_progress

if TYPE_CHECKING:
    from imforensics.models.train import TrainResult


@click.command("train-detector")
@training_options("checkpoints, logs, curves, metrics and the bundle")
def command(options: TrainingOptions) -> None:
    """Train a detector on a labelled data set and export it as a bundle.

    Needs the extra "train" (TensorFlow). The data set's folder is dataset.root, or lies below the folder
    that IMFORENSICS_DATA names. Standard output gets the test metrics as JSON.

    \b
    Examples:
      imforensics train-detector -c configs/train_detector_paper.yaml -o runs/paper
      imforensics train-detector -c configs/train_detector_twin.yaml --set input.kind=rgb -o runs/rgb
      imforensics train-detector -c configs/train_detector_paper.yaml -o runs/paper --resume
    """
    from imforensics.config import load_config
    from imforensics.models.detector_config import TrainDetectorConfig
    from imforensics.models.train import train_detector

    config = load_config(TrainDetectorConfig, options.config_path, options.overrides)
    result = train_detector(
        config,
        options.run_folder,
        resume=options.resume,
        overwrite=options.overwrite,
        progress=training_progress(quiet=options.quiet),
    )
    click.echo(json.dumps(_summarize(result), indent=2))


def _summarize(result: TrainResult) -> dict[str, Any]:
    manifest = result.manifest
    return {
        "bundle": str(result.bundle_folder),
        "epochs": result.state.epoch,
        "best_epoch": result.state.best_epoch,
        "curves": result.reading.verdict,
        "test": {
            item.pairs: {"threshold": item.threshold, **item.metrics}
            for item in manifest.measurements
            if item.split == "test"
        },
        "shortcut_accuracy": manifest.shortcut.accuracy if manifest.shortcut else None,
    }


if __name__ == "__main__":
    command()
