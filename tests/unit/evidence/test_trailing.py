"""What follows the end of an image, and Photoshop's resources: named, bounded, safe on damage."""

from __future__ import annotations

import struct

import numpy as np
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
        (bytes(5000), ("fill bytes (zeros) (5,000 bytes)",)),
        (b"\xff", ("fill bytes (0xFF) (1 bytes)",)),
        (b"\xff" * 700, ("fill bytes (0xFF) (700 bytes)",)),
        (b"PK\x03\x04 and so on", ("a ZIP archive (14 bytes)",)),
        (b"%PDF-1.7 ...", ("a PDF document (12 bytes)",)),
        (b"a hidden message\n", ("text (17 bytes)",)),
        ("größer".encode(), ("text (8 bytes)",)),
        (b"\x01\x02\xff\xfe" * 20, ("unknown data (80 bytes)",)),
        (b"\x00\x00\x00\x18ftypmp42", ("a video or image in an ISO media container (12 bytes)",)),
        (b"\x01\x02\x03SEFT", ("vendor data (Samsung trailer) (7 bytes)",)),
    ],
)
def test_parts_after_a_jpeg(appended: bytes, expected: tuple[str, ...]) -> None:
    assert trailing_of(JPEG + appended) == expected


SMALL = make.make_jpeg(8, 8)
GARBAGE = bytes(np.random.default_rng(1).integers(1, 256, 3000, dtype=np.uint8))


@pytest.mark.parametrize(("fill", "name"), [(bytes(600), "zeros"), (b"\xff" * 493, "0xFF"), (b"", "")])
def test_a_preview_after_the_end_with_and_without_fill(fill: bytes, name: str) -> None:
    expected = (f"fill bytes ({name}) ({len(fill)} bytes)",) if fill else ()
    assert trailing_of(JPEG + fill + SMALL) == (
        *expected,
        f"a smaller JPEG image, as previews are, of 8 x 8 pixels ({len(SMALL)} bytes)",
    )


@pytest.mark.parametrize("first_byte", [b"\xff", b"\x00", b"\x01"])
@pytest.mark.parametrize("order", ["<I", ">I"])
@pytest.mark.parametrize("is_from_file_start", [True, False])
def test_a_preview_that_the_maker_note_announces(
    first_byte: bytes, order: str, is_from_file_start: bool
) -> None:
    def build(offset: int) -> bytes:
        note = b"a note" + struct.pack(order, offset)
        exif = make.make_exif([make.ascii_entry(0x010F, "M")], exif=[(0x927C, 7, note, len(note))])
        return make.make_jpeg(16, 16, exif=exif)

    jpeg = build(0)
    header = 0 if is_from_file_start else jpeg.index(b"Exif\x00\x00") + 6
    jpeg = build(len(jpeg) + 100 - header)
    parts = trailing_of(jpeg + bytes(100) + first_byte + SMALL[1:] + bytes(50))
    assert parts == (
        "fill bytes (zeros) (100 bytes)",
        f"preview, announced in the EXIF data ({len(SMALL)} bytes)",
        "fill bytes (zeros) (50 bytes)",
    )


def test_a_changed_start_that_nothing_announces_is_no_preview() -> None:
    parts = trailing_of(JPEG + bytes(100) + SMALL[1:])
    assert parts[0] == "fill bytes (zeros) (100 bytes)"
    assert parts[1].startswith("leftover data after fill bytes (")


def test_leftovers_after_fill_are_no_unknown_data() -> None:
    assert trailing_of(JPEG + bytes(800) + GARBAGE) == (
        "fill bytes (zeros) (800 bytes)",
        "leftover data after fill bytes (3,000 bytes)",
    )
    assert trailing_of(JPEG + bytes(3) + GARBAGE) == ("unknown data (3,003 bytes)",)
    assert trailing_of(JPEG + bytes(800) + b"PK\x03\x04 and so on")[1] == "a ZIP archive (14 bytes)"


def test_leftovers_up_to_a_storage_block() -> None:
    missing = -len(JPEG + GARBAGE) % 512
    whole = JPEG + GARBAGE + GARBAGE[:missing]
    assert trailing_of(whole)[0].startswith("leftover data up to the end of a storage block (")
    assert trailing_of(whole[:-1])[0].startswith("unknown data (")


def test_the_end_of_another_jpeg_is_told_by_its_coded_data() -> None:
    coded = GARBAGE.replace(b"\xff", b"\xff\x00") + b"\xff\xd9"
    assert trailing_of(JPEG + coded)[0].startswith("the end of another JPEG image's coded data (")
    assert trailing_of(JPEG + GARBAGE + b"\xff\xd9")[0].startswith("unknown data (")


@pytest.mark.parametrize(
    ("model", "size", "is_known"),
    [("PV-SD4090", 520, True), ("PV-SD4090", 522, False), ("Other", 520, False)],
)
def test_tails_of_a_maker_are_known_by_size(model: str, size: int, is_known: bool) -> None:
    jpeg = make.make_jpeg(16, 16, exif=make.make_exif([make.ascii_entry(0x0110, model)]))
    name = trailing_of(jpeg + GARBAGE[:size])[0]
    assert name.startswith("vendor data (leftover bytes as Panasonic" if is_known else "unknown data")


def test_pixels_that_can_be_printed_are_no_text() -> None:
    assert trailing_of(JPEG + b"\xff\xad" + bytes([0x74, 0x7A, 0x7C, 0x70]) * 100) == (
        "unknown data (402 bytes)",
    )


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
