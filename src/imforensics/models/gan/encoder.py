"""The encoder's fit: from an image to the noise vector that the finished generator makes it of again."""

from __future__ import annotations

import time
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from imforensics.models.gan.config import TrainGanConfig
from imforensics.models.gan.fit import SampleReference
from imforensics.models.gan.images import iterate_epoch
from imforensics.models.gan.networks import build_encoder
from imforensics.models.gan.step import GanTrainer
from imforensics.models.training.checkpoints import EarlyStopping, LogRow, SavedState
from imforensics.models.training.determinism import make_deterministic
from imforensics.models.training.epochs import Fit
from imforensics.models.training.progress import Progress
from imforensics.types import UInt8Array

if TYPE_CHECKING:
    import keras

LOG_FILE = "encoder_log.csv"
EPOCH_OFFSET = 1_000_000  # the encoder's epochs are other ones than the generator's for (seed, epoch)
SSIM_WINDOW = 11


class EncoderRow(LogRow):
    """One epoch of the encoder's fit.

    Attributes:
        loss: what was minimized, on training images while it learned.
        mse: mean squared error of reconstructed training images in [0, 1].
        ssim: their mean structural similarity.
        val_mse: of validation images, whole and patches in the configured shares.
        val_ssim: likewise.
        seconds: the epoch took.
        images_per_second: of the fit.
    """

    loss: float
    mse: float
    ssim: float
    val_mse: float
    val_ssim: float
    seconds: float
    images_per_second: float


class EncoderFit:
    """The encoder, its optimizer and its step; generator and discriminator stay as they are."""

    def __init__(self, config: TrainGanConfig, trainer: GanTrainer) -> None:
        """Build the encoder from the configuration's seed."""
        import keras
        import tensorflow as tf

        shape = config.networks
        self._config = config
        self._generator = trainer.averaged
        self._discriminator = trainer.discriminator
        self.encoder = build_encoder(
            config.images.size, shape.latent, filters=shape.encoder_filters, seed=config.seed + 2
        )
        self.optimizer = keras.optimizers.Adam(config.encoder.learning_rate)
        self.optimizer.build(self.encoder.trainable_variables)
        self.train_step = tf.function(self._train_step, autograph=False)
        self.measure = tf.function(self._measure, autograph=False)

    @property
    def groups(self) -> dict[str, Sequence[Any]]:
        """Every variable that a step changes."""
        return {"encoder": self.encoder.weights, "encoder_optimizer": self.optimizer.variables}

    def _train_step(self, images: Any, noise: Any) -> Any:
        """Schlegl 2019, eq. 3 (izi with features) and eq. 1 (ziz).

        Returns:
            (3,): what was minimized, mean squared error and structural similarity of the reconstructions.
        """
        import tensorflow as tf

        settings = self._config.encoder
        _, wanted = self._discriminator(images, training=False)
        made = self._generator(noise, training=False)
        with tf.GradientTape() as tape:
            again = self._generator(self.encoder(images, training=True), training=False)
            _, found = self._discriminator(again, training=False)
            error = tf.reduce_mean(tf.square(again - images))
            loss = error + settings.feature_weight * tf.reduce_mean(tf.square(found - wanted))
            if settings.latent_weight:
                back = self.encoder(made, training=True)
                loss += settings.latent_weight * tf.reduce_mean(tf.square(back - noise))
        variables = self.encoder.trainable_variables
        self.optimizer.apply(tape.gradient(loss, variables), variables)
        return tf.stack([loss, error, _similarity(again, images)])

    def _measure(self, images: Any) -> Any:
        """(2,): mean squared error and structural similarity of reconstructions in inference mode."""
        import tensorflow as tf

        again = self._generator(self.encoder(images, training=False), training=False)
        return tf.stack([tf.reduce_mean(tf.square(again - images)), _similarity(again, images)])


def fit_encoder(
    config: TrainGanConfig,
    trainer: GanTrainer,
    train: Sequence[UInt8Array],
    reference: SampleReference,
    run_folder: Path,
    *,
    progress: Progress | None = None,
) -> tuple[keras.Model, SavedState[EncoderRow]]:
    """Fit the encoder, from its last checkpoint where there is one; stop early on validation images.

    Args:
        config: networks, fit and seed.
        trainer: of the finished adversarial fit.
        train: (H, W, 3) uint8 each, authentic.
        reference: its validation images are held out.
        run_folder: checkpoints, log and curves go there.
        progress: told of each step.

    Returns:
        The encoder of the epoch with the lowest validation error, and how the fit went.

    Raises:
        InterruptedRunError: the checkpoint there cannot be read.
    """
    progress = progress or Progress()
    settings = config.encoder
    make_deterministic(config.seed)
    fit = EncoderFit(config, trainer)
    state = Fit(
        row_type=EncoderRow,
        groups=fit.groups,
        epochs=settings.epochs,
        stopping=EarlyStopping(
            column="val_mse", group="encoder", patience=settings.patience, min_delta=settings.min_delta
        ),
        total=len(train) // settings.batch_size,
        unit="steps",
        part="encoder",
        log_file=LOG_FILE,
    ).run(
        run_folder,
        lambda epoch: _fit_epoch(fit, config, train, reference, epoch=epoch, progress=progress),
        progress=progress,
    )
    return fit.encoder, state


def _fit_epoch(
    fit: EncoderFit,
    config: TrainGanConfig,
    train: Sequence[UInt8Array],
    reference: SampleReference,
    *,
    epoch: int,
    progress: Progress,
) -> EncoderRow:
    settings = config.encoder
    draws = np.random.default_rng([config.seed, EPOCH_OFFSET + epoch, 1])
    values, started = [], time.perf_counter()
    for images in iterate_epoch(
        train,
        config.images,
        batch_size=settings.batch_size,
        seed=config.seed,
        epoch=EPOCH_OFFSET + epoch,
    ):
        noise = draws.standard_normal((len(images), config.networks.latent), dtype=np.float32)
        values.append(fit.train_step(images, noise).numpy())
        progress.advance()
    seconds = time.perf_counter() - started
    loss, mse, ssim = (float(value) for value in np.stack(values).mean(0, dtype=np.float64))
    val_mse, val_ssim = _measure_all(fit, reference.validation, settings.batch_size)
    row = EncoderRow(
        epoch=epoch,
        loss=loss,
        mse=mse,
        ssim=ssim,
        val_mse=val_mse,
        val_ssim=val_ssim,
        seconds=seconds,
        images_per_second=len(values) * settings.batch_size / seconds,
    )
    progress.say(
        f"encoder epoch {epoch:3d}  loss {loss:.4f}  mse {mse:.4f}  ssim {ssim:.3f}  val_mse {val_mse:.4f}  "
        f"val_ssim {val_ssim:.3f}"
    )
    return row


def _measure_all(fit: EncoderFit, images: Any, batch: int) -> tuple[float, float]:
    """Means over all images, batches weighted by their size."""
    parts = [images[start : start + batch] for start in range(0, len(images), batch)]
    values = np.array([fit.measure(part).numpy() for part in parts], np.float64)
    mean = np.average(values, axis=0, weights=[len(part) for part in parts])
    return float(mean[0]), float(mean[1])


def _similarity(first: Any, second: Any) -> Any:
    """Mean structural similarity, Wang et al. 2004, in TensorFlow."""
    import tensorflow as tf

    return tf.reduce_mean(tf.image.ssim(first, second, max_val=1.0, filter_size=SSIM_WINDOW))
