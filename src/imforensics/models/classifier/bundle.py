"""Trained bundles: found, checked and run without TensorFlow."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import yaml

from imforensics.models.bundle.files import (
    MANIFEST_FILE,
    find_bundle,
    read_manifest,
    read_model,
    start_session,
)
from imforensics.models.bundle.shipped import list_shipped
from imforensics.models.classifier.manifest import BundleManifest
from imforensics.preprocessing.inputs import INPUT_CHANNELS
from imforensics.types import FloatArray

BATCH = 64


class Bundle:
    """A trained model with its facts; the runtime starts with the first prediction.

    Attributes:
        folder: where the bundle lies.
        manifest: the checked content of bundle.yaml.
        digest: SHA-256 over bundle.yaml and the model file.
    """

    def __init__(
        self, folder: Path, manifest: BundleManifest, model_bytes: bytes, *, digest: str, threads: int | None
    ) -> None:
        """Take checked content; use `load_bundle`."""
        self.folder = folder
        self.manifest = manifest
        self.digest = digest
        self._model_bytes = model_bytes
        self._threads = threads

    @property
    def name(self) -> str:
        """Name of the bundle."""
        return self.manifest.name

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
        return self._predict(batch)

    @cached_property
    def _predict(self) -> Callable[[FloatArray], FloatArray]:
        path = self.folder / self.manifest.model.file
        return load_runtime(self._model_bytes, threads=self._threads, path=path)


def load_bundle(path_or_name: Path | str, *, threads: int | None = None) -> Bundle:
    """Read a bundle and check it against its digest.

    Args:
        path_or_name: name of a shipped bundle, or the folder of one: a Path, or a string with a path
            separator such as "./my_bundle".
        threads: of the runtime within one operation; None leaves it to the runtime.

    Returns:
        The bundle; its runtime is not started yet.

    Raises:
        BundleError: there is no such bundle, bundle.yaml is of another version or invalid, or the model
            file is not the one it names.
    """
    folder = find_bundle(path_or_name)
    manifest, text = read_manifest(folder, BundleManifest, made_by="train-detector", kind="classifier")
    model_bytes = read_model(folder / manifest.model.file, manifest.model.sha256)
    digest = hashlib.sha256(text + model_bytes).hexdigest()
    return Bundle(folder, manifest, model_bytes, digest=digest, threads=threads)


def load_runtime(
    model_bytes: bytes, *, threads: int | None = None, path: Path | None = None
) -> Callable[[FloatArray], FloatArray]:
    """Start ONNX Runtime on a model.

    Args:
        model_bytes: ONNX model with one input and one output; files beside it are never read.
        threads: within one operation; None leaves it to the runtime.
        path: where the model was read from, for the error.

    Returns:
        A function from (N, H, W, C) float32 to (N,) float32 scores.

    Raises:
        BundleError: the runtime cannot load the model.
    """
    session = start_session(model_bytes, threads=threads, path=path)
    name = session.get_inputs()[0].name

    def predict(batch: FloatArray) -> FloatArray:
        scores = [
            session.run(None, {name: batch[start : start + BATCH]})[0].reshape(-1)
            for start in range(0, len(batch), BATCH)
        ]
        return np.concatenate(scores).astype(np.float32) if scores else np.empty(0, np.float32)

    return predict


def list_bundles(kind: str = "classifier") -> tuple[str, ...]:
    """Names of the bundles of one kind that ship with the package, sorted."""
    names = list_shipped(MANIFEST_FILE)
    return tuple(name for name in names if _kind_of(find_bundle(name)) == kind)


def read_kind(path_or_name: Path | str) -> str | None:
    """What a bundle says it is: "classifier", "gan", "autoencoder"; the loader of that kind checks the rest.

    Raises:
        BundleError: nothing of that name ships.
    """
    return _kind_of(find_bundle(path_or_name))


def _kind_of(folder: Path) -> str:
    """What a bundle.yaml says it is; one that cannot be read counts as a classifier: its loader says why."""
    try:
        content: Any = yaml.safe_load((folder / MANIFEST_FILE).read_text(encoding="utf-8"))
    except (OSError, ValueError, yaml.YAMLError):
        return "classifier"
    return str(content.get("kind")) if isinstance(content, dict) else "classifier"
