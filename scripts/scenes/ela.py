"""A hit and a false alarm of error level analysis, made from the sample photographs."""

from __future__ import annotations

from PIL import Image
from scene import SAMPLES, Scene, open_sample, save_jpeg


def make_hit() -> Scene:
    """The sample with the pavilion that is not there."""
    return Scene(
        (SAMPLES / "tampered.jpg").read_bytes(),
        "second_pavilion.jpg",
        "The small pavilion at the shore was pasted in after the photograph's first JPEG saving. It "
        "changes more than anything else when the picture is saved once more, and the map shows it "
        "brightest.",
    )


def make_false_alarm() -> Scene:
    """The untouched sample, reduced and saved at high quality."""
    small = open_sample().resize((400, 267), Image.Resampling.LANCZOS)
    return Scene(
        save_jpeg(small, quality=99, subsampling=0),
        "reduced.jpg",
        "Nothing was altered; the photograph was reduced and saved at high quality. Roofs and leaves "
        "change most and the sky least, as contrast has it: the map is bright on the former.",
    )
