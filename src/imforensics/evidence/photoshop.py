"""Photoshop's image resources: names, the saved quality, and the metadata blocks among them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

MAX_RESOURCES = 200
PHOTOSHOP_IDENTIFIER = b"Photoshop 3.0\x00"  # of a JPEG's APP13 segments

_SIGNATURES = (b"8BIM", b"AgHg", b"DCSR", b"MeSa", b"PHUT")  # of Photoshop, and of programs like it
_IPTC, _QUALITY, _EXIF, _XMP = 0x0404, 0x0406, 0x0422, 0x0424
# Adobe Photoshop File Formats Specification (November 2019), "Image resource IDs".
_NAMES = {
    0x03ED: "resolution",
    0x03F3: "print flags",
    0x03F5: "color halftoning",
    0x03F8: "color transfer functions",
    0x0400: "layer state",
    0x0402: "layer groups",
    0x0404: "IPTC",
    0x0406: "JPEG quality",
    0x0408: "grid and guides",
    0x0409: "thumbnail (Photoshop 4)",
    0x040A: "copyright flag",
    0x040B: "URL",
    0x040C: "thumbnail",
    0x040D: "global lighting angle",
    0x040F: "ICC profile",
    0x0411: "ICC untagged",
    0x0414: "document-specific IDs",
    0x0419: "global altitude",
    0x041A: "slices",
    0x041E: "URL list",
    0x0421: "version information",
    0x0422: "EXIF",
    0x0424: "XMP",
    0x0425: "caption digest",
    0x0426: "print scale",
    0x0428: "pixel aspect ratio",
    0x042D: "layer selection IDs",
    0x0430: "layer groups enabled",
    0x043A: "print information",
    0x043B: "print style",
    0x2710: "print flags information",
}


@dataclass(slots=True)
class PhotoshopResources:
    """What the image resources of one file hold.

    Attributes:
        names: in file order, unknown ones by their number, at most `MAX_RESOURCES`.
        quality: the "save as" level 0-12, None where no resource records it.
        iptc: the content of the IPTC resources.
        exif: of the EXIF resources.
        xmp: of the XMP resources.
    """

    names: tuple[str, ...]
    quality: int | None
    iptc: list[bytes]
    exif: list[bytes]
    xmp: list[bytes]


def read_photoshop_resources(blocks: list[bytes], problems: list[str]) -> PhotoshopResources:
    """Read blocks of image resources.

    Args:
        blocks: as stored; the segments of a JPEG joined, for a resource may begin in one and end in the next.
        problems: where damage ends the reading is added here, in words.

    Reference:
        Adobe Photoshop File Formats Specification (November 2019), "Image resources section". The level is
        stored less four, as a signed number.
    """
    found: list[tuple[int, bytes]] = []
    for block in blocks:
        content = block.removeprefix(PHOTOSHOP_IDENTIFIER)
        found += _walk_resources(content, MAX_RESOURCES - len(found), problems)
    level = next(
        (int.from_bytes(c[:2], "big", signed=True) + 4 for n, c in found if n == _QUALITY and c[1:]), -1
    )
    return PhotoshopResources(
        names=tuple(_NAMES.get(number, f"{number:#06x}") for number, _ in found),
        quality=level if 0 <= level <= 12 else None,
        iptc=[content for number, content in found if number == _IPTC and content],
        exif=[content for number, content in found if number == _EXIF and content],
        xmp=[content for number, content in found if number == _XMP and content],
    )


def _walk_resources(block: bytes, limit: int, problems: list[str]) -> Iterator[tuple[int, bytes]]:
    """Number and content of each resource."""
    position = 0
    for _ in range(limit):
        if not block.startswith(_SIGNATURES, position) or position + 12 > len(block):
            break
        number = int.from_bytes(block[position + 4 : position + 6], "big")
        name_size = block[position + 6] + 1
        position += 6 + name_size + name_size % 2
        size = int.from_bytes(block[position : position + 4], "big")
        position += 4
        content = block[position : position + size]
        yield number, content
        position += size
        if len(content) < size:
            problems.append(
                f"{_kind_of(number)}: the image resource declares {size} bytes, {len(content)} are left"
            )
            return
        if size % 2 and not block.startswith(_SIGNATURES, position):  # some programs leave the padding out
            position += 1
    if block[position:].strip(b"\x00"):
        problems.append(f"image resources: {len(block) - position} bytes after the last one that is read")


def _kind_of(number: int) -> str:
    return {_IPTC: "IPTC", _EXIF: "EXIF", _XMP: "XMP"}.get(number, "image resources")
