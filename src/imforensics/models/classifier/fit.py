"""The fit: epoch by epoch, each one a function of (weights, seed, epoch), checkpointed, resumable."""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from imforensics.models.classifier.batches import LabelledInputs, class_weights, training_batches
from imforensics.models.classifier.config import TrainDetectorConfig
from imforensics.models.classifier.network import build_classifier
from imforensics.models.training.checkpoints import (
    Checkpoint,
    EpochRow,
    FitState,
    load_checkpoint,
    save_checkpoint,
)
from imforensics.models.training.determinism import make_deterministic, reseed_dropout
from imforensics.models.training.progress import Progress
from imforensics.models.training.training_log import TensorBoardLog, write_log

if TYPE_CHECKING:
    import keras

CHECKPOINT_FOLDER = "checkpoints"


def fit_classifier(
    config: TrainDetectorConfig,
    train: LabelledInputs,
    validation: LabelledInputs,
    run_folder: Path,
    *,
    progress: Progress | None = None,
) -> Checkpoint:
    """Fit the network, from the run's last checkpoint where there is one.

    Args:
        config: network, fit and seed.
        train: what to learn from.
        validation: what early stopping looks at.
        run_folder: checkpoints, training_log.csv and TensorBoard events go there.
        progress: told of each batch.

    Returns:
        The last checkpoint; its `best_path` is the model with the lowest validation loss.

    Raises:
        InterruptedRunError: the checkpoint there cannot be read.
        ValueError: a class has no training image.
    """
    progress = progress or Progress()
    make_deterministic(config.seed)
    checkpoint = load_checkpoint(run_folder / CHECKPOINT_FOLDER)
    state = checkpoint.state if checkpoint else FitState()
    model = _load_or_build(config, train.inputs.shape[1:], checkpoint)
    write_log(run_folder, state.rows)
    events = TensorBoardLog(run_folder, state.rows)
    images = len(train.labels)
    progress.start("fit", total=images * config.fit.epochs, done=images * state.epoch)
    while checkpoint is None or not (state.stopped or state.epoch >= config.fit.epochs):
        row = _fit_epoch(model, config, train, validation, epoch=state.epoch + 1, progress=progress)
        state = state.add_epoch(row, patience=config.fit.patience, min_delta=config.fit.min_delta)
        checkpoint = save_checkpoint(run_folder / CHECKPOINT_FOLDER, state, model)
        write_log(run_folder, state.rows)
        events.add(row)
    progress.finish()
    events.close()
    return checkpoint


def _fit_epoch(
    model: keras.Model,
    config: TrainDetectorConfig,
    train: LabelledInputs,
    validation: LabelledInputs,
    *,
    epoch: int,
    progress: Progress,
) -> EpochRow:
    fit = config.fit
    weights = class_weights(train.labels) if fit.class_weights else (1.0, 1.0)
    batches = training_batches(
        train, batch_size=fit.batch_size, seed=config.seed, epoch=epoch, flips=fit.flips, weights=weights
    )
    reseed_dropout(model, config.seed, epoch)
    progress.describe(f"epoch {epoch}/{fit.epochs}")
    started = time.perf_counter()
    history = model.fit(
        batches,
        shuffle=False,
        verbose=0,
        callbacks=[batch_callback(progress, fit.batch_size, len(train.labels))],
    ).history
    seconds = time.perf_counter() - started
    val_loss, val_accuracy = model.evaluate(
        validation.inputs, validation.labels[:, None], batch_size=64, verbose=0
    )
    row = EpochRow(
        epoch=epoch,
        loss=history["loss"][0],
        accuracy=history["accuracy"][0],
        val_loss=val_loss,
        val_accuracy=val_accuracy,
        seconds=seconds,
        images_per_second=len(train.labels) / seconds,
    )
    progress.say(
        f"epoch {epoch:3d}  loss {row.loss:.4f}  accuracy {row.accuracy:.3f}  val_loss {row.val_loss:.4f}  "
        f"val_accuracy {row.val_accuracy:.3f}  {row.images_per_second:.0f} images/s"
    )
    return row


def _load_or_build(
    config: TrainDetectorConfig, input_shape: tuple[int, int, int], checkpoint: Checkpoint | None
) -> keras.Model:
    import keras

    if checkpoint is not None:
        return keras.models.load_model(checkpoint.model_path, safe_mode=True)
    network = config.network
    model = build_classifier(
        input_shape, filters=network.filters, dense=network.dense, dropout=network.dropout
    )
    model.compile(
        optimizer=keras.optimizers.Adam(config.fit.learning_rate),
        loss=keras.losses.BinaryCrossentropy(),
        metrics=[keras.metrics.BinaryAccuracy(name="accuracy")],
    )
    return model


def step_callback(progress: Progress) -> Any:
    """A Keras callback that tells `progress` of each step."""
    import keras

    def advance(batch: int, logs: Any = None) -> None:  # noqa: ARG001 - the names are Keras's
        progress.advance()

    return keras.callbacks.LambdaCallback(on_train_batch_end=advance)


def batch_callback(progress: Progress, batch_size: int, images: int) -> Any:
    """A Keras callback that tells `progress` of each batch of an epoch."""
    import keras

    def advance(batch: int, logs: Any = None) -> None:  # noqa: ARG001 - the name is Keras's
        progress.advance(min(batch_size, images - batch * batch_size))

    return keras.callbacks.LambdaCallback(on_train_batch_end=advance)
