"""Scenes of the method `copy_move_dense`, from the sample photograph."""

from __future__ import annotations

import numpy as np
from scene import Scene, save_jpeg

from copy_move import read_sample, two_prints
from imforensics.datasets.synthesis.copy_move import forge_copy_move


def make_hit() -> Scene:
    """A part of the photograph pasted elsewhere."""
    forged = forge_copy_move(read_sample(), np.random.default_rng(5), area=0.04)
    return Scene(
        save_jpeg(forged.pixels, quality=90),
        "copied_part.jpg",
        "A part of the photograph was pasted elsewhere in it, with a soft edge. The map flags the part and "
        "its copy.",
    )


def make_false_alarm() -> Scene:
    """Two prints of one label beside each other: nothing was copied in the picture."""
    return Scene(
        save_jpeg(two_prints(read_sample()), quality=90),
        "two_prints.jpg",
        "Two prints of one label on a wall, rendered one by one with noise of their own: nothing was copied "
        "after the picture was taken. What is manufactured alike is flagged like a copy.",
    )
