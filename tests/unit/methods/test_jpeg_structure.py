"""The JPEG structure method: facts about the last save."""

from __future__ import annotations

import json

import numpy as np
import pytest

from fixtures import synthetic as make
from imforensics.evidence import read_evidence
from imforensics.methods.jpeg_structure import JpegStructure
from imforensics.types import Finding


def analyze(content: bytes) -> Finding:
    finding = JpegStructure().analyze(read_evidence(content))
    assert (finding.method, finding.family, finding.status) == ("jpeg_structure", "jpeg", "ok")
    assert finding.score is None
    json.dumps(finding.observations, allow_nan=False)
    return finding


def has_note(finding: Finding, words: str) -> bool:
    return any(words in note for note in finding.notes)


def test_standard_file() -> None:
    finding = analyze(make.make_jpeg(quality=80, progressive=True))
    seen = finding.observations
    assert (seen["estimated_quality"], seen["is_standard_tables"]) == (80, True)
    assert (seen["subsampling"], seen["is_progressive"], seen["component_count"]) == ("4:2:0", True, 3)
    assert (seen["has_jfif"], seen["has_exif"], seen["has_photoshop_resources"]) == (True, False, False)
    assert has_note(finding, "exactly the IJG encoder's at quality 80")
    assert has_note(finding, "progressive, with chroma subsampling 4:2:0")


def test_own_tables() -> None:
    flat = [20] * 64
    finding = analyze(make.encode(make.make_photo_like(16, 16), "JPEG", qtables=[flat, flat]))
    assert finding.observations["quantization_tables"] == [[[20] * 8] * 8] * 3
    assert finding.observations["is_standard_tables"] is False
    assert not has_note(finding, "exactly the IJG")


def test_segments_of_editors_and_trailing_data() -> None:
    content = make.insert_after_soi(
        make.make_jpeg(),
        make.make_jpeg_segment(0xED, b"Photoshop 3.0\x00"),
        make.make_jpeg_segment(0xEE, b"Adobe\x00d\x00\x00\x00\x00\x01"),
        make.make_jpeg_segment(0xEB, b"JP\x00\x01"),
    )
    finding = analyze(content + b"hidden")
    assert finding.observations["trailing_bytes"] == 6
    for words in (
        "APP13",
        "APP14",
        "not verified",
        "6 bytes follow the end of the image, announced by no MPF",
    ):
        assert has_note(finding, words), words


def test_thumbnail_tables() -> None:
    thumbnail = make.make_jpeg(16, 16, quality=50)
    finding = analyze(make.make_jpeg(quality=90, exif=make.make_exif(thumbnail=thumbnail)))
    tables = finding.observations["thumbnail_quantization_tables"]
    assert isinstance(tables, list)
    assert len(tables) == 3
    assert has_note(finding, "another luminance table than")


def test_gray() -> None:
    gray = make.make_photo_like(16, 16)[:, :, 0]
    assert has_note(analyze(make.encode(gray, "JPEG")), "one gray component")


def test_other_formats_are_an_error() -> None:
    evidence = read_evidence(make.encode(np.zeros((4, 4, 3), np.uint8), "PNG"))
    assert JpegStructure.requires == {"jpeg"}
    with pytest.raises(ValueError, match="expected JPEG evidence, received PNG"):
        JpegStructure().analyze(evidence)
