"""EXIF through exifread, with a budget: a hostile directory costs a fraction of a second, not minutes."""

from __future__ import annotations

import io
import logging
import struct
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from imforensics.evidence.text import bound_entries, decode_text, shorten

# A photo with rich EXIF takes about 1,000 reads and 64 kB.
MAX_READS = 60_000
MAX_READ_BYTES = 4 * 1024 * 1024
MAX_MISSING_BYTES = 16  # of a thumbnail: firmware counts its end or its padding twice

_EXIF_POINTER, _MAKER_NOTE, _USER_COMMENT = 0x8769, 0x927C, 0x9286
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
        problems: what could not be read, in words.
    """

    tags: dict[str, str] = field(default_factory=dict)
    orientation: int = 1
    gps: tuple[float, float] | None = None
    thumbnail: bytes | None = None
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
    if not block.startswith((b"II*\x00", b"MM\x00*")):
        if not block.startswith((b"II+\x00", b"MM\x00+")):  # BigTIFF has no EXIF reader
            reading.problems.append("EXIF: the block does not start with a TIFF header")
        return reading
    found = _process(block, reading.problems)
    printable = ((name, _printable(tag)) for name, tag in found.items())
    reading.tags = bound_entries(printable, "EXIF", reading.problems)
    _add_undecoded(block, reading)
    reading.orientation = _orientation(found, reading.problems)
    reading.gps = _gps(found, reading.problems)
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
            self.words[shorten(f"EXIF: {record.getMessage()}", 200)] = None


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


def _add_undecoded(block: bytes, reading: ExifReading) -> None:
    """Maker note and user comment, which exifread skips without details."""
    try:
        start = _find_entry(block, _unpack(block, "I", 4), _EXIF_POINTER)
        directory = None if start is None else _unpack(block, "I", start + 8)
        maker_note = None if directory is None else _find_entry(block, directory, _MAKER_NOTE)
        comment = None if directory is None else _find_entry(block, directory, _USER_COMMENT)
        if maker_note is not None:
            size = _unpack(block, "I", maker_note + 4)
            reading.tags["EXIF MakerNote"] = f"present, {size} bytes, not decoded"
        if comment is not None:
            size, offset = _unpack(block, "I", comment + 4), _unpack(block, "I", comment + 8)
            words = _decode_user_comment(block[offset : offset + min(size, 65536)]) if size > 8 else ""
            if words:
                reading.tags["EXIF UserComment"] = shorten(words)
    except struct.error:
        reading.problems.append("EXIF: a directory points outside the block")


def _find_entry(block: bytes, directory: int, wanted: int) -> int | None:
    for number in range(_unpack(block, "H", directory)):
        entry = directory + 2 + 12 * number
        if _unpack(block, "H", entry) == wanted:
            return entry
    return None


def _unpack(block: bytes, kind: str, offset: int) -> int:
    if offset + (2 if kind == "H" else 4) > len(block):
        raise struct.error("outside the block")
    return int(struct.unpack_from((">" if block.startswith(b"MM") else "<") + kind, block, offset)[0])


def _decode_user_comment(value: bytes) -> str:
    code, text = value[:8], value[8:]
    if code.startswith(b"UNICODE"):
        little = text[1:2] == b"\x00"
        return text.decode("utf-16-le" if little else "utf-16-be", "replace").strip("\x00 ")
    return decode_text(text).strip("\x00 ")


def _orientation(found: Mapping[str, Any], problems: list[str]) -> int:
    value = _first_number(found.get("Image Orientation"))
    if value is None or value in range(1, 9):
        return 1 if value is None else value
    problems.append(f"EXIF: orientation {value} is not one of 1 to 8; taken as 1")
    return 1


def _first_number(tag: Any) -> int | None:
    values = None if tag is None else tag.values
    if isinstance(values, list) and values and isinstance(values[0], int):
        return values[0]
    return None


def _gps(found: Mapping[str, Any], problems: list[str]) -> tuple[float, float] | None:
    names = [f"GPS GPS{name}" for name in ("Latitude", "LatitudeRef", "Longitude", "LongitudeRef")]
    if any(name not in found for name in names):
        return None
    tags = [found[name] for name in names]
    try:
        latitude, longitude = (
            sum(float(part.decimal()) / 60**power for power, part in enumerate(tags[index].values[:3]))
            for index in (0, 2)
        )
    except _READ_ERRORS:
        problems.append("GPS: the coordinates are not numbers")
        return None
    latitude *= -1 if str(tags[1].values).upper().startswith("S") else 1
    longitude *= -1 if str(tags[3].values).upper().startswith("W") else 1
    if not (abs(latitude) <= 90 and abs(longitude) <= 180):
        problems.append("GPS: the coordinates are outside the globe")
        return None
    return round(latitude, 7), round(longitude, 7)


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
