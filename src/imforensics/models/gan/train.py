"""Training a DCGAN with its encoder, from the configuration to the bundle."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from imforensics.errors import DatasetError
from imforensics.models.gan.config import TrainGanConfig
from imforensics.models.gan.encoder import LOG_FILE as ENCODER_LOG
from imforensics.models.gan.encoder import fit_encoder
from imforensics.models.gan.fit import SAMPLES, fit_gan, has_collapsed
from imforensics.models.gan.images import list_authentic, read_images
from imforensics.models.gan.manifest import GanManifest
from imforensics.models.gan.pictures import draw_progress
from imforensics.models.gan.state import EncoderRow, GanFitState, GanRow
from imforensics.models.gan.writer import FinishedGan, write_gan_bundle
from imforensics.models.training.extra import require_training
from imforensics.models.training.progress import Progress
from imforensics.models.training.run_folder import CONFIG_FILE, open_run_folder
from imforensics.models.training.training_log import LOG_FILE
from imforensics.outputs import write_atomically

BUNDLE_FOLDER = "bundle"
PROGRESS_PICTURE = "samples.jpg"
SHOWN_GRIDS = 6  # of the run, evenly spread
REQUIRED = ("tensorflow", "keras", "onnx")
KEPT = (CONFIG_FILE, LOG_FILE, ENCODER_LOG, "curves.png", "encoder_curves.png", PROGRESS_PICTURE)


@dataclass(frozen=True, slots=True)
class TrainGanResult:
    """What a run ended with.

    Attributes:
        bundle_folder: the exported bundle.
        manifest: its facts, measurements included.
        gan: rows of the adversarial fit.
        encoder: rows of the encoder's fit.
        collapsed: epochs in which the alarm of mode collapse sounded.
    """

    bundle_folder: Path
    manifest: GanManifest
    gan: GanFitState[GanRow]
    encoder: GanFitState[EncoderRow]
    collapsed: tuple[int, ...]


def train_gan(
    config: TrainGanConfig,
    run_folder: Path,
    *,
    resume: bool = False,
    overwrite: bool = False,
    progress: Progress | None = None,
) -> TrainGanResult:
    """Train generator, discriminator and encoder on authentic images; measure and export them.

    A run that is finished and resumed is measured and exported again.

    Args:
        config: what to do.
        run_folder: gets config.yaml, checkpoints, logs, curves, sample grids and the bundle.
        resume: go on with the run that is there.
        overwrite: delete the run that is there.
        progress: told of everything that takes long.

    Returns:
        The bundle's place and what was measured.

    Raises:
        MissingExtraError: a package of REQUIRED is not installed.
        DatasetError: the data set or a split is missing, or has no authentic images, or too few for a batch.
        OutputExistsError, InterruptedRunError: see `open_run_folder`.
    """
    require_training("train-gan", REQUIRED)
    progress = progress or Progress()
    paths = {split: list_authentic(config.dataset, split) for split in ("train", "val")}
    _check_count(config, len(paths["train"]))
    with open_run_folder(run_folder, config, resume=resume, overwrite=overwrite):
        train = read_images(paths["train"], stage="training images", progress=progress)
        validation = read_images(paths["val"], stage="validation images", progress=progress)
        adversaries, gan, yardstick = fit_gan(config, train, validation, run_folder, progress=progress)
        encoder, encoder_fit = fit_encoder(
            config, adversaries, train, yardstick, run_folder, progress=progress
        )
        _draw_samples(run_folder)
        finished = FinishedGan(adversaries, encoder, gan, encoder_fit, yardstick, validation, len(train))
        bundle = run_folder / BUNDLE_FOLDER
        manifest = write_gan_bundle(config, finished, bundle, progress=progress)
        for name in KEPT:
            write_atomically(bundle / name, (run_folder / name).read_bytes())
        write_atomically(run_folder / "MODEL_CARD.md", (bundle / "MODEL_CARD.md").read_bytes())
        collapsed = tuple(row.epoch for row in gan.rows if has_collapsed(row, config))
        return TrainGanResult(bundle, manifest, gan, encoder_fit, collapsed)


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
