"""Write 200 broken and odd image files, the same ones each time: a corpus that no scan may stumble over.

Usage: python scripts/make_odd_files.py OUT_FOLDER
"""

from __future__ import annotations

import io
import os
import random
import struct
import sys
import zlib
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from PIL import Image

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tests"))

from fixtures import synthetic as make

COUNT = 200
OddFile = tuple[bytes, bytes]  # name as raw bytes, content

_PHOTO = make.make_photo_like(96, 128, seed=3)


def make_odd_files() -> dict[bytes, bytes]:
    """Name (raw bytes, hostile ones among them) to content of all files."""
    groups = (_truncated, _bit_flipped, _wrong_suffix, _empty, _bombs, _odd_sizes, _odd_modes, _multi_frame)
    files = [file for group in (*groups, _bad_metadata, _hostile_names, _odd_jpegs) for file in group()]
    if len(dict(files)) != COUNT:
        raise AssertionError(
            f"expected {COUNT} different names, made {len(dict(files))} of {len(files)} files"
        )
    return dict(files)


def _valid() -> dict[str, bytes]:
    exif = make.make_exif([make.ascii_entry(0x0110, "Model"), make.short_entry(0x0112, 6)])
    return {
        "jpg": make.encode(_PHOTO, "JPEG", quality=88, exif=exif),
        "progressive.jpg": make.encode(_PHOTO, "JPEG", quality=80, progressive=True),
        "png": make.encode(_PHOTO, "PNG"),
        "tif": make.encode(_PHOTO, "TIFF"),
        "lzw.tif": make.encode(_PHOTO, "TIFF", compression="tiff_lzw"),
        "webp": make.encode(_PHOTO, "WEBP", quality=80),
        "gif": make.encode(_PHOTO, "GIF"),
        "bmp": make.encode(_PHOTO, "BMP"),
        "avif": make.encode(_PHOTO, "AVIF", max_threads=1),
        "heic": make.encode(_PHOTO, "HEIF"),
    }


