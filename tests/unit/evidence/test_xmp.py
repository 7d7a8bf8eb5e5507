"""XMP: packets in any place and encoding, with junk, cut short, extended, several, far too large."""

from __future__ import annotations

import struct

import pytest

from fixtures import synthetic as make
from imforensics.evidence import read_evidence
from imforensics.evidence.xmp import MAX_ELEMENTS, read_xmp
from imforensics.types import Metadata

XMP = make.make_xmp("", attributes='xmp:CreatorTool="Adobe Photoshop 25.0"')


def jpeg_of(*segments: tuple[int, bytes]) -> Metadata:
    parts = [make.make_jpeg_segment(code, payload) for code, payload in segments]
    return read_evidence(make.insert_after_soi(make.make_jpeg(), *parts)).metadata


def extended(guid: bytes, packet: bytes, start: int, stop: int) -> tuple[int, bytes]:
    header = b"http://ns.adobe.com/xmp/extension/\x00" + guid + struct.pack(">II", len(packet), start)
    return 0xE1, header + packet[start:stop]


GUID = b"0123456789ABCDEF0123456789ABCDEF"
MAIN = make.make_xmp(
    "", attributes=f'xmlns:xmpNote="http://ns.adobe.com/xmp/note/" xmpNote:HasExtendedXMP="{GUID.decode()}"'
)


def test_extended_xmp_is_joined_by_its_offsets() -> None:
    packet = make.make_xmp("<dc:title>far away</dc:title>")
    parts = [extended(GUID, packet, 100, len(packet)), extended(GUID, packet, 0, 100)]
    found = jpeg_of((0xE1, b"http://ns.adobe.com/xap/1.0/\x00" + MAIN), *parts)
    assert found.xmp["dc:title"] == "far away"
    assert found.problems == ()
    alone = jpeg_of((0xE1, b"http://ns.adobe.com/xap/1.0/\x00" + MAIN), parts[0])
    assert alone.unread == ("XMP",)
    assert "0 could be joined" in alone.problems[0]
    other = jpeg_of((0xE1, b"http://ns.adobe.com/xap/1.0/\x00" + XMP), *parts)
    assert other.software == ("Adobe Photoshop 25.0",)
    assert other.unread == ("XMP",)


@pytest.mark.parametrize("start", [b"http://ns.adobe.com/xap/1.0/\x00", b"http://ns.adobe.com/xap/1.0/", b""])
def test_xmp_behind_any_identifier(start: bytes) -> None:
    assert jpeg_of((0xE1, start + XMP)).software == ("Adobe Photoshop 25.0",)


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16-le", "utf-16-be"])
def test_xmp_in_every_encoding(encoding: str) -> None:
    mark = "" if encoding == "utf-8-sig" else "\ufeff"
    packet = (mark + XMP.decode()).encode(encoding)
    assert jpeg_of((0xE1, b"http://ns.adobe.com/xap/1.0/\x00" + packet)).software == ("Adobe Photoshop 25.0",)


@pytest.mark.parametrize("junk", [b"\x00\x00", b"   \n", b"junk", b"<again/>", b"\xff\xfe\x00"])
def test_xmp_with_junk_after_the_packet_is_read(junk: bytes) -> None:
    found = jpeg_of((0xE1, b"http://ns.adobe.com/xap/1.0/\x00" + XMP + junk))
    assert found.software == ("Adobe Photoshop 25.0",)
    is_junk = bool(junk.strip(b"\x00 \n"))
    assert found.unread == (("XMP",) if is_junk else ())
    assert any("more follows the packet" in problem for problem in found.problems) is is_junk


def test_xmp_cut_short_is_read_up_to_there() -> None:
    found = jpeg_of((0xE1, b"http://ns.adobe.com/xap/1.0/\x00" + XMP[: XMP.index(b"</rdf:Description")]))
    assert found.software == ("Adobe Photoshop 25.0",)
    assert found.unread == ("XMP",)


def test_xmp_without_properties_is_there() -> None:
    assert jpeg_of((0xE1, b"http://ns.adobe.com/xap/1.0/\x00" + make.make_xmp(""))).xmp == {
        "x:xmpmeta": "no properties"
    }


def test_several_packets_are_merged() -> None:
    other = make.make_xmp("<dc:title>t</dc:title>", attributes='xmp:CreatorTool="Other"')
    start = b"http://ns.adobe.com/xap/1.0/\x00"
    found = jpeg_of((0xE1, start + XMP), (0xE1, start + other))
    assert (found.xmp["xmp:CreatorTool"], found.xmp["dc:title"]) == ("Adobe Photoshop 25.0", "t")
    many = [make.make_xmp("", attributes=f'xmp:Label="{number}"') for number in range(12)]
    assert "4 packets beyond" in jpeg_of(*((0xE1, start + packet) for packet in many)).problems[-1]


def test_elements_of_xmp_are_bounded() -> None:
    problems: list[str] = []
    packet = make.make_xmp("<dc:a/>" * (MAX_ELEMENTS + 10), attributes='xmp:CreatorTool="x"')
    assert read_xmp([packet], problems)["xmp:CreatorTool"] == "x"
    assert problems == [f"XMP: more than {MAX_ELEMENTS} elements, read in part"]
