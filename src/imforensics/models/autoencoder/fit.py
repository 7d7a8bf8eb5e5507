"""The fit of an autoencoder: epoch by epoch, each a function of (weights, seed, epoch)."""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from imforensics.models.autoencoder.config import TrainAutoencoderConfig
from imforensics.models.autoencoder.network import build_autoencoder
from imforensics.models.training.checkpoints import EarlyStopping, LogRow, SavedState
from imforensics.models.training.determinism import make_deterministic
from imforensics.models.training.epochs import Fit, step_callback
from imforensics.models.training.progress import Progress
from imforensics.models.training.variables import list_variables

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


def data_range(content: str) -> float:
    """Range of values that SSIM and PSNR take: 1 for pixels, six standard deviations for residuals."""
    return RESIDUAL_RANGE if content == "residual" else 1.0


def fit_autoencoder(
    config: TrainAutoencoderConfig,
    data: AutoencoderData,
    run_folder: Path,
    *,
    progress: Progress | None = None,
) -> tuple[keras.Model, SavedState[AutoencoderRow]]:
    """Fit the network, from the run's last checkpoint where there is one.

    Args:
        config: network, fit and seed.
        data: what to reconstruct.
        run_folder: checkpoints, training_log.csv and TensorBoard events go there.
        progress: told of each batch.

    Returns:
        The model with the lowest validation error, and how the fit went.

    Raises:
        InterruptedRunError: the checkpoint there cannot be read.
    """
    progress = progress or Progress()
    make_deterministic(config.seed)
    model = _build(config, data.train.shape[-1])
    count, fit, value_range = len(data.train), config.fit, data_range(config.data.content)

    def fit_epoch(epoch: int) -> AutoencoderRow:
        shuffled = data.train[np.random.default_rng([config.seed, epoch]).permutation(count)]
        started = time.perf_counter()
        history = model.fit(
            shuffled,
            shuffled,
            batch_size=fit.batch_size,
            shuffle=False,
            verbose=0,
            callbacks=[step_callback(progress, batch_size=fit.batch_size, total=count)],
        ).history
        seconds = time.perf_counter() - started
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

    state = Fit(
        row_type=AutoencoderRow,
        groups=list_variables(model),
        epochs=fit.epochs,
        stopping=EarlyStopping(
            column="val_mse", group="weights", patience=fit.patience, min_delta=fit.min_delta, is_share=True
        ),
        total=count,
        unit="patches",
    ).run(run_folder, fit_epoch, progress=progress)
    return model, state


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


def _build(config: TrainAutoencoderConfig, channels: int) -> keras.Model:
    import keras

    model = build_autoencoder(
        channels,
        filters=config.network.filters,
        latent=config.network.latent,
        output="linear" if config.data.content == "residual" else "sigmoid",
        seed=config.seed,
    )
    model.compile(optimizer=keras.optimizers.Adam(config.fit.learning_rate), loss=config.fit.loss)
    return model
