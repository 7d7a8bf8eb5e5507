"""From a trained Keras model to the file that the inference runtime loads."""

from __future__ import annotations

import warnings
from pathlib import Path

import numpy as np

from imforensics.errors import BundleError
from imforensics.outputs import replacing_file
from imforensics.types import FloatArray

ANY_SIDE = 32  # stands for rows and columns that a model leaves open
TOLERANCE = 1e-5  # absolute, on scores in [0, 1]; float32 sums in another order differ by about 1e-7


def export_onnx(keras_path: Path, onnx_path: Path) -> None:
    """Write a Keras model as ONNX for any batch size, and for any rows and columns that it leaves open.

    Args:
        keras_path: .keras file.
        onnx_path: file to write.
    """
    import keras

    trained = keras.models.load_model(keras_path, compile=False, safe_mode=True)
    with warnings.catch_warnings():
        # tf2onnx 1.17 looks up np.object, which numpy answers with a FutureWarning
        warnings.filterwarnings("ignore", message="In the future `np.object`", category=FutureWarning)
        shape = [side or ANY_SIDE for side in trained.input_shape[1:]]
        trained(np.zeros((1, *shape), np.float32))  # Keras exports called models only
        with replacing_file(onnx_path) as part:
            trained.export(part, format="onnx", verbose=False)


def keras_scores(keras_path: Path, inputs: FloatArray) -> FloatArray:
    """Scores of a .keras model: (N, H, W, C) float32 to (N,) float32."""
    import keras

    model = keras.models.load_model(keras_path, compile=False, safe_mode=True)
    scores: FloatArray = model.predict(inputs, batch_size=64, verbose=0).reshape(-1)
    return scores


def check_export(
    keras_values: FloatArray, runtime_values: FloatArray, *, tolerance: float = TOLERANCE
) -> float:
    """Largest absolute difference of outputs between the trained and the exported model.

    Raises:
        BundleError: it is above `tolerance`.
    """
    difference = float(np.abs(keras_values - runtime_values).max())
    if not difference <= tolerance:
        raise BundleError(
            f"The exported model differs from the trained one by {difference:.2e}, expected at most "
            f"{tolerance:.0e}. Report this with the configuration."
        )
    return difference
