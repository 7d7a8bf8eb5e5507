"""Non-aligned double quantization as a method: a part, the whole, the whole but a part, and nothing."""

from __future__ import annotations

import numpy as np
import pytest

from fixtures.textures import make_texture
from imforensics.evidence import read_evidence
from imforensics.methods.jpeg.nonaligned_double_quantization import NonalignedDoubleQuantization
from imforensics.preprocessing.jpeg import decode_jpeg, encode_jpeg
from imforensics.types import Evidence, Finding

PIXELS = make_texture(260, 325)
MASK = np.zeros(PIXELS.shape[:2], dtype=bool)
MASK[80:184, 104:216] = True


def moved(*, quality: int = 70, top: int = 5, left: int = 3) -> np.ndarray:
    """The picture as saved on the grid that begins at row `top`, column `left`."""
    result = PIXELS.copy()
    result[top:, left:] = decode_jpeg(encode_jpeg(PIXELS[top:, left:], quality=quality))
    return result


def analyze(pixels: np.ndarray, quality: int = 92) -> Finding:
    return NonalignedDoubleQuantization().analyze(evidence_of(pixels, quality))


def evidence_of(pixels: np.ndarray, quality: int) -> Evidence:
    return read_evidence(encode_jpeg(pixels, quality=quality), name="made.jpg")


def overlap(finding: Finding, mask: np.ndarray) -> float:
    assert finding.mask is not None
    return float((finding.mask & mask).sum() / (finding.mask | mask).sum())


def test_a_part_with_its_own_grid_is_marked() -> None:
    finding = analyze(np.where(MASK[..., None], moved(), PIXELS))
    assert finding.observations["offset"] == [5, 3]
    assert finding.observations["is_whole_image"] is False
    assert finding.observations["log10_nfa"] < -6  # type: ignore[operator]
    assert overlap(finding, MASK) > 0.6
    assert finding.score is not None
    assert finding.score > 0.5


def test_a_whole_image_on_another_grid_is_harmless() -> None:
    finding = analyze(moved())
    assert finding.observations["is_whole_image"] is True
    assert finding.observations["earlier_grid_share"] > 0.9  # type: ignore[operator]
    assert "harmless" in finding.notes[1]
    assert finding.score is not None
    assert finding.score < 0.1
    assert finding.mask is not None
    assert finding.mask.mean() < 0.03


def test_a_part_that_lacks_the_grid_of_the_rest_is_marked() -> None:
    finding = analyze(np.where(MASK[..., None], PIXELS, moved()))
    assert finding.observations["is_whole_image"] is True
    assert overlap(finding, MASK) > 0.6
    assert finding.score is not None
    assert finding.score > 0.3


@pytest.mark.parametrize("qualities", [(80,), (92,), (70, 92)])
def test_one_grid_alone_gives_a_map_of_zeros_and_says_so(qualities: tuple[int, ...]) -> None:
    pixels = PIXELS
    for quality in qualities[:-1]:
        pixels = decode_jpeg(encode_jpeg(pixels, quality=quality))
    finding = analyze(pixels, qualities[-1])
    assert finding.status == "ok"
    assert finding.score == 0
    assert finding.map is not None
    assert not finding.map.values.any()
    assert finding.observations["is_found"] is False
    assert "No earlier compression" in finding.notes[0]


def test_the_offset_moves_with_a_crop_and_mirrors_with_a_flip() -> None:
    pixels = np.where(MASK[..., None], moved(), PIXELS)[:256, :320]
    cropped, flipped = analyze(pixels[16:, 24:]), analyze(pixels[:, ::-1])
    assert cropped.observations["offset"] == [5, 3]
    assert flipped.observations["offset"] == [5, 5]  # 320 - 3 is 5 beyond a multiple of 8
    assert overlap(cropped, MASK[16:256, 24:320]) > 0.5
    assert overlap(flipped, MASK[:256, :320][:, ::-1]) > 0.5


def test_too_small_and_flat_images_are_declined() -> None:
    small = analyze(PIXELS[:31, :100])
    assert small.status == "not_applicable"
    assert "100x31" in small.notes[0]
    flat = analyze(np.full((64, 64, 3), 128, np.uint8))
    assert flat.status == "not_applicable"
    assert "flat" in flat.notes[0]


def test_a_picture_that_is_no_jpeg_is_a_mistake_of_the_caller() -> None:
    evidence = evidence_of(PIXELS, 90)
    object.__setattr__(evidence, "jpeg", None)
    with pytest.raises(ValueError, match="needs a JPEG"):
        NonalignedDoubleQuantization().analyze(evidence)
