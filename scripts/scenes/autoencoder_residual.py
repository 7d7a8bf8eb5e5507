"""A hit and a false alarm of the residual autoencoder, made from the sample photograph."""

from __future__ import annotations

from PIL import ImageFilter
from scene import Scene, open_sample, save_jpeg

SHARP = (170, 230, 330, 390)  # left, top, right, bottom: roofs with strong detail
PLACE = (420, 200)  # left, top of where it is pasted


def make_hit() -> Scene:
    """A soft photograph with a sharp, colourful part of itself pasted in."""
    photo = open_sample()
    soft = photo.filter(ImageFilter.GaussianBlur(3))
    soft.paste(photo.crop(SHARP), PLACE)
    return Scene(
        save_jpeg(soft, quality=92),
        "sharp_part_in_soft_photo.jpg",
        "The photograph was put out of focus, and a sharp square of its roofs pasted in right of the middle. "
        "The network rebuilds soft detail well and loses the sharp: the map shows the square.",
    )


def make_false_alarm() -> Scene:
    """Untouched: what has the most detail is flagged."""
    photo = open_sample()
    return Scene(
        save_jpeg(photo, quality=92),
        "untouched.jpg",
        "Untouched. The map flags what has the strongest detail and colour contrast, though nothing was "
        "inserted: the error follows texture.",
    )
