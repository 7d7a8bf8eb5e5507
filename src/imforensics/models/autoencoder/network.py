"""The convolutional autoencoder: any rows and columns in, the same out, through a narrow middle."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    import keras

OutputActivation = Literal["sigmoid", "linear"]


def build_autoencoder(
    channels: int, *, filters: Sequence[int], latent: int, output: OutputActivation, seed: int | None = None
) -> keras.Model:
    """Convolutions that halve the size, a bottleneck of few channels, nearest upsampling and convolutions.

    Nothing but convolutions: the network takes any size that is a multiple of 2 ** (len(filters) - 1).

    Args:
        channels: of input and output.
        filters: channels of each convolution of the encoder; the first at full size, each further one halves
            rows and columns. The decoder has them in reverse.
        latent: channels of the bottleneck.
        output: "sigmoid" for values in [0, 1], "linear" for residuals.
        seed: of the weights; None takes the global one.

    Returns:
        An uncompiled model, (N, H, W, channels) float32 to the same.

    Raises:
        ValueError: fewer than two filters.

    Reference:
        G. E. Hinton, R. R. Salakhutdinov, "Reducing the dimensionality of data with neural networks",
        Science 313 (2006), doi:10.1126/science.1127647. For forensics on residuals: D. Cozzolino, L.
        Verdoliva, "Single-image splicing localization through autoencoder-based anomaly detection", WIFS
        2016, doi:10.1109/WIFS.2016.7823921.
    """
    import keras
    from keras import layers

    if len(filters) < 2:
        raise ValueError(f"Expected at least two filters, received {tuple(filters)}")
    seeds = iter(range(seed, seed + 4 * len(filters) + 4)) if seed is not None else None

    def convolve(x: keras.KerasTensor, count: int, name: str, **options: object) -> keras.KerasTensor:
        start = keras.initializers.GlorotUniform(seed=next(seeds) if seeds is not None else None)
        return layers.Conv2D(count, padding="same", kernel_initializer=start, name=name, **options)(x)

    inputs = keras.Input((None, None, channels), name="image")
    x = inputs
    for index, count in enumerate(filters):
        strides = 1 if index == 0 else 2
        x = convolve(x, count, f"down_{index}", kernel_size=3, strides=strides, activation="relu")
    x = convolve(x, latent, "bottleneck", kernel_size=1)
    for index, count in enumerate(reversed(filters[:-1])):
        x = layers.UpSampling2D(interpolation="nearest", name=f"double_{index}")(x)
        x = convolve(x, count, f"up_{index}", kernel_size=3, activation="relu")
    outputs = convolve(x, channels, "reconstruction", kernel_size=3, activation=output)
    return keras.Model(inputs, outputs, name="autoencoder")
