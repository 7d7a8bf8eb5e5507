"""Sizes, masks and hashes read from a data set's files; nothing is kept."""

from __future__ import annotations

import hashlib
import io
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from imforensics.errors import DatasetError
from imforensics.evidence.decoding import SIDEWAYS, applied_orientation, undo_orientation
from imforensics.evidence.library_output import caught_output

if TYPE_CHECKING:
    from PIL.Image import Image

    from imforensics.datasets.base import MaskEncoding
    from imforensics.types import BoolArray, UInt8Array

IMAGE_SUFFIXES = frozenset({".bmp", ".jpeg", ".jpg", ".png", ".tif", ".tiff", ".webp"})
_FORMATS = ("BMP", "JPEG", "PNG", "TIFF", "WEBP", "GIF")
_CHUNK_BYTES = 1 << 20


def is_image(path: Path) -> bool:
    """True for a regular file with an image's suffix that is not hidden (such as macOS's `._` companions)."""
    return path.suffix.lower() in IMAGE_SUFFIXES and not path.name.startswith(".") and path.is_file()


def list_images(folder: Path, *, recursive: bool = False) -> list[Path]:
    """Image files of a folder, sorted by path."""
    return sorted(path for path in (folder.rglob("*") if recursive else folder.iterdir()) if is_image(path))


def read_size(path: Path) -> tuple[int, int]:
    """Height and width in pixels, as stored, from the file's header.

    Raises:
        DatasetError: the file is no readable image.
    """
    with _opened(path) as (image, orientation):
        width, height = image.size
    return (width, height) if orientation in SIDEWAYS else (height, width)


def read_rgb(path: Path) -> UInt8Array:
    """Pixels as stored, (H, W, 3) uint8 RGB.

    Raises:
        DatasetError: the file is no readable image.
    """
    return _decode(path, "RGB")


def read_mask(path: Path, *, encoding: MaskEncoding = "white") -> BoolArray:
    """Ground truth, (H, W) bool, True = tampered.

    Args:
        path: the mask.
        encoding: which pixels are tampered, see `DatasetCard.mask_encoding`.

    Raises:
        DatasetError: the file is no readable image.
    """
    if encoding == "green":
        pixels = _decode(path, "RGB")
        return np.asarray(pixels[..., 1] > pixels[..., 0])
    luma = _decode(path, "L")
    if encoding == "black":
        return np.asarray(luma < 128)
    return np.asarray(luma > 10) if encoding == "grey" else np.asarray(luma >= 128)


def hash_file(path: Path) -> str:
    """Hexadecimal SHA-256 of the file's bytes.

    Raises:
        DatasetError: the file cannot be read.
    """
    digest = hashlib.sha256()
    try:
        with path.open("rb") as file:
            while chunk := file.read(_CHUNK_BYTES):
                digest.update(chunk)
    except OSError as error:
        raise DatasetError(f"{path} cannot be read: {error}") from None
    return digest.hexdigest()


@contextmanager
def _opened(path: Path, content: bytes | None = None) -> Iterator[tuple[Image, int]]:
    """A picture that is not decoded yet, and how Pillow will turn it then."""
    from PIL import Image

    with caught_output():
        try:
            image = Image.open(path if content is None else io.BytesIO(content), formats=_FORMATS)
            orientation = applied_orientation(image)
        except Exception as error:  # decoders raise of every kind on damaged input
            raise DatasetError(f"{path} cannot be read as an image: {error}") from None
        with image:
            yield image, orientation


def _decode(path: Path, mode: str) -> UInt8Array:
    try:  # from memory: Pillow misreads the rows of a turned TIFF that it maps from disk
        content = path.read_bytes()
    except OSError as error:
        raise DatasetError(f"{path} cannot be read: {error}") from None
    with _opened(path, content) as (image, orientation):
        try:
            return undo_orientation(np.asarray(image.convert(mode), dtype=np.uint8), orientation)
        except Exception as error:  # decoders raise of every kind on damaged input
            raise DatasetError(f"{path} cannot be decoded: {error}") from None
