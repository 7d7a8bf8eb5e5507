"""`imforensics train-detector`: train, evaluate and export the paper's detector."""

from __future__ import annotations

import json
import sys
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

if TYPE_CHECKING:
    from imforensics.models.progress import Progress
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
        config, run_folder, resume=resume, overwrite=overwrite, progress=_progress(quiet=quiet)
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


def _progress(*, quiet: bool) -> Progress:
    from tqdm import tqdm

    from imforensics.models.progress import Progress

    if quiet:
        return Progress()

    class BarProgress(Progress):
        """Progress bars on standard error."""

        bar: tqdm[Any] | None = None

        def start(self, stage: str, *, total: int, done: int = 0, unit: str = "images") -> None:
            self.bar = tqdm(
                desc=stage, total=total, initial=done, unit=f" {unit}", file=sys.stderr, mininterval=0.5
            )

        def advance(self, count: int = 1) -> None:
            if self.bar is not None:
                self.bar.update(count)

        def describe(self, text: str) -> None:
            if self.bar is not None:
                self.bar.set_postfix_str(text, refresh=False)

        def finish(self) -> None:
            if self.bar is not None:
                self.bar.close()

        def say(self, text: str) -> None:
            tqdm.write(text, file=sys.stderr)

    return BarProgress()


if __name__ == "__main__":
    command()
