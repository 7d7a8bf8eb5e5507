"""Authentic images for the generative networks: whole and in patches, a function of (seed, epoch)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
from PIL import Image

from imforensics.config import DatasetConfig
from imforensics.datasets.base import load_dataset, load_split
from imforensics.errors import DatasetError
from imforensics.evidence import read_evidence
from imforensics.models.gan.config import GanImagesConfig
from imforensics.models.training.progress import Progress
from imforensics.preprocessing.inputs import resize_image
from imforensics.types import FloatArray, UInt8Array


def list_authentic(config: DatasetConfig, split: str) -> list[Path]:
    """Paths of the authentic images of a split.

    Raises:
        DatasetError: the data set or the split is missing, or has no authentic image.
    """
    samples = load_split(load_dataset(config.name, config.root), split)
    paths = [sample.image_path for sample in samples if sample.label == 0]
    if not paths:
        raise DatasetError(
            f"The {split} split of {config.name} has no authentic image; the generator learns from authentic "
            "ones. Check the data set and its split lists."
        )
    return paths


def read_images(paths: Sequence[Path], *, stage: str, progress: Progress) -> list[UInt8Array]:
    """Pixels of image files, each (H, W, 3) uint8 RGB."""
    progress.start(stage, total=len(paths))
    images = []
    for path in paths:
        images.append(read_evidence(path).pixels)
        progress.advance()
    progress.finish()
    return images


def whole_views(images: Sequence[UInt8Array], size: int) -> FloatArray:
    """Images resized to (N, size, size, 3) float32 in [0, 1]; the aspect ratio is not kept."""
    views = np.stack([resize_image(pixels, (size, size)) for pixels in images])
    return np.asarray(np.clip(views / np.float32(255), 0, 1), dtype=np.float32)


def middle_patches(images: Sequence[UInt8Array], size: int) -> FloatArray:
    """The middle of each image at native resolution, (N, size, size, 3) float32 in [0, 1]."""
    patches = []
    for pixels in images:
        top, left = (max(side - size, 0) // 2 for side in pixels.shape[:2])
        patches.append(_cut(pixels, top, left, size))
    return np.stack(patches).astype(np.float32) / np.float32(255)


def iterate_epoch(
    images: Sequence[UInt8Array], config: GanImagesConfig, *, batch_size: int, seed: int, epoch: int
) -> Iterator[FloatArray]:
    """Batches of one epoch, each image once, cut anew; the next batch is cut while one is learned from.

    Args:
        images: (H, W, 3) uint8 each.
        config: views and flips.
        batch_size: images a batch; a rest that fills none is left out.
        seed: of the run.
        epoch: order, crops and mirroring are a function of (seed, epoch) alone.

    Yields:
        (batch_size, size, size, 3) float32 in [0, 1].
    """
    generator = np.random.default_rng([seed, epoch])
    order = generator.permutation(len(images))
    starts = range(0, len(order) - batch_size + 1, batch_size)

    def cut(start: int) -> FloatArray:
        views = [_view(images[index], config, generator) for index in order[start : start + batch_size]]
        return np.stack(views).astype(np.float32) / np.float32(255)

    with ThreadPoolExecutor(1) as pool:  # one thread: the generator is drawn from in order
        waiting = None
        for start in starts:
            following = pool.submit(cut, start)
            if waiting is not None:
                yield waiting.result()
            waiting = following
        if waiting is not None:
            yield waiting.result()


def _view(pixels: UInt8Array, config: GanImagesConfig, generator: np.random.Generator) -> UInt8Array:
    """One (size, size, 3) uint8 view; the same number of draws whatever the view."""
    is_patch, is_flipped = generator.random(2) < (config.patch_share, 0.5)
    shares = generator.uniform(config.min_crop, 1, 2)
    places = generator.random(2)
    height, width = pixels.shape[:2]
    if is_patch:
        top, left = (
            int(place * max(side - config.size + 1, 1))
            for place, side in zip(places, (height, width), strict=True)
        )
        view = _cut(pixels, top, left, config.size)
    else:
        rows, columns = height * shares[0], width * shares[1]
        top, left = (height - rows) * places[0], (width - columns) * places[1]
        image = Image.fromarray(pixels).resize(
            (config.size, config.size), Image.Resampling.BILINEAR, box=(left, top, left + columns, top + rows)
        )
        view = np.asarray(image)
    return view[:, ::-1] if is_flipped and config.flips else view


def _cut(pixels: UInt8Array, top: int, left: int, size: int) -> UInt8Array:
    """A (size, size, 3) window; what lies beyond a small image is its mirror image."""
    part = pixels[top : top + size, left : left + size]
    missing = [(0, size - part.shape[0]), (0, size - part.shape[1]), (0, 0)]
    return np.pad(part, missing, mode="symmetric")
