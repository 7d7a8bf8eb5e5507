"""What autoencoders learn from: digits, or patches of authentic images and of their residuals."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from PIL import Image

from imforensics.datasets.base import load_dataset, load_split
from imforensics.errors import DatasetError, MissingExtraError
from imforensics.evidence import read_evidence
from imforensics.models.autoencoder.bands import STEP, residual_bands
from imforensics.models.autoencoder.config import SMALLEST_SIDE, AutoencoderDataConfig
from imforensics.models.training.progress import Progress
from imforensics.preprocessing.inputs import normalize
from imforensics.preprocessing.jpeg import resave_jpeg

if TYPE_CHECKING:
    from pathlib import Path

    from imforensics.types import FloatArray, Sample, UInt8Array

MNIST_SIDE = 28
SPLITS = ("train", "val")


@dataclass(frozen=True, slots=True)
class AutoencoderData:
    """Arrays to reconstruct.

    Attributes:
        title: of what they were taken from.
        train: (N, h, w, C) float32: [0, 1], or residual bands.
        validation: likewise.
        validation_images: authentic images of the validation split, for thresholds; empty for digits.
        train_images: number of images that the training patches come from, or of digits.
    """

    title: str
    train: FloatArray
    validation: FloatArray
    validation_images: tuple[Path, ...]
    train_images: int


def load_autoencoder_data(
    config: AutoencoderDataConfig, *, seed: int, progress: Progress | None = None
) -> AutoencoderData:
    """Read or cut everything that a fit needs; the same arrays for the same seed.

    Raises:
        DatasetError: a data set, a file or an array in it is missing or of another shape, or MNIST cannot be
            downloaded.
        MissingExtraError: scikit-learn or Keras is not installed.
        EvidenceError: an image cannot be read.
    """
    if config.source == "patches":
        return _load_patches(config, seed, progress or Progress())
    loaders = {"keras": _download_mnist, "npz": _read_npz, "digits": _load_digits}
    title, train, validation = loaders[config.source](config)
    return AutoencoderData(title, train, validation, (), len(train))


def cut_patches(pixels: UInt8Array, config: AutoencoderDataConfig, *, rng: np.random.Generator) -> FloatArray:
    """Patches of one image at random places.

    Args:
        pixels: (H, W, 3) uint8 RGB.
        config: what patches are wanted.
        rng: draws the places, and whether and how the image is saved again first.

    Returns:
        (per_image, h, w, C) float32: pixels in [0, 1], or residual bands at a quarter of the side; none where
        the image is smaller than a patch.
    """
    step = STEP if config.content == "residual" else 1
    side = config.side // step
    if rng.random() < config.resave_share:
        lowest, highest = config.resave_qualities
        pixels = resave_jpeg(pixels, quality=int(rng.integers(lowest, highest + 1)))
    plane = residual_bands(pixels) if config.content == "residual" else normalize(pixels)
    rows, columns = (pixels.shape[axis] // step - side for axis in (0, 1))
    if min(rows, columns) < 0:
        return np.empty((0, side, side, plane.shape[2]), np.float32)
    tops = rng.integers(0, rows + 1, config.per_image)
    lefts = rng.integers(0, columns + 1, config.per_image)
    return np.stack(
        [plane[top : top + side, left : left + side] for top, left in zip(tops, lefts, strict=True)]
    )


def _load_patches(config: AutoencoderDataConfig, seed: int, progress: Progress) -> AutoencoderData:
    dataset = load_dataset(config.dataset.name, config.dataset.root)
    arrays, paths = [], []
    for number, split in enumerate(SPLITS):
        images = [sample for sample in load_split(dataset, split) if sample.label == 0]
        progress.start(f"{split} patches", total=len(images))
        parts = [
            _read_patches(images, index, config, (seed, number), progress) for index in range(len(images))
        ]
        progress.finish()
        arrays.append(_join(parts, f"{config.dataset.name}, {split} split"))
        paths.append(tuple(sample.image_path for sample in images))
    title = f"{dataset.card.title}, authentic images"
    return AutoencoderData(title, arrays[0], arrays[1], paths[1], len(paths[0]))


def _read_patches(
    images: Sequence[Sample],
    index: int,
    config: AutoencoderDataConfig,
    seeds: tuple[int, int],
    progress: Progress,
) -> FloatArray:
    pixels = read_evidence(images[index].image_path).pixels
    progress.advance()
    return cut_patches(pixels, config, rng=np.random.default_rng([*seeds, index]))


def _join(parts: Sequence[FloatArray], where: str) -> FloatArray:
    filled = [part for part in parts if len(part)]
    if not filled:
        raise DatasetError(
            f"{where}: no authentic image is large enough for a patch. Set a smaller data.side"
        )
    return np.concatenate(filled)


def _download_mnist(config: AutoencoderDataConfig) -> tuple[str, FloatArray, FloatArray]:  # noqa: ARG001
    import keras

    try:
        (train, _), (validation, _) = keras.datasets.mnist.load_data()
    except Exception as error:  # Keras raises a bare Exception for every failed download
        raise DatasetError(
            f"MNIST cannot be downloaded ({error}). Without network set data.source=npz and data.path to a "
            "local mnist.npz, or data.source=digits"
        ) from None
    return "MNIST", _to_unit(train, "MNIST"), _to_unit(validation, "MNIST")


def _read_npz(config: AutoencoderDataConfig) -> tuple[str, FloatArray, FloatArray]:
    path = config.path
    try:
        with np.load(path, allow_pickle=False) as stored:  # type: ignore[arg-type]
            found = [stored[name] for name in ("x_train", "x_test")]
    except (OSError, ValueError, KeyError) as error:
        raise DatasetError(
            f"{path} cannot be read: {error}. Expected an npz file with uint8 arrays x_train and x_test of "
            "shape (N, H, W)"
        ) from None
    train, validation = (_to_unit(array, str(path)) for array in found)
    return str(path), train, validation


def _load_digits(config: AutoencoderDataConfig) -> tuple[str, FloatArray, FloatArray]:  # noqa: ARG001
    try:
        from sklearn.datasets import load_digits
    except ImportError:
        raise MissingExtraError("train", "data.source=digits") from None
    small = (load_digits().images * (255 / 16)).astype(np.uint8)
    size = (MNIST_SIDE, MNIST_SIDE)
    large = [np.asarray(Image.fromarray(one).resize(size, Image.Resampling.BILINEAR)) for one in small]
    digits = _to_unit(np.stack(large), "digits")
    is_validation = np.arange(len(digits)) % 5 == 4
    return "the digits of scikit-learn, enlarged", digits[~is_validation], digits[is_validation]


def _to_unit(array: np.ndarray[Any, Any], where: str) -> FloatArray:
    """(N, H, W) uint8 to (N, H', W', 1) float32 in [0, 1], completed with zeros to multiples of 4."""
    if array.dtype != np.uint8 or array.ndim != 3 or min(array.shape) < 1:
        raise DatasetError(f"{where}: expected uint8 (N, H, W), received {array.dtype} {array.shape}")
    if min(array.shape[1:]) < SMALLEST_SIDE:
        raise DatasetError(
            f"{where}: expected at least {SMALLEST_SIDE} pixels a side, received {array.shape}"
        )
    missing = [(0, 0), *((0, -side % 4) for side in array.shape[1:])]
    return normalize(np.pad(array, missing))[..., None]
