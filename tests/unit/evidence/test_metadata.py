"""EXIF, XMP, IPTC, ICC, text and thumbnail: what is there is found, what is hostile is bounded."""

from __future__ import annotations

import logging
import struct
import time

import numpy as np
import pytest
from PIL import ImageCms, PngImagePlugin

from fixtures import synthetic as make
from imforensics.evidence import read_evidence
from imforensics.evidence.exif import read_exif
from imforensics.evidence.iptc import read_icc_description
from imforensics.evidence.text import MAX_CHARACTERS, MAX_ENTRIES
from imforensics.evidence.xmp import MAX_XMP_BYTES, read_xmp
from imforensics.types import Metadata

THUMBNAIL = make.make_jpeg(12, 16, seed=5, quality=60)
DEGREES = [(52, 1), (30, 1), (0, 1)]
EXIF = make.make_exif(
    [
        make.ascii_entry(0x010F, "Canon"),
        make.ascii_entry(0x0110, "Canon EOS 5D"),
        make.ascii_entry(0x0131, "Adobe Photoshop CS3"),
        make.ascii_entry(0x0132, "2020:02:01 10:00:00"),
        make.short_entry(0x0112, 3),
    ],
    exif=[
        make.ascii_entry(0x9003, "2020:01:01 10:00:00"),
        (0x927C, 7, b"Canon maker note", 16),
        (0x9286, 7, b"ASCII\x00\x00\x00made by me", 18),
        make.long_entry(0xA002, 640),
        make.long_entry(0xA003, 480),
    ],
    gps=[
        make.ascii_entry(1, "S"),
        make.rational_entry(2, DEGREES),
        make.ascii_entry(3, "E"),
        make.rational_entry(4, [(13, 1), (0, 1), (36, 1)]),
    ],
    thumbnail=THUMBNAIL,
)


def metadata_of(content: bytes) -> Metadata:
    return read_evidence(content).metadata


@pytest.mark.parametrize("format_name", ["JPEG", "PNG", "WEBP", "AVIF", "HEIF"])
def test_exif_is_read_from_every_container(format_name: str) -> None:
    exif = EXIF if format_name in {"JPEG", "HEIF"} else EXIF[6:]
    found = metadata_of(make.encode(make.make_photo_like(32, 32), format_name, exif=exif))
    assert found.camera == "Canon EOS 5D"
    assert found.exif["Image Model"] == "Canon EOS 5D"
    assert found.software == ("Adobe Photoshop CS3",)
    assert found.dates["EXIF DateTimeOriginal"] == "2020:01:01 10:00:00"


def test_exif_of_a_jpeg_in_full() -> None:
    evidence = read_evidence(make.make_jpeg(exif=EXIF))
    found = evidence.metadata
    assert evidence.orientation == 3
    assert found.gps == (-52.5, 13.01)
    assert found.exif["EXIF MakerNote"] == "present, 16 bytes, not decoded"
    assert found.exif["EXIF UserComment"] == "made by me"
    assert found.exif["EXIF ExifImageWidth"] == "640"
    assert found.thumbnail is not None
    assert found.thumbnail.shape == (12, 16, 3)
    assert len(found.thumbnail_quantization_tables) == 3
    assert found.problems == ()


def test_exif_of_a_tiff() -> None:
    found = metadata_of(make.encode(make.make_photo_like(16, 16), "TIFF", software="GIMP 2.10"))
    assert found.software == ("GIMP 2.10",)


def test_xmp_is_flattened_with_its_history() -> None:
    packet = make.make_xmp(
        '<xmpMM:History><rdf:Seq><rdf:li stEvt:action="created"/>'
        '<rdf:li rdf:parseType="Resource"><stEvt:softwareAgent>Lightroom 5</stEvt:softwareAgent></rdf:li>'
        "</rdf:Seq></xmpMM:History><dc:title><rdf:Alt><rdf:li>A title</rdf:li></rdf:Alt></dc:title>",
        attributes='xmp:CreatorTool="Adobe Photoshop 21" xmp:ModifyDate="2021-05-06T07:08:09+02:00"',
    )
    found = metadata_of(make.add_xmp(make.make_jpeg(), packet))
    assert found.xmp["xmp:CreatorTool"] == "Adobe Photoshop 21"
    assert found.xmp["xmpMM:History[1]/stEvt:action"] == "created"
    assert found.xmp["xmpMM:History[2]/stEvt:softwareAgent"] == "Lightroom 5"
    assert found.xmp["dc:title[1]"] == "A title"
    assert found.software == ("Adobe Photoshop 21", "Lightroom 5")
    assert found.dates == {"XMP xmp:ModifyDate": "2021-05-06T07:08:09+02:00"}


