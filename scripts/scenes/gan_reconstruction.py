"""Scenes of the method `gan_reconstruction`."""

from __future__ import annotations

import numpy as np
from PIL import Image
from scene import Scene, open_sample, save_png


def make_hit() -> Scene:
    """A landscape of two soft colours with an object in it that no landscape has."""
    height, width = 256, 384
    rng = np.random.default_rng(1)
    down = np.linspace(0, 1, height)[:, None, None]
    sky, ground = np.array([120, 160, 210.0]), np.array([90, 110, 70.0])
    pixels = sky * (1 - down) + 200 * down * np.ones((1, width, 1))
    pixels[150:] = ground + 20 * down[150:]
    pixels += rng.normal(0, 3, (height, width, 3))
    pixels[110:210, 230:330] = (250, 20, 200)
    return Scene(
        save_png(np.clip(np.rint(pixels), 0, 255).astype(np.uint8)),
        "landscape_with_magenta_square.png",
        "A made landscape of sky and ground, into which a magenta square was put. The generator makes "
        "coarse landscapes without such squares: it differs from the reconstruction and is flagged.",
    )


def make_false_alarm() -> Scene:
    """An authentic photograph with strong contrast."""
    image = open_sample()
    small = image.resize((480, 480 * image.height // image.width), Image.Resampling.LANCZOS)
    return Scene(
        save_png(small),
        "authentic.png",
        "Nothing was altered. Where light and dark meet in shapes that the generator has not learned, the "
        "reconstruction is off, and the map is high: it shows what is unusual, not what was pasted.",
    )
