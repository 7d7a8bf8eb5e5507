"""EXIF through exifread, with a budget: a hostile directory costs a fraction of a second, not minutes."""

from __future__ import annotations

import io
import logging
import struct
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from imforensics.evidence.exif_text import (
    MAX_TEXT_BYTES,
    decode_coded_text,
    decode_stored_bytes,
    decode_utf16,
)
from imforensics.evidence.photoshop import PHOTOSHOP_IDENTIFIER
from imforensics.evidence.positions import Position, read_exif_position
from imforensics.evidence.text import bound_entries, decode_text, shorten
from imforensics.evidence.tiff_directory import Entry, TiffBlock, open_tiff

# A photo with rich EXIF takes about 1,000 reads and 64 kB.
MAX_READS = 60_000
MAX_READ_BYTES = 4 * 1024 * 1024
MAX_MISSING_BYTES = 16  # of a thumbnail: firmware counts its end or its padding twice

_EXIF_POINTER, _GPS_POINTER = 0x8769, 0x8825
_XMP, _IPTC, _RESOURCES = 0x02BC, 0x83BB, 0x8649  # XMP Specification Part 3 (2020), 1.1.4 (TIFF)
_IPTC_MARKER = b"\x1c"
_ASCII, _UTF8 = 2, 129
_BYTE_TYPES = frozenset({1, 6, 7})
# UserComment, GPSProcessingMethod, GPSAreaInformation begin with a character code.
_CODED_TEXT = frozenset({("EXIF", 0x9286), ("Image", 0x9286), ("GPS", 0x001B), ("GPS", 0x001C)})
_WINDOWS_TEXT = frozenset(range(0x9C9B, 0x9CA0))  # XPTitle to XPSubject
# Names of EXIF 3.0 that exifread does not know.
_NEW_TAGS = {0xA436: "ImageTitle", 0xA437: "Photographer", 0xA438: "ImageEditor", 0xA439: "CameraFirmware"}
_NEW_TAGS |= {0xA43A: "RAWDevelopingSoftware", 0xA43B: "ImageEditingSoftware"}
_NEW_TAGS |= {0xA43C: "MetadataEditingSoftware"}
_NEW_NAMES = {f"EXIF Tag 0x{tag:04X}": f"EXIF {name}" for tag, name in _NEW_TAGS.items()}
# Tags that EXIF 3.0 (CIPA DC-008-2023, 4.6) defines as text; some programs store them as bytes.
_TEXT_TAGS = {
    "Image": frozenset({0x010D, 0x010E, 0x010F, 0x0110, 0x0131, 0x0132, 0x013B, 0x013C, 0x8298}),
    "EXIF": frozenset({0x8824, 0x9003, 0x9004, 0x9010, 0x9011, 0x9012, 0x9290, 0x9291, 0x9292, 0xA420})
    | frozenset({*range(0xA430, 0xA432), *range(0xA433, 0xA43D)}),
    "GPS": frozenset({0x0001, 0x0003, 0x0008, 0x0009, 0x000A, 0x0012, 0x001D}),
}
_READ_ERRORS = (
    *(OSError, ValueError, TypeError, AttributeError, AssertionError, MemoryError, EOFError),
    *(ArithmeticError, LookupError, RuntimeError, struct.error),
)


@dataclass(slots=True)
class ExifReading:
    """What one EXIF block holds.

    Attributes:
        tags: "directory tag" to printable value.
        orientation: 1-8, 1 where it is absent or invalid.
        gps: (latitude, longitude) in decimal degrees.
        thumbnail: bytes of the embedded JPEG thumbnail.
        xmp: XMP packets in the first directory, where TIFF keeps them.
        iptc: IPTC blocks there.
        resources: blocks of image resources there.
        problems: what could not be read, in words.
    """

    tags: dict[str, str] = field(default_factory=dict)
    orientation: int = 1
    gps: Position | None = None
    thumbnail: bytes | None = None
    xmp: list[bytes] = field(default_factory=list)
    iptc: list[bytes] = field(default_factory=list)
    resources: list[bytes] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)


