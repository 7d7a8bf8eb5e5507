"""Scenes of the method `cfa`: made mosaics, since the bundled photographs were resized."""

from __future__ import annotations

import numpy as np
from scene import Scene, open_sample, save_png


def make_hit() -> Scene:
    """A photograph through a made Bayer mosaic, with a part that was not."""
    plain = _noisy_photo()
    pixels = _demosaic(plain)
    pixels[150:270, 380:520] = plain[150:270, 380:520]
    return Scene(
        save_png(pixels),
        "mosaic_with_part.png",
        "The photograph was given sensor noise, sampled through a Bayer mosaic and interpolated, as a camera "
        "does; a rectangle right of the middle was put back as it was before. It has no lattice: marked.",
    )


def make_false_alarm() -> Scene:
    """A mosaic with a fine regular texture."""
    pixels = _demosaic(_noisy_photo())
    rows, columns = np.mgrid[0:110, 0:150]
    pixels[290:400, 60:210] = np.where((rows + columns) % 2, 90, 140)[..., None].astype(np.uint8)
    return Scene(
        save_png(pixels),
        "mosaic_with_screen.png",
        "Nothing was pasted from elsewhere: the rectangle at the lower left stands for a screen or a fabric, "
        "photographed so that its finest pattern falls on every other pixel. Its lattice is its own.",
    )


def _noisy_photo() -> np.ndarray:
    """The sample with noise: content at the scale of single pixels."""
    picture = np.asarray(open_sample(), dtype=np.float32)
    noise = np.random.default_rng(0).normal(0, 5, picture.shape)
    return np.clip(picture + noise, 0, 255).astype(np.uint8)


def _demosaic(pixels: np.ndarray) -> np.ndarray:
    """Green of every other pixel from its four neighbours; red and blue stay, the method does not look."""
    green = pixels[..., 1].astype(np.float32)
    padded = np.pad(green, 1, mode="reflect")
    mean = (padded[:-2, 1:-1] + padded[2:, 1:-1] + padded[1:-1, :-2] + padded[1:-1, 2:]) / 4
    rows, columns = np.indices(green.shape)
    result = pixels.copy()
    result[..., 1] = np.where((rows + columns) % 2, mean, green).round()
    return result
