"""Training a DCGAN with its encoder, from the configuration to the bundle."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from imforensics.errors import DatasetError
from imforensics.models.gan.card import format_gan_card
from imforensics.models.gan.config import TrainGanConfig
from imforensics.models.gan.encoder import LOG_FILE as ENCODER_LOG
from imforensics.models.gan.encoder import fit_encoder
from imforensics.models.gan.export import FinishedGan, export_gan
from imforensics.models.gan.fit import SAMPLES, fit_gan, has_collapsed
from imforensics.models.gan.images import list_authentic, read_images
from imforensics.models.gan.manifest import GanManifest
from imforensics.models.gan.pictures import draw_progress
from imforensics.models.training.extra import require_training
from imforensics.models.training.run import TrainingRun, TrainResult
from imforensics.models.training.training_log import LOG_FILE

PROGRESS_PICTURE = "samples.jpg"
SHOWN_GRIDS = 6  # of the run, evenly spread
REQUIRED = ("tensorflow", "keras", "onnx")


def train_gan(config: TrainGanConfig, run: TrainingRun) -> TrainResult[GanManifest]:
    """Train generator, discriminator and encoder on authentic images; measure and export them.

    Args:
        config: what to do.
        run: gets config.yaml, checkpoints, logs, curves, sample grids and the bundle.

    Returns:
        The bundle's place and what was measured.

    Raises:
        MissingExtraError: a package of REQUIRED is not installed.
        DatasetError: the data set or a split is missing, or has no authentic images, or too few for a batch.
        OutputExistsError, InterruptedRunError: see `TrainingRun.open`.
    """
    require_training("train-gan", REQUIRED)
    paths = {split: list_authentic(config.dataset, split) for split in ("train", "val")}
    _check_count(config, len(paths["train"]))
    with run.open(config):
        train = read_images(paths["train"], stage="training images", progress=run.progress)
        validation = read_images(paths["val"], stage="validation images", progress=run.progress)
        trainer, gan, reference = fit_gan(config, train, validation, run.folder, progress=run.progress)
        encoder, fit = fit_encoder(config, trainer, train, reference, run.folder, progress=run.progress)
        _draw_samples(run.folder)
        finished = FinishedGan(trainer, encoder, gan, fit, reference, validation, len(train))
        parts, manifest = export_gan(config, finished, progress=run.progress)
        collapsed = [row.epoch for row in gan.rows if has_collapsed(row, config)]
        return run.finish(
            manifest,
            parts,
            card=format_gan_card(manifest),
            state=gan,
            figures=_list_figures(manifest, collapsed),
            logs=(LOG_FILE, ENCODER_LOG),
            pictures=[PROGRESS_PICTURE],
        )


def _list_figures(manifest: GanManifest, collapsed: list[int]) -> dict[str, Any]:
    source = manifest.provenance
    return {
        "encoder_epochs": source.encoder_epochs,
        "encoder_best_epoch": source.encoder_best_epoch,
        "kernel_distance": source.kernel_distance,
        "kernel_distance_floor": source.kernel_distance_floor,
        "collapse_alarms": collapsed,
        "reconstruction": [item.model_dump(mode="json") for item in manifest.measurements],
    }


def _check_count(config: TrainGanConfig, count: int) -> None:
    """Refuse, before anything is trained, what does not fill one batch."""
    for name, size in (("fit", config.fit.batch_size), ("encoder", config.encoder.batch_size)):
        if count < size:
            raise DatasetError(
                f"Expected at least {name}.batch_size={size} training images, received {count}. Add images, "
                f"or lower {name}.batch_size"
            )


def _draw_samples(run_folder: Path) -> None:
    grids = sorted((run_folder / SAMPLES).glob(f"epoch_{4 * '[0-9]'}.png"))
    count = min(SHOWN_GRIDS, len(grids))
    chosen = [grids[round(index * (len(grids) - 1) / max(count - 1, 1))] for index in range(count)]
    draw_progress(chosen, run_folder / PROGRESS_PICTURE)
