"""Where containers keep metadata: each place is read, or what stands there is named as unread."""

from __future__ import annotations

import struct
import zlib

import pytest
from PIL import ImageCms, PngImagePlugin, TiffImagePlugin

from fixtures import synthetic as make
from imforensics.evidence import read_evidence
from imforensics.evidence.png_text import MAX_UNPACKED_BYTES, read_png_text
from imforensics.types import Metadata

PIXELS = make.make_photo_like(16, 16)
XMP = make.make_xmp("", attributes='xmp:CreatorTool="Adobe Photoshop 25.0"')
EXIF = make.make_exif([make.ascii_entry(0x010F, "ACME"), make.ascii_entry(0x0110, "One")])
CAPTION = b"\x1c\x02\x78\x00\x07Caption"


def resource(number: int, content: bytes) -> bytes:
    header = b"8BIM" + struct.pack(">H", number) + b"\x00\x00" + struct.pack(">I", len(content))
    return header + content + bytes(len(content) % 2)


def raw_profile(name: str, content: bytes) -> str:
    digits = content.hex()
    lines = "\n".join(digits[at : at + 72] for at in range(0, len(digits), 72))
    return f"\n{name}\n{len(content):8d}\n{lines}\n"


def png_of(keyword: str, value: str, *, is_packed: bool = True) -> Metadata:
    info = PngImagePlugin.PngInfo()
    info.add_text(keyword, value, zip=is_packed)
    return read_evidence(make.encode(PIXELS, "PNG", pnginfo=info)).metadata


def jpeg_of(*segments: tuple[int, bytes]) -> Metadata:
    parts = [make.make_jpeg_segment(code, payload) for code, payload in segments]
    return read_evidence(make.insert_after_soi(make.make_jpeg(), *parts)).metadata


def gif_of(*extensions: bytes) -> Metadata:
    gif = make.encode(PIXELS, "GIF")
    at = 13 + (3 << ((gif[10] & 7) + 1))
    return read_evidence(gif[:at] + b"".join(extensions) + gif[at:]).metadata


def sub_blocks(content: bytes) -> bytes:
    parts = [content[at : at + 255] for at in range(0, len(content), 255)]
    return b"".join(bytes([len(part)]) + part for part in parts) + b"\x00"


@pytest.mark.parametrize("is_packed", [True, False])
def test_raw_profiles_of_a_png(is_packed: bool) -> None:
    found = png_of("Raw profile type xmp", raw_profile("xmp", XMP), is_packed=is_packed)
    assert found.software == ("Adobe Photoshop 25.0",)
    found = png_of(
        "Raw profile type iptc", raw_profile("iptc", resource(0x0404, CAPTION)), is_packed=is_packed
    )
    assert found.iptc == {"Caption": "Caption"}
    assert found.photoshop_resources == ("IPTC",)
    found = png_of("Raw profile type 8bim", raw_profile("8bim", resource(0x0404, CAPTION)))
    assert found.iptc == {"Caption": "Caption"}
    found = png_of("Raw profile type IPTC", raw_profile("iptc", CAPTION), is_packed=is_packed)
    assert found.iptc == {"Caption": "Caption"}
    for name, content in (("exif", EXIF), ("exif", EXIF[6:]), ("APP1", EXIF)):
        found = png_of(f"Raw profile type {name}", raw_profile(name, content), is_packed=is_packed)
        assert found.camera == "ACME One"
        assert found.text == {}
    found = png_of("Raw profile type APP1", raw_profile("app1", b"http://ns.adobe.com/xap/1.0/\x00" + XMP))
    assert found.software == ("Adobe Photoshop 25.0",)
    assert found.problems == ()


@pytest.mark.parametrize(
    ("keyword", "value", "kind"),
    [
        ("Raw profile type exif", "\nexif\n 4\nthis is not hexadecimal", "EXIF"),
        ("Raw profile type xmp", "\nxmp\n 4\n", "XMP"),
        ("Raw profile type iptc", raw_profile("iptc", b"\x1c\x02\x78\xff\xff"), "IPTC"),
        ("Raw profile type other", raw_profile("other", b"abcd"), "text"),
    ],
)
def test_raw_profiles_that_cannot_be_read_are_said_to_be_there(keyword: str, value: str, kind: str) -> None:
    assert png_of(keyword, value).unread == (kind,)


