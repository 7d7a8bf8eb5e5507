"""What a file says of itself: EXIF, XMP, IPTC, ICC, text, gathered into one record; nothing here raises."""

from __future__ import annotations

import io
import re
import warnings
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
from PIL import Image

from imforensics.evidence.credentials import has_credentials
from imforensics.evidence.decoding import DECODER_ERRORS, describe_error
from imforensics.evidence.exif import ExifReading, read_exif
from imforensics.evidence.iptc import MAX_ICC_BYTES, name_iptc, read_icc_description
from imforensics.evidence.jpeg_markers import (
    COM,
    EXIF_IDENTIFIER,
    EXTENDED_XMP_IDENTIFIER,
    XMP_IDENTIFIER,
)
from imforensics.evidence.jpeg_structure import JpegLayout, walk_jpeg
from imforensics.evidence.photoshop import read_photoshop_resources
from imforensics.evidence.text import bound_entries, decode_text, shorten
from imforensics.evidence.trailing import describe_trailing
from imforensics.evidence.xmp import read_xmp
from imforensics.types import Metadata, UInt8Array, UInt16Array

MAX_THUMBNAIL_PIXELS = 1024 * 1024  # EXIF keeps it within 64 kB; cameras write 160 x 120

_EOI = b"\xff\xd9"
_LAST_ROWS, _FILLER = 8, 128  # what a decoder makes of blocks that are missing
_SOFTWARE_TAGS = (
    "Image Software",
    "Image ProcessingSoftware",
    "EXIF ProcessingSoftware",
    "Thumbnail Software",
)
_SOFTWARE_XMP = re.compile(r"(^|/)(xmp|xap):CreatorTool$|/stEvt:softwareAgent$|(^|/)(tiff):Software$")
_DATE_XMP = re.compile(r"^(xmp:(Create|Modify|Metadata)Date|photoshop:DateCreated|exif:DateTimeOriginal)$")
_DATE_TAGS = ("EXIF DateTimeOriginal", "EXIF DateTimeDigitized", "Image DateTime", "GPS GPSDate")
_DATE_TEXT = frozenset({"creation time", "date:create", "date:modify", "date:timestamp"})
_COMMENT_TOOL = re.compile(
    r"CREATOR: *([^\n,]{1,100}(?:\([^)\n]{0,80}\))?)|(Lavc[\d.]{1,20}|LEAD Technologies[^\n]{0,40})"
)


def read_metadata(
    data: bytes, *, format_name: str, info: Mapping[str, Any], layout: JpegLayout | None
) -> tuple[Metadata, int]:
    """Gather all metadata of one file.

    Args:
        data: the file.
        format_name: its format by content.
        info: what the decoder found beside the pixels, see `decoding.Decoded.info`.
        layout: the JPEG's segments, None for every other format.

    Returns:
        The metadata, and the EXIF orientation 1-8.
    """
    problems: list[str] = []
    exif = _read_exif(data, format_name, info, layout, problems)
    packet = _jpeg_payload(data, layout, XMP_IDENTIFIER) if layout is not None else _as_bytes(info.get("xmp"))
    if layout is not None and _jpeg_payload(data, layout, EXTENDED_XMP_IDENTIFIER) is not None:
        problems.append("XMP: an extended packet is present and is not read")
    xmp = read_xmp(packet, problems) if packet else {}
    iptc = name_iptc(info.get("iptc"), problems)
    text = _read_text(data, info, layout, problems)
    thumbnail, thumbnail_tables = _decode_thumbnail(exif.thumbnail, problems)
    resources, photoshop_quality = ((), None) if layout is None else read_photoshop_resources(data, layout)
    metadata = Metadata(
        exif=exif.tags,
        xmp=xmp,
        iptc=iptc,
        text=text,
        icc_description=_read_icc(info.get("icc_profile"), problems),
        camera=_name_camera(exif.tags),
        software=tuple(dict.fromkeys(name for name in _name_software(exif.tags, xmp, iptc, text) if name)),
        dates=_gather_dates(exif.tags, xmp, iptc, text),
        gps=exif.gps,
        thumbnail=thumbnail,
        thumbnail_quantization_tables=thumbnail_tables,
        photoshop_resources=resources,
        photoshop_quality=photoshop_quality,
        trailing=describe_trailing(data, format_name=format_name, layout=layout),
        has_credentials=has_credentials(data, format_name=format_name, layout=layout),
        problems=tuple(shorten(problem, 300) for problem in problems[:50]),
    )
    return metadata, exif.orientation


def _read_exif(
    data: bytes, format_name: str, info: Mapping[str, Any], layout: JpegLayout | None, problems: list[str]
) -> ExifReading:
    if format_name == "TIFF":
        block: bytes | None = data
    elif layout is not None:
        block = _jpeg_payload(data, layout, EXIF_IDENTIFIER)
        block = None if block is None else block[1:]  # the identifier ends with two NULs
    else:
        block = _as_bytes(info.get("exif")) or _unpack_raw_profile(info.get("text", {}), problems)
    reading = read_exif(block) if block else ExifReading()
    problems.extend(reading.problems)
    return reading


