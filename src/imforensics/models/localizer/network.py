"""The localizer: a network on the grid of 8x8 blocks, from traces of compression and noise to a map."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from imforensics.models.localizer.traces import CHANNELS, TABLE_FACTS

if TYPE_CHECKING:
    import keras

    from imforensics.models.localizer.config import LocalizerNetworkConfig

PIXEL_GAIN = 16.0  # high-pass residuals of [0, 1] pixels are a few percent


@dataclass(frozen=True, slots=True)
class Localizer:
    """The network as a whole and in the three parts that large pictures are passed through.

    Attributes:
        whole: [traces, table, pixels] to [map, reliability, score], all logits. traces (N, R, C, CHANNELS),
            table (N, TABLE_FACTS), pixels (N, 8R, 8C, 3) in [0, 255], float32; map and reliability
            (N, R, C, 1), score (N, 1).
        stem: [traces, table, typical, pixels] to features (N, R, C, channels); `typical` (N, CHANNELS) is the
            mean of the traces over the whole picture.
        trunk: [features, mean] to [map, reliability, context]; `mean` (N, channels) is that of the features
            over the whole picture, `context` (N, R, C, channels).
        scorer: [largest, mean] of the context over the whole picture, (N, channels) each, to score.
        reach: blocks beyond a window that its stem and its trunk look at.
    """

    whole: keras.Model
    stem: keras.Model
    trunk: keras.Model
    scorer: keras.Model
    reach: tuple[int, int]


def build_localizer(config: LocalizerNetworkConfig, *, precision: str = "float32") -> Localizer:
    """An untrained localizer.

    Traces are embedded by 1x1 convolutions, scaled and shifted by what the table and the picture's typical
    traces are; pixels pass a high-pass filter and strided convolutions. Fused at one vector a block, the
    picture's mean is subtracted, and residual blocks of growing dilation bring in the surroundings.

    Args:
        config: shape.
        precision: Keras dtype policy; outputs are float32 always.
    """
    import keras
    from keras import layers

    policy = keras.DTypePolicy(precision)
    stem = _build_stem(config, policy)
    trunk = _build_trunk(config, policy)
    scorer = _build_scorer(config)
    traces = keras.Input((None, None, CHANNELS), name="traces")
    table = keras.Input((TABLE_FACTS,), name="table")
    pixels = keras.Input((None, None, 3), name="pixels")
    typical = layers.GlobalAveragePooling2D(name="typical")(traces)
    features = stem([traces, table, typical, pixels])
    mean = layers.GlobalAveragePooling2D(name="mean", dtype="float32")(features)
    marks, reliability, context = trunk([features, mean])
    largest = layers.GlobalMaxPooling2D(name="largest", dtype="float32")(context)
    average = layers.GlobalAveragePooling2D(name="average", dtype="float32")(context)
    score = scorer([largest, average])
    whole = keras.Model([traces, table, pixels], [marks, reliability, score], name="localizer")
    return Localizer(whole, stem, trunk, scorer, (STEM_REACH, sum(config.dilations)))


STEM_REACH = 3  # blocks: 9 pixels of the high-pass filter and the strided convolutions, and one 3x3 of blocks


def _build_stem(config: LocalizerNetworkConfig, policy: Any) -> keras.Model:
    import keras
    from keras import layers

    traces = keras.Input((None, None, CHANNELS), name="traces")
    table = keras.Input((TABLE_FACTS,), name="table")
    typical = keras.Input((CHANNELS,), name="typical")
    pixels = keras.Input((None, None, 3), name="pixels")
    seen = [
        _embed_traces(traces, table, typical, config.trace_channels, policy)
        if stream == "traces"
        else _embed_pixels(_PIXEL_VIEWS[stream](pixels), config.pixel_channels, policy)
        for stream in config.streams
    ]
    fused = layers.Concatenate(dtype=policy)(seen) if len(seen) > 1 else seen[0]
    features = _convolve(fused, config.channels, 1, policy, activate=False)
    return keras.Model([traces, table, typical, pixels], features, name="stem")


def _build_trunk(config: LocalizerNetworkConfig, policy: Any) -> keras.Model:
    import keras
    from keras import layers

    width = config.channels
    features = keras.Input((None, None, width), name="features", dtype=policy.compute_dtype)
    mean = keras.Input((width,), name="mean")
    usual = layers.Reshape((1, 1, width), dtype=policy)(mean)
    x = layers.Concatenate(dtype=policy)([layers.Subtract(dtype=policy)([features, usual]), features])
    x = _convolve(layers.ReLU(dtype=policy)(x), width, 1, policy)
    for dilation in config.dilations:
        x = _add(x, _convolve(x, width, 3, policy, dilation=dilation, activate=False), policy)
    marks = layers.Conv2D(1, 1, name="map", dtype="float32")(x)
    # The reliability looks at the features; it does not shape them.
    apart = keras.ops.stop_gradient(x)
    hidden = layers.Conv2D(16, 1, activation="relu", dtype=policy)(apart)
    reliability = layers.Conv2D(1, 1, name="reliability", dtype="float32")(hidden)
    context = layers.Activation("linear", name="context", dtype="float32")(x)
    return keras.Model([features, mean], [marks, reliability, context], name="trunk")


def _build_scorer(config: LocalizerNetworkConfig) -> keras.Model:
    import keras
    from keras import layers

    largest = keras.Input((config.channels,), name="largest")
    average = keras.Input((config.channels,), name="average")
    hidden = layers.Dense(32, activation="relu")(layers.Concatenate()([largest, average]))
    return keras.Model([largest, average], layers.Dense(1, name="score")(hidden), name="scorer")


def _embed_traces(traces: Any, table: Any, typical: Any, channels: int, policy: Any) -> Any:
    from keras import layers

    facts = layers.Dense(channels, activation="relu")(layers.Concatenate()([table, typical]))
    scale = layers.Reshape((1, 1, channels), dtype=policy)(
        layers.Dense(channels, bias_initializer="ones")(facts)
    )
    shift = layers.Reshape((1, 1, channels), dtype=policy)(layers.Dense(channels)(facts))
    x = layers.Conv2D(channels, 1, use_bias=False, dtype=policy)(traces)
    x = layers.Add(dtype=policy)([layers.Multiply(dtype=policy)([x, scale]), shift])
    x = _convolve(layers.ReLU(dtype=policy)(x), channels, 1, policy)
    return _add(x, _convolve(x, channels, 3, policy, activate=False), policy)


def _embed_pixels(values: Any, channels: tuple[int, int, int], policy: Any) -> Any:
    x = values
    for index, count in enumerate(channels):
        x = _convolve(x, count, 5 if index == 0 else 3, policy, stride=2)
    return _add(x, _convolve(x, channels[-1], 3, policy, activate=False), policy)


def _high_pass(pixels: Any) -> Any:
    """Pixels minus their 3x3 mean, float32."""
    from keras import layers

    scaled = layers.Rescaling(PIXEL_GAIN / 255)(pixels)
    smooth = layers.AveragePooling2D(3, strides=1, padding="same")(scaled)
    return layers.Subtract()([scaled, smooth])


def _center(pixels: Any) -> Any:
    from keras import layers

    return layers.Rescaling(2 / 255, offset=-1)(pixels)


def _amplify(residual: Any) -> Any:
    from keras import layers

    return layers.Rescaling(PIXEL_GAIN / 255)(residual)


_PIXEL_VIEWS = {"noise": _high_pass, "rgb": _center, "ela": _amplify, "wavelet": _amplify}


def _convolve(
    x: Any,
    channels: int,
    size: int,
    policy: Any,
    *,
    stride: int = 1,
    dilation: int = 1,
    activate: bool = True,
) -> Any:
    from keras import layers

    x = layers.Conv2D(
        channels, size, strides=stride, dilation_rate=dilation, padding="same", use_bias=False, dtype=policy
    )(x)
    x = layers.BatchNormalization(momentum=0.98, dtype=policy)(x)
    return layers.ReLU(dtype=policy)(x) if activate else x


def _add(x: Any, change: Any, policy: Any) -> Any:
    from keras import layers

    return layers.ReLU(dtype=policy)(layers.Add(dtype=policy)([x, change]))
