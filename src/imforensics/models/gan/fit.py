"""The adversarial fit: epoch by epoch, each a function of (weights, seed, epoch)."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from imforensics.models.gan.config import TrainGanConfig
from imforensics.models.gan.images import iterate_epoch, middle_patches, whole_views
from imforensics.models.gan.pictures import save_grid
from imforensics.models.gan.scores import feature_scale, kernel_distance, mean_distance, random_features
from imforensics.models.gan.step import GanTrainer, draw_step
from imforensics.models.training.checkpoints import CHECKPOINT_FOLDER, LogRow, SavedState, newest_checkpoint
from imforensics.models.training.determinism import make_deterministic, reseed_dropout
from imforensics.models.training.epochs import Fit
from imforensics.models.training.progress import Progress
from imforensics.types import FloatArray, UInt8Array

PART = "gan"
SAMPLES = "samples"
GRID = (3, 8)  # rows and columns of a sample grid
GRID_STREAM, SCORE_STREAM = 1, 2  # of the seed: never those of an epoch, which have two numbers
PREDICT_BATCH = 32


class GanRow(LogRow):
    """One epoch of the adversarial fit; losses are mean binary cross-entropies in nats.

    Attributes:
        generator: loss of the generator: how surely its images are called generated.
        discriminator_real: loss of the discriminator on training images.
        discriminator_fake: its loss on generated images.
        total: the three together.
        val_discriminator_real: its loss on validation images, without augmentation and dropout.
        train_discriminator_real: the same on as many training images; far below the former, it has
            memorised them.
        kernel_distance: of generated to validation images, None in epochs without a look.
        diversity: how much samples differ from each other, as a share of what training images do, None
            likewise.
        seconds: the epoch took, without that look.
        steps_per_second: of the fit.
    """

    generator: float
    discriminator_real: float
    discriminator_fake: float
    total: float
    val_discriminator_real: float
    train_discriminator_real: float
    kernel_distance: float | None = None
    diversity: float | None = None
    seconds: float
    steps_per_second: float


@dataclass(frozen=True, slots=True)
class SampleReference:
    """What samples are held against; made once a run.

    Attributes:
        validation: (M, size, size, 3) float32, whole images and middle patches in the configured shares.
        training: as many training images.
        features: of the validation images.
        scale: that features are standardized with.
        distance: mean distance of pairs of training images.
        floor: kernel distance of training to validation images.
    """

    validation: FloatArray
    training: FloatArray
    features: FloatArray
    scale: FloatArray
    distance: float
    floor: float


def fit_gan(
    config: TrainGanConfig,
    train: Sequence[UInt8Array],
    validation: Sequence[UInt8Array],
    run_folder: Path,
    *,
    progress: Progress | None = None,
) -> tuple[GanTrainer, SavedState[GanRow], SampleReference]:
    """Fit generator and discriminator, from the run's last checkpoint where there is one.

    Args:
        config: networks, fit and seed.
        train: (H, W, 3) uint8 each, authentic; at least a batch.
        validation: likewise; nothing is learned from them.
        run_folder: checkpoints, logs, curves and sample grids go there.
        progress: told of each step.

    Returns:
        The networks after the last epoch, how the fit went, and what samples were held against.

    Raises:
        InterruptedRunError: the checkpoint there cannot be read.
    """
    progress = progress or Progress()
    make_deterministic(config.seed)
    trainer = GanTrainer(config)
    reference = make_sample_reference(config, train, validation)
    samples = run_folder / SAMPLES
    if newest_checkpoint(run_folder / CHECKPOINT_FOLDER / PART) is None:
        sample_grid(trainer, config, samples / "epoch_0000.png")

    def fit_epoch(epoch: int) -> GanRow:
        row = _fit_epoch(trainer, config, train, reference, epoch=epoch, progress=progress)
        if row.kernel_distance is not None:
            sample_grid(trainer, config, samples / f"epoch_{epoch:04d}.png")
        return row

    state = Fit(
        row_type=GanRow,
        groups=trainer.groups,
        epochs=config.fit.epochs,
        total=len(train) // config.fit.batch_size,
        unit="steps",
        part=PART,
    ).run(run_folder, fit_epoch, progress=progress)
    return trainer, state, reference


def make_sample_reference(
    config: TrainGanConfig, train: Sequence[UInt8Array], validation: Sequence[UInt8Array]
) -> SampleReference:
    """Views of validation images and of as many training images, spread over the whole list."""
    chosen = np.linspace(0, len(train) - 1, min(len(train), len(validation))).astype(int)
    seen = mixed_views([train[index] for index in chosen], config)
    held_out = mixed_views(validation, config)
    features = random_features(held_out)
    scale = feature_scale(features)
    return SampleReference(
        validation=held_out,
        training=seen,
        features=features,
        scale=scale,
        distance=mean_distance(seen),
        floor=kernel_distance(random_features(seen), features, scale=scale),
    )


def mixed_views(images: Sequence[UInt8Array], config: TrainGanConfig) -> FloatArray:
    """Whole images and middle patches, the latter in the share that is trained on: (N, size, size, 3)."""
    patches = round(len(images) * config.images.patch_share)
    parts = []
    if patches < len(images):
        parts.append(whole_views(images[patches:], config.images.size))
    if patches:
        parts.append(middle_patches(images[:patches], config.images.size))
    return np.concatenate(parts)


def sample_grid(trainer: GanTrainer, config: TrainGanConfig, path: Path) -> None:
    """Images of the same noise vectors at every call."""
    noise = _fixed_noise(config, GRID[0] * GRID[1], GRID_STREAM)
    save_grid(predict(trainer.averaged, noise), path, columns=GRID[1])


def predict(model: Any, inputs: FloatArray) -> FloatArray:
    """First output of a model in inference mode, batch by batch; no progress bar, no data pipeline."""
    parts = []
    for start in range(0, len(inputs), PREDICT_BATCH):
        output = model(inputs[start : start + PREDICT_BATCH], training=False)
        parts.append(np.asarray(output[0] if isinstance(output, (list, tuple)) else output))
    return np.concatenate(parts)


def _fit_epoch(
    trainer: GanTrainer,
    config: TrainGanConfig,
    train: Sequence[UInt8Array],
    reference: SampleReference,
    *,
    epoch: int,
    progress: Progress,
) -> GanRow:
    fit, size = config.fit, config.images.size
    reseed_dropout(trainer.discriminator, config.seed, epoch)
    draws = np.random.default_rng([config.seed, epoch, 1])
    losses, started = [], time.perf_counter()
    for images in iterate_epoch(
        train, config.images, batch_size=fit.batch_size, seed=config.seed, epoch=epoch
    ):
        draw = draw_step(draws, batch=len(images), latent=config.networks.latent, size=size)
        losses.append(trainer.train_step(images, draw.noise, draw.colours, draw.holes, draw.shifts).numpy())
        progress.advance()
    seconds = time.perf_counter() - started
    generator, real, fake = (float(value) for value in np.stack(losses).mean(0, dtype=np.float64))
    looks = epoch % fit.sample_every == 0 or epoch == fit.epochs
    distance, diversity = _look_at_samples(trainer, config, reference) if looks else (None, None)
    row = GanRow(
        epoch=epoch,
        generator=generator,
        discriminator_real=real,
        discriminator_fake=fake,
        total=generator + real + fake,
        val_discriminator_real=_loss_on_real(trainer, reference.validation),
        train_discriminator_real=_loss_on_real(trainer, reference.training),
        kernel_distance=distance,
        diversity=diversity,
        seconds=seconds,
        steps_per_second=len(losses) / seconds,
    )
    _tell(row, config, reference, progress)
    return row


def _look_at_samples(
    trainer: GanTrainer, config: TrainGanConfig, reference: SampleReference
) -> tuple[float, float]:
    """Kernel distance to validation images, and diversity beside that of training images."""
    made = predict(trainer.averaged, _fixed_noise(config, config.fit.samples, SCORE_STREAM))
    distance = kernel_distance(random_features(made), reference.features, scale=reference.scale)
    return distance, mean_distance(made) / reference.distance


def _loss_on_real(trainer: GanTrainer, images: FloatArray) -> float:
    """Binary cross-entropy against "real", ln(1 + exp(-logit)), in inference mode."""
    return float(np.logaddexp(0, -predict(trainer.discriminator, images)).mean())


def _tell(row: GanRow, config: TrainGanConfig, reference: SampleReference, progress: Progress) -> None:
    text = (
        f"epoch {row.epoch:3d}  generator {row.generator:.3f}  discriminator real "
        f"{row.discriminator_real:.3f} fake {row.discriminator_fake:.3f}  {row.steps_per_second:.2f} steps/s"
    )
    if row.kernel_distance is not None and row.diversity is not None:
        text += f"  kernel distance {row.kernel_distance:.3f} (data {reference.floor:.3f})"
        text += f"  diversity {row.diversity:.2f}"
    progress.say(text)
    if has_collapsed(row, config):
        progress.say(
            f"mode collapse: samples differ by {row.diversity:.0%} of what training images differ by, the "
            f"alarm is set at {config.fit.collapse_ratio:.0%}"
        )


def has_collapsed(row: GanRow, config: TrainGanConfig) -> bool:
    """True where an epoch's samples were looked at and are too much alike."""
    return row.diversity is not None and row.diversity < config.fit.collapse_ratio


def _fixed_noise(config: TrainGanConfig, count: int, stream: int) -> FloatArray:
    generator = np.random.default_rng([config.seed, 0, 0, stream])
    return generator.standard_normal((count, config.networks.latent), dtype=np.float32)
