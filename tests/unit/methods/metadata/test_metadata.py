"""The metadata method: what it notices, and what it leaves alone."""

from __future__ import annotations

import json

import numpy as np
import pytest
from PIL import Image

from fixtures import synthetic as make
from imforensics.evidence import read_evidence
from imforensics.methods.metadata.metadata import MetadataTraces
from imforensics.types import Finding

PHOTO = make.make_photo_like(120, 160, seed=4)


def analyze(content: bytes, name: str = "photo.jpg") -> Finding:
    finding = MetadataTraces().analyze(read_evidence(content, name=name))
    assert (finding.method, finding.family, finding.status) == ("metadata", "metadata", "ok")
    assert finding.score is None
    json.dumps(finding.observations, allow_nan=False)
    return finding


def with_exif(*, thumbnail: bytes = b"", **entries: str) -> bytes:
    tags = {"software": 0x0131, "changed": 0x0132}
    image = [make.ascii_entry(tags[key], value) for key, value in entries.items() if key in tags]
    exif = [make.ascii_entry(0x9003, entries["taken"])] if "taken" in entries else []
    if "size" in entries:
        width, height = entries["size"].split("x")
        exif += [make.long_entry(0xA002, int(width)), make.long_entry(0xA003, int(height))]
    return make.encode(PHOTO, "JPEG", exif=make.make_exif(image, exif=exif, thumbnail=thumbnail))


def traces_of(finding: Finding) -> dict[str, str]:
    """Name of each trace to its weight."""
    traces = finding.observations["traces"]
    assert isinstance(traces, list)
    return {str(each["trace"]): str(each["weight"]) for each in traces if isinstance(each, dict)}


def has_note(finding: Finding, words: str) -> bool:
    return any(words in note for note in finding.notes)


def test_consistent_metadata_raise_no_note() -> None:
    finding = analyze(
        with_exif(
            software="Ver.1.02", taken="2020:01:01 10:00:00", changed="2020:01:01 10:00:00", size="160x120"
        )
    )
    assert finding.notes == ("The metadata name no editing software and do not contradict themselves.",)
    assert finding.observations["recorded_size"] == {"height": 120, "width": 160}


def test_nothing_is_said_to_say_nothing() -> None:
    assert has_note(analyze(make.encode(PHOTO, "JPEG")), "says nothing either way")


@pytest.mark.parametrize(
    "software", ["Adobe Photoshop CS3 Windows", "GIMP 2.10.18", "Paint.NET v4", "Picasa 3.0"]
)
def test_editors_are_named(software: str) -> None:
    finding = analyze(with_exif(software=software))
    assert finding.observations["editing_software"] == [software]
    assert has_note(finding, software)


def test_dates_in_and_out_of_order() -> None:
    later = analyze(with_exif(taken="2020:01:01 10:00:00", changed="2020:01:02 12:07:00"))
    assert has_note(later, "changed 1 day 2 hours after the picture was taken")
    assert traces_of(later)["changed_after_taken"] == "weak"
    earlier = analyze(with_exif(taken="2020:01:05 10:00:00", changed="2020:01:01 10:00:00"))
    assert has_note(earlier, "EXIF dates conflict")
    nonsense = analyze(with_exif(taken="0000:00:00 00:00:00", changed="2020:13:45 10:00:00"))
    assert not has_note(nonsense, "date")


def test_size_conflicts() -> None:
    assert has_note(
        analyze(with_exif(size="4000x3000")), "EXIF records 4000 x 3000 pixels, the image has 160 x 120"
    )
    assert has_note(analyze(with_exif(size="120x160")), "exchanged (rotated)")


def thumbnail_of(pixels: np.ndarray, *, bars: int = 0) -> bytes:
    small = np.asarray(Image.fromarray(pixels).resize((80, 60), Image.Resampling.LANCZOS))
    padded = np.zeros((60 + 2 * bars, 80, 3), np.uint8)
    padded[bars : bars + 60] = small
    return make.encode(padded, "JPEG", quality=80)


@pytest.mark.parametrize("bars", [0, 7])
def test_thumbnail_of_the_image_is_similar(bars: int) -> None:
    finding = analyze(with_exif(thumbnail=thumbnail_of(PHOTO, bars=bars)))
    similarity = finding.observations["thumbnail_similarity"]
    assert isinstance(similarity, float)
    assert similarity > 0.95
    assert not has_note(finding, "thumbnail")


def test_thumbnail_of_another_image_is_noted() -> None:
    other = 255 - PHOTO
    assert has_note(analyze(with_exif(thumbnail=thumbnail_of(other))), "thumbnail differs")


def test_thumbnail_of_the_image_before_a_turn_or_a_crop() -> None:
    turned = analyze(with_exif(thumbnail=thumbnail_of(np.ascontiguousarray(PHOTO[::-1, ::-1]))))
    assert turned.observations["thumbnail_turn"] == "turned by 180 degrees"
    assert traces_of(turned)["thumbnail_turned"] == "weak"
    whole = make.make_photo_like(240, 320, seed=4)
    exif = make.make_exif(thumbnail=thumbnail_of(whole))
    part = np.ascontiguousarray(whole[60:204, 64:256])
    cropped = analyze(make.encode(part, "JPEG", exif=exif))
    assert traces_of(cropped)["thumbnail_shows_more"] == "moderate"
    assert has_note(cropped, "probably cropped")


