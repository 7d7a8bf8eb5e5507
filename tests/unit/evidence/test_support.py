"""Not supported and damaged are two things: what the container declares decides, not the decoder's words."""

from __future__ import annotations

import io
import pickle
import struct
import zlib

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from fixtures import synthetic as make
from imforensics.errors import EvidenceError, UnsupportedImageError
from imforensics.evidence import read_evidence
from imforensics.evidence.heif_boxes import list_item_types
from imforensics.evidence.support import describe_unsupported
from imforensics.evidence.tiff_directory import open_tiff

GRAY = bytes(range(256))


def make_tiff(order: str, *, is_big: bool = False, **changed: int | tuple[int, ...]) -> bytes:
    """A gray TIFF of 16 x 16 pixels; keywords t<tag> replace or add fields of 16 bits."""
    size = 8 if is_big else 4
    fields: dict[int, tuple[int, ...]] = {256: (16,), 257: (16,), 258: (8,), 259: (1,), 262: (1,)}
    fields |= {273: (0,), 277: (1,), 278: (16,), 279: (256,)}
    fields |= {int(k[1:]): v if isinstance(v, tuple) else (v,) for k, v in changed.items()}
    room = (8 + 20 * len(fields) + 8) if is_big else (2 + 12 * len(fields) + 4)
    start = (16 if is_big else 8) + room
    extra = b""
    entries = b""
    for tag, values in sorted(fields.items()):
        kind, code = (
            (16, "Q") if is_big and tag in {273, 279} else (4, "I") if tag in {273, 279} else (3, "H")
        )
        packed = struct.pack(f"{order}{len(values)}{code}", *values)
        if tag == 273 and values == (0,):
            packed = struct.pack(order + code, start + 64)
        if len(packed) > size:
            packed, extra = struct.pack(order + ("Q" if is_big else "I"), start + len(extra)), extra + packed
        entries += struct.pack(order + ("HHQ" if is_big else "HHI"), tag, kind, len(values)) + packed.ljust(
            size, b"\0"
        )
    mark = {"<": b"II", ">": b"MM"}[order]
    if is_big:
        head = mark + struct.pack(order + "HHHQ", 43, 8, 0, 16) + struct.pack(order + "Q", len(fields))
    else:
        head = mark + struct.pack(order + "HI", 42, 8) + struct.pack(order + "H", len(fields))
    return head + entries + bytes(size) + extra.ljust(64, b"\0") + GRAY


def refuse(content: bytes) -> str:
    with pytest.raises(UnsupportedImageError) as caught:
        read_evidence(content)
    words = str(caught.value)
    assert "complete copy" not in words
    assert "onvert it without loss" in words
    return words


@pytest.mark.parametrize("order", ["<", ">"])
def test_the_maker_of_tiffs_makes_tiffs(order: str) -> None:
    pixels = np.frombuffer(GRAY, np.uint8).reshape(16, 16)
    assert np.array_equal(read_evidence(make_tiff(order)).pixels[:, :, 0], pixels)
    tiff = open_tiff(make_tiff(order, is_big=True, t258=(8, 8, 8)))
    assert tiff is not None
    entries = tiff.read_first_directory()
    assert entries is not None
    assert (tiff.order, tiff.is_big) == ({"<": "little", ">": "big"}[order], True)
    assert tiff.read_numbers(entries[258]) == (8, 8, 8)


def test_bigtiff_of_either_order() -> None:
    assert read_evidence(make_tiff("<", is_big=True)).height == 16
    assert "BigTIFF in big-endian byte order" in refuse(make_tiff(">", is_big=True))


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"t259": 34712}, "JPEG 2000 compression"),
        ({"t259": 50001}, "WebP compression"),
        ({"t259": 34887}, "LERC compression"),
        ({"t262": 32803}, "raw sensor data"),
        ({"t258": (8,) * 6, "t277": 6, "t262": 2}, "6 samples of 8 bits a pixel"),
        ({"t258": (8, 8, 4), "t277": 3, "t262": 2}, "samples of different sizes"),
    ],
)
def test_tiffs_that_are_not_supported(changed: dict[str, int | tuple[int, ...]], words: str) -> None:
    assert words in refuse(make_tiff("<", **changed))


