"""A bundle of any kind: found, checked against its digests, and run on ONNX Runtime without TensorFlow."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any, ClassVar, Generic, Self, TypeVar

import numpy as np

from imforensics.errors import BundleError
from imforensics.models.bundle.files import find_bundle, read_manifest, read_model
from imforensics.models.bundle.manifest import Manifest
from imforensics.types import FloatArray

ManifestT = TypeVar("ManifestT", bound=Manifest)


class TrainedBundle(Generic[ManifestT]):
    """A trained network with its facts; a part's session starts when it is needed.

    Attributes:
        manifest_type: what bundle.yaml of the kind holds.
        batch: inputs that a session is given at once.
        folder: where the bundle lies.
        manifest: the checked content of bundle.yaml.
        parts: ONNX models by part.
        digest: SHA-256 over bundle.yaml and the parts; empty for one that is not on disk yet.
    """

    manifest_type: ClassVar[type[Manifest]]
    batch: ClassVar[int] = 64

    def __init__(
        self,
        folder: Path,
        manifest: ManifestT,
        parts: Mapping[str, bytes],
        *,
        digest: str = "",
        threads: int | None = None,
    ) -> None:
        """Take checked content; use `load`."""
        self.folder = folder
        self.manifest = manifest
        self.parts = parts
        self.digest = digest
        self._threads = threads
        self._sessions: dict[str, Any] = {}

    @classmethod
    def load(cls, path_or_name: Path | str, *, threads: int | None = None) -> Self:
        """Read a bundle and check its files against their digests; no session is started yet.

        Args:
            path_or_name: name of a shipped bundle, or the folder of one: a Path, or a string with a path
                separator such as "./my_bundle".
            threads: of the runtime within one operation; None leaves it to the runtime.

        Raises:
            BundleError: there is no such bundle, bundle.yaml is of another kind or version or invalid, or a
                file is not the one it names.
        """
        folder = find_bundle(path_or_name)
        manifest, text = read_manifest(folder, cls.manifest_type)
        parts = {
            part: read_model(folder / file.file, file.sha256, what=manifest.part_word)
            for part, file in manifest.parts.items()
        }
        digest = hashlib.sha256(text + b"".join(parts.values())).hexdigest()
        return cls(folder, manifest, parts, digest=digest, threads=threads)  # type: ignore[arg-type]

    @property
    def name(self) -> str:
        """Name of the bundle."""
        return self.manifest.name

    def _run(self, part: str, inputs: FloatArray | Mapping[str, FloatArray]) -> list[FloatArray]:
        """Outputs of a part, see `run_batches`.

        Raises:
            BundleError: the runtime cannot load the part.
        """
        if part not in self._sessions:
            path = self.folder / self.manifest.parts[part].file
            self._sessions[part] = start_session(self.parts[part], threads=self._threads, path=path)
        return run_batches(self._sessions[part], inputs, batch=self.batch)


def start_session(model_bytes: bytes, *, threads: int | None = None, path: Path | None = None) -> Any:
    """Start ONNX Runtime on a model.

    Args:
        model_bytes: ONNX model; files beside it are never read.
        threads: within one operation; None leaves it to the runtime.
        path: where the model was read from, for the error.

    Returns:
        An onnxruntime.InferenceSession on the CPU.

    Raises:
        BundleError: the runtime cannot load the model.
    """
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3  # errors only: warnings about the machine are of no use to a reader
    # Threads that wait do so without turning: it takes a third of the processor's time and gains nothing.
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    if threads is not None:
        options.intra_op_num_threads = threads
    try:
        return onnxruntime.InferenceSession(
            model_bytes, sess_options=options, providers=["CPUExecutionProvider"]
        )
    except Exception as error:  # onnxruntime has no common base class for its errors
        place = "" if path is None else f"{path}: "
        raise BundleError(f"{place}the model does not load: {error}") from error


def run_batches(
    session: Any, inputs: FloatArray | Mapping[str, FloatArray], *, batch: int = 64
) -> list[FloatArray]:
    """Every output of a session, batch by batch.

    Args:
        session: see `start_session`.
        inputs: (N, ...) float32 for the one input, or name to array where there are several.
        batch: inputs at once.

    Returns:
        Float32, N rows each.

    Raises:
        ValueError: N is 0.
    """
    feeds = {session.get_inputs()[0].name: inputs} if isinstance(inputs, np.ndarray) else inputs
    count = len(next(iter(feeds.values())))
    if count == 0:
        raise ValueError("Expected at least one input, received none")
    made = [
        session.run(None, {name: values[start : start + batch] for name, values in feeds.items()})
        for start in range(0, count, batch)
    ]
    return [np.concatenate(outputs).astype(np.float32, copy=False) for outputs in zip(*made, strict=True)]
