"""JPEG ghosts as a method: another history is marked where it is, an even one is not."""

from __future__ import annotations

import io

import numpy as np
import pytest
from PIL import Image
from pydantic import ValidationError

from fixtures.textures import make_texture
from imforensics.evidence import read_evidence
from imforensics.methods.jpeg.jpeg_ghost import FEW_BLOCKS, SCORE_HALF_WAY, SHEET_WIDTH, JpegGhost
from imforensics.preprocessing.jpeg import decode_jpeg, encode_jpeg
from imforensics.types import Evidence, Finding


def busy_texture(height: int, width: int) -> np.ndarray:
    """The common texture with more contrast and noise: quantization has something to change."""
    noise = np.random.default_rng(4).normal(0, 2, (height, width, 1))
    return np.clip(125 + 3 * (make_texture(height, width) - 125.0) + noise, 0, 255).astype(np.uint8)


PIXELS = busy_texture(260, 325)


def forged(*, first: int = 65) -> tuple[np.ndarray, np.ndarray]:
    """A picture with a part saved at `first` on its grid, the rest never saved."""
    mask = np.zeros(PIXELS.shape[:2], dtype=bool)
    mask[80:168, 104:216] = True
    return np.where(mask[..., None], decode_jpeg(encode_jpeg(PIXELS, quality=first)), PIXELS), mask


def evidence_of(pixels: np.ndarray, *, quality: int = 92) -> Evidence:
    return read_evidence(encode_jpeg(pixels, quality=quality), name="made.jpg")


def values_of(finding: Finding) -> np.ndarray:
    assert finding.map is not None
    return finding.map.values


def test_a_part_saved_before_is_marked_and_its_quality_told() -> None:
    pixels, mask = forged()
    finding = JpegGhost().analyze(evidence_of(pixels))
    values = values_of(finding)
    assert values[88:160, 112:208].min() > 0.9
    assert values[~mask].mean() < 0.25
    assert finding.score is not None
    assert finding.score > 0.5
    assert abs(finding.observations["marked_quality"] - 65) <= 1  # type: ignore[operator]
    assert finding.observations["marked_difference"] < -0.1  # type: ignore[operator]


@pytest.mark.parametrize("qualities", [(92,), (70, 92)])
def test_an_even_history_is_no_alarm(qualities: tuple[int, ...]) -> None:
    pixels = PIXELS
    for quality in qualities[:-1]:
        pixels = decode_jpeg(encode_jpeg(pixels, quality=quality))
    finding = JpegGhost().analyze(evidence_of(pixels, quality=qualities[-1]))
    assert finding.score is not None
    assert finding.score < 0.5
    assert finding.mask is not None
    assert finding.mask.mean() < 0.15


def test_the_quality_of_the_whole_image_is_named() -> None:
    pixels = decode_jpeg(encode_jpeg(PIXELS, quality=70))
    finding = JpegGhost().analyze(evidence_of(pixels, quality=95))
    assert finding.observations["image_quality"] == 70
    assert "quality 70" in finding.notes[0]


def test_the_grid_of_the_resave_can_be_moved() -> None:
    saved = decode_jpeg(encode_jpeg(PIXELS, quality=70))[5:, 2:]  # its grid now begins at row 3, column 6
    evidence = read_evidence(encode_jpeg(saved, quality=95), name="made.jpg")
    moved = JpegGhost(JpegGhost.Options(offset=(3, 6))).analyze(evidence)
    assert moved.observations["image_quality"] == 70
    still = JpegGhost().analyze(evidence)
    assert still.observations["image_dip"] < moved.observations["image_dip"] / 2  # type: ignore[operator]
    assert moved.map is not None
    assert moved.map.valid is not None
    assert not moved.map.valid[:3].any()
    assert not moved.map.valid[:, :6].any()


def test_the_map_moves_with_a_crop_on_the_grid_and_with_a_flip() -> None:
    pixels, _ = forged()
    whole = values_of(JpegGhost().analyze(evidence_of(pixels[:256, :320])))
    cropped = values_of(JpegGhost().analyze(evidence_of(pixels[16:256, 24:320])))
    flipped = values_of(JpegGhost().analyze(evidence_of(pixels[:256, :320][:, ::-1])))
    assert np.abs(whole[16:, 24:] - cropped).mean() < 0.05
    assert np.abs(whole - flipped[:, ::-1]).mean() < 0.05


def test_the_contact_picture_shows_the_ghost_dark() -> None:
    pixels, mask = forged()
    finding = JpegGhost(JpegGhost.Options(qualities=tuple(range(53, 77, 2)))).analyze(evidence_of(pixels))
    sheet = finding.artifacts["ghosts"]
    assert sheet.pixels.shape[1] <= SHEET_WIDTH + 8
    assert "53, 55, 57, 59, 61, 63, 65" in sheet.caption
    height, width = sheet.pixels.shape[0] // 3, sheet.pixels.shape[1] // 4
    tile = sheet.pixels[height : 2 * height, 2 * width : 3 * width]  # the seventh: quality 65
    rows, columns = (np.arange(side) * full // side for side, full in ((height, 256), (width, 320)))
    inside = mask[np.ix_(rows, columns)]
    inside[[0, -1]] = False
    assert tile[inside].mean() < tile[~inside].mean() / 2


def test_saturated_areas_are_not_valid_and_a_flat_image_is_declined() -> None:
    pixels = PIXELS.copy()
    pixels[:, 230:] = 255
    finding = JpegGhost().analyze(evidence_of(pixels))
    assert finding.map is not None
    assert finding.map.valid is not None
    assert not finding.map.valid[:, 300:].any()
    assert finding.map.valid[:256, :200].all()
    flat = JpegGhost().analyze(evidence_of(np.full((200, 200, 3), 90, np.uint8)))
    assert flat.status == "not_applicable"
    assert "Flat or saturated" in flat.notes[0]


@pytest.mark.parametrize(
    "options",
    [{"qualities": (50, 60)}, {"qualities": tuple(range(90, 70, -1))}, {"offset": (0, 8)}],
)
def test_wrong_options_are_refused(options: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        JpegGhost.Options.model_validate(options)


@pytest.mark.parametrize("quality", [60, 75, 90])
def test_the_last_saving_is_not_told_as_an_earlier_one(quality: int) -> None:
    finding = JpegGhost().analyze(evidence_of(PIXELS, quality=quality))
    assert finding.observations["is_last_saving_known"] is True
    assert finding.observations["image_quality"] is None
    assert "beyond what its last saving leaves" in finding.notes[0]


def test_without_a_saving_of_its_own_every_dip_is_an_earlier_one() -> None:
    image = io.BytesIO()
    Image.fromarray(decode_jpeg(encode_jpeg(PIXELS, quality=70))).save(image, "PNG")
    finding = JpegGhost().analyze(read_evidence(image.getvalue(), name="made.png"))
    assert finding.observations["is_last_saving_known"] is False
    assert finding.observations["image_quality"] == 70


def test_the_score_allows_for_few_blocks() -> None:
    pixels, _ = forged()
    finding = JpegGhost().analyze(evidence_of(pixels))
    peak = finding.observations["deviation_q95"]
    half_way = SCORE_HALF_WAY * (1 + FEW_BLOCKS / (33 * 41))
    assert finding.score == pytest.approx(1 / (1 + (half_way / peak) ** 4), rel=0.02)  # type: ignore[operator]
