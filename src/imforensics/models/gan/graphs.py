"""The networks as ONNX, written node by node: normalization folded in, and the search's gradient as a graph.

Keras cannot export a gradient, and a gradient search without TensorFlow needs one. The backward pass of both
networks is a row of transposed convolutions with the very weights of the forward pass, so that the search
graph is no larger than the two networks.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from imforensics.models.bundle.onnx_graph import TO_NCHW, TO_NHWC, Graph
from imforensics.models.gan.networks import SLOPE
from imforensics.types import FloatArray

if TYPE_CHECKING:
    import keras


def generator_graph(generator: keras.Model) -> bytes:
    """z (N, latent) to image (N, H, W, 3) in [0, 1]."""
    graph = Graph()
    z = graph.add_input("z", generator.input_shape[1])
    image, _ = _generate(graph, generator, z)
    height, width, channels = generator.output_shape[1:]
    graph.add_output(graph.add("Transpose", image, perm=TO_NHWC), "image", height, width, channels)
    return graph.to_bytes("generator")


def encoder_graph(encoder: keras.Model) -> bytes:
    """Image (N, H, W, 3) in [0, 1] to z (N, latent)."""
    graph = Graph()
    x = graph.add("Transpose", graph.add_input("image", *encoder.input_shape[1:]), perm=TO_NCHW)
    x, _, shape = _convolve(graph, encoder, x)
    graph.add_output(_dense(graph, encoder, "z", x, shape), "z", encoder.output_shape[1])
    return graph.to_bytes("encoder")


def discriminator_graph(discriminator: keras.Model) -> bytes:
    """Image (N, H, W, 3) in [0, 1] to features (N, F) and logit (N, 1)."""
    graph = Graph()
    x = graph.add("Transpose", graph.add_input("image", *discriminator.input_shape[1:]), perm=TO_NCHW)
    x, _, shape = _convolve(graph, discriminator, x)
    size = int(np.prod(shape))
    graph.add_output(graph.reshape(x, size), "features", size)
    graph.add_output(_dense(graph, discriminator, "logit", x, shape), "logit", 1)
    return graph.to_bytes("discriminator")


def search_graph(generator: keras.Model, discriminator: keras.Model, *, half: bool = False) -> bytes:
    """Losses of latent vectors, and their gradient.

    With `half`, large weights are stored as float16: the search only points the way, the image that is kept
    comes from the generator's own file.

    Inputs: z (N, latent), target (N, H, W, 3) in [0, 1], target_features (N, F), feature_weight (N, 1).
    Outputs: pixel_error (N, 1) and feature_error (N, 1), mean squares; gradient (N, latent) of
    pixel_error + feature_weight * feature_error.
    """
    graph = Graph()
    z = graph.add_input("z", generator.input_shape[1])
    shape = generator.output_shape[1:]
    wanted = graph.add("Transpose", graph.add_input("target", *shape), perm=TO_NCHW)
    image, layers = _generate(graph, generator, z)
    found, seen, feature_shape = _convolve(graph, discriminator, image)
    size = int(np.prod(feature_shape))
    features = graph.add_input("target_features", size)
    weight = graph.add_input("feature_weight", 1)

    difference = graph.add("Sub", image, wanted)
    feature_difference = graph.add("Sub", graph.reshape(found, size), features)
    graph.add_output(_mean_square(graph, graph.reshape(difference, int(np.prod(shape)))), "pixel_error", 1)
    graph.add_output(_mean_square(graph, feature_difference), "feature_error", 1)

    slope = graph.scale(graph.add("Mul", feature_difference, weight), 2 / size)
    slope = _backward_convolutions(graph, graph.reshape(slope, *feature_shape), seen)
    slope = graph.add("Add", slope, graph.scale(difference, 2 / float(np.prod(shape))))
    graph.add_output(_backward_generator(graph, slope, image, layers), "gradient", generator.input_shape[1])
    return graph.to_bytes("search", half=half)


def _generate(graph: Graph, generator: keras.Model, z: str) -> tuple[str, list[tuple[str, str]]]:
    """Image (N, 3, H, W); (weight, activation) of the dense layer, each block and, without one, the image."""
    base = generator.get_layer("reshape").output.shape[1:]
    kernel = np.asarray(generator.get_layer("dense").kernel)
    scale, shift = _folded(generator.get_layer("norm_0"))
    planes = (kernel.reshape(len(kernel), *base) * scale).transpose(0, 3, 1, 2).reshape(len(kernel), -1)
    weight = graph.weight(planes)
    x = graph.add("Gemm", z, weight, graph.weight(np.repeat(shift, base[0] * base[1])))
    x = graph.add("Relu", graph.reshape(x, base[2], base[0], base[1]))
    layers = [(weight, x)]
    blocks = sum(layer.name.startswith("up_") for layer in generator.layers)
    for index in range(1, blocks + 1):
        x = graph.enlarge(x, 2, 2)
        scale, shift = _folded(generator.get_layer(f"norm_{index}"))
        kernel = np.asarray(generator.get_layer(f"conv_{index}").kernel) * scale
        weight = graph.weight(kernel.transpose(3, 2, 0, 1))
        x = graph.add("Relu", graph.add("Conv", x, weight, graph.weight(shift), pads=(1, 1, 1, 1)))
        layers.append((weight, x))
    last = generator.get_layer("image")
    weight = graph.weight(np.asarray(last.kernel).transpose(3, 2, 0, 1))
    x = graph.add("Conv", x, weight, graph.weight(np.asarray(last.bias)), pads=(1, 1, 1, 1))
    return graph.add("Sigmoid", x), [*layers, (weight, "")]


def _convolve(
    graph: Graph, model: keras.Model, x: str
) -> tuple[str, list[tuple[str, str]], tuple[int, int, int]]:
    """Strided convolutions of (N, 3, H, W) in [0, 1]; (weight, value before activation) each; (C, h, w)."""
    x = graph.add("Sub", graph.scale(x, 2.0), graph.weight(1.0))
    names = {layer.name: layer for layer in model.layers}
    seen, side = [], (model.input_shape[1], model.input_shape[2])
    index, channels = 1, 3
    while f"conv_{index}" in names or f"conv_{index}_sn" in names:
        layer = names.get(f"conv_{index}") or names[f"conv_{index}_sn"].layer
        kernel = np.asarray(layer.kernel)
        shift = np.asarray(layer.bias) if layer.use_bias else np.zeros(kernel.shape[3], np.float32)
        if f"norm_{index}" in names:
            scale, offset = _folded(names[f"norm_{index}"])
            kernel, shift = kernel * scale, shift * scale + offset
        weight = graph.weight(kernel.transpose(3, 2, 0, 1))
        x = graph.add("Conv", x, weight, graph.weight(shift), strides=(2, 2), pads=(1, 1, 1, 1))
        seen.append((weight, x))
        x = graph.add("LeakyRelu", x, alpha=SLOPE)
        side, channels, index = (side[0] // 2, side[1] // 2), kernel.shape[3], index + 1
    return x, seen, (channels, *side)


def _dense(graph: Graph, model: keras.Model, name: str, x: str, shape: tuple[int, int, int]) -> str:
    """A dense layer on (N, C, h, w), whose rows Keras ordered by (h, w, C)."""
    names = {layer.name: layer for layer in model.layers}
    layer = names.get(name) or names[f"{name}_sn"].layer
    channels, height, width = shape
    kernel = np.asarray(layer.kernel)
    rows = kernel.reshape(height, width, channels, -1).transpose(2, 0, 1, 3).reshape(kernel.shape)
    flat = graph.reshape(x, channels * height * width)
    return graph.add("Gemm", flat, graph.weight(rows), graph.weight(np.asarray(layer.bias)))


def _backward_convolutions(graph: Graph, slope: str, seen: list[tuple[str, str]]) -> str:
    """From the slope by the features to the slope by the image in [0, 1]."""
    zero, one, less = graph.weight(0.0), graph.weight(1.0), graph.weight(SLOPE)
    for weight, before in reversed(seen):
        factor = graph.add("Where", graph.add("Greater", before, zero), one, less)
        slope = graph.add("Mul", slope, factor)
        slope = graph.add("ConvTranspose", slope, weight, strides=(2, 2), pads=(1, 1, 1, 1))
    return graph.scale(slope, 2.0)


def _backward_generator(graph: Graph, slope: str, image: str, layers: list[tuple[str, str]]) -> str:
    """From the slope by the image to the slope by z."""
    rest = graph.add("Sub", graph.weight(1.0), image)
    slope = graph.add("Mul", slope, graph.add("Mul", image, rest))
    slope = graph.add("ConvTranspose", slope, layers[-1][0], pads=(1, 1, 1, 1))
    zero = graph.weight(0.0)
    for weight, after in reversed(layers[1:-1]):
        slope = graph.add("Mul", slope, graph.add("Cast", graph.add("Greater", after, zero), to=1))
        slope = graph.add("ConvTranspose", slope, weight, pads=(1, 1, 1, 1))
        pooled = graph.add("AveragePool", slope, kernel_shape=(2, 2), strides=(2, 2))
        slope = graph.scale(pooled, 4.0)
    weight, after = layers[0]
    slope = graph.add("Mul", slope, graph.add("Cast", graph.add("Greater", after, zero), to=1))
    return graph.add("Gemm", graph.add("Flatten", slope, axis=1), weight, transB=1)


def _mean_square(graph: Graph, flat: str) -> str:
    return graph.add("ReduceMean", graph.add("Mul", flat, flat), axes=(1,), keepdims=1)


def _folded(norm: Any) -> tuple[FloatArray, FloatArray]:
    """Scale and shift of batch normalization in inference mode."""
    scale = np.asarray(norm.gamma) / np.sqrt(np.asarray(norm.moving_variance) + norm.epsilon)
    return scale, np.asarray(norm.beta) - np.asarray(norm.moving_mean) * scale
