"""GAN bundles: found, checked against their digests, and run without TensorFlow."""

from __future__ import annotations

import hashlib
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import yaml
from pydantic import ValidationError

from imforensics.config import describe_problems
from imforensics.errors import BundleError
from imforensics.models.bundle import MANIFEST_FILE, MAX_MODEL_BYTES
from imforensics.models.gan_manifest import PARTS, GanManifest, Part
from imforensics.models.manifest import SCHEMA_VERSION
from imforensics.models.shipped import find_folder
from imforensics.types import FloatArray

BATCH = 16  # images a call: the generator's last layers take about 5 MB an image


class GanBundle:
    """Generator, encoder, discriminator features and search graph; each session starts when it is needed.

    Attributes:
        folder: where the bundle lies.
        manifest: the checked content of bundle.yaml.
        digest: SHA-256 over bundle.yaml and the networks.
    """

    def __init__(
        self,
        folder: Path,
        manifest: GanManifest,
        parts: dict[Part, bytes],
        *,
        digest: str,
        threads: int | None,
    ) -> None:
        """Take checked content; use `load_gan_bundle`."""
        self.folder = folder
        self.manifest = manifest
        self.digest = digest
        self._parts = parts
        self._threads = threads

    @property
    def size(self) -> tuple[int, int]:
        """(height, width) of the images that the networks know."""
        return self.manifest.height, self.manifest.width

    def generate(self, latents: FloatArray) -> FloatArray:
        """Images of latent vectors: (N, latent) float32 to (N, H, W, 3) float32 in [0, 1]."""
        return _run_batches(self._generator, {"z": latents})[0]

    def encode(self, images: FloatArray) -> FloatArray:
        """Latent vectors of images: (N, H, W, 3) float32 in [0, 1] to (N, latent) float32."""
        return _run_batches(self._encoder, {"image": images})[0]

    def features(self, images: FloatArray) -> FloatArray:
        """The discriminator's features: (N, H, W, 3) float32 in [0, 1] to (N, F) float32."""
        return _run_batches(self._discriminator, {"image": images})[0]

    def logits(self, images: FloatArray) -> FloatArray:
        """The discriminator's opinion: (N, H, W, 3) in [0, 1] to (N,) float32, higher = more like a photo."""
        return _run_batches(self._discriminator, {"image": images})[1].reshape(-1)

    def search_step(
        self, latents: FloatArray, targets: FloatArray, features: FloatArray, *, feature_weight: float
    ) -> tuple[FloatArray, FloatArray]:
        """The search's loss and its gradient.

        Args:
            latents: (N, latent) float32.
            targets: (N, H, W, 3) float32 in [0, 1].
            features: (N, F) float32, the targets' own.
            feature_weight: weight of the mean squared error of features beside that of pixels.

        Returns:
            Losses (N,), and their gradient by the latent vectors (N, latent).
        """
        weights = np.full((len(latents), 1), feature_weight, np.float32)
        feeds = {"z": latents, "target": targets, "target_features": features, "feature_weight": weights}
        pixel, feature, gradient = _run_batches(self._search, feeds)
        return (pixel + weights * feature).reshape(-1), gradient

    @cached_property
    def _generator(self) -> Any:
        return self._start("generator")

    @cached_property
    def _encoder(self) -> Any:
        return self._start("encoder")

    @cached_property
    def _discriminator(self) -> Any:
        return self._start("discriminator")

    @cached_property
    def _search(self) -> Any:
        return self._start("search")

    def _start(self, part: Part) -> Any:
        try:
            return start_session(self._parts[part], threads=self._threads)
        except BundleError as error:
            raise BundleError(f"{self.folder / self.manifest.files[part].file}: {error}") from error


