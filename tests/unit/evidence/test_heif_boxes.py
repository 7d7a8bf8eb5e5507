"""Boxes of HEIF: where items may stand, what cannot be read, and how little a hostile table costs."""

from __future__ import annotations

import struct
import time

import pytest

from fixtures import synthetic as make
from imforensics.evidence.heif_boxes import read_heif_items, to_orientation

XMP = make.make_xmp("<dc:title>t</dc:title>")
EXIF_ITEM = bytes(4) + make.make_exif([make.ascii_entry(0x010F, "ACME")])[6:]


def box(kind: bytes, content: bytes) -> bytes:
    return struct.pack(">I", 8 + len(content)) + kind + content


def full_box(kind: bytes, content: bytes, *, version: int = 0, flags: int = 0) -> bytes:
    return box(kind, bytes([version]) + flags.to_bytes(3, "big") + content)


def entry(number: int, kind: bytes, words: bytes = b"\x00") -> bytes:
    return full_box(b"infe", struct.pack(">HH", number, 0) + kind + words, version=2)


def heif(*boxes: bytes, tail: bytes = b"") -> bytes:
    return box(b"ftyp", b"heic\x00\x00\x00\x00") + full_box(b"meta", b"".join(boxes)) + tail


def item_list(*entries: bytes) -> bytes:
    return full_box(b"iinf", struct.pack(">H", len(entries)) + b"".join(entries))


def location(*items: tuple[int, int, int], method: int = 0) -> bytes:
    """Items in one piece: number, offset, length."""
    rows = [struct.pack(">HHHHII", number, method, 0, 1, offset, length) for number, offset, length in items]
    return full_box(b"iloc", b"\x44\x00" + struct.pack(">H", len(items)) + b"".join(rows), version=1)


def test_items_in_the_data_box_of_the_list() -> None:
    entries = item_list(entry(1, b"Exif"), entry(2, b"mime", b"name\x00application/rdf+xml\x00\x00"))
    rows = location((1, 0, len(EXIF_ITEM)), (2, len(EXIF_ITEM), 0), method=1)
    found = read_heif_items(heif(entries, rows, box(b"idat", EXIF_ITEM + XMP)), problems := [])
    assert found.exif == [EXIF_ITEM[4:]]
    assert found.xmp[0].startswith(XMP[:50])
    assert problems == []


def test_header_offset_of_the_exif_item_is_followed() -> None:
    item = b"\x00\x00\x00\x06Exif\x00\x00" + EXIF_ITEM[4:]
    found = read_heif_items(
        heif(item_list(entry(1, b"Exif")), location((1, 0, len(item)), method=1), box(b"idat", item)), []
    )
    assert found.exif == [EXIF_ITEM[4:]]


@pytest.mark.parametrize(
    ("words", "offset", "reason"),
    [
        (b"\x00application/rdf+xml\x00\x00", 2**31, "points to no data"),
        (b"\x00application/rdf+xml\x00br\x00", 0, "is packed (b'br')"),
    ],
)
def test_items_that_cannot_be_read_are_said_to_be_there(words: bytes, offset: int, reason: str) -> None:
    problems: list[str] = []
    found = read_heif_items(heif(item_list(entry(1, b"mime", words)), location((1, offset, 8))), problems)
    assert found.xmp == []
    assert problems[0].startswith("XMP: ")
    assert reason in problems[0]


def test_item_without_a_location_is_said_to_be_there() -> None:
    problems: list[str] = []
    read_heif_items(heif(item_list(entry(1, b"Exif"))), problems)
    assert problems[0].startswith("EXIF: ")


@pytest.mark.parametrize(
    ("turns", "orientation"),
    [
        ([], 1),
        ([("irot", 1)], 8),
        ([("irot", 2)], 3),
        ([("irot", 3)], 6),
        ([("imir", 0)], 4),
        ([("imir", 1)], 2),
        ([("irot", 1), ("imir", 0)], 5),
        ([("irot", 1), ("imir", 1)], 7),
        ([("irot", 3), ("irot", 1)], 1),
    ],
)
def test_rotations_in_numbers_of_exif(turns: list[tuple[str, int]], orientation: int) -> None:
    """By hand: irot turns against the clock, orientation 6 asks to turn with it; 5 and 7 mirror as well."""
    assert to_orientation([(kind.encode(), value) for kind, value in turns]) == orientation


def test_only_the_primary_item_counts() -> None:
    properties = box(b"ipco", box(b"irot", b"\x01") + box(b"irot", b"\x03"))
    rows = struct.pack(">IHBBHBB", 2, 1, 1, 1, 2, 1, 0x82)
    boxes = full_box(b"pitm", struct.pack(">H", 2)), box(b"iprp", properties + full_box(b"ipma", rows))
    assert read_heif_items(heif(*boxes), []).orientation == 6


def test_hostile_tables_cost_little() -> None:
    count = 60_000
    entries = item_list(*(entry(number, b"Exif") for number in range(count)))
    rows = b"".join(struct.pack(">HHH", 1, 0, 65_535) for _ in range(count))
    endless = full_box(b"iloc", b"\x00\x00" + struct.pack(">H", count) + rows)
    whole = location(*((number, 0, 0) for number in range(10_000)))
    table = struct.pack(">I", 2**32 - 1) + (struct.pack(">HB", 2, 255) + bytes(255)) * 5_000
    properties = box(b"iprp", (box(b"ipco", box(b"irot", b"\x01") * 9_000) + full_box(b"ipma", table)) * 8)
    start = time.perf_counter()
    for places in (endless, whole):
        content = heif(
            entries, places, full_box(b"pitm", struct.pack(">H", 1)), properties, tail=bytes(20_000_000)
        )
        found = read_heif_items(content, problems := [])
        assert sum(map(len, found.exif)) <= 16 * 1024 * 1024
        assert problems
    assert time.perf_counter() - start < 5