def read_exif(block: bytes) -> ExifReading:
    """Read an EXIF block.

    Args:
        block: starts with the TIFF header, after an optional "Exif" identifier; a whole TIFF file too.

    Returns:
        What was found; damage is named in `problems` and never raised.
    """
    reading = ExifReading()
    block = block[6:] if block.startswith(b"Exif\x00") else block
    tiff = open_tiff(block)
    if tiff is None:
        reading.problems.append("EXIF: the block does not start with a TIFF header")
        return reading
    if tiff.is_big:
        reading.problems.append("EXIF: of a BigTIFF only text, XMP, IPTC and image resources are read")
    found = {} if tiff.is_big else _process(block, reading.problems)
    printable = ((_NEW_NAMES.get(name, name), _printable(tag)) for name, tag in found.items())
    reading.tags = bound_entries(printable, "EXIF", reading.problems)
    _read_directly(tiff, reading)
    if not reading.tags and not reading.problems:
        reading.problems.append("EXIF: the block has no entries")
    reading.orientation = _orientation(found, reading.problems)
    reading.gps = read_exif_position(found, reading.problems)
    reading.thumbnail = _thumbnail(block, found, reading.problems)
    return reading


class _BudgetedReader(io.BytesIO):
    """Reads nothing more once the budget is spent: exifread's loops then end at once, with what they have."""

    def __init__(self, content: bytes) -> None:
        super().__init__(content)
        self.reads_left = MAX_READS
        self.bytes_left = MAX_READ_BYTES

    def read(self, size: int | None = -1, /) -> bytes:
        self.reads_left -= 1
        if self.is_spent:
            return b""
        content = super().read(self.bytes_left if size is None or size < 0 else min(size, self.bytes_left))
        self.bytes_left -= len(content)
        return content

    @property
    def is_spent(self) -> bool:
        return self.reads_left < 0 or self.bytes_left <= 0


class _Collector(logging.Handler):
    """Takes exifread's warnings in instead of printing them."""

    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self.words: dict[str, None] = {}

    def emit(self, record: logging.LogRecord) -> None:
        if len(self.words) < 20:
            message = record.getMessage()
            # Such a field is not UTF-8 and is read all the same, its bytes visible as escapes.
            kind = "EXIF text" if message.startswith("Possibly corrupted field") else "EXIF"
            self.words[shorten(f"{kind}: {message}", 200)] = None


@contextmanager
def _collected_warnings() -> Iterator[_Collector]:
    logger, collector = logging.getLogger("exifread"), _Collector()
    before = logger.propagate
    logger.addHandler(collector)
    logger.propagate = False
    try:
        yield collector
    finally:
        logger.removeHandler(collector)
        logger.propagate = before


def _process(block: bytes, problems: list[str]) -> Mapping[str, Any]:
    import exifread

    reader = _BudgetedReader(block)
    found: Mapping[str, Any] = {}
    with _collected_warnings() as collector:
        try:
            # Without details maker notes stay unread: vendor formats, slow, and of no use to the findings.
            found = exifread.process_file(reader, details=False, extract_thumbnail=False)
        except _READ_ERRORS as error:
            problems.append(f"EXIF: cannot be read ({type(error).__name__}: {shorten(str(error), 100)})")
    problems.extend(collector.words)
    if reader.is_spent:
        problems.append(f"EXIF: larger than {MAX_READS} reads or {MAX_READ_BYTES} bytes, read in part")
    return found


def _printable(tag: Any) -> str:
    if isinstance(tag.values, bytes):
        return decode_text(tag.values)
    return str(tag.printable)


