"""The localizer's fit: epoch by epoch, each a function of (weights, seed, epoch), checkpointed, resumable."""

from __future__ import annotations

import time
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from pydantic import ConfigDict

from imforensics.errors import InterruptedRunError
from imforensics.models.classifier.fit import step_callback
from imforensics.models.localizer.batches import Batches, make_pipeline
from imforensics.models.localizer.bundle import load_localizer
from imforensics.models.localizer.export import read_parts
from imforensics.models.localizer.feed import LocalizerBatch, open_feed
from imforensics.models.localizer.learning import Learner
from imforensics.models.localizer.network import Localizer, build_localizer
from imforensics.models.localizer.validation import validate
from imforensics.models.training.checkpoints import (
    STATE_FILE,
    LogRow,
    SavedState,
    newest_checkpoint,
    read_state,
    replace_checkpoint,
)
from imforensics.models.training.progress import Progress
from imforensics.models.training.training_log import TensorBoardLog, write_log
from imforensics.models.training.variables import load_arrays, save_arrays

if TYPE_CHECKING:
    from imforensics.models.localizer.config import TrainLocalizerConfig
    from imforensics.models.localizer.feed import Feed

CHECKPOINT_FOLDER = "checkpoints"
WEIGHTS_FILE = "weights.npz"
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

    model_config = ConfigDict(frozen=True, ser_json_inf_nan="constants")

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


class LocalizerState(SavedState):
    """How far a localizer's fit is; the last epoch is the one that is kept, its learning rate is lowest."""

    model_config = ConfigDict(frozen=True, ser_json_inf_nan="constants")

    rows: tuple[LocalizerRow, ...] = ()


def fit_localizer(
    config: TrainLocalizerConfig, run_folder: Path, *, progress: Progress | None = None
) -> tuple[Learner, LocalizerState, list[LocalizerBatch]]:
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
    learner = Learner(config)
    state = _restore(config, learner, run_folder)
    write_log(run_folder, state.rows, row_type=LocalizerRow)
    events = TensorBoardLog(run_folder, state.rows)
    fit = config.fit
    held_out = make_validation_batches(config, progress)
    progress.start("fit", total=fit.steps * fit.epochs, done=fit.steps * state.epoch, unit="steps")
    with open_feed(config, "train") as feed:
        _tell_unreadable(feed, "training", progress)
        while state.epoch < fit.epochs:
            row = _fit_epoch(learner, config, feed, held_out, epoch=state.epoch + 1, progress=progress)
            state = LocalizerState(rows=(*state.rows, row), best_epoch=row.epoch)
            _save(run_folder / CHECKPOINT_FOLDER, state, learner)
            write_log(run_folder, state.rows, row_type=LocalizerRow)
            events.add(row)
    progress.finish()
    events.close()
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
    progress.describe(f"epoch {epoch}/{fit.epochs}")
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
    pictures = fit.steps * (2 * config.data.pairs + config.data.untouched)
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


def _restore(config: TrainLocalizerConfig, learner: Learner, run_folder: Path) -> LocalizerState:
    newest = newest_checkpoint(run_folder / CHECKPOINT_FOLDER)
    if newest is not None:
        load_arrays(newest / WEIGHTS_FILE, learner.groups)
        return read_state(newest, LocalizerState)
    if config.start_from is not None:
        learner.start_from(_load_start(config, config.start_from))
    return LocalizerState()


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


def _save(folder: Path, state: LocalizerState, learner: Learner) -> None:
    def fill(partial: Path) -> None:
        save_arrays(partial / WEIGHTS_FILE, learner.groups)
        (partial / STATE_FILE).write_text(state.model_dump_json(), encoding="utf-8")

    replace_checkpoint(folder, state.epoch, fill)
