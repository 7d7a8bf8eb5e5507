#!/usr/bin/env bash
# Guess:   a network scores each picture by itself; the other pictures in the batch are only there for speed.
# Seen:    after onnxruntime's dynamic int8 quantization one scale is computed for the whole batch: a picture's
#          score changes, here by more than half, when a picture with larger values is scored along with it. The
#          float32 network gives the same score either way.
# Matters: the same evidence gets another score in a scan than alone. A report cannot be repeated without the
#          other files.
# Version: onnxruntime 1.32.0, onnx 1.23.2. Date: 2026-11-28.
set -euo pipefail

work="$(mktemp -d)"
trap 'rm -rf "$work"' EXIT
cd "$work"
python3 -m venv venv
venv/bin/pip install -q --disable-pip-version-check numpy==2.4.6 onnx==1.23.2 onnxruntime==1.32.0

venv/bin/python - <<'PYTHON'
import logging
import sys

import numpy as np
import onnx
import onnxruntime
from onnx import TensorProto, helper, numpy_helper
from onnxruntime.quantization import QuantType, quantize_dynamic

logging.disable(logging.WARNING)
rng = np.random.default_rng(0)
weights = numpy_helper.from_array(rng.normal(0, 0.1, (64, 1)).astype(np.float32), "w")
graph = helper.make_graph(
    [helper.make_node("MatMul", ["x", "w"], ["y"])],
    "one_layer",
    [helper.make_tensor_value_info("x", TensorProto.FLOAT, [None, 64])],
    [helper.make_tensor_value_info("y", TensorProto.FLOAT, [None, 1])],
    [weights],
)
model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9)
onnx.save(model, "float.onnx")
quantize_dynamic("float.onnx", "int8.onnx", weight_type=QuantType.QInt8)
picture = rng.random((1, 64)).astype(np.float32)
neighbour = 50 * rng.random((1, 64)).astype(np.float32)

def score(name):
    session = onnxruntime.InferenceSession(name, providers=["CPUExecutionProvider"])
    batches = (picture, np.vstack([picture, neighbour]))
    return [float(session.run(None, {"x": batch})[0][0, 0]) for batch in batches]

full, quantized = score("float.onnx"), score("int8.onnx")
print(f"onnxruntime {onnxruntime.__version__}")
print(f"expected: alone and in a batch the same score; float32: {full[0]:.4f}, {full[1]:.4f}")
print(f"seen: int8: {quantized[0]:.4f} alone, {quantized[1]:.4f} in a batch of two")
sys.exit(not (abs(full[0] - full[1]) < 1e-6 and abs(quantized[0] - quantized[1]) > 0.01))
PYTHON