def _jpeg_payload(data: bytes, layout: JpegLayout, identifier: bytes) -> bytes | None:
    """Content of the first APP1 segment with an identifier, without it."""
    for segment in layout.segments:
        if segment.code == 0xE1 and data.startswith(identifier, segment.payload, segment.payload_stop):
            return data[segment.payload + len(identifier) : segment.payload_stop]
    return None


def _as_bytes(value: object) -> bytes | None:
    if isinstance(value, str):
        return value.encode("utf-8", "surrogateescape")
    return value if isinstance(value, bytes) and value else None


def _unpack_raw_profile(text: Mapping[str, str], problems: list[str]) -> bytes | None:
    """EXIF as ImageMagick writes it into a PNG: three lines of header, then hexadecimal digits."""
    profile = text.get("Raw profile type exif")
    if profile is None:
        return None
    try:
        return bytes.fromhex("".join(profile.split("\n")[3:]))
    except ValueError:
        problems.append("EXIF: the raw profile in the PNG's text is not hexadecimal")
        return None


def _read_text(
    data: bytes, info: Mapping[str, Any], layout: JpegLayout | None, problems: list[str]
) -> dict[str, str]:
    entries = [
        (str(key), str(value))
        for key, value in info.get("text", {}).items()
        if key != "XML:com.adobe.xmp" and not str(key).startswith("Raw profile type")
    ]
    if layout is not None:
        comments = [data[s.payload : s.payload_stop] for s in layout.segments if s.code == COM]
        entries += [
            (f"JPEG comment {number}" if number > 1 else "JPEG comment", decode_text(comment))
            for number, comment in enumerate(comments, start=1)
        ]
    return bound_entries(entries, "text", problems)


def _decode_thumbnail(
    content: bytes | None, problems: list[str]
) -> tuple[UInt8Array | None, tuple[UInt16Array, ...]]:
    if content is None:
        return None, ()
    layout = walk_jpeg(content)
    frame = layout.frame
    if frame is not None and frame.height * frame.width > MAX_THUMBNAIL_PIXELS:
        problems.append(f"thumbnail: {frame.width} x {frame.height} pixels, not decoded")
        return None, ()
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            pixels = _decode_pixels(content + _EOI)
    except DECODER_ERRORS as error:
        problems.append(f"thumbnail: cannot be decoded ({describe_error(error)})")
        return None, ()
    return pixels, tuple(layout.tables.values())


def _decode_pixels(content: bytes) -> UInt8Array:
    """Pixels of a JPEG, where firmware that counts wrongly may have left out the last bytes.

    Raises:
        ValueError: another frame header than the first gives more pixels than allowed, or a strip at the
            bottom is missing, which decoders fill with one gray level.
    """
    image = Image.open(io.BytesIO(content), formats=["JPEG"])
    if image.width * image.height > MAX_THUMBNAIL_PIXELS:
        raise ValueError("two frame headers of different sizes")
    pixels = np.asarray(image.convert("RGB"))
    is_filled = pixels == _FILLER
    if is_filled[-_LAST_ROWS:].all() and not is_filled.all():
        raise ValueError("its lower part is missing")
    return pixels


def _read_icc(profile: object, problems: list[str]) -> str | None:
    if not isinstance(profile, bytes) or not profile:
        return None
    if len(profile) > MAX_ICC_BYTES:
        problems.append(f"ICC: a profile of {len(profile)} bytes is not read")
        return None
    return read_icc_description(profile, problems)


def _name_camera(exif: Mapping[str, str]) -> str | None:
    make, model = (exif.get(f"Image {name}", "").strip() for name in ("Make", "Model"))
    return (model if make and model.lower().startswith(make.lower()) else f"{make} {model}").strip() or None


def _name_software(
    exif: Mapping[str, str], xmp: Mapping[str, str], iptc: Mapping[str, str], text: Mapping[str, str]
) -> Iterator[str]:
    yield from (exif[tag].strip() for tag in _SOFTWARE_TAGS if tag in exif)
    yield from (value.strip() for path, value in xmp.items() if _SOFTWARE_XMP.search(path))
    yield " ".join(iptc[name] for name in ("Originating Program", "Program Version") if name in iptc).strip()
    for key, value in text.items():
        if key.lower() == "software":
            yield value.strip()
        elif key.startswith("JPEG comment") and (match := _COMMENT_TOOL.search(value)):
            yield (match[1] or match[2]).strip()


def _gather_dates(
    exif: Mapping[str, str], xmp: Mapping[str, str], iptc: Mapping[str, str], text: Mapping[str, str]
) -> dict[str, str]:
    dates = {tag: exif[tag] for tag in _DATE_TAGS if exif.get(tag, "").strip()}
    dates |= {f"XMP {path}": value for path, value in xmp.items() if _DATE_XMP.match(path)}
    dates |= {
        f"IPTC {name}": iptc[name] for name in ("Date Created", "Digital Creation Date") if name in iptc
    }
    return dates | {key: value for key, value in text.items() if key.lower() in _DATE_TEXT}
