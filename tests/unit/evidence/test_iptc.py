"""IPTC datasets: character sets, empty and extended values, damage."""

from __future__ import annotations

import struct

import pytest

from fixtures import synthetic as make
from imforensics.evidence import read_evidence
from imforensics.evidence.iptc import MAX_DATASETS, read_iptc

UTF8 = b"\x1c\x01\x5a\x00\x03\x1b%G"


def dataset(number: int, value: bytes) -> bytes:
    return b"\x1c\x02" + bytes([number]) + struct.pack(">H", len(value)) + value


def test_an_empty_field_is_an_empty_value() -> None:
    block = dataset(0, b"\x00\x02") + dataset(5, b"Title") + dataset(120, b"")
    resource = b"8BIM\x04\x04\x00\x00" + struct.pack(">I", len(block)) + block + bytes(len(block) % 2)
    segment = make.make_jpeg_segment(0xED, b"Photoshop 3.0\x00" + resource)
    metadata = read_evidence(make.insert_after_soi(make.make_jpeg(), segment)).metadata
    assert metadata.iptc == {"Record Version": "2", "Object Name": "Title", "Caption": ""}
    assert metadata.problems == ()


@pytest.mark.parametrize(
    ("block", "text", "is_noted"),
    [
        (dataset(120, "présentait".encode()), "présentait", False),
        (dataset(120, "présentait – “”".encode("cp1252")), "présentait – “”", True),
        (UTF8 + dataset(120, "présentait".encode()), "présentait", False),
        (UTF8 + dataset(120, b"pr\xe9sentait"), "présentait", True),
        (dataset(120, b"\x81"), "\\x81", True),
        (dataset(120, b"padded\x00\x00"), "padded", False),
    ],
)
def test_character_sets(block: bytes, text: str, is_noted: bool) -> None:
    problems: list[str] = []
    assert read_iptc([block], problems)["Caption"] == text
    assert [problem.startswith("IPTC character set:") for problem in problems] == [True] * is_noted


def test_extended_and_binary_values() -> None:
    long = b"\x1c\x02\x78\x80\x04" + struct.pack(">I", 40_000) + b"x" * 40_000
    preview = b"\x1c\x08\x0a\x00\x04\x00\x01\x02\x03"
    found = read_iptc([long + preview + dataset(230, b"a\x00b")], [])
    assert found["Caption"].startswith("x" * 2000)
    assert found["8:10"] == "4 bytes"
    assert found["2:230"] == "3 bytes"


def test_repeated_fields_are_joined_over_blocks() -> None:
    assert read_iptc([dataset(25, b"a"), dataset(25, b"b")], []) == {"Keywords": "a; b"}


@pytest.mark.parametrize(
    ("block", "words"),
    [
        (dataset(5, b"Title") + b"\x1c\x02\x78\x00\x09cut", "declares 9 bytes, 3 are left"),
        (dataset(5, b"Title") + b"\x1c\x02\x78\xff\xff" + b"\xff" * 3000, "are left"),
        (dataset(5, b"Title") + b"junk", "4 bytes that belong to no dataset"),
        (b"junk" + dataset(5, b"Title"), "4 bytes that belong to no dataset"),
        (dataset(5, b"Title") + b"\x1c", "1 bytes that belong to no dataset"),
    ],
)
def test_damage_is_told_and_the_rest_is_read(block: bytes, words: str) -> None:
    problems: list[str] = []
    assert read_iptc([block], problems) == {"Object Name": "Title"}
    assert [words in problem and problem.startswith("IPTC: ") for problem in problems] == [True]


def test_number_of_datasets_is_bounded() -> None:
    problems: list[str] = []
    read_iptc([dataset(120, b"") * MAX_DATASETS, dataset(120, b"") * 3], problems)
    assert [problem.startswith("IPTC: ") for problem in problems] == [True]
