"""The metadata blocks of a file as stored, each found where its container keeps it; none is decoded here."""

from __future__ import annotations

from dataclasses import dataclass, field

from imforensics.evidence.chunks import read_chunks
from imforensics.evidence.gif_blocks import read_gif_blocks
from imforensics.evidence.heif_boxes import read_heif_items
from imforensics.evidence.jpeg_markers import (
    COM,
    EXIF_IDENTIFIER,
    EXTENDED_XMP_IDENTIFIER,
    XMP_IDENTIFIER,
)
from imforensics.evidence.jpeg_structure import JpegLayout
from imforensics.evidence.photoshop import PHOTOSHOP_IDENTIFIER
from imforensics.evidence.png_text import RawProfile, TextChunk, read_png_text
from imforensics.evidence.text import decode_text

_APP1, _APP13 = 0xE1, 0xED
_EXIF_START = b"Exif\x00\x00"
_TIFF_STARTS = (b"II*\x00", b"MM\x00*")
_PACKET_STARTS = (b"<?xpacket", b"<x:xmpmeta")  # of XMP behind an identifier of another spelling
_RESOURCE_START, _IPTC_START = b"8BIM", b"\x1c"


@dataclass(slots=True)
class MetadataBlocks:
    """What one file keeps beside its pixels, in file order.

    Attributes:
        exif: EXIF blocks, with or without the "Exif" identifier.
        xmp: XMP packets.
        extended_xmp: extended XMP as JPEG splits it: GUID, full length, offset, bytes; from the GUID on.
        iptc: IPTC blocks.
        resources: blocks of Photoshop's image resources.
        icc: ICC profiles that decoders do not hand on.
        text: text fields of the container, name and value.
        orientation: 1-8 by the file's rotation properties (HEIF, AVIF); None where the container has none.
    """

    exif: list[bytes] = field(default_factory=list)
    xmp: list[bytes] = field(default_factory=list)
    extended_xmp: list[bytes] = field(default_factory=list)
    iptc: list[bytes] = field(default_factory=list)
    resources: list[bytes] = field(default_factory=list)
    icc: list[bytes] = field(default_factory=list)
    text: list[tuple[str, str]] = field(default_factory=list)
    orientation: int | None = None


def find_blocks(
    data: bytes, *, format_name: str, layout: JpegLayout | None, problems: list[str]
) -> MetadataBlocks:
    """Find the metadata blocks of a file.

    Args:
        data: the file.
        format_name: its format by content.
        layout: the JPEG's segments, None for every other format.
        problems: what is there and cannot be taken out is added here, in words; nothing is raised.

    Returns:
        The blocks. A TIFF is one EXIF block; what its directory holds is found by the EXIF reader.
    """
    blocks = MetadataBlocks()
    if layout is not None:
        _find_in_jpeg(data, layout, blocks)
    elif format_name == "TIFF":
        blocks.exif.append(data)
    elif format_name == "PNG":
        _find_in_png(data, blocks, problems)
    elif format_name == "WEBP":
        for kind, content in read_chunks(data, "WEBP", {b"EXIF", b"XMP ", b"XMP\x00"}):
            (blocks.exif if kind == b"EXIF" else blocks.xmp).append(content)
    elif format_name == "GIF":
        _find_in_gif(data, blocks, problems)
    elif format_name in {"HEIF", "AVIF"}:
        items = read_heif_items(data, problems)
        blocks.exif, blocks.xmp, blocks.orientation = items.exif, items.xmp, items.orientation
    blocks.text = _number_repeats(blocks.text)
    return blocks


def _find_in_jpeg(data: bytes, layout: JpegLayout, blocks: MetadataBlocks) -> None:
    resources: list[bytes] = []
    for segment in layout.segments:
        if segment.code not in {_APP1, _APP13, COM}:
            continue
        payload = data[segment.payload : segment.payload_stop]
        if segment.code == COM:
            blocks.text.append(("JPEG comment", decode_text(payload)))
        elif segment.code == _APP13 and payload.startswith(PHOTOSHOP_IDENTIFIER):
            resources.append(payload.removeprefix(PHOTOSHOP_IDENTIFIER))
        elif segment.code == _APP13 and payload.startswith(_IPTC_START):
            blocks.iptc.append(payload)
        elif payload.startswith(EXTENDED_XMP_IDENTIFIER):
            blocks.extended_xmp.append(payload.removeprefix(EXTENDED_XMP_IDENTIFIER))
        elif payload.startswith(EXIF_IDENTIFIER):
            _add_exif_segment(payload[len(EXIF_IDENTIFIER) + 1 :], blocks.exif)  # it ends with two NULs
        elif payload.startswith(XMP_IDENTIFIER) or any(start in payload[:200] for start in _PACKET_STARTS):
            blocks.xmp.append(payload.removeprefix(XMP_IDENTIFIER))
    blocks.resources += [b"".join(resources)] if resources else []


def _add_exif_segment(content: bytes, exif: list[bytes]) -> None:
    """A segment without a TIFF header continues the one before it: EXIF of more than 64 kB."""
    if exif and not content.startswith(_TIFF_STARTS):
        exif[-1] += content
    else:
        exif.append(content)


def _find_in_png(data: bytes, blocks: MetadataBlocks, problems: list[str]) -> None:
    blocks.exif += [content for _, content in read_chunks(data, "PNG", {b"eXIf"})]
    for chunk in read_png_text(data, problems):
        if isinstance(chunk, TextChunk):
            if chunk.keyword == "XML:com.adobe.xmp":
                blocks.xmp.append(chunk.content)
            elif chunk.content.startswith(_EXIF_START):
                blocks.exif.append(chunk.content)
            else:
                blocks.text.append((chunk.keyword, chunk.decode()))
        else:
            _sort_raw_profile(chunk, blocks, problems)


def _sort_raw_profile(profile: RawProfile, blocks: MetadataBlocks, problems: list[str]) -> None:
    """A profile by what it holds, for its name does not always tell: APP1 is EXIF or XMP."""
    content = profile.content
    if content.startswith(XMP_IDENTIFIER):
        blocks.xmp.append(content.removeprefix(XMP_IDENTIFIER))
    elif profile.name == "xmp":
        blocks.xmp.append(content)
    elif profile.name in {"exif", "app1"}:
        blocks.exif.append(content)
    elif profile.name in {"icc", "icm"}:
        blocks.icc.append(content)
    elif content.startswith((_RESOURCE_START, PHOTOSHOP_IDENTIFIER)):
        blocks.resources.append(content)
    elif profile.name == "iptc":
        blocks.iptc.append(content)
    else:
        problems.append(f"text: a raw profile of type {profile.name!r}, {len(content)} bytes, is not decoded")


def _find_in_gif(data: bytes, blocks: MetadataBlocks, problems: list[str]) -> None:
    places = {"XMP DataXMP": blocks.xmp, "ICCRGBG1012": blocks.icc, "MGKIPTC0000": blocks.iptc}
    places["MGK8BIM0000"] = blocks.resources
    for name, content in read_gif_blocks(data, problems):
        if name == "GIF comment":
            blocks.text.append((name, decode_text(content)))
        elif name in places:
            places[name].append(content)


def _number_repeats(entries: list[tuple[str, str]]) -> list[tuple[str, str]]:
    """The same field again is "field 2": all of them are kept."""
    counts: dict[str, int] = {}
    numbered = []
    for name, value in entries:
        counts[name] = counts.get(name, 0) + 1
        numbered.append((name if counts[name] == 1 else f"{name} {counts[name]}", value))
    return numbered