def _truncated() -> Iterator[OddFile]:
    for suffix, content in _valid().items():
        for tenth in range(1, 10):
            yield f"truncated_{tenth}0_percent.{suffix}".encode(), content[: len(content) * tenth // 10]


def _bit_flipped() -> Iterator[OddFile]:
    for suffix in ("jpg", "png", "lzw.tif", "webp", "gif", "heic"):
        content = _valid()[suffix]
        for number in range(6):
            generator, damaged = random.Random(f"{suffix}{number}"), bytearray(content)
            for _ in range(1 + 4 * number):
                damaged[generator.randrange(16, len(damaged))] ^= 1 << generator.randrange(8)
            yield f"flipped_{1 + 4 * number}_bits.{suffix}".encode(), bytes(damaged)


def _wrong_suffix() -> Iterator[OddFile]:
    valid = _valid()
    for true, claimed in (("jpg", "png"), ("png", "jpg"), ("tif", "jpg"), ("webp", "jpg"), ("gif", "png")):
        yield f"really_{true}.{claimed}".encode(), valid[true]
    for true, claimed in (("bmp", "jpeg"), ("heic", "jpg"), ("avif", "txt")):
        yield f"really_{true}.{claimed}".encode(), valid[true]
    yield b"text.jpg", b"This is not an image.\n" * 20
    yield b"page.png", b"<!doctype html><title>Not an image</title>"
    yield b"document.jpg", b"%PDF-1.7\n1 0 obj<<>>endobj\n%%EOF\n"


def _empty() -> Iterator[OddFile]:
    yield b"zero_bytes.jpg", b""
    yield b"zero_bytes.png", b""
    yield b"one_byte.jpg", b"\xff"
    yield b"all_zeros.jpg", bytes(4096)
    yield b"markers_only.jpg", b"\xff\xd8\xff\xd9"


def _bombs() -> Iterator[OddFile]:
    end = make.make_png_chunk(b"IEND", b"")
    zeros = zlib.compress(bytes(50_000_000), 9)
    png = make.encode(_PHOTO, "PNG")
    yield b"bomb_60000.png", make.make_png_header(60000, 60000) + make.make_png_chunk(b"IDAT", zeros) + end
    yield b"bomb_20000.png", make.make_png_header(20000, 20000) + make.make_png_chunk(b"IDAT", zeros) + end
    yield b"bomb_2_to_31.png", make.make_png_header(2**31 - 1, 2**31 - 1) + end
    text = b"bomb\x00\x01\x00\x00\x00" + zeros
    yield b"bomb_itxt.png", make.insert_after_ihdr(png, make.make_png_chunk(b"iTXt", text))
    yield b"bomb_ztxt.png", make.insert_after_ihdr(png, make.make_png_chunk(b"zTXt", b"bomb\x00\x00" + zeros))
    yield b"bomb_icc.png", make.insert_after_ihdr(png, make.make_png_chunk(b"iCCP", b"bomb\x00\x00" + zeros))
    sizes = [make.long_entry(0x0100, 60000), make.long_entry(0x0101, 60000), make.short_entry(0x0103, 8)]
    strips = [make.short_entry(0x0106, 1), make.long_entry(0x0111, 8), make.long_entry(0x0117, 64)]
    yield b"bomb.tif", make.make_exif([*sizes, make.short_entry(0x0102, 8), *strips])[6:]
    bmp = make.encode(_PHOTO, "BMP")
    yield b"bomb.bmp", bmp[:18] + struct.pack("<ii", 60000, 60000) + bmp[26:]
    gif = make.encode(_PHOTO, "GIF")
    yield b"bomb.gif", gif[:6] + b"\xff\xff\xff\xff" + gif[10:]
    yield b"bomb_65535.jpg", _with_frame_size(make.encode(_PHOTO, "JPEG"), 65535, 65535)
    yield b"bomb_of_scans.jpg", _scan_bomb(1000)


def _with_frame_size(jpeg: bytes, height: int, width: int) -> bytes:
    at = jpeg.index(b"\xff\xc0")
    return jpeg[: at + 5] + struct.pack(">HH", height, width) + jpeg[at + 9 :]


def _scan_bomb(scans: int) -> bytes:
    """A progressive JPEG whose last scan is there a thousand times."""
    jpeg = make.encode(_PHOTO, "JPEG", progressive=True)
    last = jpeg[jpeg.rindex(b"\xff\xda") : -2]
    return jpeg[:-2] + last * scans + b"\xff\xd9"


def _odd_sizes() -> Iterator[OddFile]:
    for suffix, name in (("jpg", "JPEG"), ("png", "PNG"), ("gif", "GIF"), ("bmp", "BMP"), ("tif", "TIFF")):
        yield f"1x1.{suffix}".encode(), make.encode(_PHOTO[:1, :1], name)
    yield b"1x1.webp", make.encode(_PHOTO[:1, :1], "WEBP")
    row = np.ascontiguousarray(np.tile(_PHOTO[:1], (1, 31, 1)))
    column = np.ascontiguousarray(np.tile(_PHOTO[:, :1], (41, 1, 1)))
    for suffix, name in (("jpg", "JPEG"), ("png", "PNG")):
        yield f"one_row.{suffix}".encode(), make.encode(row, name)
        yield f"one_column.{suffix}".encode(), make.encode(column, name)


def _odd_modes() -> Iterator[OddFile]:
    cmyk = make.encode(_PHOTO, "JPEG", mode="CMYK")
    adobe = cmyk.index(b"Adobe")
    yield b"cmyk.jpg", cmyk
    yield b"ycck.jpg", cmyk[: adobe + 11] + b"\x02" + cmyk[adobe + 12 :]
    deep = _PHOTO.astype(np.uint16) * 257
    yield b"16_bit_gray.png", make.make_png16(deep[:, :, 0])
    yield b"16_bit_rgb.png", make.make_png16(deep)
    floats = _PHOTO[:, :, 0].astype(np.float32) / 255
    yield b"float.tif", make.encode(floats, "TIFF")
    yield b"float_nan.tif", make.encode(np.where(floats > 0.5, np.nan, floats).astype(np.float32), "TIFF")
    yield b"int32.tif", make.encode(_PHOTO[:, :, 0].astype(np.int32) * 100_000, "TIFF")
    yield b"ycbcr.tif", make.encode(_PHOTO, "TIFF", mode="YCbCr")
    yield b"1_bit.png", make.encode(_PHOTO, "PNG", mode="1")
    yield b"palette_transparent.png", make.encode(_PHOTO, "PNG", mode="P", transparency=bytes(range(256)))
    yield b"gray_alpha.png", make.encode(_PHOTO, "PNG", mode="LA")
    yield b"rgba.webp", make.encode(_PHOTO, "WEBP", mode="RGBA", lossless=True)


def _multi_frame() -> Iterator[OddFile]:
    frames = [Image.fromarray(np.roll(_PHOTO, 8 * step, axis=1)) for step in range(4)]
    names = {"gif": "GIF", "webp": "WEBP", "png": "PNG", "tif": "TIFF", "mpo": "MPO"}
    for suffix, name in names.items():
        stream = io.BytesIO()
        frames[0].save(stream, name, save_all=True, append_images=frames[1:])
        yield f"frames.{suffix}".encode(), stream.getvalue()


def _bad_metadata() -> Iterator[OddFile]:
    def with_exif(block: bytes) -> bytes:
        return make.encode(_PHOTO, "JPEG", exif=b"Exif\x00\x00" + block)

    yield b"exif_noise.jpg", with_exif(b"II*\x00" + random.Random(5).randbytes(20_000))
    yield b"exif_loop.jpg", with_exif(b"II*\x00\x08\x00\x00\x00\x00\x00\x08\x00\x00\x00")
    overlapping = struct.pack("<HHII", 0x0002, 5, 999, 8) * 5000
    yield (
        b"exif_overlapping.jpg",
        with_exif(b"II*\x00\x08\x00\x00\x00" + struct.pack("<H", 5000) + overlapping),
    )
    degrees = make.rational_entry(2, [(1, 0), (2, 0), (3, 0)])
    gps = [make.ascii_entry(1, "N"), degrees, make.ascii_entry(3, "W"), (4, *degrees[1:])]
    yield b"exif_gps_zero.jpg", with_exif(make.make_exif(gps=gps, thumbnail=b"\xff\xd8 no jpeg")[6:])
    yield b"exif_orientation.jpg", with_exif(make.make_exif([make.short_entry(0x0112, 9)])[6:])
    laughs = '<!DOCTYPE x [<!ENTITY a "ha">' + "".join(
        f'<!ENTITY {after} "{f"&{before};" * 10}">'
        for before, after in zip("abcdefgh", "bcdefghi", strict=True)
    )
    jpeg = make.encode(_PHOTO, "JPEG")
    yield b"xmp_billion_laughs.jpg", make.add_xmp(jpeg, f"{laughs}]><x>&i;</x>".encode())
    yield b"xmp_cut.jpg", make.add_xmp(jpeg, make.make_xmp("<xmp:CreatorTool>x")[:300])
    yield b"xmp_deep.jpg", make.add_xmp(jpeg, make.make_xmp("<dc:a>" * 5000 + "</dc:a>" * 5000))


def _hostile_names() -> Iterator[OddFile]:
    jpeg = make.encode(_PHOTO, "JPEG")
    yield b"<img src=x onerror=alert(1)>.jpg", jpeg
    yield b"new\nline\r.jpg", jpeg
    yield b"\x1b[31mred\x1b[0m\x07.jpg", jpeg
    yield b"=HYPERLINK(1).jpg", jpeg
    yield b"not_utf8_\xff\xfe\x80.jpg", jpeg
    yield b"long_" + b"n" * 240 + b".jpg", jpeg


def _odd_jpegs() -> Iterator[OddFile]:
    jpeg = make.encode(_PHOTO, "JPEG")
    yield b"zero_length_segments.jpg", make.insert_after_soi(jpeg, b"\xff\xe5\x00\x00" * 3)
    yield b"many_markers.jpg", make.insert_after_soi(jpeg, *[make.make_jpeg_segment(0xFE, b"x")] * 15_000)
    yield b"trailing.jpg", jpeg + b"PK\x03\x04" + bytes(5000)
    start = jpeg.index(b"\xff\xc0")
    yield b"arithmetic.jpg", jpeg[: start + 1] + b"\xc9" + jpeg[start + 2 :]
    yield b"lossless.jpg", jpeg[: start + 1] + b"\xc3" + jpeg[start + 2 :]
    yield b"12_bit.jpg", jpeg[: start + 4] + b"\x0c" + jpeg[start + 5 :]


def main(arguments: list[str]) -> int:
    """Write the files into a folder."""
    if len(arguments) != 1:
        print(__doc__, file=sys.stderr)
        return 2
    folder = os.fsencode(arguments[0])
    os.makedirs(folder, exist_ok=True)  # noqa: PTH103 — raw bytes: a name that is not UTF-8
    for name, content in make_odd_files().items():
        with open(os.path.join(folder, name), "wb") as stream:  # noqa: PTH118, PTH123
            stream.write(content)
    print(f"{COUNT} files in {arguments[0]}")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
