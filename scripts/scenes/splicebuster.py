"""A hit and a false alarm of Splicebuster, made from the sample photograph."""

from __future__ import annotations

import numpy as np
from scene import Scene, open_sample, save_jpeg


def make_hit() -> Scene:
    """A noisy photograph with a part that has no noise."""
    pixels = np.asarray(open_sample()).astype(np.float64)
    noise = np.random.default_rng(0).normal(0, 5, pixels.shape[:2])
    noise[180:330, 360:520] = 0
    return Scene(
        save_jpeg(np.clip(pixels + noise[..., None], 0, 255).round().astype(np.uint8), quality=95),
        "clean_part_in_noise.jpg",
        "Noise as of a high sensitivity was laid over the photograph, except for a rectangle right of the "
        "middle, as if that came from another picture. The map shows the rectangle.",
    )


def make_false_alarm() -> Scene:
    """Untouched, but for the most part foliage and roofs: the sky is the exception."""
    pixels = np.asarray(open_sample().crop((0, 128, 640, 427)))
    return Scene(
        save_jpeg(pixels, quality=95),
        "lake_and_leaves.jpg",
        "Untouched but for a crop. Most windows hold foliage and roofs; lake and sky have other residuals, "
        "and the map flags them though nothing was inserted.",
    )
