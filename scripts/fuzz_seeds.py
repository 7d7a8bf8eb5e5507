"""Valid files rich in metadata, one for each way in which metadata come: what the fuzzer starts from."""

from __future__ import annotations

import importlib.util
import io
import re
import struct
import sys
import zlib
from pathlib import Path

from PIL import Image, ImageCms, TiffImagePlugin

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tests"))

from fixtures import synthetic as make

_PHOTO = make.make_photo_like(48, 64, seed=7)
_XMP = make.make_xmp(
    '<xmpMM:History><rdf:Seq><rdf:li stEvt:action="saved" stEvt:when="2021-05-06T07:08:09+02:00" '
    'stEvt:softwareAgent="Adobe Photoshop 22.1"/><rdf:li rdf:parseType="Resource"><stEvt:changed>/'
    "</stEvt:changed></rdf:li></rdf:Seq></xmpMM:History><xmpMM:DerivedFrom xmpMM:DocumentID='x'/>"
    "<dc:subject><rdf:Bag><rdf:li>one</rdf:li><rdf:li>two</rdf:li></rdf:Bag></dc:subject>",
    attributes='xmp:CreatorTool="Lightroom" xmp:CreateDate="2021-05-06T07:08:09Z" dc:format="image/jpeg" '
    'xmlns:exif="http://ns.adobe.com/exif/1.0/" exif:GPSLatitude="52,30.5N" exif:GPSLongitude="13,24E"',
)
_IPTC = b"".join(
    b"\x1c" + bytes([record, number]) + struct.pack(">H", len(value)) + value
    for record, number, value in (
        *((1, 90, b"\x1b%G"), (2, 0, b"\x00\x04"), (2, 5, b"Title"), (2, 25, b"one"), (2, 25, b"two")),
        *((2, 55, b"20210506"), (2, 60, b"070809+0200"), (2, 65, b"Photo Mechanic"), (2, 70, b"6.0")),
        *((2, 80, "Zoë".encode()), (2, 120, b"Caption"), (2, 230, b"\xff")),
    )
)


def make_seeds() -> dict[str, bytes]:
    """Name to content: the rich files, and the 200 broken and odd ones under names that any system takes.

    The signed files are there only where `cryptography` is, and differ each time: signatures are random.
    """
    odd = {
        f"odd_{number:03}_{re.sub(r'[^a-z0-9_.]', '', name.decode('latin-1'))[:40]}": content
        for number, (name, content) in enumerate(_make_odd_files().items())
    }
    return {**_make_jpegs(), **_make_pngs(), **_make_others(), **_make_signed(), **odd}


def _make_odd_files() -> dict[bytes, bytes]:
    path = Path(__file__).with_name("make_odd_files.py")
    spec = importlib.util.spec_from_file_location(path.stem, path)
    if spec is None or spec.loader is None:
        raise AssertionError(f"expected a module at {path}")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    files: dict[bytes, bytes] = module.make_odd_files()
    return files


def _make_exif() -> bytes:
    degrees = [(52, 1), (30, 1), (0, 1)]
    stamp = "2021:05:06 07:08:09"
    image = [(0x010F, "Canon"), (0x0110, "Canon EOS 5D"), (0x0131, "GIMP 2.10"), (0x0132, stamp)]
    exif = [(0x9003, stamp), (0x9004, stamp), (0x9010, "+02:00"), (0x9011, "+02:00"), (0x9291, "12")]
    return make.make_exif(
        [*(make.ascii_entry(*entry) for entry in image), make.short_entry(0x0112, 6)],
        exif=[
            *(make.ascii_entry(*entry) for entry in exif),
            (0x927C, 7, b"Canon maker note", 16),
            (0x9286, 7, b"UNICODE\x00h\x00i\x00", 12),
            make.long_entry(0xA002, 64),
            make.long_entry(0xA003, 48),
        ],
        gps=[
            make.ascii_entry(1, "N"),
            make.rational_entry(2, degrees),
            make.ascii_entry(3, "W"),
            make.rational_entry(4, degrees),
            make.rational_entry(7, [(5, 1), (8, 1), (9, 1)]),
            make.ascii_entry(0x1D, "2021:05:06"),
        ],
        thumbnail=make.make_jpeg(24, 32, seed=5, quality=60),
    )


def _make_resources() -> bytes:
    contents = ((0x0404, _IPTC), (0x0406, b"\x00\x08\x00\x01\x00\x03\x01"), (0x0425, bytes(16)))
    return b"".join(
        b"8BIM" + struct.pack(">HHI", number, 0, len(content)) + content + b"\x00" * (len(content) % 2)
        for number, content in contents
    )


