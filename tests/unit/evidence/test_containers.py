"""Formats by content, extensions by name."""

from __future__ import annotations

import re

import pytest

from imforensics.errors import EvidenceError, UnsupportedImageError
from imforensics.evidence import read_evidence
from imforensics.evidence.containers import identify_format, is_extension_of


@pytest.mark.parametrize(
    ("start", "expected"),
    [
        (b"\xff\xd8\xff\xe0", "JPEG"),
        (b"\x89PNG\r\n\x1a\n", "PNG"),
        (b"II*\x00", "TIFF"),
        (b"MM\x00*", "TIFF"),
        (b"II+\x00", "TIFF"),
        (b"RIFF\x00\x00\x00\x00WEBP", "WEBP"),
        (b"RIFF\x00\x00\x00\x00WAVE", None),
        (b"BM", "BMP"),
        (b"GIF87a", "GIF"),
        (b"\x00\x00\x00\x18ftypheic\x00\x00\x00\x00mif1heic", "HEIF"),
        (b"\x00\x00\x00\x18ftypmif1\x00\x00\x00\x00mif1avif", "AVIF"),
        (b"\x00\x00\x00\x18ftypavif\x00\x00\x00\x00mif1miaf", "AVIF"),
        (b"\x00\x00\x00\x18ftypisom\x00\x00\x00\x00mp41avc1", None),
        (b"", None),
    ],
)
def test_format_by_content(start: bytes, expected: str | None) -> None:
    assert identify_format(start) == expected


@pytest.mark.parametrize(
    ("name", "format_name", "expected"),
    [
        ("a.jpg", "JPEG", True),
        ("a.JPEG", "JPEG", True),
        ("a.jpg", "PNG", False),
        ("a.pdf", "JPEG", False),
        ("a.bin", "JPEG", True),
        ("-", "JPEG", True),
        ("a.heic", "AVIF", False),
    ],
)
def test_extension_against_content(name: str, format_name: str, expected: bool) -> None:
    assert is_extension_of(name, format_name) is expected


@pytest.mark.parametrize(
    ("start", "words"),
    [
        (b"\x00\x00\x00\x0cjP  \r\n\x87\n", "a JPEG 2000 image"),
        (b"8BPS\x00\x01", "a Photoshop document"),
        (b"BA\x28\x00", "an array of OS/2 bitmaps"),
        (b"\x00\x00\x00\x18ftypcrx \x00\x00\x00\x01", "a raw file of Canon"),
    ],
)
def test_other_formats_are_named(start: bytes, words: str) -> None:
    with pytest.raises(UnsupportedImageError, match=f"is {re.escape(words)}, which is not read"):
        read_evidence(start + bytes(100))


@pytest.mark.parametrize(
    ("start", "near"),
    [
        (b"\xff\xd8\xfe\xe0\x00\x10JFIF", "JPEG"),
        (b"\x09PNG\r\n\x1a\n\x00\x00", "PNG"),
        (b"\x89PNG\n\n\x1a\n", "PNG"),
        (b"\x89PNG\n\x1a\n\x00\x00\x00\r", "PNG"),
    ],
)
def test_changed_first_bytes_are_named(start: bytes, near: str) -> None:
    with pytest.raises(EvidenceError, match=f"begins nearly like a {near}"):
        read_evidence(start + bytes(100))
