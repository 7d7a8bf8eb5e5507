"""`imforensics train-fusion`: one calibrated statement from the scores of several methods."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import click

from imforensics.cli.options import TrainingOptions, command_line, training_options
from imforensics.cli.progress import open_bar

if TYPE_CHECKING:
    from imforensics.pipeline.fusion.train import FusionResult


@click.command(
    "train-fusion",
    epilog="""\b
Examples:
  imforensics train-fusion -c configs/train_fusion.yaml -o runs/fusion
  imforensics train-fusion -c configs/train_fusion.yaml -o runs/fusion --resume
  imforensics analyze photo.jpg --set fusion=runs/fusion/bundle
""",
)
@training_options(
    "scores, log, figures and the bundle",
    click.option("-j", "--workers", type=click.IntRange(1), help="Processes; default: all cores."),
)
def command(options: TrainingOptions, *, workers: int | None) -> None:
    """Combine several methods into one calibrated statement.

    Runs the methods on matched controls (tampered files and their own hosts, saved in the same way) and on
    authentic photographs, fits a logistic regression on their scores, calibrates it once, and sets the
    thresholds of the label by the false alarms on photographs and hosts. Needs the extra "train"
    (scikit-learn). Data sets are searched for below the folder given by IMFORENSICS_DATA. A summary is
    written to standard output as JSON.
    """
    from imforensics.config import load_config
    from imforensics.pipeline.fusion.config import TrainFusionConfig
    from imforensics.pipeline.fusion.train import plan_fusion_training

    config = load_config(TrainFusionConfig, options.config_path, options.overrides)
    training = plan_fusion_training(
        config, options.run_folder, resume=options.resume, overwrite=options.overwrite
    )
    done = training.done
    with open_bar(
        "train-fusion", total=training.total, done=done, unit="picture", quiet=options.quiet
    ) as bar:
        for _ in training.score(workers=workers):
            bar.update(1)
    click.echo(json.dumps(_summarize(training.finish(command_line=command_line())), indent=2))


def _summarize(result: FusionResult) -> dict[str, Any]:
    model = result.manifest.model
    return {
        "bundle": str(result.bundle_folder),
        "weights": {part.method: part.weight for part in model.inputs},
        "population": model.calibration.population_with_counts,
        "cross_validated": result.log["cross_validated"],
        "thresholds": result.log["thresholds"],
    }
