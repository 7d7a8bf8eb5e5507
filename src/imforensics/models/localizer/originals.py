"""Forgeries made of camera and phone originals at native size, and windows of the originals as they are."""

from __future__ import annotations

from collections import OrderedDict
from pathlib import Path
from typing import TYPE_CHECKING

from imforensics.datasets.synthesis.native import draw_native_pair
from imforensics.datasets.synthesis.pool import PhotoPool, load_pool
from imforensics.errors import DatasetError
from imforensics.evidence import read_evidence
from imforensics.evidence.luma import BLOCK
from imforensics.models.localizer.evidence import read_traces
from imforensics.models.localizer.shown import Shown, cut_window, place_pair
from imforensics.models.localizer.traces import BlockTraces

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    import numpy as np

    from imforensics.models.localizer.config import OriginalsConfig
    from imforensics.models.localizer.inputs import LocalizerInput
    from imforensics.types import UInt8Array

CACHE_BYTES = 1 << 30  # of decoded originals, and of traces and pixels of originals as they are, a process


class Originals:
    """The originals of one split."""

    def __init__(self, config: OriginalsConfig, paths: Iterable[Path]) -> None:
        """Read the headers.

        Raises:
            DatasetError: none of them can be used.
        """
        self.config = config
        paths = tuple(paths)
        self._pool: PhotoPool = load_pool(paths, cache_bytes=CACHE_BYTES)
        self._windows: PhotoPool = load_pool(paths, max_side=config.max_side)
        self._seen: OrderedDict[int, tuple[BlockTraces, UInt8Array]] = OrderedDict()
        self._held = 0

    @property
    def unreadable(self) -> tuple[Path, ...]:
        """Originals that are left out because they are no image."""
        return self._pool.unreadable

    def draw_pair(
        self, rng: np.random.Generator, size: tuple[int, int], *, seed: int, index: int
    ) -> tuple[Shown, Shown]:
        """A forgery and its twin, with one window of `size` pixels that holds a part of the alteration."""
        made = draw_native_pair(
            self._pool, self.config.synthesis, seed=seed, index=index, window=self.config.context
        )
        return place_pair(
            (Shown(made.tampered, made.mask, "original"), Shown(made.twin, None, "original")), size, rng
        )

    def cut_untouched(
        self, rng: np.random.Generator, size: tuple[int, int], streams: Sequence[str]
    ) -> LocalizerInput:
        """A window of an original as its file holds it, on its own grid.

        Raises:
            DatasetError: no original holds that size as it stands.
        """
        numbers = [
            number
            for number, photo in enumerate(self._windows.photos)
            if photo.height >= size[0] and photo.width >= size[1]
        ]
        if not numbers:
            raise DatasetError(f"No original holds {size[0]}x{size[1]} pixels (HxW). Ask for smaller sizes")
        traces, pixels = self._read(numbers[int(rng.integers(len(numbers)))])
        top, left = (
            int(rng.integers((whole - side) // BLOCK + 1)) * BLOCK
            for whole, side in zip(pixels.shape[:2], size, strict=True)
        )
        return cut_window(traces, pixels, (top, left), size, streams)

    def _read(self, number: int) -> tuple[BlockTraces, UInt8Array]:
        """Traces, against the histograms of the whole file, and pixels of the part that is used."""
        if number in self._seen:
            self._seen.move_to_end(number)
            return self._seen[number]
        photo = self._windows.photos[number]
        evidence = read_evidence(photo.path)
        rows, columns = (
            slice(start // BLOCK, (start + side) // BLOCK)
            for start, side in ((photo.top, photo.height), (photo.left, photo.width))
        )
        whole = read_traces(evidence).traces
        traces = BlockTraces(whole.values[rows, columns].copy(), whole.table)
        pixels = evidence.pixels[photo.top : photo.top + photo.height, photo.left : photo.left + photo.width]
        self._seen[number] = found = traces, pixels.copy()
        self._held += traces.values.nbytes + pixels.nbytes
        while self._held > CACHE_BYTES and len(self._seen) > 1:
            dropped = self._seen.popitem(last=False)[1]
            self._held -= dropped[0].values.nbytes + dropped[1].nbytes
        return found
