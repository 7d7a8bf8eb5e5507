"""Autoencoder bundles: reconstructions of patches, and of images of any size."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np

from imforensics.models.autoencoder.bands import GRID, group_means, rebuild_pixels, residual_bands
from imforensics.models.autoencoder.manifest import AutoencoderManifest
from imforensics.models.bundle.runtime import TrainedBundle
from imforensics.preprocessing.inputs import normalize

if TYPE_CHECKING:
    from imforensics.types import FloatArray, UInt8Array

DEFAULT_AUTOENCODER = "casia1_residual_autoencoder"
STRIP_PIXELS = 1_000_000  # of a strip of a photo: its bands and the network's layers take about 150 MB
CONTEXT = 32  # pixels above and below a strip, a multiple of 8: the network sees less far


class AutoencoderBundle(TrainedBundle[AutoencoderManifest]):
    """A trained autoencoder, see `TrainedBundle`."""

    manifest_type = AutoencoderManifest

    def reconstruct(self, batch: FloatArray) -> FloatArray:
        """Reconstruct what the network takes.

        Args:
            batch: (N, H, W, C) float32; H, W multiples of `manifest.multiple`, C its channels.

        Returns:
            Float32 of the same shape.

        Raises:
            TypeError: not float32.
            ValueError: another shape.
            BundleError: the runtime cannot load the model.
        """
        wanted = self.manifest
        if batch.dtype != np.float32:
            raise TypeError(f"Expected float32 inputs, received {batch.dtype}")
        is_whole = batch.ndim == 4 and not any(side % wanted.multiple for side in batch.shape[1:3])
        if not is_whole or batch.shape[3] != wanted.channels or batch.size == 0:
            raise ValueError(
                f"Expected inputs (N, H, W, {wanted.channels}) with H, W multiples of {wanted.multiple}; "
                f"received {batch.shape}"
            )
        return self._run("model", batch)[0]

    def reconstruct_image(self, pixels: UInt8Array) -> FloatArray:
        """Reconstruct an image of any size, strip by strip.

        A residual bundle reconstructs the bands and puts them over the image's own means of 4x4 pixels.

        Args:
            pixels: (H, W, 3) uint8 RGB.

        Returns:
            (H, W, 3) float32 in [0, 1].

        Raises:
            ValueError: the network takes gray images.
        """
        result = np.empty(pixels.shape, np.float32)
        for top, part, skipped in _strips(pixels):
            made = self._reconstruct_strip(part)[skipped:]
            rows = min(len(made), _strip_rows(pixels), len(pixels) - top)
            result[top : top + rows] = made[:rows]
        return result

    def block_errors(self, pixels: UInt8Array, *, block: int) -> FloatArray:
        """Mean squared reconstruction error of the residual bands over blocks.

        Args:
            pixels: (H, W, 3) uint8 RGB.
            block: side of a block in pixels, a multiple of 8.

        Returns:
            (ceil(H / block), ceil(W / block), 6) float32 >= 0, in the order of GROUP_NAMES; the unit is the
            variance of the bands of authentic images.

        Raises:
            ValueError: the network does not take residual bands, or block is no multiple of 8.
        """
        if self.manifest.content != "residual" or block % GRID:
            raise ValueError(
                f"Expected a residual bundle and a block that is a multiple of {GRID}; received content "
                f"{self.manifest.content!r} and {block}"
            )
        height, width = pixels.shape[:2]
        cells = np.empty((-(-height // GRID), -(-width // GRID), 6), np.float32)
        for top, part, skipped in _strips(pixels):
            bands = residual_bands(part)
            made = self.reconstruct(bands[None])[0]
            made -= bands
            squares = group_means(np.square(made, out=made))
            found = squares.reshape(len(squares) // 2, 2, -1, 2, 6).mean(axis=(1, 3))[skipped // GRID :]
            rows = min(len(found), _strip_rows(pixels) // GRID, len(cells) - top // GRID)
            cells[top // GRID : top // GRID + rows] = found[:rows]
        return _pool(cells, block // GRID)

    def _reconstruct_strip(self, part: UInt8Array) -> FloatArray:
        content, multiple = self.manifest.content, self.manifest.multiple
        if content == "residual":
            return rebuild_pixels(part, self.reconstruct(residual_bands(part)[None])[0])
        if content == "gray":
            raise ValueError(f"{self.name} reconstructs gray images of digits, not photographs")
        missing = [*((0, -side % multiple) for side in part.shape[:2]), (0, 0)]
        made = self.reconstruct(normalize(np.pad(part, missing, mode="symmetric"))[None])[0]
        return np.asarray(made[: part.shape[0], : part.shape[1]])


load_autoencoder = AutoencoderBundle.load


def _strip_rows(pixels: UInt8Array) -> int:
    return max(CONTEXT, STRIP_PIXELS // int(pixels.shape[1]) // CONTEXT * CONTEXT)


def _strips(pixels: UInt8Array) -> Iterator[tuple[int, UInt8Array, int]]:
    """(first row, rows with their context, rows of context before the first)."""
    rows = _strip_rows(pixels)
    for top in range(0, len(pixels), rows):
        start = max(top - CONTEXT, 0)
        yield top, pixels[start : top + rows + CONTEXT], top - start


def _pool(cells: FloatArray, side: int) -> FloatArray:
    """Mean over side x side cells; those that the edge cuts hold fewer."""
    tops, lefts = (np.arange(0, extent, side) for extent in cells.shape[:2])
    sums = np.add.reduceat(np.add.reduceat(cells, tops, axis=0), lefts, axis=1)
    heights = np.minimum(tops + side, cells.shape[0]) - tops
    widths = np.minimum(lefts + side, cells.shape[1]) - lefts
    return np.asarray(sums / np.multiply.outer(heights, widths)[..., None], dtype=np.float32)
