"""The networks of the DCGAN and its encoder: functions that return uncompiled models."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import keras

SLOPE = 0.2  # of LeakyReLU below zero, Radford et al. 2016
MOMENTUM = 0.9  # of the running means of batch normalization: a fit has thousands of steps, not millions
EPSILON = 1e-3  # of batch normalization
INITIAL_STDDEV = 0.02  # of the kernels, Radford et al. 2016


def build_generator(latent: int, *, filters: Sequence[int], seed: int | None = None) -> keras.Model:
    """From noise to an image: dense, reshape, then upsampling and convolution until the size is reached.

    Args:
        latent: length of the noise vector.
        filters: channels at 4x4 and after each doubling; N of them make images of 4 * 2 ** (N - 1).
        seed: of the weights.

    Returns:
        An uncompiled model, (N, latent) float32 standard normal to (N, H, W, 3) float32 in [0, 1].

    Reference:
        Radford et al., Unsupervised Representation Learning with Deep Convolutional GANs, ICLR 2016,
        arXiv 1511.06434. Nearest upsampling and convolution in the place of transposed convolution: no
        checkerboard (Odena et al. 2016, doi 10.23915/distill.00003).
    """
    import keras
    from keras import layers

    seeds = _seeds(seed)
    inputs = keras.Input((latent,), name="z")
    units = 4 * 4 * filters[0]
    x = layers.Dense(units, use_bias=False, kernel_initializer=_normal(seeds), name="dense")(inputs)
    x = layers.Reshape((4, 4, filters[0]), name="reshape")(x)
    x = _normalize_and_activate(x, 0)
    for index, channels in enumerate(filters[1:], start=1):
        x = layers.UpSampling2D(interpolation="nearest", name=f"up_{index}")(x)
        x = layers.Conv2D(
            channels,
            3,
            padding="same",
            use_bias=False,
            kernel_initializer=_normal(seeds),
            name=f"conv_{index}",
        )(x)
        x = _normalize_and_activate(x, index)
    # nothing normalizes what comes out here: with 0.02 and so few channels images would start out gray, and
    # Adam, which moves a weight by one learning rate a step, would take thousands of steps to change that
    outputs = layers.Conv2D(
        3,
        3,
        padding="same",
        activation="sigmoid",
        kernel_initializer=keras.initializers.LecunNormal(seed=next(seeds)),
        name="image",
    )(x)
    return keras.Model(inputs, outputs, name="generator")


def build_discriminator(
    size: int,
    *,
    filters: Sequence[int],
    dropout: float = 0.1,
    norm: str = "spectral",
    seed: int | None = None,
) -> keras.Model:
    """Strided convolutions with dropout, then one logit; the last convolution's output beside it.

    Args:
        size: rows and columns of the images.
        filters: channels of each convolution, which halves the resolution.
        dropout: fraction dropped after each convolution.
        norm: "spectral" (Miyato et al. 2018, arXiv 1802.05957), "batch" (not after the first convolution) or
            "none".
        seed: of the weights and the dropout.

    Returns:
        An uncompiled model, (N, size, size, 3) float32 in [0, 1] to logits (N, 1), higher = more like a
        training image, and features (N, h, w, C), the activations of the last convolution before dropout.
    """
    import keras
    from keras import layers

    seeds = _seeds(seed)
    inputs = keras.Input((size, size, 3), name="image")
    x = layers.Rescaling(2.0, offset=-1.0, name="centre")(inputs)
    features = x
    for index, channels in enumerate(filters, start=1):
        layer: Any = layers.Conv2D(
            channels, 4, strides=2, padding="same", kernel_initializer=_normal(seeds), name=f"conv_{index}"
        )
        x = _bound(layer, norm)(x)
        if norm == "batch" and index > 1:
            x = layers.BatchNormalization(momentum=MOMENTUM, epsilon=EPSILON, name=f"norm_{index}")(x)
        x = layers.LeakyReLU(SLOPE, name=f"activation_{index}")(x)
        features = x
        x = layers.Dropout(dropout, seed=next(seeds), name=f"dropout_{index}")(x)
    x = layers.Flatten(name="flat")(x)
    logit = _bound(layers.Dense(1, kernel_initializer=_normal(seeds), name="logit"), norm)(x)
    return keras.Model(inputs, [logit, features], name="discriminator")


def build_encoder(size: int, latent: int, *, filters: Sequence[int], seed: int | None = None) -> keras.Model:
    """From an image to the noise that the generator would make it of.

    Args:
        size: rows and columns of the images.
        latent: length of the noise vector.
        filters: channels of each strided convolution.
        seed: of the weights.

    Returns:
        An uncompiled model, (N, size, size, 3) float32 in [0, 1] to (N, latent) float32.

    Reference:
        Schlegl et al., f-AnoGAN: Fast unsupervised anomaly detection with generative adversarial networks,
        Medical Image Analysis 54, 2019, doi 10.1016/j.media.2019.01.010, section 2.2.
    """
    import keras
    from keras import layers

    seeds = _seeds(seed)
    inputs = keras.Input((size, size, 3), name="image")
    x = layers.Rescaling(2.0, offset=-1.0, name="centre")(inputs)
    for index, channels in enumerate(filters, start=1):
        x = layers.Conv2D(
            channels,
            4,
            strides=2,
            padding="same",
            use_bias=False,
            kernel_initializer=keras.initializers.HeNormal(seed=next(seeds)),
            name=f"conv_{index}",
        )(x)
        x = layers.BatchNormalization(momentum=MOMENTUM, epsilon=EPSILON, name=f"norm_{index}")(x)
        x = layers.LeakyReLU(SLOPE, name=f"activation_{index}")(x)
    x = layers.Flatten(name="flat")(x)
    outputs = layers.Dense(
        latent, kernel_initializer=keras.initializers.GlorotNormal(seed=next(seeds)), name="z"
    )(x)
    return keras.Model(inputs, outputs, name="encoder")


def _normalize_and_activate(x: Any, index: int) -> Any:
    from keras import layers

    x = layers.BatchNormalization(momentum=MOMENTUM, epsilon=EPSILON, name=f"norm_{index}")(x)
    return layers.ReLU(name=f"activation_{index}")(x)


def _bound(layer: Any, norm: str) -> Any:
    from keras import layers

    return layers.SpectralNormalization(layer, name=f"{layer.name}_sn") if norm == "spectral" else layer


def _normal(seeds: Any) -> Any:
    import keras

    return keras.initializers.RandomNormal(stddev=INITIAL_STDDEV, seed=next(seeds))


def _seeds(seed: int | None) -> Any:
    """An endless row of seeds for the layers; None for each where the weights may be any."""
    import itertools

    return itertools.repeat(None) if seed is None else itertools.count(seed * 1000)
