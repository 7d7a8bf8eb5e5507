"""Scenes of the method `jpeg_ghost`: a part with another history, and a part that is merely out of focus."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
from PIL import Image, ImageFilter
from scene import Scene

SAMPLES = Path(__file__).parents[2] / "data" / "samples"


def make_hit() -> Scene:
    """A part that was saved at quality 60 before, the rest was not."""
    photo = _smaller_photo()
    pixels = np.array(photo)
    pixels[96:216, 160:336] = np.asarray(_saved(photo, 60))[96:216, 160:336]
    return Scene(
        _jpeg(Image.fromarray(pixels), 92),
        "part_saved_before.jpg",
        "A rectangle in the middle went through a saving at quality 60, the rest did not; then the whole was "
        "saved at quality 92. The rectangle is marked, and in the ghosts it is dark around quality 60.",
    )


def make_false_alarm() -> Scene:
    """Blur of a lens stands out as an earlier saving does."""
    photo = _smaller_photo()
    pixels = np.array(photo)
    pixels[:, 340:] = np.asarray(photo.filter(ImageFilter.GaussianBlur(1.2)))[:, 340:]
    return Scene(
        _jpeg(Image.fromarray(pixels), 92),
        "out_of_focus.jpg",
        "Nothing was inserted: the right part is out of focus, as behind a subject, and blur takes away fine "
        "detail as a coarse saving does. It is marked.",
    )


def _smaller_photo() -> Image.Image:
    """Four fifths of the size: no lattice of the file's own saving survives."""
    with Image.open(SAMPLES / "authentic.jpg") as image:
        photo = image.convert("RGB")
    return photo.resize((photo.width * 4 // 5, photo.height * 4 // 5), Image.Resampling.LANCZOS)


def _saved(picture: Image.Image, quality: int) -> Image.Image:
    with Image.open(io.BytesIO(_jpeg(picture, quality))) as image:
        return image.copy()


def _jpeg(picture: Image.Image, quality: int) -> bytes:
    buffer = io.BytesIO()
    picture.save(buffer, "JPEG", quality=quality)
    return buffer.getvalue()
