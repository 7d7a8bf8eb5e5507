"""`imforensics train-detector`: train, evaluate and export the paper's detector."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from imforensics.cli.options import (
    config_option,
    overwrite_option,
    quiet_option,
    refuse_both,
    resume_option,
    set_option,
)
from imforensics.cli.progress import training_progress

if TYPE_CHECKING:
    from imforensics.models.train import TrainResult


@click.command("train-detector")
@config_option
@set_option
@click.option(
    "-o",
    "--output",
    "run_folder",
    required=True,
    type=click.Path(path_type=Path, file_okay=False),
    help="Folder of the run: checkpoints, logs, curves, metrics and the bundle.",
)
@resume_option
@overwrite_option
@quiet_option
def command(
    config_path: Path | None,
    overrides: tuple[str, ...],
    run_folder: Path,
    resume: bool,
    overwrite: bool,
    quiet: bool,
) -> None:
    """Train a detector on a labelled data set and export it as a bundle.

    Needs the extra "train" (TensorFlow). The data set's folder is dataset.root, or lies below the folder
    that IMFORENSICS_DATA names. Standard output gets the test metrics as JSON.

    \b
    Examples:
      imforensics train-detector -c configs/train_detector_paper.yaml -o runs/paper
      imforensics train-detector -c configs/train_detector_twin.yaml --set input.kind=rgb -o runs/rgb
      imforensics train-detector -c configs/train_detector_paper.yaml -o runs/paper --resume
    """
    refuse_both(resume=resume, overwrite=overwrite)
    from imforensics.config import TrainDetectorConfig, load_config
    from imforensics.models.train import train_detector

    config = load_config(TrainDetectorConfig, config_path, overrides)
    result = train_detector(
        config, run_folder, resume=resume, overwrite=overwrite, progress=training_progress(quiet=quiet)
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