def _read_directly(tiff: TiffBlock, reading: ExifReading) -> None:
    """What exifread leaves out or does not take for text, from the directories themselves."""
    first = tiff.read_first_directory()
    if first is None:
        reading.problems.append("EXIF: the first directory is outside the block")
        return
    directories = {"Image": first}
    for name, pointer in (("EXIF", _EXIF_POINTER), ("GPS", _GPS_POINTER)):
        if pointer in first:
            directory = tiff.follow(first, pointer)
            if directory is None:
                reading.problems.append(f"EXIF: the {name} directory is outside the block")
            else:
                directories[name] = directory
    _add_text(tiff, directories, reading)
    reading.xmp, iptc, reading.resources = (
        [tiff.read_value(first[tag])] if tag in first else [] for tag in (_XMP, _IPTC, _RESOURCES)
    )
    for block in iptc:  # some programs put all image resources there
        is_resources = block.startswith(PHOTOSHOP_IDENTIFIER)
        (reading.resources if is_resources else reading.iptc).append(_unswap(block))


def _add_text(tiff: TiffBlock, directories: dict[str, dict[int, Entry]], reading: ExifReading) -> None:
    names, is_alone = _tag_names(), not reading.tags
    bytes_left = MAX_READ_BYTES
    for group, entries in directories.items():
        for entry in entries.values():
            name = f"{group} {names[group].get(entry.tag, f'Tag 0x{entry.tag:04X}')}"
            if name == "EXIF MakerNote":
                reading.tags[name] = f"present, {entry.size} bytes, not decoded"
            decode = _choose_decoder(entry, tiff, group=group, is_alone=is_alone)
            if decode is None:
                continue
            bytes_left -= min(entry.size, MAX_TEXT_BYTES)
            if bytes_left < 0:
                reading.problems.append(f"EXIF: more than {MAX_READ_BYTES} bytes of text, read in part")
                return
            words = decode(tiff.read_value(entry, MAX_TEXT_BYTES))
            if words:
                reading.tags[name] = shorten(words)


def _tag_names() -> dict[str, dict[int, str]]:
    from exifread.tags.exif import EXIF_TAGS, GPS_TAGS

    common = _NEW_TAGS | {tag: entry[0] for tag, entry in EXIF_TAGS.items()}
    return {"Image": common, "EXIF": common, "GPS": {tag: entry[0] for tag, entry in GPS_TAGS.items()}}


def _choose_decoder(
    entry: Entry, tiff: TiffBlock, *, group: str, is_alone: bool
) -> Callable[[bytes], str | None] | None:
    """How to read an entry that exifread does not give, or gives as numbers; None for every other.

    `is_alone`: exifread gave nothing, so plain text is read here too.
    """
    if (group, entry.tag) in _CODED_TEXT:
        return partial(decode_coded_text, order=tiff.order)
    if group == "Image" and entry.tag in _WINDOWS_TEXT:
        return decode_utf16
    is_text = entry.tag in _TEXT_TAGS[group] and entry.kind in _BYTE_TYPES
    if is_text or entry.kind == _UTF8 or (is_alone and entry.kind == _ASCII):
        return decode_stored_bytes
    return None


def _unswap(value: bytes) -> bytes:
    """IPTC stored as LONG and turned by a program of the other byte order."""
    if value[:1] == _IPTC_MARKER or value[3:4] != _IPTC_MARKER:
        return value
    whole = len(value) // 4 * 4
    return b"".join(value[at : at + 4][::-1] for at in range(0, whole, 4)) + value[whole:]


def _orientation(found: Mapping[str, Any], problems: list[str]) -> int:
    value = _first_number(found.get("Image Orientation"))
    if value is None or value in range(1, 9):
        return 1 if value is None else value
    problems.append(f"EXIF orientation: {value} is not one of 1 to 8; taken as 1")
    return 1


def _first_number(tag: Any) -> int | None:
    values = None if tag is None else tag.values
    if isinstance(values, list) and values and isinstance(values[0], int):
        return values[0]
    return None


def _thumbnail(block: bytes, found: Mapping[str, Any], problems: list[str]) -> bytes | None:
    offset = _first_number(found.get("Thumbnail JPEGInterchangeFormat"))
    length = _first_number(found.get("Thumbnail JPEGInterchangeFormatLength"))
    if offset is None or length is None or length == 0:
        return None
    thumbnail = block[offset : offset + length]
    if length - len(thumbnail) > MAX_MISSING_BYTES:
        problems.append(f"thumbnail: {length} bytes are declared, {len(thumbnail)} are there")
        return None
    return thumbnail
