"""Scenes of the method `resampling`."""

from __future__ import annotations

import numpy as np
from PIL import Image
from scene import Scene, open_sample, save_png


def make_hit() -> Scene:
    """A part of the photograph enlarged by 30 %."""
    pixels = np.asarray(open_sample()).copy()
    part = Image.fromarray(pixels[150:320, 210:400]).resize((247, 221), Image.Resampling.BICUBIC)
    pixels[180:401, 360:607] = np.asarray(part)
    return Scene(
        save_png(pixels),
        "enlarged_part.png",
        "A part of the photograph was enlarged by 30 % and pasted at the right; the file was saved without "
        "loss.",
    )


def make_false_alarm() -> Scene:
    """A regular texture of a period that is no fraction of eight pixels."""
    pixels = np.asarray(open_sample()).copy()
    rows, columns = np.mgrid[0:200, 0:240].astype(np.float32)
    weave = 18 * np.cos(2 * np.pi * rows / 3.3) * np.cos(2 * np.pi * columns / 2.7)
    place = pixels[200:400, 20:260].astype(np.float32) * 0.6 + 40 + weave[..., None]
    pixels[200:400, 20:260] = np.clip(place, 0, 255).astype(np.uint8)
    return Scene(
        save_png(pixels),
        "woven_texture.png",
        "Nothing was scaled: a fine weave, as of fabric or of a screen, was drawn over the lower left. Its "
        "own period looks like that of an enlargement.",
    )
