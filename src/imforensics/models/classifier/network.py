"""The paper's detector: a small convolutional network over one fixed-size input."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import keras


def build_classifier(
    input_shape: tuple[int, int, int],
    *,
    filters: Sequence[int] = (32, 64, 128),
    dense: int = 128,
    dropout: float = 0.5,
) -> keras.Model:
    """Convolution and pooling blocks, global average, dropout, one dense layer, one sigmoid.

    The paper flattens the last block; the global average keeps the model under 1 MB and free of where in
    the frame the alteration lies.

    Args:
        input_shape: (H, W, C); H and W at least 2 ** len(filters).
        filters: channels of each block.
        dense: units of the hidden dense layer.
        dropout: fraction dropped before and after the dense layer, [0, 1).

    Returns:
        An uncompiled model, (N, H, W, C) float32 in [0, 1] to (N, 1) float32 in [0, 1]; higher = more
        likely tampered.

    Raises:
        ValueError: the input is too small for so many blocks.

    Reference:
        Nimma et al., International Journal of Intelligent Systems and Applications in Engineering, 2024
        (no DOI): error level analysis at 128x128 into a convolutional network.
    """
    import keras
    from keras import layers

    smallest = 2 ** len(filters)
    if min(input_shape[:2]) < smallest:
        raise ValueError(
            f"Expected an input of at least {smallest}x{smallest} for {len(filters)} pooling blocks, "
            f"received {input_shape}. Use fewer filters or a larger input."
        )
    inputs = keras.Input(input_shape, name="image")
    x = inputs
    for index, channels in enumerate(filters, start=1):
        x = layers.Conv2D(channels, 3, padding="same", activation="relu", name=f"conv_{index}")(x)
        x = layers.MaxPooling2D(name=f"pool_{index}")(x)
    x = layers.GlobalAveragePooling2D(name="average")(x)
    x = layers.Dropout(dropout, name="dropout_1")(x)
    x = layers.Dense(dense, activation="relu", name="dense")(x)
    x = layers.Dropout(dropout, name="dropout_2")(x)
    outputs = layers.Dense(1, activation="sigmoid", name="score")(x)
    return keras.Model(inputs, outputs, name="classifier")
