"""The localizer's fit: epoch by epoch, each a function of (weights, seed, epoch)."""

from __future__ import annotations

import time
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from imforensics.errors import InterruptedRunError
from imforensics.models.localizer.batches import Batches, make_pipeline
from imforensics.models.localizer.bundle import load_localizer
from imforensics.models.localizer.export import read_parts
from imforensics.models.localizer.feed import LocalizerBatch, open_feed
from imforensics.models.localizer.learning import Learner
from imforensics.models.localizer.network import Localizer, build_localizer
from imforensics.models.localizer.validation import validate
from imforensics.models.training.checkpoints import (
    CHECKPOINT_FOLDER,
    WEIGHTS_FILE,
    LogRow,
    SavedState,
    newest_checkpoint,
)
from imforensics.models.training.epochs import Fit, step_callback
from imforensics.models.training.progress import Progress
from imforensics.models.training.variables import load_arrays

if TYPE_CHECKING:
    from imforensics.models.localizer.config import TrainLocalizerConfig
    from imforensics.models.localizer.feed import Feed

NAMED = 5  # of the photographs that cannot be read


class LocalizerRow(LogRow):
    """One epoch; losses are what `measure_losses` says, measured while learning; NaN is not defined.

    Attributes:
        loss: the sum of the parts.
        map_loss: cross-entropy of blocks, nats.
        dice_loss: weighted.
        score_loss: weighted.
        reliability_loss: weighted.
        val_loss: the sum, of the averaged network on the validation batches.
        val_pixel_auc: of blocks, mean over tampered validation pictures.
        val_f1: of blocks at 0.5, likewise.
        val_image_auc: of the score, validation pictures.
        val_untouched_alarms: share of untouched validation photographs with a block above 0.5.
        seconds: the epoch took, without validation.
        images_per_second: of the fit.
    """

    loss: float
    map_loss: float
    dice_loss: float
    score_loss: float
    reliability_loss: float
    val_loss: float
    val_pixel_auc: float
    val_f1: float
    val_image_auc: float
    val_untouched_alarms: float | None
    seconds: float
    images_per_second: float


def fit_localizer(
    config: TrainLocalizerConfig, run_folder: Path, *, progress: Progress | None = None
) -> tuple[Learner, SavedState[LocalizerRow], list[LocalizerBatch]]:
    """Fit the network, from the run's last checkpoint where there is one.

    Args:
        config: data, network, fit and seed.
        run_folder: checkpoints, training_log.csv and TensorBoard events go there.
        progress: told of each step.

    Returns:
        The networks after the last epoch, how the fit went, and the validation batches.

    Raises:
        DatasetError: a data set or split is missing, or a photograph cannot be decoded.
        InterruptedRunError: the checkpoint there, or the run to start from, cannot be read.
    """
    import keras

    progress = progress or Progress()
    keras.utils.set_random_seed(config.seed)
    learner, fit = Learner(config), config.fit
    if config.start_from is not None and newest_checkpoint(run_folder / CHECKPOINT_FOLDER) is None:
        learner.start_from(_load_start(config, config.start_from))
    held_out = make_validation_batches(config, progress)
    with open_feed(config, "train") as feed:
        _tell_unreadable(feed, "training", progress)
        state = Fit(
            row_type=LocalizerRow,
            groups=learner.groups,
            epochs=fit.epochs,
            total=fit.steps,
            unit="steps",
        ).run(
            run_folder,
            lambda epoch: _fit_epoch(learner, config, feed, held_out, epoch=epoch, progress=progress),
            progress=progress,
        )
    learner.update_averaged()
    return learner, state, held_out


def load_averaged(config: TrainLocalizerConfig, run_folder: Path) -> Learner:
    """The networks of a run as its last checkpoint has them, the averaged one ready to use.

    The optimizer is a new one: the run may have been fitted in another precision.

    Raises:
        InterruptedRunError: there is no checkpoint, it cannot be read, or the network has another shape.
    """
    learner = Learner(config)
    newest = newest_checkpoint(run_folder / CHECKPOINT_FOLDER)
    if newest is None:
        raise InterruptedRunError(f"{run_folder} holds no checkpoint. Name the folder of a localizer's run.")
    weights = {name: learner.groups[name] for name in ("weights", "averages")}
    load_arrays(newest / WEIGHTS_FILE, weights, leave_others=True)
    learner.update_averaged()
    return learner


def make_validation_batches(config: TrainLocalizerConfig, progress: Progress) -> list[LocalizerBatch]:
    """The validation batches, made once a run from photographs of the validation split."""
    steps = -(-config.data.validation_pairs // config.data.pairs)
    progress.start("validation pictures", total=steps, unit="batches")
    batches = []
    with open_feed(config, "val") as feed:
        _tell_unreadable(feed, "validation", progress)
        for batch in feed.iterate(0, steps):
            batches.append(batch)
            progress.advance()
    progress.finish()
    return batches


def _fit_epoch(
    learner: Learner,
    config: TrainLocalizerConfig,
    feed: Feed,
    held_out: Sequence[LocalizerBatch],
    *,
    epoch: int,
    progress: Progress,
) -> LocalizerRow:
    fit = config.fit
    started = time.perf_counter()
    batches = Batches(feed, epoch, fit.steps)
    with batches.telling_errors():
        logs = learner.model.fit(
            make_pipeline(batches),
            steps_per_epoch=fit.steps,
            shuffle=False,
            verbose=0,
            callbacks=[step_callback(progress)],
        ).history
    seconds = time.perf_counter() - started
    learner.update_averaged()
    measured = validate(learner.averaged.whole, held_out, fit)
    pictures = fit.steps * config.data.pictures
    row = LocalizerRow(
        epoch=epoch,
        **{name: values[0] for name, values in logs.items()},
        val_loss=measured.loss,
        val_pixel_auc=measured.overall.pixel_auc,
        val_f1=measured.overall.f1,
        val_image_auc=measured.overall.image_auc,
        val_untouched_alarms=measured.untouched_alarms,
        seconds=seconds,
        images_per_second=pictures / seconds,
    )
    progress.say(
        f"epoch {epoch:3d}  loss {row.loss:.4f}  val_loss {row.val_loss:.4f}  "
        f"pixel AUC {row.val_pixel_auc:.3f}  F1 {row.val_f1:.3f}  image AUC {row.val_image_auc:.3f}  "
        f"{row.images_per_second:.0f} images/s"
    )
    return row


def _tell_unreadable(feed: Feed, what: str, progress: Progress) -> None:
    unreadable = feed.list_unreadable()
    if unreadable:
        names = ", ".join(path.name for path in unreadable[:NAMED])
        more = ", ..." if len(unreadable) > NAMED else ""
        progress.say(f"{len(unreadable)} {what} photographs cannot be read and are left out: {names}{more}")


def _load_start(config: TrainLocalizerConfig, start: Path) -> Localizer:
    """The weights to start from: those of a run, or of a bundle."""
    if (start / CHECKPOINT_FOLDER).is_dir():
        return load_averaged(config, start).averaged
    localizer = build_localizer(config.network)
    read_parts(localizer, load_localizer(find_start(start)).parts)
    return localizer


def find_start(start: Path) -> Path | str:
    """A bundle to start from: a folder, or the name of a shipped one where there is no such folder."""
    return start if start.is_dir() else str(start)
