"""The JPEG structure method: facts about the last save."""

from __future__ import annotations

import json

import numpy as np
import pytest
from PIL.JpegPresets import presets

from fixtures import synthetic as make
from imforensics.evidence import read_evidence
from imforensics.evidence.encoder_formulas import jpegli_tables
from imforensics.evidence.table_families import list_known_tables
from imforensics.methods.jpeg.jpeg_structure import JpegStructure
from imforensics.types import Finding


def analyze(content: bytes) -> Finding:
    finding = JpegStructure().analyze(read_evidence(content))
    assert (finding.method, finding.family, finding.status) == ("jpeg_structure", "jpeg", "ok")
    assert finding.score is None
    json.dumps(finding.observations, allow_nan=False)
    return finding


def traces_of(finding: Finding) -> dict[str, str]:
    """Name of each trace to its weight."""
    traces = finding.observations["traces"]
    assert isinstance(traces, list)
    return {str(each["trace"]): str(each["weight"]) for each in traces if isinstance(each, dict)}


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
        "6 bytes follow the end of the image: text",
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


PHOTO = make.make_photo_like(48, 64)
CAMERA = [make.ascii_entry(0x010F, "Canon"), make.ascii_entry(0x0110, "Canon EOS 30D")]
PHOTOSHOP = {"qtables": presets["high"]["quantization"]}
SMALL = make.encode(make.make_photo_like(24, 32), "JPEG", qtables=[[9] * 64, [11] * 64])


def test_families_and_candidates() -> None:
    plain = analyze(make.make_jpeg(quality=77)).observations
    assert plain["table_family"] == "ijg"
    assert plain["table_candidates"] == [
        {"family": "ijg", "setting": "quality 77", "source": "ITU-T T.81, Annex K, scaled as in libjpeg 6b"}
    ]
    edited = analyze(make.encode(PHOTO, "JPEG", **PHOTOSHOP))
    assert edited.observations["table_family"] == "photoshop_save_as"
    assert has_note(edited, "consistent with Adobe Photoshop or Lightroom, save as or export, level 8")
    assert traces_of(edited) == {"photoshop_tables_without_markers": "weak"}
    own = analyze(make.encode(PHOTO, "JPEG", qtables=[list(range(1, 65)), [30] * 64])).observations
    assert own["table_family"] in {"unknown", "near_ijg"}
    assert own["table_candidates"] == []


def test_a_camera_file_with_an_editors_tables() -> None:
    exif = make.make_exif(CAMERA, thumbnail=SMALL)
    edited = analyze(make.encode(PHOTO, "JPEG", exif=exif, **PHOTOSHOP))
    assert traces_of(edited)["camera_claim_photoshop_tables"] == "moderate"
    assert traces_of(edited)["thumbnail_older_than_image"] == "weak"
    common = analyze(make.encode(PHOTO, "JPEG", exif=exif, quality=92))
    assert traces_of(common) == {"camera_claim_ijg_tables": "note", "camera_claim_jfif_marker": "note"}
    named = make.make_exif([*CAMERA, make.ascii_entry(0x0131, "GIMP 2.10")], thumbnail=SMALL)
    assert traces_of(analyze(make.encode(PHOTO, "JPEG", exif=named, quality=92))) == {}


def test_a_camera_file_with_its_own_or_another_cameras_tables() -> None:
    from imforensics.evidence.table_families import _known_tables

    own, other = (
        next(
            tables
            for family, setting, tables, _ in _known_tables()
            if family == "camera" and camera in setting
        )
        for camera in ("Canon EOS 30D", "NIKON D70s")
    )
    exif = make.make_exif(CAMERA, thumbnail=SMALL)
    seen = analyze(make.encode(PHOTO, "JPEG", exif=exif, qtables=[list(table) for table in own]))
    assert seen.observations["table_family"] == "camera"
    assert "camera_claim_other_camera_tables" not in traces_of(seen)
    seen = analyze(make.encode(PHOTO, "JPEG", exif=exif, qtables=[list(table) for table in other]))
    assert traces_of(seen)["camera_claim_other_camera_tables"] == "weak"


