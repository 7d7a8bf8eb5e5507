"""Scenes of the method `resampling`."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
from PIL import Image
from scene import Scene

SAMPLE = Path(__file__).parents[2] / "data" / "samples" / "authentic.jpg"


def make_hit() -> Scene:
    """A part of the photograph enlarged by 30 %."""
    pixels = np.asarray(Image.open(SAMPLE).convert("RGB")).copy()
    part = Image.fromarray(pixels[150:320, 210:400]).resize((247, 221), Image.Resampling.BICUBIC)
    pixels[180:401, 360:607] = np.asarray(part)
    return Scene(
        _png(pixels),
        "enlarged_part.png",
        "A part of the photograph was enlarged by 30 % and pasted at the right; the file was saved without "
        "loss.",
    )


def make_false_alarm() -> Scene:
    """A regular texture of a period that is no fraction of eight pixels."""
    pixels = np.asarray(Image.open(SAMPLE).convert("RGB")).copy()
    rows, columns = np.mgrid[0:200, 0:240].astype(np.float32)
    weave = 18 * np.cos(2 * np.pi * rows / 3.3) * np.cos(2 * np.pi * columns / 2.7)
    place = pixels[200:400, 20:260].astype(np.float32) * 0.6 + 40 + weave[..., None]
    pixels[200:400, 20:260] = np.clip(place, 0, 255).astype(np.uint8)
    return Scene(
        _png(pixels),
        "woven_texture.png",
        "Nothing was scaled: a fine weave, as of fabric or of a screen, was drawn over the lower left. Its "
        "own period looks like that of an enlargement.",
    )


def _png(pixels: np.ndarray) -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, "PNG")
    return buffer.getvalue()
