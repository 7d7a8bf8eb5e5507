"""The JPEG grid as a method: marks what was compressed on another grid or on none, and nothing else."""

from __future__ import annotations

import io

import numpy as np
import pytest
from PIL import Image

from fixtures.textures import make_texture
from imforensics.evidence import read_evidence
from imforensics.methods.jpeg.jpeg_grid import JpegGrid
from imforensics.preprocessing.jpeg import encode_jpeg, resave_jpeg
from imforensics.types import Evidence, Finding

TEXTURE = make_texture(263, 330)  # no multiple of 8
PART = np.s_[70:166, 101:213]


def png(pixels: np.ndarray) -> Evidence:
    buffer = io.BytesIO()
    Image.fromarray(np.ascontiguousarray(pixels)).save(buffer, "PNG")
    return read_evidence(buffer.getvalue(), name="made.png")


def overlap(finding: Finding) -> float:
    """Intersection over union of the mask and PART."""
    assert finding.mask is not None
    truth = np.zeros(finding.mask.shape, dtype=bool)
    truth[PART] = True
    return float((finding.mask & truth).sum() / (finding.mask | truth).sum())


def test_a_part_on_another_grid_is_marked() -> None:
    pixels = resave_jpeg(TEXTURE, quality=80)
    pixels[PART] = resave_jpeg(make_texture(263, 330, seed=1), quality=80)[13:109, 32:144]
    finding = JpegGrid().analyze(png(pixels))
    assert overlap(finding) > 0.75
    assert finding.score is not None
    assert finding.score > 0.9
    assert finding.observations["main_grid"] == {"row": 0, "column": 0}
    region = finding.observations["foreign_regions"][0]  # type: ignore[index]
    assert region["grid"] == {"row": (70 - 13) % 8, "column": (101 - 32) % 8}  # type: ignore[index,call-overload]


def test_a_part_without_a_grid_is_marked() -> None:
    pixels = resave_jpeg(TEXTURE, quality=70)
    pixels[PART] = TEXTURE[PART]
    finding = JpegGrid().analyze(png(pixels))
    assert overlap(finding) > 0.35  # its border is left out, near to which votes for the grid are
    assert finding.mask is not None
    assert finding.mask[PART].sum() == finding.mask.sum()
    assert finding.observations["foreign_region_count"] == 0
    assert finding.observations["missing_region_count"] == 1
    without = JpegGrid(JpegGrid.Options(missing=False)).analyze(png(pixels))
    assert without.score == 0.0
    assert without.observations["missing_region_count"] is None


@pytest.mark.parametrize("quality", [60, 85, 95])
def test_an_untouched_jpeg_is_no_alarm(quality: int) -> None:
    finding = JpegGrid().analyze(read_evidence(encode_jpeg(TEXTURE, quality=quality), name="made.jpg"))
    assert finding.observations["main_grid"] == {"row": 0, "column": 0}
    assert finding.score == 0.0
    assert finding.mask is not None
    assert not finding.mask.any()


def test_a_crop_moves_the_grid_and_is_no_alarm() -> None:
    pixels = resave_jpeg(TEXTURE, quality=80)[3:, 6:]
    finding = JpegGrid().analyze(png(pixels))
    assert finding.observations["main_grid"] == {"row": 5, "column": 2}
    assert finding.observations["is_grid_moved"] is True
    assert finding.score == 0.0
    assert "row 5, column 2" in finding.notes[0]


def test_a_picture_that_was_never_jpeg_has_no_grid() -> None:
    finding = JpegGrid().analyze(png(TEXTURE))
    assert finding.observations["main_grid"] is None
    assert finding.score == 0.0
    assert "No JPEG grid" in finding.notes[0]


def test_too_fine_a_saving_is_said_to_hide_missing_grids() -> None:
    smooth = make_texture(130, 170)[:40, :50].repeat(4, axis=0).repeat(4, axis=1)
    finding = JpegGrid().analyze(read_evidence(encode_jpeg(smooth, quality=99), name="made.jpg"))
    assert finding.observations["main_grid"] == {"row": 0, "column": 0}
    assert finding.observations["missing_region_count"] is None
    assert any("not searched for" in note for note in finding.notes)


def test_small_and_flat_pictures_are_declined() -> None:
    small = JpegGrid().analyze(png(TEXTURE[:31]))
    assert small.status == "not_applicable"
    assert "330x31" in small.notes[0]
    flat = JpegGrid().analyze(png(np.full((64, 64, 3), 90, np.uint8)))
    assert flat.status == "not_applicable"
    assert "Flat" in flat.notes[0]
