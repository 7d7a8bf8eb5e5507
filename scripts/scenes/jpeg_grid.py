"""Scenes of the method jpeg_grid, made of the sample photograph."""

from __future__ import annotations

import numpy as np
from PIL import Image
from scene import Scene, open_sample, save_and_open, save_png


def make_hit() -> Scene:
    """A part of the photograph, copied to a place off its grid."""
    pixels = np.array(open_sample())
    pixels[203:363, 365:565] = pixels[206:366, 40:240].copy()  # moved by (-3, 325): not by multiples of 8
    return Scene(
        save_png(pixels),
        "moved_part.png",
        "A rectangle was copied within a JPEG photograph to a place off its 8x8 grid, and the result saved "
        "as PNG. The pixels of the copy vote for the grid that they were compressed on: the map flags them.",
    )


def make_false_alarm() -> Scene:
    """An open collage of two JPEG pictures."""
    pixels = np.array(open_sample())
    small = Image.fromarray(pixels).resize((212, 141), Image.Resampling.LANCZOS)
    pixels[275:416, 419:631] = np.array(save_and_open(small, quality=80))
    return Scene(
        save_png(pixels),
        "inset.png",
        "A small JPEG version of the photograph was set into it openly, as in a collage, and the result "
        "saved as PNG. The map flags the inset: it really has another grid, but nobody meant to deceive.",
    )
