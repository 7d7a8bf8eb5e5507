"""A hit and a false alarm of the wavelet noise method: the two sample photographs."""

from __future__ import annotations

from scene import SAMPLES, Scene


def make_hit() -> Scene:
    """The sample with the pavilion that is not there."""
    return Scene(
        (SAMPLES / "tampered.jpg").read_bytes(),
        "second_pavilion.jpg",
        "The small pavilion at the shore was pasted in, shrunk to 45 %, so that its colour detail is "
        "finer than that of the rest. The map shows it brightest.",
    )


def make_false_alarm() -> Scene:
    """The untouched sample."""
    return Scene(
        (SAMPLES / "authentic.jpg").read_bytes(),
        "coloured_roofs.jpg",
        "Nothing was altered. The roofs and railings of the pavilion have fine, colourful detail, which "
        "counts as noise: the map flags them.",
    )
