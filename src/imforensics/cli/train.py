"""`imforensics train-detector`, `train-gan`, `train-autoencoder`: train a network, export it as a bundle."""

from __future__ import annotations

import json

import click

from imforensics.cli.options import TrainingOptions, training_options
from imforensics.cli.progress import training_progress


@click.command("train-detector")
@training_options("checkpoints, logs, curves, metrics and the bundle")
def train_detector(options: TrainingOptions) -> None:
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
    _train("train-detector", options)


@click.command("train-gan")
@training_options("checkpoints, logs, curves, sample grids and the bundle")
def train_gan(options: TrainingOptions) -> None:
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
    _train("train-gan", options)


@click.command("train-autoencoder")
@training_options("checkpoints, logs, curves, metrics and the bundle")
def train_autoencoder(options: TrainingOptions) -> None:
    """Train a convolutional autoencoder on digits, image patches or residual patches; export it as a bundle.

    Training needs the extra "train" (TensorFlow); using the bundle does not. Resuming a finished run
    evaluates and exports it again. The results are written to standard output as JSON.

    \b
    Examples:
      imforensics train-autoencoder -c configs/train_autoencoder_paper.yaml -o runs/autoencoder_paper
      imforensics train-autoencoder -c configs/train_autoencoder_paper.yaml --set data.source=digits -o runs/d
      imforensics train-autoencoder -c configs/train_autoencoder_residual.yaml -o runs/residual --resume
    """
    _train("train-autoencoder", options)


def _train(command: str, options: TrainingOptions) -> None:
    from imforensics.config import load_config
    from imforensics.models.kinds import choose_kind
    from imforensics.models.training.run import TrainingRun

    kind = choose_kind(command, options.config_path, options.overrides)
    config = load_config(kind.config_type, options.config_path, options.overrides)
    progress = training_progress(quiet=options.quiet)
    run = TrainingRun(options.run_folder, options.resume, options.overwrite, progress)
    click.echo(json.dumps(kind.train(config, run).summarize(), indent=2, allow_nan=False))