def test_text_chunks_of_a_png_in_every_form() -> None:
    png = make.insert_after_ihdr(
        make.encode(PIXELS, "PNG"),
        make.make_png_chunk(b"tEXt", b"Title\x00Caf\xe9"),
        make.make_png_chunk(b"tEXt", b"Title\x00" + "Café".encode()),
        make.make_png_chunk(b"iTXt", b"Note\x00\x01\x00en\x00Notiz\x00" + zlib.compress("ünï".encode())),
        make.make_png_chunk(b"iTXt", b"XML:com.adobe.xmp\x00\x01\x00\x00\x00" + zlib.compress(XMP)),
        make.make_png_chunk(b"tEXt", b"exif\x00" + EXIF),
    )
    found = read_evidence(png).metadata
    assert found.text == {"Title": "Café", "Title 2": "Café", "Note": "ünï"}
    assert found.software == ("Adobe Photoshop 25.0",)
    assert found.camera == "ACME One"


def test_text_chunks_that_cannot_be_unpacked() -> None:
    png = make.encode(PIXELS, "PNG")
    broken = make.make_png_chunk(b"iTXt", b"XML:com.adobe.xmp\x00\x01\x00\x00\x00no deflate")
    found = read_evidence(png[:-12] + broken + png[-12:]).metadata
    assert found.unread == ("XMP",)
    assert "'XML:com.adobe.xmp' cannot be unpacked" in found.problems[0]


def test_exif_chunk_of_a_png_comes_before_a_raw_profile() -> None:
    other = make.make_exif([make.ascii_entry(0x010F, "Other")])
    info = PngImagePlugin.PngInfo()
    info.add_text("Raw profile type exif", raw_profile("exif", other))
    found = read_evidence(make.encode(PIXELS, "PNG", pnginfo=info, exif=EXIF[6:])).metadata
    assert found.camera == "ACME One"
    assert found.problems == ("EXIF: 1 more blocks, unlike the first, are not read",)


def test_application_blocks_of_a_gif() -> None:
    trailer = b"\x01" + bytes(range(255, -1, -1)) + b"\x00"
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    for packet in (XMP + trailer, sub_blocks(XMP)):
        found = gif_of(b"\x21\xff\x0bXMP DataXMP" + packet, b"\x21\xfe" + sub_blocks(b"after it"))
        assert found.software == ("Adobe Photoshop 25.0",)
        assert found.text == {"GIF comment": "after it"}
        assert found.problems == ()
    found = gif_of(
        b"\x21\xff\x0bICCRGBG1012" + sub_blocks(profile), b"\x21\xff\x0bNETSCAPE2.0\x03\x01\x00\x00\x00"
    )
    assert found.icc_description == "sRGB built-in"
    found = gif_of(b"\x21\xff\x0bMGK8BIM0000" + sub_blocks(resource(0x0404, CAPTION)))
    assert found.iptc == {"Caption": "Caption"}


def test_comments_of_a_gif_are_all_kept() -> None:
    found = gif_of(b"\x21\xfe" + sub_blocks(b"x" * 300), b"\x21\xfe" + sub_blocks(b"second"))
    assert found.text == {"GIF comment": "x" * 300, "GIF comment 2": "second"}


def test_chunks_of_a_webp() -> None:
    found = read_evidence(make.encode(PIXELS, "WEBP", exif=EXIF, xmp=XMP)).metadata
    assert (found.camera, found.software) == ("ACME One", ("Adobe Photoshop 25.0",))


@pytest.mark.parametrize("format_name", ["HEIF", "AVIF"])
def test_items_of_heif_and_avif(format_name: str) -> None:
    found = read_evidence(make.encode(PIXELS, format_name, exif=EXIF, xmp=XMP)).metadata
    assert (found.camera, found.software) == ("ACME One", ("Adobe Photoshop 25.0",))
    assert found.problems == ()


@pytest.mark.parametrize("is_big", [False, True])
def test_tags_of_a_tiff(is_big: bool) -> None:
    tags = TiffImagePlugin.ImageFileDirectory_v2()
    for number, content in ((700, XMP), (33723, CAPTION), (34377, resource(0x0406, b"\x00\x06"))):
        tags.tagtype[number] = 1
        tags[number] = content
    tags[305] = "Some program"
    found = read_evidence(make.encode(PIXELS, "TIFF", tiffinfo=tags, big_tiff=is_big)).metadata
    assert found.software == ("Some program", "Adobe Photoshop 25.0")
    assert found.iptc == {"Caption": "Caption"}
    assert found.photoshop_quality == 10
    assert found.unread == (("EXIF",) if is_big else ())


