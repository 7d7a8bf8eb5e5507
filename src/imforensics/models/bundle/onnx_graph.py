"""An ONNX model written node by node."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from imforensics.types import FloatArray

OPSET = 17
IR_VERSION = 10
LARGE = 1024  # numbers of a weight from which on storing it as float16 saves something
TO_NCHW, TO_NHWC = (0, 3, 1, 2), (0, 2, 3, 1)


class Graph:
    """An ONNX graph in the making; every method adds nodes and gives the name of what they compute."""

    def __init__(self) -> None:
        """Start empty."""
        self._nodes: list[Any] = []
        self._weights: dict[str, FloatArray | np.ndarray] = {}
        self._inputs: list[Any] = []
        self._outputs: list[Any] = []

    def add_input(self, name: str, *shape: int | str) -> str:
        """A float32 input of any batch size; a side with a name takes any value."""
        import onnx

        self._inputs.append(onnx.helper.make_tensor_value_info(name, onnx.TensorProto.FLOAT, ["N", *shape]))
        return name

    def add_output(self, value: str, name: str, *shape: int | str) -> None:
        """A float32 output of any batch size; a side with a name takes any value."""
        import onnx

        self._nodes.append(onnx.helper.make_node("Identity", [value], [name]))
        self._outputs.append(onnx.helper.make_tensor_value_info(name, onnx.TensorProto.FLOAT, ["N", *shape]))

    def weight(self, values: Any, *, integer: bool = False) -> str:
        """A constant; equal arrays are stored once."""
        array = np.ascontiguousarray(values, dtype=np.int64 if integer else np.float32)
        for name, stored in self._weights.items():
            if stored.dtype == array.dtype and stored.shape == array.shape and np.array_equal(stored, array):
                return name
        name = f"w{len(self._weights)}"
        self._weights[name] = array
        return name

    def add(self, operation: str, *inputs: str, **attributes: Any) -> str:
        """One node with one output."""
        import onnx

        name = f"n{len(self._nodes)}"
        self._nodes.append(onnx.helper.make_node(operation, list(inputs), [name], **attributes))
        return name

    def scale(self, value: str, factor: float) -> str:
        """A value times a number."""
        return self.add("Mul", value, self.weight(factor))

    def reshape(self, value: str, *shape: int) -> str:
        """A value as (N, *shape)."""
        return self.add("Reshape", value, self.weight((-1, *shape), integer=True))

    def enlarge(self, value: str, rows: int, columns: int) -> str:
        """Rows and columns of (N, C, H, W), each repeated so many times."""
        return self.add(
            "Resize",
            value,
            "",
            self.weight((1, 1, rows, columns)),
            mode="nearest",
            coordinate_transformation_mode="asymmetric",
            nearest_mode="floor",
        )

    def to_bytes(self, name: str, *, half: bool = False) -> bytes:
        """The checked model; `half` stores large weights as float16, cast back when the model is loaded."""
        import onnx

        weights, casts = [], []
        for key, array in self._weights.items():
            is_stored_half = half and array.dtype == np.float32 and array.size >= LARGE
            stored = f"{key}_half" if is_stored_half else key
            values = array.astype(np.float16) if is_stored_half else array
            weights.append(onnx.numpy_helper.from_array(values, stored))
            if is_stored_half:
                casts.append(onnx.helper.make_node("Cast", [stored], [key], to=onnx.TensorProto.FLOAT))
        nodes = [*casts, *self._nodes]
        graph = onnx.helper.make_graph(nodes, name, self._inputs, self._outputs, weights)
        model = onnx.helper.make_model(
            graph,
            opset_imports=[onnx.helper.make_opsetid("", OPSET)],
            ir_version=IR_VERSION,
            producer_name="imforensics",
        )
        onnx.checker.check_model(model, full_check=True)
        content: bytes = model.SerializeToString()
        return content
