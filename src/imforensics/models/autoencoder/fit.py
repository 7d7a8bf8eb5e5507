"""The fit of an autoencoder: epoch by epoch, each a function of (weights, seed, epoch), resumable."""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from imforensics.models.autoencoder.config import TrainAutoencoderConfig
from imforensics.models.autoencoder.network import build_autoencoder
from imforensics.models.classifier.fit import CHECKPOINT_FOLDER, batch_callback
from imforensics.models.training.checkpoints import (
    LogRow,
    SavedFit,
    SavedState,
    load_saved_fit,
    save_checkpoint,
)
from imforensics.models.training.determinism import make_deterministic
from imforensics.models.training.progress import Progress
from imforensics.models.training.training_log import TensorBoardLog, write_log

if TYPE_CHECKING:
    import keras

    from imforensics.models.autoencoder.data import AutoencoderData
    from imforensics.types import FloatArray

LOOKED_AT = 1024  # of the training patches, for the errors of each epoch; of validation patches all are
RESIDUAL_RANGE = 6.0  # residual bands have a standard deviation of about 1: from -3 to 3


class AutoencoderRow(LogRow):
    """One line of the log; mse and ssim compare patches with their reconstructions at the epoch's end."""

    loss: float
    mse: float
    ssim: float
    val_loss: float
    val_mse: float
    val_ssim: float
    seconds: float
    images_per_second: float


class AutoencoderState(SavedState):
    """How far the fit is; `best_epoch` has the lowest validation mse."""

    rows: tuple[AutoencoderRow, ...] = ()

    def add_epoch(self, row: AutoencoderRow, *, patience: int, min_delta: float) -> AutoencoderState:
        """The state after one epoch more; an epoch is better by `min_delta`, a share, or it is not."""
        best = self.rows[self.best_epoch - 1].val_mse if self.best_epoch else float("inf")
        best_epoch = row.epoch if row.val_mse < best * (1 - min_delta) else self.best_epoch
        return AutoencoderState(
            rows=(*self.rows, row), best_epoch=best_epoch, stopped=row.epoch - best_epoch >= patience
        )


def data_range(content: str) -> float:
    """Range of values that SSIM and PSNR take: 1 for pixels, six standard deviations for residuals."""
    return RESIDUAL_RANGE if content == "residual" else 1.0


def fit_autoencoder(
    config: TrainAutoencoderConfig,
    data: AutoencoderData,
    run_folder: Path,
    *,
    progress: Progress | None = None,
) -> SavedFit[AutoencoderState]:
    """Fit the network, from the run's last checkpoint where there is one.

    Args:
        config: network, fit and seed.
        data: what to reconstruct.
        run_folder: checkpoints, training_log.csv and TensorBoard events go there.
        progress: told of each batch.

    Returns:
        The last checkpoint; its `best_path` is the model with the lowest validation error.

    Raises:
        InterruptedRunError: the checkpoint there cannot be read.
    """
    progress = progress or Progress()
    make_deterministic(config.seed)
    folder = run_folder / CHECKPOINT_FOLDER
    checkpoint = load_saved_fit(folder, AutoencoderState)
    state = checkpoint.state if checkpoint else AutoencoderState()
    model = _load_or_build(config, data.train.shape[-1], checkpoint)
    write_log(run_folder, state.rows, row_type=AutoencoderRow)
    events = TensorBoardLog(run_folder, state.rows)
    count, fit = len(data.train), config.fit
    progress.start("fit", total=count * fit.epochs, done=count * state.epoch, unit="patches")
    while checkpoint is None or not (state.stopped or state.epoch >= fit.epochs):
        row = _fit_epoch(model, config, data, epoch=state.epoch + 1, progress=progress)
        state = state.add_epoch(row, patience=fit.patience, min_delta=fit.min_delta)
        checkpoint = save_checkpoint(folder, state, model)
        write_log(run_folder, state.rows, row_type=AutoencoderRow)
        events.add(row)
    progress.finish()
    events.close()
    return checkpoint


def _fit_epoch(
    model: keras.Model,
    config: TrainAutoencoderConfig,
    data: AutoencoderData,
    *,
    epoch: int,
    progress: Progress,
) -> AutoencoderRow:
    fit, count = config.fit, len(data.train)
    order = np.random.default_rng([config.seed, epoch]).permutation(count)
    shuffled = data.train[order]
    progress.describe(f"epoch {epoch}/{fit.epochs}")
    started = time.perf_counter()
    history = model.fit(
        shuffled,
        shuffled,
        batch_size=fit.batch_size,
        shuffle=False,
        verbose=0,
        callbacks=[batch_callback(progress, fit.batch_size, count)],
    ).history
    seconds = time.perf_counter() - started
    value_range = data_range(config.data.content)
    train_mse, train_ssim = _compare(model, _spread(data.train), value_range)
    val_mse, val_ssim = _compare(model, data.validation, value_range)
    row = AutoencoderRow(
        epoch=epoch,
        loss=history["loss"][0],
        mse=train_mse,
        ssim=train_ssim,
        val_loss=model.evaluate(data.validation, data.validation, batch_size=256, verbose=0),
        val_mse=val_mse,
        val_ssim=val_ssim,
        seconds=seconds,
        images_per_second=count / seconds,
    )
    progress.say(
        f"epoch {epoch:3d}  loss {row.loss:.4f}  mse {row.mse:.4f}  val_mse {row.val_mse:.4f}  "
        f"val_ssim {row.val_ssim:.4f}  {row.images_per_second:.0f} patches/s"
    )
    return row


def _spread(patches: FloatArray) -> FloatArray:
    """LOOKED_AT patches at most, evenly spaced."""
    chosen = np.linspace(0, len(patches) - 1, min(len(patches), LOOKED_AT)).astype(np.int64)
    return np.asarray(patches[chosen])


def _compare(model: keras.Model, patches: FloatArray, value_range: float) -> tuple[float, float]:
    """Mean squared error and mean structural similarity (the same as `metrics.similarity`, in batches)."""
    import tensorflow as tf

    squares, alike = 0.0, 0.0
    for start in range(0, len(patches), 256):
        batch = patches[start : start + 256]
        made = model.predict_on_batch(batch)
        squares += float(np.mean((made - batch) ** 2, dtype=np.float64)) * len(batch)
        alike += float(tf.reduce_sum(tf.image.ssim(batch, made, max_val=value_range)))
    return squares / len(patches), alike / len(patches)


def _load_or_build(
    config: TrainAutoencoderConfig, channels: int, checkpoint: SavedFit[AutoencoderState] | None
) -> keras.Model:
    import keras

    if checkpoint is not None:
        return keras.models.load_model(checkpoint.model_path, safe_mode=True)
    model = build_autoencoder(
        channels,
        filters=config.network.filters,
        latent=config.network.latent,
        output="linear" if config.data.content == "residual" else "sigmoid",
        seed=config.seed,
    )
    model.compile(optimizer=keras.optimizers.Adam(config.fit.learning_rate), loss=config.fit.loss)
    return model