def load_gan_bundle(path_or_name: Path | str, *, threads: int | None = None) -> GanBundle:
    """Read a GAN bundle and check its files against their digests.

    Args:
        path_or_name: name of a shipped bundle, or the folder of one: a Path, or a string with a path
            separator such as "./my_bundle".
        threads: of the runtime within one operation; None leaves it to the runtime.

    Returns:
        The bundle; no session is started yet.

    Raises:
        BundleError: there is no such bundle, bundle.yaml is of another kind or version or invalid, or a file
            is not the one it names.
    """
    folder = find_folder(path_or_name, file_name=MANIFEST_FILE, what="bundle")
    try:
        text = (folder / MANIFEST_FILE).read_bytes()
    except OSError as error:
        raise BundleError(
            f"{folder} is no bundle: {MANIFEST_FILE} cannot be read ({error.strerror}). Expected a folder "
            "with bundle.yaml and networks, as train-gan writes it."
        ) from None
    manifest = _parse_manifest(folder / MANIFEST_FILE, text)
    parts = {part: _read_part(folder, manifest, part) for part in PARTS}
    digest = hashlib.sha256(text + b"".join(parts[part] for part in PARTS)).hexdigest()
    return GanBundle(folder, manifest, parts, digest=digest, threads=threads)


def start_session(model_bytes: bytes, *, threads: int | None = None) -> Any:
    """Start ONNX Runtime on a model.

    Args:
        model_bytes: ONNX model; files beside it are never read.
        threads: within one operation; None leaves it to the runtime.

    Returns:
        An onnxruntime.InferenceSession on the CPU.

    Raises:
        BundleError: the runtime cannot load the model.
    """
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3  # errors only: warnings about the machine are of no use to a reader
    if threads is not None:
        options.intra_op_num_threads = threads
    try:
        return onnxruntime.InferenceSession(
            model_bytes, sess_options=options, providers=["CPUExecutionProvider"]
        )
    except Exception as error:  # onnxruntime has no common base class for its errors
        raise BundleError(f"the model does not load: {error}") from error


def _run_batches(session: Any, feeds: dict[str, FloatArray]) -> list[FloatArray]:
    count = len(next(iter(feeds.values())))
    if count == 0:
        raise ValueError("Expected at least one image or latent vector, received none")
    parts = [
        session.run(None, {name: values[start : start + BATCH] for name, values in feeds.items()})
        for start in range(0, count, BATCH)
    ]
    return [np.concatenate(outputs).astype(np.float32, copy=False) for outputs in zip(*parts, strict=True)]


def _parse_manifest(path: Path, text: bytes) -> GanManifest:
    try:
        content: Any = yaml.safe_load(text)
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise BundleError(f"{path} is not YAML: {error}") from None
    found = content if isinstance(content, dict) else {}
    if found.get("kind") != "gan":
        raise BundleError(
            f"{path} is a bundle of kind {found.get('kind')!r}, expected 'gan'. Name a bundle that train-gan "
            "made."
        )
    if found.get("schema_version") != SCHEMA_VERSION:
        raise BundleError(
            f"{path} has schema_version {found.get('schema_version')!r}, expected {SCHEMA_VERSION}. Export "
            "the bundle again with this version of imforensics, or install the version that made it."
        )
    try:
        manifest = GanManifest.model_validate(content)
    except ValidationError as error:
        problems = "\n".join(f"  {line}" for line in describe_problems(GanManifest, error))
        raise BundleError(f"{path} is not a valid bundle:\n{problems}") from None
    missing = [part for part in PARTS if part not in manifest.files]
    if missing:
        raise BundleError(f"{path} names no file for {', '.join(missing)}. Export the bundle again.")
    return manifest


def _read_part(folder: Path, manifest: GanManifest, part: Part) -> bytes:
    file = manifest.files[part]
    path = folder / file.file
    try:
        if path.stat().st_size > MAX_MODEL_BYTES:
            raise BundleError(f"{path} is larger than {MAX_MODEL_BYTES} bytes: not a model of ours.")
        content = path.read_bytes()
    except OSError as error:
        raise BundleError(f"{path} cannot be read: {error.strerror}. Get the bundle again.") from None
    found = hashlib.sha256(content).hexdigest()
    if found != file.sha256:
        raise BundleError(
            f"{path} is not the network that {MANIFEST_FILE} names: expected SHA-256 {file.sha256}, received "
            f"{found}. Get the bundle again."
        )
    return content