def test_xmp_of_a_png() -> None:
    info = PngImagePlugin.PngInfo()
    info.add_itxt("XML:com.adobe.xmp", make.make_xmp("", attributes='xmp:CreatorTool="Krita"').decode())
    info.add_text("Software", "ImageMagick")
    found = metadata_of(make.encode(make.make_photo_like(8, 8), "PNG", pnginfo=info))
    assert found.software == ("Krita", "ImageMagick")
    assert found.text == {"Software": "ImageMagick"}


@pytest.mark.parametrize(
    ("packet", "words"),
    [
        (b'<!DOCTYPE x [<!ENTITY a "ha"><!ENTITY b "&a;&a;">]><x>&b;</x>', "DTD or entities"),
        (b'<!DOCTYPE x SYSTEM "file:///etc/passwd"><x/>', "DTD or entities"),
        (b"<x><y></x>", "not well-formed"),
        (b"\xff\xfe\x00", "not well-formed"),
        (b" " * (MAX_XMP_BYTES + 1), "more than"),
        (make.make_xmp("<dc:a>" * 3000 + "</dc:a>" * 3000), "nested deeper"),
        (make.make_xmp("".join(f"<dc:a{n}>x</dc:a{n}>" for n in range(600))), "entries beyond"),
    ],
)
def test_hostile_xmp_is_a_problem_and_nothing_more(packet: bytes, words: str) -> None:
    problems: list[str] = []
    found = read_xmp([packet], problems)
    assert len(found) <= MAX_ENTRIES
    assert any(words in problem for problem in problems), problems


def test_iptc_names_the_originating_program() -> None:
    def dataset(number: int, value: bytes) -> bytes:
        return b"\x1c\x02" + bytes([number]) + struct.pack(">H", len(value)) + value

    block = (
        dataset(65, b"Photo Mechanic") + dataset(70, b"5.0") + dataset(55, b"20200101") + dataset(230, b"?")
    )
    resource = b"Photoshop 3.0\x008BIM\x04\x04\x00\x00" + struct.pack(">I", len(block)) + block
    found = metadata_of(make.insert_after_soi(make.make_jpeg(), make.make_jpeg_segment(0xED, resource)))
    assert found.iptc["Originating Program"] == "Photo Mechanic"
    assert found.iptc["2:230"] == "?"
    assert found.software == ("Photo Mechanic 5.0",)
    assert found.dates == {"IPTC Date Created": "20200101"}


def test_icc_description_in_both_versions() -> None:
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    assert metadata_of(make.make_jpeg(icc_profile=profile)).icc_description == "sRGB built-in"
    words = b"desc" + bytes(4) + struct.pack(">I", 8) + b"Old one\x00"
    old = bytes(128) + struct.pack(">I", 1) + b"desc" + struct.pack(">II", 144, len(words)) + words
    assert read_icc_description(old, []) == "Old one"
    problems: list[str] = []
    assert read_icc_description(b"\xff" * 150, problems) is None
    assert problems


def test_comments_name_their_program() -> None:
    comment = b"CREATOR: gd-jpeg v1.0 (using IJG JPEG v62), quality = 90\n"
    found = metadata_of(make.make_jpeg(comment=comment))
    assert found.software == ("gd-jpeg v1.0 (using IJG JPEG v62)",)
    assert found.text["JPEG comment"].startswith("CREATOR")


def test_long_values_are_cut_and_say_so() -> None:
    block = make.make_exif([make.ascii_entry(0x010E, "x" * 5000)])
    value = metadata_of(make.make_jpeg(exif=block)).exif["Image ImageDescription"]
    assert value == "x" * MAX_CHARACTERS + "… (5000 characters)"


