"""The exported localizer says on windows what Keras says on the whole picture."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING

import numpy as np
import pytest

from imforensics.errors import BundleError
from imforensics.models.localizer.config import LocalizerNetworkConfig, Stream
from imforensics.models.localizer.export import (
    CHECKED_WINDOWS,
    TOLERANCE,
    compare_export,
    export_localizer,
    read_parts,
    write_parts,
)
from imforensics.models.localizer.inputs import LocalizerInput, build_localizer_input
from imforensics.models.localizer.runtime import WindowSizes, cut_windows

if TYPE_CHECKING:
    from imforensics.models.localizer.network import Localizer

pytestmark = pytest.mark.train


@pytest.fixture(autouse=True, scope="module")
def libraries() -> None:
    for name in ("tensorflow", "keras", "onnx"):
        pytest.importorskip(name)


def build(*streams: Stream) -> Localizer:
    """A small network whose normalizations are not the identity."""
    import keras

    from imforensics.models.localizer.network import build_localizer

    keras.utils.set_random_seed(1)
    config = LocalizerNetworkConfig(
        streams=streams or ("traces", "noise"),
        trace_channels=8,
        pixel_channels=(4, 6, 8),
        channels=10,
        dilations=(1, 2, 4),
    )
    localizer = build_localizer(config)
    rng = np.random.default_rng(0)
    for layer in (*localizer.stem.layers, *localizer.trunk.layers):
        if isinstance(layer, keras.layers.BatchNormalization):
            size = layer.gamma.shape
            layer.set_weights(
                [
                    rng.uniform(0.7, 1.5, size),
                    rng.normal(0, 0.3, size),
                    rng.normal(0, 0.3, size),
                    rng.uniform(0.3, 1.5, size),
                ]
            )
    return localizer


def picture(height: int, width: int, *streams: Stream, is_jpeg: bool = True) -> LocalizerInput:
    rng = np.random.default_rng(height)
    pixels = rng.integers(0, 256, (height, width, 3), dtype=np.uint8)
    shape = (-(-height // 8), -(-width // 8), 8, 8)
    coefficients = np.rint(rng.laplace(0, 3, shape)).astype(np.int16)
    table = np.full((8, 8), 7, np.uint16)
    given = (coefficients, table) if is_jpeg else (None, None)
    return build_localizer_input(pixels, *given, streams=streams or ("traces", "noise"))


def test_windows_of_the_export_say_what_the_whole_says() -> None:
    localizer = build()
    pictures = [picture(256, 168), picture(131, 331), picture(64, 72, is_jpeg=False)]
    exported = export_localizer(localizer, pictures)
    difference = exported.difference
    assert difference.pictures == 3
    assert max(difference.map, difference.reliability, difference.score) < TOLERANCE / 2
    assert (exported.reach, exported.parameters) == (localizer.reach, localizer.whole.count_params())
    found = exported.start(threads=1).localize(pictures[0].traces, pictures[0].pixels)
    assert found.marks.std() > 0.01  # a network that says one thing everywhere would show no difference
    assert found.reliability.std() > 0.01


@pytest.mark.parametrize("streams", [("traces",), ("noise",), ("ela",), ("wavelet", "traces"), ("rgb",)])
def test_every_stream_is_exported(streams: tuple[Stream, ...]) -> None:
    export_localizer(build(*streams), [picture(120, 184, *streams)])


def test_the_stated_reach_is_needed_and_enough() -> None:
    localizer, pictures = build(), [picture(200, 200)]
    parts = write_parts(localizer)
    compare_export(localizer, parts, pictures, windows=WindowSizes(stem=1, trunk=8))
    short = dataclasses.replace(localizer, reach=(localizer.reach[0], localizer.reach[1] - 1))
    with pytest.raises(BundleError, match="differs from the trained one"):
        compare_export(short, parts, pictures, windows=CHECKED_WINDOWS)


@pytest.mark.parametrize("side", [64, 256])
def test_the_smallest_training_picture_needs_several_windows(side: int) -> None:
    blocks = (side // 8, side // 8)
    for size in (CHECKED_WINDOWS.stem, CHECKED_WINDOWS.trunk):
        assert len(cut_windows(blocks, size=size, reach=1)) >= 4


def test_another_network_is_refused() -> None:
    parts, localizer = write_parts(build()), build()
    kernel = localizer.trunk.get_layer("map").kernel
    kernel.assign(kernel + 0.1)
    with pytest.raises(BundleError, match="differs from the trained one"):
        compare_export(localizer, parts, [picture(64, 64)])


def test_an_unknown_layer_is_named() -> None:
    import keras

    localizer = build()
    given = keras.Input((None, None, 10), name="features")
    odd = keras.Model(given, keras.layers.Softmax(name="odd")(given), name="trunk")
    with pytest.raises(BundleError, match="The trunk has a layer odd of kind Softmax"):
        write_parts(dataclasses.replace(localizer, trunk=odd))


def test_nothing_to_compare_on_is_an_error() -> None:
    with pytest.raises(ValueError, match="at least one picture"):
        export_localizer(build(), [])


def test_an_exported_network_can_be_trained_on() -> None:
    from imforensics.models.localizer.network import build_localizer

    trained = build()
    config = LocalizerNetworkConfig(
        trace_channels=8, pixel_channels=(4, 6, 8), channels=10, dilations=(1, 2, 4)
    )
    again = build_localizer(config)
    read_parts(again, write_parts(trained))
    for weight, expected in zip(again.whole.weights, trained.whole.weights, strict=True):
        np.testing.assert_array_equal(weight.numpy(), expected.numpy(), weight.path)


@pytest.mark.parametrize("changes", [{"channels": 12}, {"dilations": (1, 2)}, {"streams": ("traces",)}])
def test_a_network_of_another_shape_is_not_started_from(changes: dict[str, object]) -> None:
    from imforensics.models.localizer.network import build_localizer

    shape = {"trace_channels": 8, "pixel_channels": (4, 6, 8), "channels": 10, "dilations": (1, 2, 4)}
    other = build_localizer(LocalizerNetworkConfig.model_validate(shape | changes))
    with pytest.raises(BundleError, match="has another shape than this network"):
        read_parts(other, write_parts(build()))
