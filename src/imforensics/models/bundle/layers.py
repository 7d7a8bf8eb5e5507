"""A Keras model as ONNX, written layer by layer for inputs of any size; and its weights read back.

`keras.Model.export` would do too for a model of one input: with TensorFlow it calls tf2onnx, which turns each
dilated convolution of a picture of unknown size into some forty nodes that move pixels around, and knows no
gradient. Here a layer is one node or two.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from imforensics.errors import BundleError
from imforensics.models.bundle.onnx_graph import TO_NCHW, TO_NHWC, Graph

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    import keras

    from imforensics.types import FloatArray

_ACTIVATIONS = {"relu": "Relu", "sigmoid": "Sigmoid", "tanh": "Tanh"}


TOLERANCE = 1e-5  # absolute, on scores in [0, 1]; float32 sums in another order differ by about 1e-7


def check_export(
    trained: FloatArray, exported: FloatArray, *, tolerance: float = TOLERANCE, what: str = "model"
) -> float:
    """Largest absolute difference of outputs between the trained and the exported network.

    Args:
        trained: outputs of the Keras model.
        exported: those of the runtime, on the same inputs.
        tolerance: largest difference that rounding explains.
        what: was exported, for the error.

    Raises:
        BundleError: the difference is above `tolerance`.
    """
    difference = float(np.abs(trained - exported).max())
    if not difference <= tolerance:
        raise BundleError(
            f"The exported {what} differs from the trained one by {difference:.2e}, expected at most "
            f"{tolerance:.0e}. Report this with the configuration."
        )
    return difference


def part_graph(model: keras.Model, outputs: Sequence[str]) -> bytes:
    """A functional Keras model as ONNX, computing in float32.

    Pictures are (N, rows, columns, channels) at the inputs and outputs, any number of rows and columns;
    inputs keep their names.

    Args:
        model: of the layers in _LAYERS, each called once; its weights are float32 whatever it computes in.
        outputs: names of its outputs, in order.

    Raises:
        BundleError: a layer is none of these.
    """
    graph = Graph()
    made: dict[int, str] = {}
    for tensor in model.inputs:
        made[id(tensor)] = _add_input(graph, tensor)
    for operation in model.operations:
        kind = type(operation).__name__
        if kind == "InputLayer":
            continue
        if kind not in _LAYERS:
            raise BundleError(
                f"The {model.name} has a layer {operation.name} of kind {kind}; the export knows "
                f"{', '.join(sorted(_LAYERS))}. Add it to _LAYERS."
            )
        received = operation.input if isinstance(operation.input, list) else [operation.input]
        made[id(operation.output)] = _LAYERS[kind](graph, operation, [made[id(item)] for item in received])
    for tensor, name in zip(model.outputs, outputs, strict=True):
        value = made[id(tensor)]
        if len(tensor.shape) == 4:
            value = graph.add("Transpose", value, perm=TO_NHWC)
        graph.add_output(value, name, *_name_sides(tensor.shape, name))
    return graph.to_bytes(model.name)


def read_weights(model: keras.Model, content: bytes) -> None:
    """Give a Keras model the weights of a part that `part_graph` wrote of one of the same shape.

    Args:
        model: as for `part_graph`.
        content: ONNX.

    Raises:
        BundleError: the part is not of that shape.
    """
    import onnx

    written = onnx.load_from_string(content).graph
    stored = {item.name: onnx.numpy_helper.to_array(item) for item in written.initializer}
    nodes = iter([node for node in written.node if node.op_type in _WEIGHTS.values()])
    try:
        for operation in model.operations:
            kind = _WEIGHTS.get(type(operation).__name__)
            if kind is None:
                continue
            node = next(nodes)
            arrays = [stored[name] for name in node.input[1:]]
            if kind == "Conv":
                arrays[0] = arrays[0].transpose(2, 3, 1, 0)
            if node.op_type != kind:
                raise ValueError(f"expected {kind}, received {node.op_type}")
            operation.set_weights(arrays)
        if next(nodes, None) is not None:
            raise ValueError("it has more layers")
    except (StopIteration, KeyError, ValueError) as error:
        raise BundleError(
            f"The {model.name} of the bundle has another shape than this network ({error}). Start from a "
            "bundle with the same `network`"
        ) from None


_WEIGHTS = {"Conv2D": "Conv", "Dense": "Gemm", "BatchNormalization": "BatchNormalization"}


def _add_input(graph: Graph, tensor: Any) -> str:
    value = graph.add_input(tensor.name, *_name_sides(tensor.shape, tensor.name))
    return graph.add("Transpose", value, perm=TO_NCHW) if len(tensor.shape) == 4 else value


def _name_sides(shape: Sequence[int | None], name: str) -> list[int | str]:
    """Sides without the batch; those left open get a name."""
    return [f"{name}_{axis}" if side is None else side for axis, side in enumerate(shape)][1:]


def _convolve(graph: Graph, layer: Any, values: list[str]) -> str:
    kernel = np.asarray(layer.kernel, np.float32).transpose(3, 2, 0, 1)
    weights = [graph.weight(kernel)] + ([graph.weight(layer.bias)] if layer.use_bias else [])
    size, dilation = layer.kernel_size, layer.dilation_rate
    is_whole = layer.padding == "same" or max(size) == 1
    if not is_whole or layer.groups != 1 or any(side % 2 == 0 for side in size):
        raise BundleError(f"The convolution {layer.name} is not one of odd size, padded to the same size.")
    if tuple(layer.strides) == (1, 1):
        around = [step * (side // 2) for side, step in zip(size, dilation, strict=True)]
        padding: dict[str, Any] = {"pads": around * 2}
    else:
        padding = {"auto_pad": "SAME_UPPER"}
    result = graph.add(
        "Conv", values[0], *weights, strides=list(layer.strides), dilations=list(dilation), **padding
    )
    return _activate(graph, layer, [result])


def _connect(graph: Graph, layer: Any, values: list[str]) -> str:
    if len(layer.input.shape) != 2:
        raise BundleError(f"The dense layer {layer.name} is applied to other than vectors.")
    weights = [graph.weight(layer.kernel)] + ([graph.weight(layer.bias)] if layer.use_bias else [])
    return _activate(graph, layer, [graph.add("Gemm", values[0], *weights)])


def _activate(graph: Graph, layer: Any, values: list[str]) -> str:
    name = layer.activation.__name__
    if name == "linear":
        return values[0]
    if name not in _ACTIVATIONS:
        raise BundleError(f"{layer.name} has the activation {name}; the export knows {list(_ACTIVATIONS)}.")
    return graph.add(_ACTIVATIONS[name], values[0])


def _normalize(graph: Graph, layer: Any, values: list[str]) -> str:
    numbers = (layer.gamma, layer.beta, layer.moving_mean, layer.moving_variance)
    names = [graph.weight(values) for values in numbers]
    return graph.add("BatchNormalization", values[0], *names, epsilon=float(layer.epsilon))


def _rescale(graph: Graph, layer: Any, values: list[str]) -> str:
    scaled = graph.scale(values[0], float(layer.scale))
    return graph.add("Add", scaled, graph.weight(float(layer.offset))) if layer.offset else scaled


def _pool(operation: str, **attributes: Any) -> Callable[[Graph, Any, list[str]], str]:
    return lambda graph, layer, values: graph.add(
        operation,
        values[0],
        kernel_shape=list(layer.pool_size),
        strides=list(layer.strides),
        auto_pad="SAME_UPPER" if layer.padding == "same" else "VALID",
        **attributes,
    )


def _average(graph: Graph, layer: Any, values: list[str]) -> str:
    return graph.reshape(graph.add("GlobalAveragePool", values[0]), layer.output.shape[-1])


def _enlarge(graph: Graph, layer: Any, values: list[str]) -> str:
    if layer.interpolation != "nearest":
        raise BundleError(
            f"{layer.name} interpolates by {layer.interpolation}; the export knows nearest only."
        )
    return graph.enlarge(values[0], *layer.size)


def _reshape(graph: Graph, layer: Any, values: list[str]) -> str:
    shape = tuple(layer.target_shape)
    if len(shape) != 3 or shape[:2] != (1, 1):
        raise BundleError(f"The reshape {layer.name} makes {shape}; the export knows (1, 1, channels) only.")
    return graph.reshape(values[0], shape[2], 1, 1)


def _concatenate(graph: Graph, layer: Any, values: list[str]) -> str:
    if layer.axis != -1:
        raise BundleError(f"{layer.name} joins axis {layer.axis}; the export knows the last one only.")
    return graph.add("Concat", *values, axis=1)


def _elementwise(operation: str) -> Callable[[Graph, Any, list[str]], str]:
    return lambda graph, _, values: graph.add(operation, *values)


def _pass_on(graph: Graph, layer: Any, values: list[str]) -> str:
    del graph, layer
    return values[0]


_LAYERS: dict[str, Callable[[Graph, Any, list[str]], str]] = {
    "Activation": _activate,
    "Add": _elementwise("Add"),
    "AveragePooling2D": _pool("AveragePool", count_include_pad=0),
    "BatchNormalization": _normalize,
    "Concatenate": _concatenate,
    "Conv2D": _convolve,
    "Dense": _connect,
    "Dropout": _pass_on,
    "GlobalAveragePooling2D": _average,
    "MaxPooling2D": _pool("MaxPool"),
    "Multiply": _elementwise("Mul"),
    "ReLU": _elementwise("Relu"),
    "Rescaling": _rescale,
    "Reshape": _reshape,
    "StopGradient": _pass_on,
    "Subtract": _elementwise("Sub"),
    "UpSampling2D": _enlarge,
}