def test_values_that_are_not_utf8_stay_visible() -> None:
    block = make.make_exif([(0x010F, 2, b"Caf\xe9 maker\x00", 11)])
    assert metadata_of(make.make_jpeg(exif=block)).exif["Image Make"] == "Caf\\xe9 maker"


def overlapping_directories() -> bytes:
    entry = struct.pack("<HHII", 0x0002, 5, 999, 8)
    return b"II*\x00\x08\x00\x00\x00" + struct.pack("<H", 5000) + entry * 5000


@pytest.mark.parametrize(
    ("block", "words"),
    [
        (overlapping_directories(), "read in part"),
        (b"II*\x00\xff\xff\xff\x7f", "outside the block"),
        (b"no header at all", "does not start with a TIFF header"),
        (make.make_exif([make.short_entry(0x0112, 9)])[6:], "orientation: 9"),
        (make.make_exif(thumbnail=THUMBNAIL)[6:-50], "bytes are declared"),
    ],
)
def test_hostile_exif_is_a_problem_and_quick(block: bytes, words: str) -> None:
    start = time.perf_counter()
    found = read_exif(block)
    assert time.perf_counter() - start < 3
    assert any(words in problem for problem in found.problems), found.problems
    assert found.orientation == 1


@pytest.mark.parametrize(
    ("reference", "values", "words"),
    [("N", [(1, 0), (2, 0), (3, 0)], "not numbers"), ("N", [(95, 1), (0, 1), (0, 1)], "outside the globe")],
)
def test_impossible_positions(reference: str, values: list[tuple[int, int]], words: str) -> None:
    gps = [make.ascii_entry(1, reference), make.rational_entry(2, values)]
    gps += [make.ascii_entry(3, "E"), make.rational_entry(4, DEGREES)]
    found = read_exif(make.make_exif(gps=gps))
    assert found.gps is None
    assert any(words in problem for problem in found.problems), found.problems


@pytest.mark.parametrize("missing", [1, 2, 8])
def test_a_thumbnail_a_few_bytes_short_is_read(missing: int) -> None:
    padded = THUMBNAIL + bytes(8 - missing)  # firmware counts the padding
    block = make.make_exif(thumbnail=padded + bytes(missing))[:-missing]
    found = metadata_of(make.make_jpeg(exif=block))
    assert found.thumbnail is not None
    assert found.thumbnail.shape == (12, 16, 3)
    assert found.problems == ()


def test_a_thumbnail_without_its_end_marker_is_read_and_without_its_lower_part_is_not() -> None:
    tall = make.make_jpeg(64, 16)
    assert metadata_of(make.make_jpeg(exif=make.make_exif(thumbnail=tall[:-2]))).thumbnail is not None
    cut = metadata_of(make.make_jpeg(exif=make.make_exif(thumbnail=tall[: -len(tall) // 4])))
    assert cut.thumbnail is None
    assert any("its lower part is missing" in problem for problem in cut.problems)


def test_bad_and_oversized_thumbnails_are_not_decoded() -> None:
    found = metadata_of(make.make_jpeg(exif=make.make_exif(thumbnail=b"\xff\xd8\xffnot a jpeg at all")))
    assert found.thumbnail is None
    assert any(
        "thumbnail: cannot be decoded (the header is not valid)" in problem for problem in found.problems
    )
    at = THUMBNAIL.index(b"\xff\xc0")
    huge = THUMBNAIL[: at + 5] + b"\x40\x00\x40\x00" + THUMBNAIL[at + 9 :]
    found = metadata_of(make.make_jpeg(exif=make.make_exif(thumbnail=huge)))
    assert any("16384 x 16384 pixels, not decoded" in problem for problem in found.problems)


def test_exifread_stays_silent(capfd: pytest.CaptureFixture[str]) -> None:
    read_exif(b"II*\x00\x08\x00\x00\x00" + np.random.default_rng(0).bytes(3000))
    assert capfd.readouterr() == ("", "")
    assert logging.getLogger("exifread").handlers == []
