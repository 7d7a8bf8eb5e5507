"""Scenes of the method localizer, made of the sample photograph."""

from __future__ import annotations

from PIL import Image, ImageFilter
from scene import Scene, open_sample, save_and_open, save_jpeg


def make_hit() -> Scene:
    """An enlarged part of the photograph, pasted before the last saving."""
    picture = save_and_open(open_sample(), quality=80)
    part = open_sample().crop((40, 206, 190, 326)).resize((201, 161))
    picture.paste(part, (365, 203))
    return Scene(
        save_jpeg(picture, quality=93),
        "pasted_part.jpg",
        "An enlarged part was pasted into a photograph that had been a JPEG, and the result saved as JPEG "
        "again. It shares neither the compression history nor the noise of the rest, and the map flags it.",
    )


def make_false_alarm() -> Scene:
    """A background blurred by a portrait mode, before the last saving."""
    photograph = save_and_open(open_sample(), quality=80)
    cover = Image.new("L", photograph.size)
    cover.paste(255, (0, 0, photograph.width, photograph.height // 3))
    blurred = photograph.filter(ImageFilter.GaussianBlur(3))
    picture = Image.composite(blurred, photograph, cover.filter(ImageFilter.GaussianBlur(12)))
    return Scene(
        save_jpeg(picture, quality=93),
        "soft_background.jpg",
        "The upper third was softened, as a portrait mode does with a background, and the picture saved. "
        "The map flags much of it like a forgery: a harmless edit of a part breaks its history as well.",
    )
