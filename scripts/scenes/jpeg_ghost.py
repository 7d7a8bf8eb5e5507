"""Scenes of the method `jpeg_ghost`: a part with another history, and a part that is merely out of focus."""

from __future__ import annotations

import numpy as np
from PIL import Image, ImageFilter
from scene import Scene, open_sample, save_and_open, save_jpeg


def make_hit() -> Scene:
    """A part that was saved at quality 60 before, the rest was not."""
    photo = _smaller_photo()
    pixels = np.array(photo)
    pixels[96:216, 160:336] = np.asarray(save_and_open(photo, quality=60))[96:216, 160:336]
    return Scene(
        save_jpeg(pixels, quality=92),
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
        save_jpeg(pixels, quality=92),
        "out_of_focus.jpg",
        "Nothing was inserted: the right part is out of focus, as behind a subject, and blur takes away fine "
        "detail as a coarse saving does. It is marked.",
    )


def _smaller_photo() -> Image.Image:
    """Four fifths of the size: no lattice of the file's own saving survives."""
    photo = open_sample()
    return photo.resize((photo.width * 4 // 5, photo.height * 4 // 5), Image.Resampling.LANCZOS)
