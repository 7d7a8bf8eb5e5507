"""Scenes of the method dct_histograms, made of the sample photograph."""

from __future__ import annotations

from PIL import ImageDraw
from scene import Scene, open_sample, save_and_open, save_jpeg


def make_hit() -> Scene:
    """An enlarged part of the photograph, pasted before the last saving."""
    picture = save_and_open(open_sample(), quality=75)
    part = open_sample().crop((40, 206, 190, 326)).resize((201, 161))
    picture.paste(part, (365, 203))
    return Scene(
        save_jpeg(picture, quality=92),
        "pasted_part.jpg",
        "An enlarged part was pasted into a photograph that had been a JPEG, and the result saved as JPEG "
        "again. The pasted part does not share the peaks that the earlier saving left in the histograms of "
        "the rest, and the map flags it.",
    )


def make_false_alarm() -> Scene:
    """A caption, drawn before the last saving."""
    picture = save_and_open(open_sample(), quality=75)
    draw = ImageDraw.Draw(picture, "RGBA")
    draw.rectangle((0, 330, 639, 426), fill=(20, 20, 40, 140))
    draw.text((24, 345), "Sample photograph", fill=(255, 255, 255, 255), font_size=56)
    return Scene(
        save_jpeg(picture, quality=92),
        "caption.jpg",
        "A caption on a shade was drawn on a photograph that had been a JPEG, and the result saved again. "
        "The map flags the caption like a forgery: harmless edits break the compression history as well.",
    )
