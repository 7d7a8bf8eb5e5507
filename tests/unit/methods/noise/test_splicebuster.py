"""Splicebuster as a method: marks a part with other noise, knows where it is blind."""

from __future__ import annotations

import numpy as np
import pytest
from pydantic import ValidationError

from imforensics.methods.noise.splicebuster import STRIDES, Splicebuster, _choose_stride
from imforensics.types import Evidence, Metadata


def evidence_of(pixels: np.ndarray) -> Evidence:
    return Evidence(
        "made", None, 1, "0" * 64, "0" * 64, "PNG", True, "RGB", pixels, 1, 1, None, Metadata()
    )  # fmt: skip


def smoothed(shape: tuple[int, int], passes: int, seed: int) -> np.ndarray:
    """Noise of standard deviation 3, smoothed by means of two neighbours, brought back to 3."""
    noise = np.random.default_rng(seed).normal(0, 1, shape)
    for _ in range(passes):
        noise = noise + np.roll(noise, 1, axis=0)
        noise = noise + np.roll(noise, 1, axis=1)
    return 3 * noise / noise.std()


def picture(*, has_part: bool) -> np.ndarray:
    """A shaded plane with one kind of noise, and where asked a part of the same strength but another kind."""
    rows, columns = np.mgrid[0:320, 0:400]
    plane = 110 + rows / 8 + columns / 10 + smoothed((320, 400), 1, 0)
    if has_part:
        plane[128:256, 200:336] += smoothed((128, 136), 0, 1) - smoothed((320, 400), 1, 0)[128:256, 200:336]
    return np.repeat(plane.round().clip(0, 255)[..., None], 3, axis=2).astype(np.uint8)


def test_a_part_with_other_noise_of_the_same_strength_is_marked_and_the_rest_is_not() -> None:
    finding = Splicebuster().analyze(evidence_of(picture(has_part=True)))
    marks = finding.map.values
    assert marks[160:224, 232:304].min() > 0.6
    assert marks[:80].max() < 0.2
    assert marks[:, :150].max() < 0.2
    assert finding.score > 0.2
    assert 0.7 < finding.observations["majority_share"] < 0.95
    assert finding.mask is None


def test_an_even_picture_is_not_marked() -> None:
    finding = Splicebuster().analyze(evidence_of(picture(has_part=False)))
    assert finding.map.values.max() < 0.25
    assert finding.score < 0.02
    assert finding.observations["majority_share"] > 0.95
    assert finding.map.valid.all()


def test_flat_and_saturated_parts_are_not_valid_and_do_not_count_as_outliers() -> None:
    pixels = picture(has_part=False)
    pixels[:, :112] = 255
    finding = Splicebuster().analyze(evidence_of(pixels))
    assert not finding.map.valid[:, :64].any()
    assert finding.map.valid[:, 144:].all()
    assert finding.map.values.max() < 0.25


def test_windows_that_are_all_alike_have_no_outlier() -> None:
    columns = np.tile(np.array([100, 140, 180, 120], np.uint8), 80)
    finding = Splicebuster().analyze(
        evidence_of(np.broadcast_to(columns[None, :, None], (320, 320, 3)).copy())
    )
    assert finding.status == "ok"
    assert finding.map.values.max() < 0.5


@pytest.mark.parametrize(
    ("pixels", "reason"),
    [
        (picture(has_part=False)[:63], "400x63 pixels"),
        (picture(has_part=False)[:128, :128], "4.0 windows"),
        (np.full((320, 320, 3), 100, np.uint8), "0.0 windows"),
        (np.full((320, 320, 3), 255, np.uint8), "neither flat nor saturated"),
    ],
)
def test_what_cannot_be_analysed_is_declined_with_the_reason(pixels: np.ndarray, reason: str) -> None:
    finding = Splicebuster().analyze(evidence_of(pixels))
    assert finding.status == "not_applicable"
    assert finding.map is None
    assert reason in finding.notes[0]


def test_large_images_are_seen_in_larger_steps() -> None:
    assert _choose_stride((768, 1024)) == 8
    assert _choose_stride((3000, 4000)) == 16
    assert _choose_stride((20000, 20000)) == STRIDES[-1] == 32


def test_small_pictures_get_fewer_components() -> None:
    finding = Splicebuster().analyze(evidence_of(picture(has_part=False)))
    assert finding.observations["components"] == 320 * 400 // 64**2 // 4
    few = Splicebuster(Splicebuster.Options(components=3)).analyze(evidence_of(picture(has_part=False)))
    assert few.observations["components"] == 3


@pytest.mark.parametrize("options", [{"window": 48}, {"window": 16}, {"components": 2}, {"x": 1}])
def test_wrong_options_are_refused(options: dict) -> None:
    with pytest.raises(ValidationError):
        Splicebuster.Options(**options)