@pytest.mark.parametrize(
    "content",
    [
        make_tiff(">", is_big=True)[:150],
        make_tiff(">", is_big=True)[:-10],
        make_tiff("<", t259=34712, t257=0),
        make_tiff("<", t259=34712)[:-10],
        make_tiff("<", t259=41234),
        make_tiff("<", t262=77),
        make_tiff("<", t259=5),
        make_tiff(">", t259=5),
    ],
)
def test_damaged_tiffs_are_called_damaged(content: bytes) -> None:
    with pytest.raises(EvidenceError, match="damaged or cut short") as caught:
        read_evidence(content)
    assert not isinstance(caught.value, UnsupportedImageError)


def make_bmp(
    *, header: int = 40, bits: int = 32, compression: int = 0, masks: tuple[int, ...] = (), colors: int = 0
) -> bytes:
    info = struct.pack("<IiiHHIIiiII", header, 4, 4, 1, bits, compression, 0, 0, 0, colors, 0)
    body = struct.pack(f"<{len(masks)}I", *masks) + bytes(header - 40) + bytes(4 * colors) + bytes(64)
    return b"BM" + struct.pack("<IHHI", 14 + len(info) + len(body), 0, 0, 54 + len(body) - 64) + info + body


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (make_bmp(bits=0, compression=4), "an embedded JPEG"),
        (make_bmp(bits=0, compression=5), "an embedded PNG"),
        (make_bmp(bits=2), "2 bits a pixel"),
        (make_bmp(compression=3, masks=(0x3FF, 0xFFC00, 0x3FF00000)), "an uncommon layout of color bits"),
        (make_bmp(bits=8, colors=300), "a palette of 300 colors"),
        (make_bmp(header=64, bits=1, compression=3), "Huffman coding"),
        (b"BM" + bytes(12) + struct.pack("<I", 16) + bytes(60), "of OS/2 with a header of 16 bytes"),
    ],
)
def test_rare_bmps_are_not_supported(content: bytes, words: str) -> None:
    assert words in refuse(content)


@pytest.mark.parametrize(
    "content",
    [
        make_bmp(bits=77),
        make_bmp(compression=3, masks=(0xFF, 0xFF, 0xFF00)),
        make_bmp(compression=3, masks=(0xFF0F, 0xF0, 0xFF0000)),
        make_bmp(bits=8, colors=300_000_000 % 2**31)[:200],
        make_bmp()[:60],
        b"BM" + bytes(12) + struct.pack("<I", 66) + bytes(60),
    ],
)
def test_damaged_bmps_are_called_damaged(content: bytes) -> None:
    with pytest.raises(EvidenceError, match="damaged or cut short"):
        read_evidence(content)


def make_box(kind: bytes, content: bytes) -> bytes:
    return struct.pack(">I", 8 + len(content)) + kind + content


def make_heif(item_type: bytes, *, major: bytes = b"mif1") -> bytes:
    """A HEIF with one item of a type, without its data."""
    entry = make_box(b"infe", b"\x02\x00\x00\x00" + struct.pack(">HH", 1, 0) + item_type + b"\x00")
    boxes = make_box(b"pitm", bytes(4) + struct.pack(">H", 1)) + make_box(
        b"iinf", bytes(4) + b"\x00\x01" + entry
    )
    handler = make_box(b"hdlr", bytes(8) + b"pict" + bytes(13))
    return make_box(b"ftyp", major + bytes(4) + b"mif1") + make_box(b"meta", bytes(4) + handler + boxes)


@pytest.mark.parametrize(
    ("item_type", "major", "words"),
    [
        (b"unci", b"mif1", "uncompressed pixels"),
        (b"j2k1", b"j2ki", "JPEG 2000"),
        (b"avc1", b"avci", "H.264"),
        (b"vvc1", b"vvic", "H.266"),
        (b"jpeg", b"jpeg", "holds JPEG"),
    ],
)
def test_heifs_in_other_codings_are_not_supported(item_type: bytes, major: bytes, words: str) -> None:
    assert words in refuse(make_heif(item_type, major=major))


def test_a_damaged_heif_is_called_damaged() -> None:
    with pytest.raises(EvidenceError, match="damaged or cut short"):
        read_evidence(make_heif(b"hvc1"))
    whole = make.encode(make.make_photo_like(64, 64), "HEIF")
    types = list_item_types(whole)
    assert types is not None
    assert types[0] == b"hvc1"
    assert describe_unsupported(whole, "HEIF") is None


