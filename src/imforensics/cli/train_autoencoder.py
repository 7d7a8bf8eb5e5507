"""`imforensics train-autoencoder`: train, measure and export an autoencoder."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import click

from imforensics.cli.options import TrainingOptions, training_options
from imforensics.cli.progress import training_progress

if TYPE_CHECKING:
    from imforensics.models.autoencoder.train import TrainAutoencoderResult


@click.command("train-autoencoder")
@training_options("checkpoints, logs, curves, metrics and the bundle")
def command(options: TrainingOptions) -> None:
    """Train a convolutional autoencoder on digits, image patches or residual patches; export it as a bundle.

    Training needs the extra "train" (TensorFlow); using the bundle does not. Resuming a finished run
    evaluates and exports it again. The results are written to standard output as JSON.

    \b
    Examples:
      imforensics train-autoencoder -c configs/train_autoencoder_paper.yaml -o runs/autoencoder_paper
      imforensics train-autoencoder -c configs/train_autoencoder_paper.yaml --set data.source=digits -o runs/d
      imforensics train-autoencoder -c configs/train_autoencoder_residual.yaml -o runs/residual --resume
    """
    from imforensics.config import load_config
    from imforensics.models.autoencoder.config import TrainAutoencoderConfig
    from imforensics.models.autoencoder.train import train_autoencoder

    config = load_config(TrainAutoencoderConfig, options.config_path, options.overrides)
    result = train_autoencoder(
        config,
        options.run_folder,
        resume=options.resume,
        overwrite=options.overwrite,
        progress=training_progress(quiet=options.quiet),
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
