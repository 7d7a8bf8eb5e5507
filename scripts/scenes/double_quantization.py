"""A hit and a false alarm of the double quantization method, made from the sample photographs."""

from __future__ import annotations

from PIL import ImageDraw
from scene import SAMPLES, Scene, open_sample, save_and_open, save_jpeg


def make_hit() -> Scene:
    """The sample with the pavilion that is not there."""
    return Scene(
        (SAMPLES / "tampered.jpg").read_bytes(),
        "second_pavilion.jpg",
        "The photograph was saved at quality 78, the small pavilion at the shore pasted in, and the whole "
        "saved at quality 92. The pavilion lacks the traces of the first saving: the map shows it.",
    )


def make_false_alarm() -> Scene:
    """A caption, as on a postcard."""
    image = save_and_open(open_sample(), quality=78)
    draw = ImageDraw.Draw(image)
    draw.text((345, 290), "Summer Palace\nBeijing, 2011", fill=(250, 230, 90), font_size=40, stroke_width=2)
    return Scene(
        save_jpeg(image, quality=92, subsampling=0),
        "caption.jpg",
        "Nothing of the scene was altered, but a caption was written over the picture between two "
        "savings. Its letters were saved once: the map flags them like an inserted object.",
    )
