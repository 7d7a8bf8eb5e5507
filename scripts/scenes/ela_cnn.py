"""A hit and a false alarm of the trained detector, which gives a score only, from the sample photographs."""

from __future__ import annotations

from scene import Scene, open_sample, save_jpeg

BOX = (200, 150, 584, 406)  # 384x256 pixels, the size that the network was trained on


def make_hit() -> Scene:
    """The part of the sample with the pavilion that is not there."""
    return Scene(
        _crop("tampered.jpg"),
        "second_pavilion_crop.jpg",
        "The small pavilion was pasted in. There is no map, only a score for the whole image: here it "
        "lies above the threshold of the trained detector, by very little.",
    )


def make_false_alarm() -> Scene:
    """The same part, untouched."""
    return Scene(
        _crop("authentic.jpg"),
        "lake_crop.jpg",
        "The same part of the photograph without the pavilion. The score is nearly the same and above the "
        "threshold too, though nothing was altered.",
    )


def _crop(name: str) -> bytes:
    return save_jpeg(open_sample(name).crop(BOX), quality=95, subsampling=0)
