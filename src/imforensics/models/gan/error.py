"""Where an image differs from its reconstruction: error maps on fixed scales."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, get_args

import numpy as np

from imforensics.metrics.similarity import ssim_map
from imforensics.preprocessing.inputs import resize_image
from imforensics.preprocessing.patches import read_window, stitch_windows
from imforensics.types import FloatArray, UInt8Array

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from imforensics.models.gan.manifest import ReconstructionMode, View
    from imforensics.models.gan.reconstruction import Reconstructor

ErrorKind = Literal["absolute", "ssim"]
ERROR_KINDS: tuple[ErrorKind, ...] = get_args(ErrorKind)


def error_map(image: FloatArray, made: FloatArray, kind: ErrorKind) -> FloatArray:
    """How far a reconstruction is from an image, at each pixel.

    Args:
        image: (H, W, 3) float32 in [0, 1].
        made: its reconstruction, likewise.
        kind: "absolute": mean over the channels of |image - made|; "ssim": (1 - SSIM) / 2, structural
            dissimilarity over 11x11 pixels.

    Returns:
        (H, W) float32 in [0, 1]; higher = farther.

    Raises:
        ValueError: the shapes differ, or an unknown kind.
    """
    if kind not in ERROR_KINDS:
        raise ValueError(f"Expected kind to be one of {', '.join(ERROR_KINDS)}; received {kind!r}")
    if image.shape != made.shape:
        raise ValueError(f"Expected two images of one shape; received {image.shape} and {made.shape}")
    if kind == "absolute":
        return np.asarray(np.abs(image - made).mean(axis=2), dtype=np.float32)
    return np.clip((1 - ssim_map(image, made)) / 2, np.float32(0), np.float32(1))


def whole_error(small: FloatArray, made: FloatArray, shape: tuple[int, int], kind: ErrorKind) -> FloatArray:
    """The error map of an image that was seen whole: (h, w, 3) at the networks' size to (H, W) of `shape`."""
    return np.clip(resize_image(error_map(small, made, kind), shape), 0, 1)


def image_errors(
    reconstructor: Reconstructor,
    pixels: UInt8Array,
    *,
    mode: ReconstructionMode,
    view: View,
    kinds: Sequence[ErrorKind] = ERROR_KINDS,
    seed: int = 0,
    overlap: int | None = None,
) -> tuple[FloatArray, ...]:
    """The error maps of one image of any size, all from one reconstruction.

    In the view "whole", image and reconstruction are compared at the networks' size, and the map is resized:
    detail that the small size does not have counts as no error.

    Args:
        reconstructor: makes the reconstruction.
        pixels: (H, W, 3) uint8 RGB as stored.
        mode: how latent vectors are found.
        view: the whole image resized, or patches at native resolution.
        kinds: of the error.
        seed: of random latent vectors.
        overlap: of neighbouring patches, see `Reconstructor.reconstruct_image`.

    Returns:
        For each kind (H, W) float32 in [0, 1]; higher = farther from what the generator can make.
    """
    height, width = pixels.shape[:2]
    if view == "whole":
        small = reconstructor.shrink(pixels)
        made = reconstructor.reconstruct(small[np.newaxis], mode=mode, seed=seed)[0]
        return tuple(whole_error(small, made, (height, width), kind) for kind in kinds)
    windows = reconstructor.windows(height, width, overlap=overlap)
    made_patches = reconstructor.iterate_patches(pixels, windows, mode=mode, seed=seed)

    def errors() -> Iterator[FloatArray]:
        for window, made in zip(windows, made_patches, strict=True):
            part = read_window(pixels, window).astype(np.float32) / np.float32(255)
            rebuilt = made[: window.height, : window.width]
            yield np.stack([error_map(part, rebuilt, kind) for kind in kinds], axis=2)

    stitched = stitch_windows((height, width), windows, errors())
    return tuple(np.ascontiguousarray(stitched[:, :, index]) for index in range(len(kinds)))
