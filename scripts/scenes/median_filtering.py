"""A hit and a false alarm of the median filtering method, made from the sample photograph."""

from __future__ import annotations

from PIL import Image, ImageFilter
from scene import Scene, open_sample, save_png

BOX = (380, 240, 560, 400)  # trees at the lower right


def make_hit() -> Scene:
    """A part of the photograph median filtered, stored losslessly."""
    image = open_sample()
    image.paste(image.crop(BOX).filter(ImageFilter.MedianFilter(3)), BOX)
    return Scene(
        save_png(image),
        "median_in_the_trees.png",
        "A rectangle in the trees at the lower right was filtered with a 3x3 median and the picture stored "
        "as PNG. The map shows the rectangle.",
    )


def make_false_alarm() -> Scene:
    """Enlarged by repeating pixels: neighbours are equal everywhere."""
    image = open_sample().crop((100, 60, 420, 300))
    return Scene(
        save_png(image.resize((640, 480), Image.Resampling.NEAREST)),
        "enlarged_screenshot.png",
        "Enlarged twice by repeating pixels, as screenshots of enlarged pictures are. Equal neighbours look "
        "like a median filter; the map flags the texture though none was used.",
    )
