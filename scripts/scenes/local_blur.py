"""A hit and a false alarm of the local blur method, made from the sample photograph."""

from __future__ import annotations

from PIL import Image, ImageDraw, ImageFilter
from scene import Scene, open_sample, save_jpeg


def make_hit() -> Scene:
    """A spot of the trees softened with a feathered brush."""
    image = open_sample()
    brush = Image.new("L", image.size, 0)
    ImageDraw.Draw(brush).ellipse((390, 300, 500, 400), fill=255)
    blurred = image.filter(ImageFilter.GaussianBlur(1.8))
    image = Image.composite(blurred, image, brush.filter(ImageFilter.GaussianBlur(6)))
    return Scene(
        save_jpeg(image, quality=92),
        "softened_spot.jpg",
        "A round spot in the trees at the bottom was softened with a feathered brush. The map shows it.",
    )


def make_false_alarm() -> Scene:
    """A lens with little depth of field, made by code."""
    image = open_sample()
    distance = Image.linear_gradient("L").rotate(90).resize(image.size)
    far = distance.point(lambda level: max(0, min(255, (level - 170) * 6)))
    return Scene(
        save_jpeg(Image.composite(image.filter(ImageFilter.GaussianBlur(2)), image, far), quality=92),
        "depth_of_field.jpg",
        "One side lies out of focus, as with a lens of little depth of field; no part was retouched. The map "
        "flags it like a softened spot.",
    )
