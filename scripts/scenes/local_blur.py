"""A hit and a false alarm of the local blur method, made from the sample photograph."""

from __future__ import annotations

import io
from pathlib import Path

from PIL import Image, ImageDraw, ImageFilter
from scene import Scene

SAMPLES = Path(__file__).parents[2] / "data" / "samples"


def make_hit() -> Scene:
    """A spot of the trees softened with a feathered brush."""
    with Image.open(SAMPLES / "authentic.jpg") as opened:
        image = opened.convert("RGB")
    brush = Image.new("L", image.size, 0)
    ImageDraw.Draw(brush).ellipse((390, 300, 500, 400), fill=255)
    blurred = image.filter(ImageFilter.GaussianBlur(1.8))
    image = Image.composite(blurred, image, brush.filter(ImageFilter.GaussianBlur(6)))
    return Scene(
        _save(image),
        "softened_spot.jpg",
        "A round spot in the trees at the bottom was softened with a feathered brush. The map shows it.",
    )


def make_false_alarm() -> Scene:
    """A lens with little depth of field, made by code."""
    with Image.open(SAMPLES / "authentic.jpg") as opened:
        image = opened.convert("RGB")
    distance = Image.linear_gradient("L").rotate(90).resize(image.size)
    far = distance.point(lambda level: max(0, min(255, (level - 170) * 6)))
    return Scene(
        _save(Image.composite(image.filter(ImageFilter.GaussianBlur(2)), image, far)),
        "depth_of_field.jpg",
        "One side lies out of focus, as with a lens of little depth of field; no part was retouched. The map "
        "flags it like a softened spot.",
    )


def _save(image: Image.Image) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, "JPEG", quality=92)
    return buffer.getvalue()