def test_a_camera_file_with_the_tables_of_an_optimizer_or_of_apple() -> None:
    exif = make.make_exif(CAMERA, thumbnail=SMALL)
    tables = [table.ravel().tolist() for table in jpegli_tables(1.0, is_420=True)]
    seen = analyze(make.encode(PHOTO, "JPEG", exif=exif, qtables=tables))
    assert traces_of(seen)["camera_claim_encoder_tables"] == "moderate"
    assert seen.observations["table_family"] == "jpegli"
    assert has_note(seen, "consistent with jpegli at distance 1.0")
    apple = next(known for known in list_known_tables() if known.family == "apple")
    tables = [table.ravel().tolist() for table in apple.tables]
    seen = analyze(make.encode(PHOTO, "JPEG", exif=exif, qtables=tables))
    assert traces_of(seen)["camera_claim_apple_tables"] == "weak"
    phone = [make.ascii_entry(0x010F, "Apple"), make.ascii_entry(0x0110, "iPhone 6s")]
    own = make.make_exif(phone, thumbnail=SMALL)
    seen = analyze(make.encode(PHOTO, "JPEG", exif=own, qtables=tables))
    assert "camera_claim_apple_tables" not in traces_of(seen)


def test_captions_are_no_segments_of_an_editor() -> None:
    """An APP13 segment with IPTC alone, as caption tools write it."""
    exif = make.make_exif(CAMERA, thumbnail=SMALL)
    block = b"8BIM\x04\x04\x00\x00\x00\x00\x00\x08\x1c\x02\x78\x00\x03abc"
    segment = make.make_jpeg_segment(0xED, b"Photoshop 3.0\x00" + block)
    content = make.insert_after_soi(make.encode(PHOTO, "JPEG", exif=exif, qtables=[[9] * 64]), segment)
    traces = traces_of(analyze(content))
    assert traces == {"camera_claim_captions": "note", "camera_claim_jfif_marker": "note"}


def test_markers_that_cameras_do_not_write() -> None:
    exif = make.make_exif(CAMERA)
    content = make.insert_after_soi(
        make.encode(PHOTO, "JPEG", exif=exif, progressive=True, qtables=[[9] * 64, [11] * 64]),
        make.make_jpeg_segment(0xEE, b"Adobe\x00d\x00\x00\x00\x00\x01"),
    )
    assert traces_of(analyze(content)) == {
        "camera_claim_jfif_marker": "note",
        "camera_claim_without_thumbnail": "note",
        "camera_claim_adobe_markers": "moderate",
        "camera_claim_progressive": "moderate",
    }


def test_the_recorded_level_against_the_tables() -> None:
    def saved(level: int, **options: object) -> Finding:
        block = (
            b"8BIM\x04\x06\x00\x00\x00\x00\x00\x06" + (level - 4).to_bytes(2, "big", signed=True) + bytes(4)
        )
        segment = make.make_jpeg_segment(0xED, b"Photoshop 3.0\x00" + block)
        return analyze(make.insert_after_soi(make.encode(PHOTO, "JPEG", **options), segment))

    assert saved(8, **PHOTOSHOP).observations["photoshop_quality"] == 8
    assert traces_of(saved(8, **PHOTOSHOP)) == {}
    assert traces_of(saved(12, **PHOTOSHOP)) == {"photoshop_level_mismatch": "moderate"}
    assert traces_of(saved(12, quality=90)) == {"photoshop_level_mismatch": "moderate"}


def test_a_thumbnail_that_photoshop_made_in_a_file_that_it_did_not_save() -> None:
    thumbnail = make.encode(make.make_photo_like(24, 32), "JPEG", **PHOTOSHOP)
    finding = analyze(make.encode(PHOTO, "JPEG", quality=90, exif=make.make_exif(thumbnail=thumbnail)))
    assert finding.observations["thumbnail_table_family"] == "photoshop_save_as"
    assert traces_of(finding) == {"thumbnail_photoshop_tables": "moderate"}


def test_a_download_is_consistent_with_a_service() -> None:
    finding = analyze(make.encode(make.make_photo_like(32, 1600), "JPEG", quality=80))
    assert has_note(finding, "consistent with a download from WhatsApp")
    assert {"family": "service", "setting": "WhatsApp"}.items() <= finding.observations["table_candidates"][
        1
    ].items()
