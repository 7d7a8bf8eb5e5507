"""Localizer bundles: map, reliability and score of a picture of any size."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING

from imforensics.models.bundle.runtime import TrainedBundle, start_session
from imforensics.models.localizer.inputs import view_pixels
from imforensics.models.localizer.manifest import LocalizerManifest
from imforensics.models.localizer.runtime import OUTPUTS, PARTS, LocalizerRuntime, Part, RunPart

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from imforensics.models.localizer.runtime import BlockMaps
    from imforensics.models.localizer.traces import BlockTraces
    from imforensics.types import FloatArray, UInt8Array

DEFAULT_LOCALIZER = "localizer"


class LocalizerBundle(TrainedBundle[LocalizerManifest]):
    """A trained localizer, see `TrainedBundle`; the runtime starts with the first picture."""

    manifest_type = LocalizerManifest

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
        paths = {part: self.folder / file.file for part, file in self.manifest.parts.items()}
        return start_runtime(
            self.parts,
            self.manifest.reach,
            uses_peak=self.manifest.uses_peak,
            threads=self._threads,
            paths=paths,
        )


load_localizer = LocalizerBundle.load


def start_runtime(
    parts: Mapping[str, bytes],
    reach: tuple[int, int],
    *,
    uses_peak: bool = False,
    threads: int | None = None,
    paths: Mapping[str, Path] | None = None,
) -> LocalizerRuntime:
    """Start ONNX Runtime on the three parts.

    Args:
        parts: ONNX models.
        reach: blocks beyond a window that stem and trunk look at.
        uses_peak: see `LocalizerRuntime`.
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
        uses_peak,
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
