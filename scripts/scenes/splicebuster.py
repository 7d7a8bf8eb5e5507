"""A hit and a false alarm of Splicebuster, made from the sample photograph."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
from PIL import Image
from scene import Scene

SAMPLES = Path(__file__).parents[2] / "data" / "samples"


def make_hit() -> Scene:
    """A noisy photograph with a part that has no noise."""
    with Image.open(SAMPLES / "authentic.jpg") as image:
        pixels = np.asarray(image.convert("RGB")).astype(np.float64)
    noise = np.random.default_rng(0).normal(0, 5, pixels.shape[:2])
    noise[180:330, 360:520] = 0
    return Scene(
        _save(np.clip(pixels + noise[..., None], 0, 255).round().astype(np.uint8)),
        "clean_part_in_noise.jpg",
        "Noise as of a high sensitivity was laid over the photograph, except for a rectangle right of the "
        "middle, as if that came from another picture. The map shows the rectangle.",
    )


def make_false_alarm() -> Scene:
    """Untouched, but for the most part foliage and roofs: the sky is the exception."""
    with Image.open(SAMPLES / "authentic.jpg") as image:
        pixels = np.asarray(image.convert("RGB").crop((0, 128, 640, 427)))
    return Scene(
        _save(pixels),
        "lake_and_leaves.jpg",
        "Untouched but for a crop. Most windows hold foliage and roofs; lake and sky have other residuals, "
        "and the map flags them though nothing was inserted.",
    )


def _save(pixels: np.ndarray) -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, "JPEG", quality=95)
    return buffer.getvalue()
