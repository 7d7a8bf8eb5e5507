"""Scenes of the method `nonaligned_double_quantization`: parts that bring their own JPEG grid along."""

from __future__ import annotations

import numpy as np
from PIL import Image
from scene import Scene, open_sample, save_and_open, save_jpeg


def make_hit() -> Scene:
    """A part of a JPEG pasted off its grid into a picture that was not on one."""
    pixels, part = _smaller_photo(), np.asarray(save_and_open(open_sample(), quality=75))
    pixels[133:293, 82:292] = part[150:310, 300:510]
    return Scene(
        save_jpeg(pixels, quality=92),
        "pasted_jpeg_part.jpg",
        "A rectangle at the lower left comes from another JPEG of quality 75, pasted where the grids "
        "do not meet; the rest was made smaller first, which leaves no earlier grid. The part is marked.",
    )


def make_false_alarm() -> Scene:
    """Two pictures side by side, one of which was a JPEG."""
    pixels = _smaller_photo()
    canvas = np.full((pixels.shape[0] + 40, 640, 3), 245, dtype=np.uint8)
    canvas[20:-20, 13:413] = pixels[:, :400]
    canvas[23:203, 427:627] = np.asarray(save_and_open(open_sample(), quality=75))[120:300, 300:500]
    return Scene(
        save_jpeg(canvas, quality=92),
        "side_by_side.jpg",
        "An honest page with two pictures, one of which had been saved as JPEG before it was placed. It is "
        "marked as a pasted forgery would be: the method sees the earlier grid, not the intent.",
    )


def _smaller_photo() -> np.ndarray:
    """Four fifths of the size: no lattice survives."""
    photo = open_sample()
    return np.array(photo.resize((photo.width * 4 // 5, photo.height * 4 // 5), Image.Resampling.LANCZOS))
