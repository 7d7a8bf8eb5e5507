"""One made picture that shows what a method does: a hit, or a false alarm."""

from __future__ import annotations

import io
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image

SAMPLES = Path(__file__).resolve().parents[2] / "data" / "samples"


@dataclass(frozen=True, slots=True)
class Scene:
    """A made picture and what to see in it.

    Attributes:
        data: the bytes of the image file.
        name: a file name for them, with the extension.
        words: what was done to the picture, and what the method's map shows there.
    """

    data: bytes
    name: str
    words: str


def open_sample(name: str = "authentic.jpg") -> Image.Image:
    """A bundled photograph, RGB."""
    with Image.open(SAMPLES / name) as image:
        return image.convert("RGB")


def save_png(picture: Image.Image | np.ndarray) -> bytes:
    """The picture, or (H, W, 3) uint8 pixels, as a PNG file."""
    return _save(picture, "PNG")


def save_jpeg(picture: Image.Image | np.ndarray, *, quality: int, **settings: object) -> bytes:
    """The picture, or (H, W, 3) uint8 pixels, as a JPEG file of Pillow's usual settings, or with others."""
    return _save(picture, "JPEG", quality=quality, **settings)


def save_and_open(picture: Image.Image | np.ndarray, *, quality: int) -> Image.Image:
    """The picture after one JPEG saving, RGB."""
    return Image.open(io.BytesIO(save_jpeg(picture, quality=quality))).convert("RGB")


def _save(picture: Image.Image | np.ndarray, file_format: str, **settings: object) -> bytes:
    buffer = io.BytesIO()
    image = picture if isinstance(picture, Image.Image) else Image.fromarray(picture)
    image.save(buffer, file_format, **settings)
    return buffer.getvalue()
