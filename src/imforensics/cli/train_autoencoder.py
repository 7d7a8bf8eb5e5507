"""`imforensics train-autoencoder`: train, measure and export an autoencoder."""

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
    from imforensics.models.train_autoencoder import TrainAutoencoderResult


@click.command("train-autoencoder")
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
    """Train a convolutional autoencoder on digits, image patches or residual patches; export it as a bundle.

    Needs the extra "train" (TensorFlow); using the bundle does not. A finished run that is resumed is
    measured and exported again. Standard output gets the measurements as JSON.

    \b
    Examples:
      imforensics train-autoencoder -c configs/train_autoencoder_paper.yaml -o runs/autoencoder_paper
      imforensics train-autoencoder -c configs/train_autoencoder_paper.yaml --set data.source=digits -o runs/d
      imforensics train-autoencoder -c configs/train_autoencoder_residual.yaml -o runs/residual --resume
    """
    refuse_both(resume=resume, overwrite=overwrite)
    from imforensics.config import load_config
    from imforensics.models.autoencoder_config import TrainAutoencoderConfig
    from imforensics.models.train_autoencoder import train_autoencoder

    config = load_config(TrainAutoencoderConfig, config_path, overrides)
    result = train_autoencoder(
        config, run_folder, resume=resume, overwrite=overwrite, progress=training_progress(quiet=quiet)
    )
    click.echo(json.dumps(_summarize(result), indent=2))


def _summarize(result: TrainAutoencoderResult) -> dict[str, Any]:
    manifest = result.manifest
    return {
        "bundle": str(result.bundle_folder),
        "epochs": result.state.epoch,
        "best_epoch": result.state.best_epoch,
        "curves": result.reading.verdict,
        "reconstruction": [item.model_dump(mode="json") for item in manifest.measurements],
        "threshold": manifest.reference.threshold if manifest.reference else None,
    }


if __name__ == "__main__":
    command()
