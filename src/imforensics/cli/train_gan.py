"""`imforensics train-gan`: train a DCGAN with its encoder on authentic images, and export them."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import click

from imforensics.cli.options import TrainingOptions, training_options
from imforensics.cli.progress import training_progress

if TYPE_CHECKING:
    from imforensics.models.gan.train import TrainGanResult


@click.command("train-gan")
@training_options("checkpoints, logs, curves, sample grids and the bundle")
def command(options: TrainingOptions) -> None:
    """Train a DCGAN and its encoder on the authentic images of a data set; export them as a bundle.

    Training needs the extra "train" (TensorFlow); using the bundle does not. The data set's folder is
    dataset.root; by default it is searched for below the folder given by IMFORENSICS_DATA. Resuming a
    finished run evaluates and exports it again. The results are written to standard output as JSON.

    \b
    Examples:
      imforensics train-gan -c configs/train_gan.yaml -o runs/gan
      imforensics train-gan -c configs/train_gan_64.yaml -o runs/gan_64
      imforensics train-gan -c configs/train_gan.yaml -o runs/gan --resume
    """
    from imforensics.config import load_config
    from imforensics.models.gan.config import TrainGanConfig
    from imforensics.models.gan.train import train_gan

    config = load_config(TrainGanConfig, options.config_path, options.overrides)
    result = train_gan(
        config,
        options.run_folder,
        resume=options.resume,
        overwrite=options.overwrite,
        progress=training_progress(quiet=options.quiet),
    )
    click.echo(json.dumps(_summarize(result), indent=2))


def _summarize(result: TrainGanResult) -> dict[str, Any]:
    source = result.manifest.provenance
    return {
        "bundle": str(result.bundle_folder),
        "epochs": source.gan_epochs,
        "encoder_epochs": source.encoder_epochs,
        "encoder_best_epoch": source.encoder_best_epoch,
        "kernel_distance": source.kernel_distance,
        "kernel_distance_floor": source.kernel_distance_floor,
        "collapse_alarms": list(result.collapsed),
        "reconstruction": [item.model_dump(mode="json") for item in result.manifest.measurements],
    }


if __name__ == "__main__":
    command()
