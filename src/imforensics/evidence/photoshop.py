"""Photoshop's image resources in the APP13 segments of a JPEG: names, and the saved quality."""

from __future__ import annotations

from collections.abc import Iterator

from imforensics.evidence.jpeg_structure import JpegLayout

MAX_RESOURCES = 200

_IDENTIFIER = b"Photoshop 3.0\x00"
_QUALITY_RESOURCE = 0x0406
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


def read_photoshop_resources(data: bytes, layout: JpegLayout) -> tuple[tuple[str, ...], int | None]:
    """Names of the image resources, and the level they record.

    Args:
        data: a JPEG.
        layout: its segments.

    Returns:
        Names in file order, unknown ones by their number; and the "save as" level 0-12, None where no
        resource records it. Damage ends the reading.

    Reference:
        Adobe Photoshop File Formats Specification (November 2019), "Image resources section". The level is
        stored less four, as a signed number.
    """
    names: list[str] = []
    quality: int | None = None
    for number, content in _walk_resources(data, layout):
        names.append(_NAMES.get(number, f"{number:#06x}"))
        if number == _QUALITY_RESOURCE and len(content) >= 2:
            level = int.from_bytes(content[:2], "big", signed=True) + 4
            quality = level if 0 <= level <= 12 else None
        if len(names) == MAX_RESOURCES:
            break
    return tuple(names), quality


def _walk_resources(data: bytes, layout: JpegLayout) -> Iterator[tuple[int, bytes]]:
    """Number and first bytes of each resource."""
    payloads = (
        data[segment.payload + len(_IDENTIFIER) : segment.payload_stop]
        for segment in layout.segments
        if segment.code == 0xED and data.startswith(_IDENTIFIER, segment.payload, segment.payload_stop)
    )
    for block in payloads:
        position = 0
        while block[position : position + 4] == b"8BIM" and position + 12 <= len(block):
            number = int.from_bytes(block[position + 4 : position + 6], "big")
            name_size = block[position + 6] + 1
            position += 6 + name_size + name_size % 2
            size = int.from_bytes(block[position : position + 4], "big")
            position += 4
            yield number, block[position : position + min(size, 64)]
            position += size + size % 2
