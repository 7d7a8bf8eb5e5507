"""Localizer bundles: found, checked against their digests, and run without TensorFlow."""

from __future__ import annotations

import hashlib
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from imforensics.models.bundle.files import find_bundle, read_manifest, read_model, start_session
from imforensics.models.localizer.inputs import view_pixels
from imforensics.models.localizer.manifest import LocalizerManifest
from imforensics.models.localizer.runtime import OUTPUTS, PARTS, LocalizerRuntime, Part, RunPart

if TYPE_CHECKING:
    from collections.abc import Mapping

    from imforensics.models.localizer.runtime import BlockMaps
    from imforensics.models.localizer.traces import BlockTraces
    from imforensics.types import FloatArray, UInt8Array

DEFAULT_LOCALIZER = "localizer"


class LocalizerBundle:
    """A trained localizer with its facts; the runtime starts with the first picture.

    Attributes:
        folder: where the bundle lies.
        manifest: the checked content of bundle.yaml.
        digest: SHA-256 over bundle.yaml and the network's files.
    """

    def __init__(
        self,
        folder: Path,
        manifest: LocalizerManifest,
        parts: Mapping[Part, bytes],
        *,
        digest: str,
        threads: int | None,
    ) -> None:
        """Take checked content; use `load_localizer`."""
        self.folder = folder
        self.manifest = manifest
        self.digest = digest
        self._parts = parts
        self._threads = threads

    @property
    def parts(self) -> Mapping[Part, bytes]:
        """The network's ONNX models."""
        return self._parts

    @property
    def name(self) -> str:
        """Name of the bundle."""
        return self.manifest.name

    def localize(self, traces: BlockTraces, pixels: UInt8Array) -> BlockMaps:
        """Map, reliability and score of one picture.

        Args:
            traces: of its R x C blocks.
            pixels: (H, W, 3) uint8 RGB, R = ceil(H / 8) and C = ceil(W / 8).

        Raises:
            ValueError: traces and pixels are not of the same picture.
            BundleError: the runtime cannot load the network.
        """
        return self._runtime.localize(traces, view_pixels(pixels, self.manifest.network.streams))

    @cached_property
    def _runtime(self) -> LocalizerRuntime:
        paths = {part: self.folder / self.manifest.files[part].file for part in PARTS}
        return start_runtime(self._parts, self.manifest.reach, threads=self._threads, paths=paths)


def load_localizer(path_or_name: Path | str, *, threads: int | None = None) -> LocalizerBundle:
    """Read a localizer bundle and check its files against their digests.

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
    manifest, text = read_manifest(
        folder, LocalizerManifest, made_by="train-detector", kind="localizer", holds="networks"
    )
    files = {part: manifest.files[part] for part in PARTS}
    parts = {
        part: read_model(folder / file.file, file.sha256, what="network") for part, file in files.items()
    }
    digest = hashlib.sha256(text + b"".join(parts[part] for part in PARTS)).hexdigest()
    return LocalizerBundle(folder, manifest, parts, digest=digest, threads=threads)


def start_runtime(
    parts: Mapping[Part, bytes],
    reach: tuple[int, int],
    *,
    threads: int | None = None,
    paths: Mapping[Part, Path] | None = None,
) -> LocalizerRuntime:
    """Start ONNX Runtime on the three parts.

    Args:
        parts: ONNX models.
        reach: blocks beyond a window that stem and trunk look at.
        threads: within one operation; None leaves it to the runtime.
        paths: where the models were read from, for the errors.

    Raises:
        BundleError: the runtime cannot load a part.
    """
    return LocalizerRuntime(
        {
            part: _start(part, parts[part], threads=threads, path=paths[part] if paths else None)
            for part in PARTS
        },
        reach,
    )


def _start(part: Part, content: bytes, *, threads: int | None, path: Path | None) -> RunPart:
    import onnxruntime

    session = start_session(content, threads=threads, path=path)
    names = list(OUTPUTS[part])
    giving_back = onnxruntime.RunOptions()
    giving_back.add_run_config_entry("memory.enable_memory_arena_shrinkage", "cpu:0")

    def run(feeds: Mapping[str, FloatArray], *, is_last: bool) -> list[FloatArray]:
        return list(session.run(names, dict(feeds), giving_back if is_last else None))

    return run
