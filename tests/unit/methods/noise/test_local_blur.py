"""Local blur as a method: marks a softened spot, not a smooth but sharp one; knows where it is blind."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image, ImageFilter
from pydantic import ValidationError

from imforensics.methods.noise.local_blur import LocalBlur, find_softness
from imforensics.types import Evidence, Metadata

BOX = (160, 96, 256, 192)  # left, top, right, bottom


def evidence_of(pixels: np.ndarray) -> Evidence:
    return Evidence(
        "made", None, 1, "0" * 64, "0" * 64, "PNG", True, "RGB", pixels, 1, 1, None, Metadata()
    )  # fmt: skip


def scene() -> Image.Image:
    """Overlapping sharp rectangles of many sizes and little noise, with contrast that differs by place."""
    rng = np.random.default_rng(0)
    plane = np.full((288, 384), 120.0)
    for _ in range(900):
        y, x, high, wide = rng.integers(0, [288, 384, 22, 22])
        plane[y : y + high + 2, x : x + wide + 2] += rng.normal(0, 18 if x < 200 else 7)
    plane = 120 + (plane - 120).clip(-100, 100) + rng.normal(0, 1, plane.shape)
    return Image.fromarray(np.repeat(plane.round().clip(0, 255)[..., None], 3, axis=2).astype(np.uint8))


def softened(radius: float) -> np.ndarray:
    image = scene()
    image.paste(image.filter(ImageFilter.GaussianBlur(radius)).crop(BOX), BOX)
    return np.asarray(image)


@pytest.mark.parametrize("radius", [1.0, 2.0])
def test_a_softened_spot_is_marked_and_the_rest_is_not(radius: float) -> None:
    finding = LocalBlur().analyze(evidence_of(softened(radius)))
    left, top, right, bottom = BOX
    assert (finding.map.values[top + 20 : bottom - 20, left + 20 : right - 20] > 0.5).mean() > 0.9
    outside = np.ones(finding.map.values.shape, dtype=np.bool_)
    outside[top - 24 : bottom + 24, left - 24 : right + 24] = False
    assert (finding.map.values[outside] < 0.5).mean() > 0.99
    assert finding.score > 0.5
    assert finding.mask is None


def test_sharp_places_of_low_and_high_contrast_are_not_marked() -> None:
    finding = LocalBlur().analyze(evidence_of(np.asarray(scene())))
    assert (finding.map.values >= 0.5).mean() < 0.01
    assert finding.score < 0.2


def test_deviations_ignore_the_contrast_and_point_to_the_softer_side() -> None:
    rng = np.random.default_rng(0)
    coarse = np.exp(rng.uniform(0, 3, 400)).astype(np.float32)
    fine = 0.7 * coarse * np.exp(rng.normal(0, 0.1, 400)).astype(np.float32)
    fine[:20] /= 2
    fine[20:40] *= 2
    deviations, slope, spread = find_softness(fine, coarse)
    assert slope == pytest.approx(1, abs=0.05)
    assert spread == pytest.approx(0.11, abs=0.03)
    assert deviations[:20].min() > 3
    assert deviations[20:40].max() < -3
    assert abs(np.corrcoef(coarse[40:], deviations[40:])[0, 1]) < 0.2


def test_flat_and_saturated_parts_are_not_valid() -> None:
    pixels = np.asarray(scene()).copy()
    pixels[:, :96] = 130
    pixels[:, 96:160] = 255
    finding = LocalBlur().analyze(evidence_of(pixels))
    assert not finding.map.valid[:, :72].any()
    assert not finding.map.valid[:, 112:136].any()
    assert finding.map.valid[:, 184:].all()


@pytest.mark.parametrize(
    ("pixels", "reason"),
    [
        (np.asarray(scene())[:31], "384x31 pixels"),
        (np.asarray(scene())[:48, :48], "36 windows"),
        (np.full((200, 200, 3), 120, np.uint8), "0 windows"),
    ],
)
def test_what_cannot_be_analysed_is_declined_with_the_reason(pixels: np.ndarray, reason: str) -> None:
    finding = LocalBlur().analyze(evidence_of(pixels))
    assert finding.status == "not_applicable"
    assert finding.map is None
    assert reason in finding.notes[0]


@pytest.mark.parametrize("options", [{"window": 20}, {"window": 8}, {"x": 1}])
def test_wrong_options_are_refused(options: dict) -> None:
    with pytest.raises(ValidationError):
        LocalBlur.Options(**options)
