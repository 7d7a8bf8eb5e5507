"""What a file says of itself: EXIF, XMP, IPTC, ICC, text, gathered into one record; nothing here raises."""

from __future__ import annotations

import io
import re
import warnings
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
from PIL import Image

from imforensics.evidence.blocks import find_blocks
from imforensics.evidence.credentials import has_credentials
from imforensics.evidence.decoding import DECODER_ERRORS, describe_error
from imforensics.evidence.exif import ExifReading, read_exif
from imforensics.evidence.iptc import MAX_ICC_BYTES, read_icc_description, read_iptc
from imforensics.evidence.jpeg_structure import JpegLayout, walk_jpeg
from imforensics.evidence.photoshop import read_photoshop_resources
from imforensics.evidence.positions import read_xmp_position
from imforensics.evidence.text import bound_entries, shorten
from imforensics.evidence.trailing import describe_trailing
from imforensics.evidence.xmp import join_extended_xmp, read_xmp
from imforensics.types import Metadata, UInt8Array, UInt16Array

MAX_THUMBNAIL_PIXELS = 1024 * 1024  # EXIF keeps it within 64 kB; cameras write 160 x 120

_EOI = b"\xff\xd9"
_LAST_ROWS, _FILLER = 8, 128  # what a decoder makes of blocks that are missing
_KINDS = ("EXIF", "XMP", "IPTC", "image resources", "text")
_SOFTWARE_TAGS = (
    "Image Software",
    "Image ProcessingSoftware",
    "EXIF ProcessingSoftware",
    "EXIF RAWDevelopingSoftware",
    "EXIF ImageEditingSoftware",
    "EXIF MetadataEditingSoftware",
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
        info: what the decoder found beside the pixels, see `decoding.Decoded.info`; may be empty.
        layout: the JPEG's segments, None for every other format.

    Returns:
        The metadata, and the orientation 1-8: EXIF's, in HEIF and AVIF that of the rotation properties.
    """
    problems: list[str] = []
    blocks = find_blocks(data, format_name=format_name, layout=layout, problems=problems)
    blocks.icc += [info["icc_profile"]] if isinstance(info.get("icc_profile"), bytes) else []
    exif = _read_exif(blocks.exif, problems)
    resources = read_photoshop_resources(blocks.resources + exif.resources, problems)
    if resources.exif and not blocks.exif:
        exif = _read_exif(resources.exif, problems)
    xmp = _read_xmp(blocks.xmp + exif.xmp + resources.xmp, blocks.extended_xmp, problems)
    iptc = read_iptc(_drop_copies(blocks.iptc + exif.iptc + resources.iptc), problems)
    text = bound_entries(blocks.text, "text", problems)
    thumbnail, thumbnail_tables = _decode_thumbnail(exif.thumbnail, problems)
    gps = exif.gps or read_xmp_position(xmp, problems)
    orientation = _choose_orientation(exif.orientation, blocks.orientation, problems)
    metadata = Metadata(
        exif=exif.tags,
        xmp=xmp,
        iptc=iptc,
        text=text,
        icc_description=_read_icc(blocks.icc, problems),
        camera=_name_camera(exif.tags),
        software=tuple(dict.fromkeys(name for name in _name_software(exif.tags, xmp, iptc, text) if name)),
        dates=_gather_dates(exif.tags, xmp, iptc, text),
        gps=gps,
        gps_source=None if gps is None else "EXIF" if exif.gps else "XMP",
        thumbnail=thumbnail,
        thumbnail_quantization_tables=thumbnail_tables,
        photoshop_resources=resources.names,
        photoshop_quality=resources.quality,
        trailing=describe_trailing(data, format_name=format_name, layout=layout),
        has_credentials=has_credentials(data, format_name=format_name, layout=layout),
        problems=tuple(shorten(problem, 300) for problem in problems[:50]),
        unread=_list_unread(problems),
    )
    return metadata, orientation


def _read_exif(blocks: list[bytes], problems: list[str]) -> ExifReading:
    """The first block is read; others are said to be there."""
    reading = read_exif(blocks[0]) if blocks else ExifReading()
    problems.extend(reading.problems)
    others = len(set(blocks) - set(blocks[:1]))
    if others:
        problems.append(f"EXIF: {others} more blocks, unlike the first, are not read")
    return reading


def _read_xmp(packets: list[bytes], extended: list[bytes], problems: list[str]) -> dict[str, str]:
    xmp = read_xmp(packets, problems)
    joined = join_extended_xmp(extended, xmp, problems) if extended else None
    return xmp if joined is None else xmp | read_xmp([joined], problems)


def _drop_copies(blocks: list[bytes]) -> list[bytes]:
    """Blocks that differ in more than padding: a TIFF keeps IPTC twice."""
    kept: dict[bytes, bytes] = {}
    for block in blocks:
        kept.setdefault(block.rstrip(b"\x00"), block)
    return list(kept.values())


def _choose_orientation(exif: int, properties: int | None, problems: list[str]) -> int:
    if properties is None or exif == properties:
        return exif
    if exif != 1:
        problems.append(
            f"EXIF orientation: {exif}, while the file's rotation properties (irot, imir) amount to "
            f"{properties}; viewers of this format go by the properties"
        )
    return properties


def _list_unread(problems: list[str]) -> tuple[str, ...]:
    """Kinds of metadata that a problem begins with: they are there, and not all of them is read."""
    kinds = dict.fromkeys(problem.partition(":")[0] for problem in problems)
    return tuple(kind for kind in _KINDS if kind in kinds)


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


def _read_icc(profiles: list[bytes], problems: list[str]) -> str | None:
    profile = next((profile for profile in profiles if profile), None)
    if profile is None:
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
