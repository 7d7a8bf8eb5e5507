"""A hit and a false alarm of Noisesniffer, made from the sample photograph."""

from __future__ import annotations

import numpy as np
from PIL import Image
from scene import Scene, open_sample, save_jpeg


def make_hit() -> Scene:
    """A noisy photograph with a part that has less noise."""
    strength = np.full((426, 640), 5.0)
    strength[190:250, 470:536] = 2.0
    return Scene(
        save_jpeg(_add_noise(strength), quality=95),
        "quiet_part_in_noise.jpg",
        "Noise as of a high sensitivity was laid over the photograph, and much less of it over a small "
        "rectangle in the sky, as if something had been painted over there. The map shows its place.",
    )


def make_false_alarm() -> Scene:
    """Noise reduction that worked in one patch of the sky."""
    strength = np.full((426, 640), 5.0)
    strength[96:192, 480:576] = 2.75
    return Scene(
        save_jpeg(_add_noise(strength), quality=95),
        "smoothed_sky.jpg",
        "A noisy photograph, in which the noise reduction of the camera itself, as phones apply it, took "
        "a patch of the sky for smooth and others not. Nothing was inserted or removed, and the map flags "
        "the patch.",
    )


def _photograph() -> np.ndarray:
    """A part of the photograph, enlarged: smooth enough for its noise to be seen."""
    part = open_sample().crop((160, 20, 480, 233)).resize((640, 426), Image.Resampling.BICUBIC)
    return np.asarray(part).astype(np.float64) * 0.85 + 10


def _add_noise(strength: np.ndarray) -> np.ndarray:
    """The photograph with Gaussian noise of (H, W) standard deviations, uint8."""
    noise = np.random.default_rng(0).normal(0, 1, (*strength.shape, 3)) * strength[..., None]
    return (_photograph() + noise).clip(0, 255).round().astype(np.uint8)
