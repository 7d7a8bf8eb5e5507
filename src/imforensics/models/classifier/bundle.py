"""Classifier bundles: one score for an image of a fixed size."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from imforensics.models.bundle.runtime import TrainedBundle, run_batches, start_session
from imforensics.models.classifier.manifest import BundleManifest
from imforensics.preprocessing.inputs import INPUT_CHANNELS
from imforensics.types import FloatArray


class Bundle(TrainedBundle[BundleManifest]):
    """A trained classifier, see `TrainedBundle`."""

    manifest_type = BundleManifest

    @property
    def runtime(self) -> str:
        """Name of the inference runtime."""
        return self.manifest.model.runtime

    @property
    def input_shape(self) -> tuple[int, int, int]:
        """(H, W, C) of one input."""
        spec = self.manifest.input
        return spec.height, spec.width, INPUT_CHANNELS[spec.kind]

    def predict(self, batch: FloatArray) -> FloatArray:
        """Scores of prepared inputs.

        Args:
            batch: (N, H, W, C) float32 in [0, 1], with `input_shape`.

        Returns:
            (N,) float32 in [0, 1], higher = more likely tampered.

        Raises:
            TypeError: not float32.
            ValueError: the shape is another one.
            BundleError: the runtime cannot load the model.
        """
        if batch.dtype != np.float32:
            raise TypeError(f"Expected float32 inputs, received {batch.dtype}")
        if batch.ndim != 4 or batch.shape[1:] != self.input_shape:
            raise ValueError(f"Expected inputs of shape (N, {self.input_shape}), received {batch.shape}")
        return self._run("model", batch)[0].reshape(-1) if len(batch) else np.empty(0, np.float32)


load_bundle = Bundle.load


def load_runtime(model_bytes: bytes, *, threads: int | None = None) -> Callable[[FloatArray], FloatArray]:
    """Start ONNX Runtime on a classifier that is in no bundle.

    Args:
        model_bytes: ONNX model with one input and one output.
        threads: within one operation; None leaves it to the runtime.

    Returns:
        A function from (N, H, W, C) float32, N >= 1, to (N,) float32 scores.

    Raises:
        BundleError: the runtime cannot load the model.
    """
    session = start_session(model_bytes, threads=threads)
    return lambda batch: run_batches(session, batch)[0].reshape(-1)
