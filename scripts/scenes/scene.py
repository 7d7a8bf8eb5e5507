"""One made picture that shows what a method does: a hit, or a false alarm."""

from __future__ import annotations

import io
from dataclasses import dataclass

from PIL import Image


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


def save_jpeg(picture: Image.Image, *, quality: int) -> bytes:
    """The picture as a JPEG file of Pillow's usual settings."""
    buffer = io.BytesIO()
    picture.save(buffer, "JPEG", quality=quality)
    return buffer.getvalue()


def save_and_open(picture: Image.Image, *, quality: int) -> Image.Image:
    """The picture after one JPEG saving, RGB."""
    return Image.open(io.BytesIO(save_jpeg(picture, quality=quality))).convert("RGB")
