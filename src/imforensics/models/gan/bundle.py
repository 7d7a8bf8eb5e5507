"""GAN bundles: found, checked against their digests, and run without TensorFlow."""

from __future__ import annotations

import hashlib
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from imforensics.errors import BundleError
from imforensics.models.bundle.files import (
    MANIFEST_FILE,
    find_bundle,
    read_manifest,
    read_model,
    start_session,
)
from imforensics.models.gan.manifest import PARTS, GanManifest, Part
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
        path = self.folder / self.manifest.files[part].file
        return start_session(self._parts[part], threads=self._threads, path=path)


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
    folder = find_bundle(path_or_name)
    manifest, text = read_manifest(folder, GanManifest, made_by="train-gan", kind="gan", holds="networks")
    missing = [part for part in PARTS if part not in manifest.files]
    if missing:
        raise BundleError(
            f"{folder / MANIFEST_FILE} names no file for {', '.join(missing)}. Export the bundle again."
        )
    files = {part: manifest.files[part] for part in PARTS}
    parts = {
        part: read_model(folder / file.file, file.sha256, what="network") for part, file in files.items()
    }
    digest = hashlib.sha256(text + b"".join(parts[part] for part in PARTS)).hexdigest()
    return GanBundle(folder, manifest, parts, digest=digest, threads=threads)


def _run_batches(session: Any, feeds: dict[str, FloatArray]) -> list[FloatArray]:
    count = len(next(iter(feeds.values())))
    if count == 0:
        raise ValueError("Expected at least one image or latent vector, received none")
    parts = [
        session.run(None, {name: values[start : start + BATCH] for name, values in feeds.items()})
        for start in range(0, count, BATCH)
    ]
    return [np.concatenate(outputs).astype(np.float32, copy=False) for outputs in zip(*parts, strict=True)]
