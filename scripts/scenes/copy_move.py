"""Scenes of the method `copy_move`, from the sample photograph."""

from __future__ import annotations

import numpy as np
from PIL import Image
from scene import Scene, open_sample, save_jpeg

from imforensics.datasets.synthesis.copy_move import forge_copy_move


def make_hit() -> Scene:
    """A part of the photograph, turned by 20 degrees and enlarged by a fifth, pasted elsewhere."""
    forged = forge_copy_move(read_sample(), np.random.default_rng(3), rotation=20, scale=1.2, area=0.05)
    return Scene(
        save_jpeg(forged.pixels, quality=90),
        "copied_part.jpg",
        "A part of the photograph was turned by 20 degrees, enlarged by a fifth and pasted elsewhere in it. "
        "The map flags the part and its copy.",
    )


def make_false_alarm() -> Scene:
    """Two prints of one label beside each other: nothing was copied in the picture."""
    return Scene(
        save_jpeg(two_prints(read_sample()), quality=90),
        "two_prints.jpg",
        "Two prints of one label on a wall, rendered one by one with noise of their own: nothing was copied "
        "after the picture was taken. What is manufactured alike is flagged like a copy.",
    )


def read_sample() -> np.ndarray:
    """The photograph, at most 640 pixels wide, (H, W, 3) uint8."""
    photo = open_sample()
    photo.thumbnail((640, 640), Image.Resampling.LANCZOS)
    return np.asarray(photo)


def two_prints(photo: np.ndarray) -> np.ndarray:
    """A wall with two prints of the middle of the photograph, (360, 560, 3) uint8."""
    rng = np.random.default_rng(1)
    top, left = (photo.shape[0] - 160) // 2, (photo.shape[1] - 150) // 2
    label = photo[top : top + 160, left : left + 150].astype(np.float64)
    rows, columns = np.mgrid[0:360, 0:560]
    wall = np.repeat((150 + rows / 12 + columns / 20)[..., None], 3, axis=2)
    wall += np.repeat(rng.normal(0, 6, (90, 140, 1)), 4, axis=0).repeat(4, axis=1)
    wall[60:220, 60:210] = label
    wall[110:270, 330:480] = label
    return np.clip(np.rint(wall + rng.normal(0, 1.5, wall.shape)), 0, 255).astype(np.uint8)
