"""What follows the end of an image, and Photoshop's resources: named, bounded, safe on damage."""

from __future__ import annotations

import struct

import pytest

from fixtures import synthetic as make
from imforensics.evidence import read_evidence
from imforensics.evidence.jpeg_structure import walk_jpeg
from imforensics.evidence.photoshop import MAX_RESOURCES, read_photoshop_resources
from imforensics.evidence.trailing import MAX_PARTS, describe_trailing

JPEG = make.make_jpeg(16, 16)


def trailing_of(content: bytes) -> tuple[str, ...]:
    return read_evidence(content).metadata.trailing


@pytest.mark.parametrize(
    ("appended", "expected"),
    [
        (b"", ()),
        (bytes(5000), ("padding with zeros (5,000 bytes)",)),
        (b"PK\x03\x04 and so on", ("a ZIP archive (14 bytes)",)),
        (b"%PDF-1.7 ...", ("a PDF document (12 bytes)",)),
        (b"a hidden message\n", ("text (17 bytes)",)),
        ("größer".encode(), ("text (8 bytes)",)),
        (b"\x01\x02\xff\xfe" * 20, ("unknown data (80 bytes)",)),
        (b"\x00\x00\x00\x18ftypmp42", ("a video or image in an ISO media container (12 bytes)",)),
        (b"\x01\x02\x03SEFT", ("a Samsung trailer (7 bytes)",)),
    ],
)
def test_parts_after_a_jpeg(appended: bytes, expected: tuple[str, ...]) -> None:
    assert trailing_of(JPEG + appended) == expected


def test_an_appended_jpeg_is_followed_to_its_end() -> None:
    assert trailing_of(JPEG + JPEG + b"PK\x03\x04") == (
        f"a JPEG image ({len(JPEG):,} bytes)",
        "a ZIP archive (4 bytes)",
    )


def test_many_parts_are_bounded() -> None:
    parts = trailing_of(JPEG * (MAX_PARTS + 5))
    assert len(parts) == MAX_PARTS + 1
    assert parts[-1].startswith("more (")


@pytest.mark.parametrize("format_name", ["PNG", "WEBP"])
def test_other_formats_with_an_end(format_name: str) -> None:
    content = make.encode(make.make_photo_like(16, 16), format_name)
    assert trailing_of(content) == ()
    assert trailing_of(content + b"hidden words") == ("text (12 bytes)",)


def test_formats_without_an_end_and_damage_say_nothing() -> None:
    assert trailing_of(make.encode(make.make_photo_like(16, 16), "BMP")) == ()
    assert describe_trailing(b"\x89PNG\r\n\x1a\n" + b"\xff" * 40, format_name="PNG", layout=None) == ()
    assert describe_trailing(JPEG[:-2], format_name="JPEG", layout=walk_jpeg(JPEG[:-2])) == ()


def resource(number: int, content: bytes, name: bytes = b"") -> bytes:
    padded = bytes([len(name)]) + name + (b"" if len(name) % 2 else b"\x00")
    return (
        b"8BIM"
        + struct.pack(">H", number)
        + padded
        + struct.pack(">I", len(content))
        + content
        + bytes(len(content) % 2)
    )


def with_resources(block: bytes) -> bytes:
    return make.insert_after_soi(JPEG, make.make_jpeg_segment(0xED, b"Photoshop 3.0\x00" + block))


def test_resources_and_the_recorded_level() -> None:
    quality = struct.pack(">hHH", 6, 0, 1)  # level 10, stored less four
    block = resource(0x03ED, b"abc", b"a name") + resource(0x0406, quality) + resource(0x0FFF, b"")
    metadata = read_evidence(with_resources(block)).metadata
    assert metadata.photoshop_resources == ("resolution", "JPEG quality", "0x0fff")
    assert metadata.photoshop_quality == 10


@pytest.mark.parametrize(
    "block",
    [
        b"",
        b"8BIM",
        b"8BIM\x04\x06",
        b"nothing known",
        b"8BIM\x04\x06\xff" + bytes(20),
        resource(0x0406, b"\x7f\xff"),
    ],
)
def test_damaged_resources_are_left(block: bytes) -> None:
    found = read_photoshop_resources([block], [])
    assert found.quality is None
    assert len(found.names) <= 1


def test_resources_are_bounded() -> None:
    metadata = read_evidence(with_resources(resource(0x03ED, b"") * 1000)).metadata
    assert len(metadata.photoshop_resources) == MAX_RESOURCES
    assert metadata.unread == ("image resources",)