def test_a_picture_without_contrast_or_of_fine_detail_only_is_not_compared() -> None:
    faint = (120 + PHOTO // 32).astype(np.uint8)
    other = np.ascontiguousarray(faint[::-1, ::-1])
    checks = np.zeros_like(PHOTO)
    checks[(np.arange(len(PHOTO))[:, None] + np.arange(PHOTO.shape[1])) % 2 == 0] = 255
    for image, shown in ((faint, other), (PHOTO // 4 + checks // 4 * 3, 255 - PHOTO)):
        block = make.make_exif(thumbnail=thumbnail_of(shown))
        finding = analyze(make.encode(image, "JPEG", quality=95, exif=block))
        assert not {name for name in traces_of(finding) if name.startswith("thumbnail")}


def test_flat_images_have_no_similarity() -> None:
    flat = np.full((64, 64, 3), 128, np.uint8)
    block = make.make_exif(thumbnail=make.encode(flat[:16, :16], "JPEG"))
    assert analyze(make.encode(flat, "JPEG", exif=block)).observations["thumbnail_similarity"] is None


def test_position_extension_and_history() -> None:
    gps = [make.ascii_entry(1, "N"), make.rational_entry(2, [(48, 1), (0, 1), (0, 1)])]
    gps += [make.ascii_entry(3, "W"), make.rational_entry(4, [(2, 1), (0, 1), (0, 1)])]
    packet = make.make_xmp('<xmpMM:History><rdf:Seq><rdf:li stEvt:action="saved"/></rdf:Seq></xmpMM:History>')
    content = make.add_xmp(make.encode(PHOTO, "JPEG", exif=make.make_exif(gps=gps)), packet)
    finding = analyze(content, name="photo.png")
    assert finding.observations["gps"] == [48.0, -2.0]
    assert finding.observations["xmp_history_steps"] == 1
    assert has_note(finding, "history of 1 saving")
    assert has_note(finding, "The content is JPEG, the name's extension belongs to another format")


def test_generator_text_is_noted() -> None:
    from PIL import PngImagePlugin

    info = PngImagePlugin.PngInfo()
    info.add_text("parameters", "a cat, Steps: 20, Sampler: Euler")
    assert has_note(analyze(make.encode(PHOTO, "PNG", pnginfo=info), name="a.png"), "image generators")


def test_traces_carry_a_weight_and_are_notes_too() -> None:
    finding = analyze(with_exif(software="GIMP 2.10.18", size="4000x3000"))
    assert traces_of(finding) == {"editing_software": "weak", "recorded_size_differs": "moderate"}
    assert [note.rpartition(" Weight: ")[2] for note in finding.notes] == ["weak.", "moderate."]


def test_a_camera_without_what_cameras_write() -> None:
    camera = [make.ascii_entry(0x010F, "Maker"), make.ascii_entry(0x0110, "Model 1")]
    bare = analyze(make.encode(PHOTO, "JPEG", exif=make.make_exif(camera)))
    assert {"camera_claim_without_maker_note", "camera_claim_without_exposure"} <= traces_of(bare).keys()
    full = [(0x927C, 7, b"maker note", 10), make.rational_entry(0x829A, [(1, 60)])]
    whole = analyze(make.encode(PHOTO, "JPEG", exif=make.make_exif(camera, exif=full)))
    assert whole.observations["has_maker_note"] is True
    assert traces_of(whole) == {}


def test_order_of_segments_and_appended_files() -> None:
    jpeg = make.encode(PHOTO, "JPEG", exif=make.make_exif([make.ascii_entry(0x0131, "Ver.1")]))
    ordered = analyze(jpeg)
    assert ordered.observations["marker_order"] == ["APP0 JFIF", "APP1 Exif"]
    assert traces_of(ordered) == {}
    mixed = analyze(
        make.insert_after_soi(jpeg, make.make_jpeg_segment(0xFE, b"a comment")) + b"PK\x03\x04 zip"
    )
    assert traces_of(mixed) == {"exif_not_first": "weak", "foreign_file_appended": "moderate"}
    assert mixed.observations["trailing"] == ["a ZIP archive (8 bytes)"]
    for ordinary in (bytes(64), b"\xff", b"\x01\x02SEFT"):
        assert traces_of(analyze(jpeg + ordinary)) == {}
    assert traces_of(analyze(jpeg + bytes(64) + b"PK\x03\x04 zip")) == {"foreign_file_appended": "moderate"}
    assert traces_of(analyze(jpeg + b"words, words, words")) == {"data_appended": "note"}


def test_rotation_left_in_the_orientation_tag() -> None:
    image = [make.short_entry(0x0112, 6)]
    exif = [make.long_entry(0xA002, 120), make.long_entry(0xA003, 160)]
    finding = analyze(make.encode(PHOTO, "JPEG", exif=make.make_exif(image, exif=exif)))
    assert traces_of(finding) == {"recorded_size_differs": "weak", "orientation_not_reset": "weak"}
