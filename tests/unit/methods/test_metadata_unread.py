"""What is there and cannot be read is never called absent, nor the rest free of traces."""

from __future__ import annotations

import zlib

import pytest

from fixtures import synthetic as make
from imforensics.evidence import read_evidence
from imforensics.methods.metadata.metadata import MetadataTraces

PIXELS = make.make_photo_like(64, 64)
ABSENT = "There is no EXIF, XMP, IPTC or text"
CLEAN = "name no editing software and do not contradict themselves"
BROKEN_XMP = b"http://ns.adobe.com/xap/1.0/\x00<x:xmpmeta xmlns:x='adobe:ns:meta/'><rdf:RDF>"


def with_segment(code: int, payload: bytes) -> bytes:
    return make.insert_after_soi(make.encode(PIXELS, "JPEG"), make.make_jpeg_segment(code, payload))


def with_chunk(kind: bytes, payload: bytes) -> bytes:
    png = make.encode(PIXELS, "PNG")
    return png[:-12] + make.make_png_chunk(kind, payload) + png[-12:]


UNREADABLE = {
    "EXIF without a header": with_segment(0xE1, b"Exif\x00\x00no header"),
    "EXIF with a directory outside": with_segment(0xE1, b"Exif\x00\x00II*\x00\xff\xff\xff\x7f"),
    "XMP that is no XML": with_segment(0xE1, BROKEN_XMP),
    "XMP with a DTD": with_segment(0xE1, b"http://ns.adobe.com/xap/1.0/\x00<!DOCTYPE x><x/>"),
    "extended XMP alone": with_segment(0xE1, b"http://ns.adobe.com/xmp/extension/\x00" + bytes(50)),
    "IPTC that is none": with_segment(0xED, b"Photoshop 3.0\x008BIM\x04\x04\x00\x00\x00\x00\x00\x04junk"),
    "image resources that are none": with_segment(0xED, b"Photoshop 3.0\x00junk"),
    "raw profile without digits": with_chunk(b"tEXt", b"Raw profile type xmp\x00\nxmp\n 4\nnone"),
    "XMP that cannot be unpacked": with_chunk(b"iTXt", b"XML:com.adobe.xmp\x00\x01\x00\x00\x00none"),
    "profile of an unknown kind": with_chunk(
        b"zTXt", b"Raw profile type x\x00\x00" + zlib.compress(b"\nx\n 1\n00")
    ),
}


@pytest.mark.parametrize("name", UNREADABLE)
def test_unreadable_metadata_are_neither_absent_nor_clean(name: str) -> None:
    evidence = read_evidence(UNREADABLE[name])
    finding = MetadataTraces().analyze(evidence)
    assert evidence.metadata.unread
    assert not any(ABSENT in note or CLEAN in note for note in finding.notes)
    reason = evidence.metadata.problems[0]
    assert any(note.startswith("Not all metadata could be read") and reason in note for note in finding.notes)


def test_absence_and_cleanness_are_still_stated() -> None:
    notes = MetadataTraces().analyze(read_evidence(make.encode(PIXELS, "JPEG"))).notes
    assert [ABSENT in note for note in notes] == [True]
    block = make.make_exif([make.ascii_entry(0x0131, "Ver.1.02")])
    notes = MetadataTraces().analyze(read_evidence(make.encode(PIXELS, "JPEG", exif=block))).notes
    assert [CLEAN in note for note in notes] == [True]