def test_kinds_of_jpeg() -> None:
    jpeg = make.make_jpeg()
    at = jpeg.index(b"\xff\xc0")

    def change(code: int, precision: int) -> bytes:
        return jpeg[: at + 1] + bytes([code]) + jpeg[at + 2 : at + 4] + bytes([precision]) + jpeg[at + 5 :]

    assert "a 12-bit JPEG (SOF1, 12 bits" in refuse(change(0xC1, 12))
    assert "a lossless JPEG (SOF3, 8 bits" in refuse(change(0xC3, 8))
    assert "a hierarchical JPEG (SOF5" in refuse(change(0xC5, 8))
    assert "JPEG-LS" in refuse(change(0xF7, 8))
    with pytest.raises(EvidenceError, match="it declares 9 bits a sample"):
        read_evidence(change(0xC0, 9))


def test_apples_png_is_not_supported() -> None:
    head = make.make_png_header(8, 8)
    raw = zlib.compress(bytes(8 * 25))[2:-4]  # deflate without the header and checksum of zlib
    data = make.make_png_chunk(b"IDAT", raw) + make.make_png_chunk(b"IEND", b"")
    content = head[:8] + make.make_png_chunk(b"CgBI", b"\x50\x00\x20\x02") + head[8:] + data
    assert "Apple's own variant" in refuse(content)


@pytest.mark.parametrize(
    "chunk",
    [
        make.make_png_chunk(b"zTXt", b"Comment\x00\x84rest"),
        make.make_png_chunk(b"cHRM", b"\x00" * 7),
        make.make_png_chunk(b"tEXt", b"Comment\x00words")[:-1] + b"\x00",
    ],
)
def test_a_png_damaged_beside_its_pixels_is_read(chunk: bytes) -> None:
    pixels = make.make_photo_like(16, 16)
    evidence = read_evidence(make.insert_after_ihdr(make.encode(pixels, "PNG"), chunk))
    assert np.array_equal(evidence.pixels, pixels)
    assert f"{chunk[4:8].decode()} are there and were not read" in evidence.notes[0]


def test_a_palette_is_not_made_up() -> None:
    png = make.encode(make.make_photo_like(16, 16), "PNG", mode="P")
    with pytest.raises(EvidenceError, match="damaged or cut short"):
        read_evidence(png.replace(b"PLTE", b"pLTE"))


def test_a_png_damaged_in_its_pixels_is_not() -> None:
    png = bytearray(
        make.insert_after_ihdr(
            make.encode(make.make_photo_like(16, 16), "PNG"), make.make_png_chunk(b"tEXt", b"a\x00b")
        )
    )
    png[png.index(b"IDAT") + 20] ^= 255
    with pytest.raises(EvidenceError, match="damaged or cut short"):
        read_evidence(bytes(png))


def test_the_error_goes_to_another_process() -> None:
    error = pickle.loads(pickle.dumps(UnsupportedImageError("words")))  # noqa: S301
    assert (type(error), str(error)) == (UnsupportedImageError, "words")


@given(content=st.binary(max_size=300), format_name=st.sampled_from(["TIFF", "BMP", "HEIF", "AVIF", "PNG"]))
@settings(max_examples=200, deadline=None)
def test_hostile_headers_never_raise(content: bytes, format_name: str) -> None:
    start = {"TIFF": b"II*\x00\x08\x00\x00\x00", "BMP": b"BM", "PNG": b"\x89PNG\r\n\x1a\n"}.get(
        format_name, b""
    )
    describe_unsupported(start + content, format_name)
    describe_unsupported(make_box(b"ftyp", b"mif1") + make_box(b"meta", content), format_name)


@given(cut=st.integers(0, 400), change=st.integers(0, 255))
@settings(max_examples=100, deadline=None)
def test_changed_tiffs_raise_nothing_else(cut: int, change: int) -> None:
    content = bytearray(make_tiff(">", is_big=True))
    content[cut % len(content)] = change
    try:
        read_evidence(bytes(content), max_pixels=1_000_000)
    except EvidenceError as error:
        assert str(error)  # noqa: PT017


def test_what_is_read_is_never_called_unsupported() -> None:
    pixels = make.make_photo_like(32, 32)
    for format_name in ("TIFF", "BMP", "PNG", "HEIF", "AVIF"):
        assert describe_unsupported(make.encode(pixels, format_name), format_name) is None
    for mode in ("1", "L", "P", "RGB", "RGBA", "CMYK", "I;16", "F", "LAB", "YCbCr"):
        image = (
            Image.fromarray(pixels[:, :, 0].astype(np.uint16)) if mode == "I;16" else Image.fromarray(pixels)
        )
        stream = io.BytesIO()
        (image if mode == "I;16" else image.convert(mode)).save(stream, "TIFF")
        assert describe_unsupported(stream.getvalue(), "TIFF") is None, mode