def test_iptc_of_a_tiff_in_turned_longs() -> None:
    padded = CAPTION.ljust(16, b"\x00")
    turned = b"".join(padded[at : at + 4][::-1] for at in range(0, 16, 4))
    assert jpeg_of((0xE1, make.make_exif([(33723, 4, turned, 4)]))).iptc == {"Caption": "Caption"}


def test_image_resources_over_two_segments() -> None:
    block = resource(0x03ED, b"abc") + resource(0x0404, CAPTION) + resource(0x0406, b"\x00\x06")
    for cut in range(1, len(block)):
        found = jpeg_of(*((0xED, b"Photoshop 3.0\x00" + part) for part in (block[:cut], block[cut:])))
        assert found.iptc == {"Caption": "Caption"}, cut
        assert found.photoshop_resources == ("resolution", "IPTC", "JPEG quality")
        assert found.photoshop_quality == 10


def test_two_iptc_resources_are_joined_and_padding_may_be_missing() -> None:
    first = resource(0x0404, b"\x1c\x02\x19\x00\x03one")
    second = (
        b"8BIM\x04\x04\x00\x00" + struct.pack(">I", 9) + b"\x1c\x02\x19\x00\x04four" + resource(0x03ED, b"")
    )
    found = jpeg_of((0xED, b"Photoshop 3.0\x00" + first), (0xED, b"Photoshop 3.0\x00" + second))
    assert found.iptc == {"Keywords": "one; four"}
    assert found.problems == ()


def test_exif_over_two_segments() -> None:
    description = "long description " * 200
    block = make.make_exif([make.ascii_entry(0x010E, description)])
    content = make.insert_after_soi(
        make.make_jpeg(),
        make.make_jpeg_segment(0xE1, block[:1000]),
        make.make_jpeg_segment(0xE1, b"Exif\x00\x00" + block[1000:]),
    )
    assert len(description) == 3400
    assert read_evidence(content).metadata.exif["Image ImageDescription"].startswith(description[:2000])


def test_second_exif_block_is_said_to_be_there() -> None:
    other = make.make_exif([make.ascii_entry(0x010F, "Other")])
    found = jpeg_of((0xE1, EXIF), (0xE1, other))
    assert found.camera == "ACME One"
    assert found.unread == ("EXIF",)


def test_image_resource_that_is_cut_short() -> None:
    found = jpeg_of((0xED, b"Photoshop 3.0\x00" + resource(0x0404, CAPTION + b"more of it")[:-4]))
    assert found.iptc == {"Caption": "Caption"}
    assert "IPTC: the image resource declares 22 bytes, 18 are left" in found.problems


def test_iptc_that_a_tiff_keeps_twice_is_read_once() -> None:
    tags = TiffImagePlugin.ImageFileDirectory_v2()
    for number, content in ((33723, CAPTION + b"\x00\x00"), (34377, resource(0x0404, CAPTION))):
        tags.tagtype[number] = 1
        tags[number] = content
    assert read_evidence(make.encode(PIXELS, "TIFF", tiffinfo=tags)).metadata.iptc == {"Caption": "Caption"}


def test_terminator_too_many_in_a_gif_is_stepped_over() -> None:
    found = gif_of(b"\x21\xfe" + sub_blocks(b"one") + b"\x00", b"\x21\xfe" + sub_blocks(b"two"))
    assert found.text == {"GIF comment": "one", "GIF comment 2": "two"}


def test_text_bombs_of_a_png_cost_their_budget_once() -> None:
    bomb = make.make_png_chunk(b"zTXt", b"bomb\x00\x00" + zlib.compress(bytes(MAX_UNPACKED_BYTES + 1)))
    small = make.make_png_chunk(b"tEXt", b"Title\x00small")
    problems: list[str] = []
    assert (
        list(read_png_text(make.insert_after_ihdr(make.encode(PIXELS, "PNG"), bomb, small), problems)) == []
    )
    assert [problem.startswith("text: ") for problem in problems] == [True, True]


def test_exif_and_xmp_among_the_image_resources() -> None:
    block = resource(0x0422, EXIF[6:]) + resource(0x0424, XMP)
    found = jpeg_of((0xED, b"Photoshop 3.0\x00" + block))
    assert (found.camera, found.software) == ("ACME One", ("Adobe Photoshop 25.0",))
    assert jpeg_of((0xED, b"Photoshop 3.0\x00" + resource(0x0422, b"none"))).unread == ("EXIF",)
