"""Every reader of metadata survives any bytes: random ones and mutated blocks, in bounded time."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fixtures import synthetic as make
from imforensics.evidence.exif import read_exif
from imforensics.evidence.exif_text import decode_coded_text, decode_utf16
from imforensics.evidence.heif_boxes import read_heif_items
from imforensics.evidence.iptc import read_icc_description, read_iptc
from imforensics.evidence.jpeg_structure import walk_jpeg
from imforensics.evidence.metadata import read_metadata
from imforensics.evidence.photoshop import read_photoshop_resources
from imforensics.evidence.xmp import join_extended_xmp, read_xmp

PIXELS = make.make_photo_like(16, 16)
XMP = make.make_xmp(
    "<dc:title><rdf:Alt><rdf:li>A</rdf:li></rdf:Alt></dc:title>", attributes='xmp:CreatorTool="x"'
)
EXIF = make.make_exif(
    [
        make.ascii_entry(0x010F, "Maker"),
        (0x0131, 7, b"Program\x00", 8),
        (0x9C9B, 1, "Ti".encode("utf-16-le"), 4),
    ],
    exif=[(0x9286, 7, b"UNICODE\x00" + "text".encode("utf-16-be"), 16), (0x927C, 7, b"note note", 9)],
    gps=[make.ascii_entry(1, "N"), make.rational_entry(2, [(1, 1), (2, 1), (3, 1)])],
    thumbnail=make.make_jpeg(8, 8),
)
IPTC = b"\x1c\x01\x5a\x00\x03\x1b%G\x1c\x02\x78\x00\x00\x1c\x02\x05\x00\x05Title\x1c\x02\x19\x80\x02\x00\x01a"
RESOURCES = b"8BIM\x04\x04\x00\x00" + struct.pack(">I", len(IPTC)) + IPTC + bytes(len(IPTC) % 2)
EXTENDED = bytes(32) + struct.pack(">II", len(XMP), 0) + XMP
PNG = make.insert_after_ihdr(
    make.encode(PIXELS, "PNG"),
    make.make_png_chunk(b"tEXt", b"Comment\x00words"),
    make.make_png_chunk(
        b"zTXt", b"Raw profile type exif\x00\x00" + zlib.compress(b"\nexif\n       8\n" + b"49492a0008000000")
    ),
    make.make_png_chunk(b"iTXt", b"XML:com.adobe.xmp\x00\x01\x00\x00\x00" + zlib.compress(XMP)),
    make.make_png_chunk(b"eXIf", EXIF[6:]),
)
GIF = make.encode(PIXELS, "GIF", comment=b"words")
HEIF = make.encode(PIXELS, "HEIF", exif=EXIF, xmp=XMP)
AVIF = make.encode(PIXELS, "AVIF", exif=EXIF[6:], xmp=XMP)
WEBP = make.encode(PIXELS, "WEBP", exif=EXIF[6:], xmp=XMP)
TIFF = make.encode(PIXELS, "TIFF", software="x")
JPEG = make.insert_after_soi(
    make.encode(PIXELS, "JPEG", exif=EXIF, comment=b"words"),
    make.make_jpeg_segment(0xE1, b"http://ns.adobe.com/xap/1.0/\x00" + XMP),
    make.make_jpeg_segment(0xE1, b"http://ns.adobe.com/xmp/extension/\x00" + EXTENDED),
    make.make_jpeg_segment(0xED, b"Photoshop 3.0\x00" + RESOURCES),
)


def read_file(format_name: str) -> Callable[[bytes], object]:
    def read(data: bytes) -> object:
        layout = walk_jpeg(data) if format_name == "JPEG" else None
        return read_metadata(data, format_name=format_name, info={}, layout=layout)

    return read


READERS: dict[str, tuple[Callable[[bytes], object], bytes]] = {
    "exif": (read_exif, EXIF),
    "bigtiff": (read_exif, b"II+\x00\x08\x00\x00\x00" + struct.pack("<QQHHQQ", 16, 1, 0x010F, 2, 6, 0)),
    "user comment": (lambda data: decode_coded_text(data, "little"), b"UNICODE\x00a\x00b\x00"),
    "windows text": (decode_utf16, "Titel".encode("utf-16-le")),
    "xmp": (lambda data: read_xmp([data], []), XMP),
    "extended xmp": (
        lambda data: join_extended_xmp([data, data[::-1]], {"xmpNote:HasExtendedXMP": "\0" * 32}, []),
        EXTENDED,
    ),
    "iptc": (lambda data: read_iptc([data], []), IPTC),
    "icc": (lambda data: read_icc_description(data, []), bytes(128) + b"\x00\x00\x00\x01desc" + bytes(40)),
    "photoshop": (lambda data: read_photoshop_resources([data], []), RESOURCES),
    "heif": (lambda data: read_heif_items(data, []), HEIF),
    **{
        name: (read_file(name), content)
        for name, content in (
            ("JPEG", JPEG),
            ("PNG", PNG),
            ("GIF", GIF),
            ("WEBP", WEBP),
            ("TIFF", TIFF),
            ("HEIF", HEIF),
            ("AVIF", AVIF),
        )
    },
}


@pytest.mark.parametrize("name", READERS)
@settings(max_examples=60, deadline=None)
@given(data=st.data())
def test_mutated_blocks_raise_nothing(name: str, data: st.DataObject) -> None:
    read, block = READERS[name]
    damaged = bytearray(block)
    for _ in range(data.draw(st.integers(0, 6))):
        at = data.draw(st.integers(0, len(block) - 1))
        damaged[at] = data.draw(st.sampled_from([0, 1, 2, 0x7F, 0x80, 0xFF]) | st.integers(0, 255))
    cut = data.draw(st.integers(0, len(block)) | st.just(len(block)))
    read(bytes(damaged[:cut]) + data.draw(st.binary(max_size=40)))


@pytest.mark.parametrize("name", READERS)
@settings(max_examples=40, deadline=None)
@given(start=st.integers(0, 40), content=st.binary(max_size=400))
def test_random_bytes_raise_nothing(name: str, start: int, content: bytes) -> None:
    read, block = READERS[name]
    read(block[:start] + content)