def _make_jpegs() -> dict[str, bytes]:
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    plain = make.encode(_PHOTO, "JPEG", quality=92, exif=_make_exif(), icc_profile=profile, comment="made")
    resources = b"Photoshop 3.0\x00" + _make_resources()
    guid = b"0123456789ABCDEF" * 2
    extended = b"http://ns.adobe.com/xmp/extension/\x00" + guid + struct.pack(">II", len(_XMP), 0) + _XMP
    rich = make.insert_after_soi(
        make.add_xmp(plain, _XMP),
        make.make_jpeg_segment(0xE1, extended),
        make.make_jpeg_segment(0xED, resources[:200]),
        make.make_jpeg_segment(0xED, b"Photoshop 3.0\x00" + resources[200:]),
        make.make_jpeg_segment(0xEC, b"Ducky" + bytes(12)),
    )
    stream = io.BytesIO()
    second = Image.fromarray(_PHOTO[::-1].copy())
    Image.fromarray(_PHOTO).save(stream, "MPO", save_all=True, append_images=[second], exif=_make_exif())
    return {
        "exif.jpg": plain,
        "rich.jpg": rich,
        "two.mpo.jpg": stream.getvalue(),
        "appended.jpg": rich + plain + b"PK\x03\x04" + bytes(100),
        "restarts.jpg": make.encode(_PHOTO, "JPEG", restart_marker_rows=1, subsampling="4:2:2"),
        "progressive.jpg": make.encode(_PHOTO, "JPEG", progressive=True, subsampling="4:2:0"),
        "samsung.jpg": plain + b"\x00\x00\x01\x0a\x0e\x00\x00\x00Image_UTC_Data1620284889000" + b"SEFHSEFT",
    }


def _make_pngs() -> dict[str, bytes]:
    def profile(name: str, content: bytes) -> bytes:
        text = f"\n{name}\n{len(content):8}\n{content.hex()}\n".encode()
        return make.make_png_chunk(
            b"zTXt", f"Raw profile type {name}".encode() + b"\0\0" + zlib.compress(text)
        )

    png = make.encode(_PHOTO, "PNG")
    chunks = [
        make.make_png_chunk(b"iTXt", b"XML:com.adobe.xmp\x00\x00\x00\x00\x00" + _XMP),
        make.make_png_chunk(b"tEXt", b"Software\x00ImageMagick"),
        make.make_png_chunk(b"tEXt", b"date:create\x002021-05-06T07:08:09+00:00"),
        make.make_png_chunk(b"tIME", struct.pack(">HBBBBB", 2021, 5, 6, 7, 8, 9)),
        make.make_png_chunk(b"eXIf", _make_exif()[6:]),
    ]
    profiles = [profile("exif", _make_exif()), profile("xmp", _XMP), profile("iptc", _make_resources())]
    return {
        "chunks.png": make.insert_after_ihdr(png, *chunks),
        "profiles.png": make.insert_after_ihdr(png, *profiles),
        "appended.png": png + png,
    }


def _make_others() -> dict[str, bytes]:
    exif = _make_exif()
    tags = TiffImagePlugin.ImageFileDirectory_v2()
    tags[0x0131], tags[0x0132], tags[0x010F] = "GIMP", "2021:05:06 07:08:09", "Canon"
    tags[0x02BC], tags[0x83BB] = _XMP, _IPTC
    gif = make.encode(_PHOTO, "GIF", comment=b"made by hand")
    application = b"\x21\xff\x0bXMP DataXMP" + _XMP + b"\x01" + bytes(range(255, -1, -1)) + b"\x00"
    return {
        "rich.webp": make.encode(_PHOTO, "WEBP", quality=80, exif=exif[6:], xmp=_XMP),
        "rich.tif": make.encode(_PHOTO, "TIFF", tiffinfo=tags),
        "deflate.tif": make.encode(_PHOTO, "TIFF", tiffinfo=tags, compression="tiff_deflate"),
        "big.tif": make.encode(_PHOTO, "TIFF", tiffinfo=tags, big_tiff=True),
        "comment.gif": gif,
        "xmp.gif": gif[:-1] + application + b";",
        "rich.avif": make.encode(_PHOTO, "AVIF", exif=exif[6:], xmp=_XMP, max_threads=1),
        "rich.heic": make.encode(_PHOTO, "HEIF", exif=exif, xmp=_XMP),
    }


def _make_signed() -> dict[str, bytes]:
    if importlib.util.find_spec("cryptography") is None:
        return {}
    from fixtures.credentials import make_signer, sign

    signer = make_signer()
    types = {"JPEG": "image/jpeg", "PNG": "image/png", "WEBP": "image/webp"}
    return {
        f"signed.{name.lower()}": sign(make.encode(_PHOTO, name), mime_type, signer)
        for name, mime_type in types.items()
    }
