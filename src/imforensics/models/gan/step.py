"""One step of the adversarial game, and the augmentation that makes a few hundred images go further."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from imforensics.models.gan.config import TrainGanConfig
from imforensics.models.gan.networks import build_discriminator, build_generator
from imforensics.types import FloatArray

if TYPE_CHECKING:
    import tensorflow as tf

BRIGHTNESS = 0.2  # largest shift of an image's values in [0, 1]
CONTRAST = (0.6, 1.4)  # range of the factors of contrast and of saturation
SHIFT_SHARE = 8  # images are moved by up to size / this
HOLE_SHARE = 4  # and lose a square of size / this


@dataclass(frozen=True, slots=True)
class Draw:
    """Everything random of one step, so that a step is a function of weights and these.

    Attributes:
        noise: (N, latent) float32.
        colours: (2, N, 3) float32: brightness, contrast, saturation; of training and of generated images.
        holes: (2, N, 2) float32 in [0, 1]: places of the holes.
        shifts: (2, 2) int32, in pixels, at least 0.
    """

    noise: FloatArray
    colours: FloatArray
    holes: FloatArray
    shifts: np.ndarray


def draw_step(generator: np.random.Generator, *, batch: int, latent: int, size: int) -> Draw:
    """Draw one step's noise and augmentation."""
    colours = np.empty((2, batch, 3), np.float32)
    colours[..., 0] = generator.uniform(-BRIGHTNESS, BRIGHTNESS, (2, batch))
    colours[..., 1:] = generator.uniform(*CONTRAST, (2, batch, 2))
    return Draw(
        noise=generator.standard_normal((batch, latent), dtype=np.float32),
        colours=colours,
        holes=generator.random((2, batch, 2), dtype=np.float32),
        shifts=generator.integers(0, 2 * (size // SHIFT_SHARE) + 1, (2, 2), dtype=np.int32),
    )


def augment(images: tf.Tensor, colours: tf.Tensor, holes: tf.Tensor, shift: tf.Tensor) -> tf.Tensor:
    """Change colours, move, and cut a hole: the same kind of change for training and generated images.

    Args:
        images: (N, H, W, 3) in [0, 1].
        colours: (N, 3): brightness added, factors of contrast and of saturation.
        holes: (N, 2) in [0, 1]: where the hole's middle lies.
        shift: (2,) int32, rows and columns, 0 to 2 * (H // SHIFT_SHARE); the middle moves nothing.

    Returns:
        (N, H, W, 3), differentiable in the images; beyond [0, 1] where the colours are.

    Reference:
        Zhao et al., Differentiable Augmentation for Data-Efficient GAN Training, NeurIPS 2020,
        arXiv 2006.10738. Here one shift serves a whole batch, and what moves in is the mirror image: a
        frame of one colour is soon copied by the generator.
    """
    import tensorflow as tf

    height, width = images.shape[1], images.shape[2]
    gray = tf.reduce_mean(images, axis=3, keepdims=True)
    x = gray + (images - gray) * colours[:, None, None, 2:3]
    mean = tf.reduce_mean(x, axis=(1, 2, 3), keepdims=True)
    x = mean + (x - mean) * colours[:, None, None, 1:2] + colours[:, None, None, 0:1]
    margin = [height // SHIFT_SHARE, width // SHIFT_SHARE]
    x = tf.pad(x, [[0, 0], [margin[0]] * 2, [margin[1]] * 2, [0, 0]], mode="REFLECT")
    x = tf.slice(x, tf.concat([[0], shift, [0]], 0), [-1, height, width, -1])
    inside = [
        tf.abs(tf.range(side, dtype=tf.float32)[None] - holes[:, axis, None] * side) < side / HOLE_SHARE / 2
        for axis, side in enumerate((height, width))
    ]
    hole = tf.cast(inside[0][:, :, None] & inside[1][:, None, :], x.dtype)[..., None]
    return x * (1 - hole) + 0.5 * hole


class GanTrainer:
    """Generator, discriminator, the running mean of the generator, and both optimizers.

    Attributes:
        generator: learns; `averaged` is what is kept.
        discriminator: learns to tell training images from generated ones.
        averaged: generator with the running mean of the weights.
        optimizers: the generator's and the discriminator's Adam.
    """

    def __init__(self, config: TrainGanConfig, *, jit_compile: bool = False) -> None:
        """Build networks and optimizers from the configuration's seed."""
        import keras
        import tensorflow as tf

        shape, fit = config.networks, config.fit
        self._fit = fit
        self.generator = build_generator(shape.latent, filters=shape.generator_filters, seed=config.seed)
        self.averaged = build_generator(shape.latent, filters=shape.generator_filters, seed=config.seed)
        self.averaged.set_weights(self.generator.get_weights())
        self.discriminator = build_discriminator(
            config.images.size,
            filters=shape.discriminator_filters,
            dropout=shape.dropout,
            norm=shape.discriminator_norm,
            seed=config.seed + 1,
        )
        self.optimizers = (
            keras.optimizers.Adam(fit.generator_learning_rate, beta_1=fit.beta_1),
            keras.optimizers.Adam(fit.discriminator_learning_rate, beta_1=fit.beta_1),
        )
        self.optimizers[0].build(self.generator.trainable_variables)
        self.optimizers[1].build(self.discriminator.trainable_variables)
        self.train_step = tf.function(self._train_step, jit_compile=jit_compile, autograph=False)

    @property
    def groups(self) -> dict[str, Sequence[Any]]:
        """Every variable that a step reads and changes, for checkpoints."""
        return {
            "generator": self.generator.weights,
            "averaged": self.averaged.weights,
            "discriminator": self.discriminator.weights,
            "generator_optimizer": self.optimizers[0].variables,
            "discriminator_optimizer": self.optimizers[1].variables,
        }

    def _train_step(
        self, images: tf.Tensor, noise: tf.Tensor, colours: tf.Tensor, holes: tf.Tensor, shifts: tf.Tensor
    ) -> tf.Tensor:
        """Discriminator first, then the generator against the discriminator that has just learned.

        Returns:
            (3,) losses: generator, discriminator on training images, discriminator on generated images.
        """
        import tensorflow as tf

        def look(pictures: tf.Tensor, which: int) -> tf.Tensor:
            seen = (
                augment(pictures, colours[which], holes[which], shifts[which])
                if self._fit.augment
                else pictures
            )
            return self.discriminator(seen, training=True)[0]

        with tf.GradientTape() as making:
            made = self.generator(noise, training=True)
        with tf.GradientTape() as judging:
            real = _cross_entropy(look(images, 0), 1 - self._fit.label_smoothing)
            fake = _cross_entropy(look(made, 1), 0.0)
            loss = real + fake
        variables = self.discriminator.trainable_variables
        self.optimizers[1].apply(judging.gradient(loss, variables), variables)
        with tf.GradientTape() as fooling:
            fooling.watch(made)
            fooled = _cross_entropy(look(made, 1), 1.0)
        variables = self.generator.trainable_variables
        steepest = making.gradient(made, variables, output_gradients=fooling.gradient(fooled, made))
        self.optimizers[0].apply(steepest, variables)
        self._average()
        return tf.stack([fooled, real, fake])

    def _average(self) -> None:
        """Running mean of weights and normalization statistics; while young it forgets its start fast."""
        import tensorflow as tf

        steps = tf.cast(self.optimizers[0].iterations, tf.float32)
        keep = tf.minimum(self._fit.average, (1 + steps) / (10 + steps))
        for mean, value in zip(self.averaged.weights, self.generator.weights, strict=True):
            mean.assign(keep * mean + (1 - keep) * value)


def _cross_entropy(logits: tf.Tensor, label: float) -> tf.Tensor:
    import tensorflow as tf

    return tf.reduce_mean(
        tf.nn.sigmoid_cross_entropy_with_logits(labels=tf.fill(tf.shape(logits), label), logits=logits)
    )
