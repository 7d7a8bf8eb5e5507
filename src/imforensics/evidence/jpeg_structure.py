"""How a JPEG is built: one walk over its markers, robust against hostile lengths."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

import numpy as np

from imforensics.errors import EvidenceError
from imforensics.evidence.coefficients import KeptCoefficients, read_coefficients
from imforensics.evidence.jpeg_markers import (
    BARE,
    DQT,
    EOI,
    FRAMES,
    PROGRESSIVE_FRAMES,
    SKIPPED,
    SOS,
    STANDALONE,
    name_marker,
)
from imforensics.evidence.quantization import ZIGZAG_TO_NATURAL, estimate_quality
from imforensics.types import Int16Array, JpegInfo, UInt16Array

MAX_SEGMENTS = 20_000  # a 12-megapixel photo has 10 to 50; extended XMP adds one for each 64 kB
MAX_LISTED_MARKERS = 1_000

# Next marker that is neither a stuffed zero, nor fill, nor a restart: ends a scan.
_NEXT_MARKER = re.compile(rb"\xff[^\x00\xff\xd0-\xd7]")
# Luma sampling relative to chroma, horizontal x vertical, to the usual name.
_SUBSAMPLINGS = {
    (1, 1): "4:4:4",
    (2, 1): "4:2:2",
    (2, 2): "4:2:0",
    (1, 2): "4:4:0",
    (4, 1): "4:1:1",
    (4, 2): "4:1:0",
}


@dataclass(frozen=True, slots=True)
class Segment:
    """One marker segment: `code`, its bytes data[start:stop], the payload from data[payload]; a scan's
    entropy-coded data belong to its SOS segment, whose header ends at `payload_stop`.
    """

    code: int
    start: int
    payload: int
    payload_stop: int
    stop: int


@dataclass(frozen=True, slots=True)
class Component:
    """One component of the frame: identifier, sampling factors, number of its quantization table."""

    identifier: int
    horizontal: int
    vertical: int
    table: int


@dataclass(frozen=True, slots=True)
class Frame:
    """The frame header: marker code, sample precision in bits, size in pixels, components."""

    code: int
    precision: int
    height: int
    width: int
    components: tuple[Component, ...]


@dataclass(slots=True)
class JpegLayout:
    """What one walk over a JPEG's markers found.

    Attributes:
        segments: in file order, without SOI, EOI and restart markers.
        markers: names in file order, the rest counted beyond `MAX_LISTED_MARKERS`.
        frame: the first frame header, None without.
        tables: number of component to (8, 8) uint16 table, natural order, as of its first scan.
        has_16_bit_tables: a table is stored with 16 bits an entry.
        scan_count: number of scans.
        end: offset after the end-of-image marker, None without one.
        problems: where the walk met something that it could not follow, in words.
    """

    segments: list[Segment] = field(default_factory=list)
    markers: list[str] = field(default_factory=list)
    frame: Frame | None = None
    tables: dict[int, UInt16Array] = field(default_factory=dict)
    has_16_bit_tables: bool = False
    scan_count: int = 0
    end: int | None = None
    problems: list[str] = field(default_factory=list)


def walk_jpeg(data: bytes) -> JpegLayout:
    """Follow the markers of a JPEG up to its end-of-image marker.

    Args:
        data: the file, starting with the start-of-image marker.

    Returns:
        What was found; damage ends the walk or is stepped over, and is named in `problems`.

    Reference:
        ITU-T T.81 (1992), Annex B.
    """
    layout = JpegLayout(markers=["SOI"])
    slots: dict[int, UInt16Array] = {}
    position = 2
    for _ in range(MAX_SEGMENTS):
        match = _NEXT_MARKER.search(data, position)
        if match is None:
            layout.problems.append("there is no end-of-image marker")
            break
        if data[position : match.start()].strip(b"\xff"):
            layout.problems.append(f"{match.start() - position} stray bytes at offset {position}")
        segment = _read_segment(data, match.start(), layout)
        if segment is None:
            break
        layout.markers.append(name_marker(segment.code, data[segment.payload : segment.payload + 40]))
        position = segment.stop
        if segment.code == EOI:
            layout.end = segment.stop
            break
        if segment.code not in STANDALONE:
            layout.segments.append(segment)
            _interpret(data, segment, layout, slots)
    else:
        layout.problems.append(f"there are more than {MAX_SEGMENTS} segments")
    if len(layout.markers) > MAX_LISTED_MARKERS:
        layout.markers[MAX_LISTED_MARKERS:] = [f"({len(layout.markers) - MAX_LISTED_MARKERS} more)"]
    del layout.problems[50:]
    return layout


def build_jpeg_info(data: bytes, layout: JpegLayout, *, coded: bytes | None = None) -> JpegInfo:
    """Sum up a JPEG that a decoder accepted.

    Args:
        data: the file.
        layout: its segments.
        coded: the JPEG that the coefficients are read from, where the file itself is cut short.

    Raises:
        EvidenceError: the walk found no frame, or not the table of every component.
    """
    frame = layout.frame
    if frame is None or any(number not in layout.tables for number in range(len(frame.components))):
        missing = "frame header" if frame is None else "quantization table for every component"
        raise EvidenceError(f"expected a {missing} in the JPEG, found none ({'; '.join(layout.problems)})")
    tables = tuple(layout.tables[number] for number in range(len(frame.components)))
    quality, is_standard = estimate_quality(tables)
    return JpegInfo(
        quantization_tables=tables,
        subsampling=describe_subsampling(frame.components),
        is_progressive=frame.code in PROGRESSIVE_FRAMES,
        estimated_quality=quality,
        is_standard_tables=is_standard,
        markers=tuple(layout.markers),
        trailing_bytes=0 if layout.end is None else len(data) - layout.end,
        coefficient_reader=KeptCoefficients(_read_coefficients, data if coded is None else coded),
    )


def find_payload(data: bytes, layout: JpegLayout, identifier: bytes) -> tuple[int, int] | None:
    """Bounds of the content of the first application segment with an identifier, which is left out."""
    for segment in layout.segments:
        if 0xE0 <= segment.code <= 0xEF and data.startswith(
            identifier, segment.payload, segment.payload_stop
        ):
            return segment.payload + len(identifier), segment.payload_stop
    return None


def describe_subsampling(components: tuple[Component, ...]) -> str:
    """Chroma subsampling in the usual notation; "HxV,..." where none fits, "gray" for one component."""
    if len(components) == 1:
        return "gray"
    luma, chroma = components[0], components[1]
    same_chroma = {(c.horizontal, c.vertical) for c in components[1:3]} == {
        (chroma.horizontal, chroma.vertical)
    }
    black_like_luma = all(
        (c.horizontal, c.vertical) == (luma.horizontal, luma.vertical) for c in components[3:]
    )
    if (
        same_chroma
        and black_like_luma
        and not (luma.horizontal % chroma.horizontal or luma.vertical % chroma.vertical)
    ):
        ratio = luma.horizontal // chroma.horizontal, luma.vertical // chroma.vertical
        if ratio in _SUBSAMPLINGS:
            return _SUBSAMPLINGS[ratio]
    return ",".join(f"{c.horizontal}x{c.vertical}" for c in components)


def cut_to_bare_jpeg(data: bytes, layout: JpegLayout) -> bytes:
    """The same coded image without anything that is not needed to decode it (application data, comments,
    restart of a second image), so that a C parser sees as little as possible.
    """
    kept = [data[segment.start : segment.stop] for segment in layout.segments if segment.code in BARE]
    return b"".join([b"\xff\xd8", *kept, b"\xff\xd9"])


def _read_coefficients(data: bytes) -> tuple[Int16Array, ...]:
    layout = walk_jpeg(data)
    if layout.frame is None:
        raise EvidenceError("expected a frame header in the JPEG, found none; the file is damaged")
    factors = [(component.vertical, component.horizontal) for component in layout.frame.components]
    size = layout.frame.height, layout.frame.width
    return read_coefficients(cut_to_bare_jpeg(data, layout), size=size, factors=factors)


def _read_segment(data: bytes, start: int, layout: JpegLayout) -> Segment | None:
    code = data[start + 1]
    if code in STANDALONE:
        return Segment(code, start, start + 2, start + 2, start + 2)
    length = int.from_bytes(data[start + 2 : start + 4], "big")
    stop = start + 2 + length
    if length < 2 and code in SKIPPED and start + 4 <= len(data):
        layout.problems.append(f"segment {name_marker(code, b'')} at offset {start} declares {length} bytes")
        return Segment(code, start, start + 4, start + 4, start + 4)  # as decoders step over it
    if length < 2 or stop > len(data):
        layout.problems.append(
            f"segment {name_marker(code, b'')} at offset {start} declares {length} bytes, "
            f"{len(data) - start - 2} are left"
        )
        return None
    header_stop = stop
    if code == SOS:
        match = _NEXT_MARKER.search(data, stop)
        stop = len(data) if match is None else match.start()
    return Segment(code, start, start + 4, header_stop, stop)


def _interpret(data: bytes, segment: Segment, layout: JpegLayout, slots: dict[int, UInt16Array]) -> None:
    payload = data[segment.payload : segment.payload_stop]
    if segment.code == DQT:
        _read_tables(payload, layout, slots)
    elif segment.code in FRAMES:
        _read_frame(segment.code, payload, layout)
    elif segment.code == SOS:
        layout.scan_count += 1
        if layout.frame is None or not payload or len(payload) < 1 + 2 * payload[0]:
            layout.problems.append(f"the scan at offset {segment.start} has no frame or is cut short")
            return
        in_scan = {payload[1 + 2 * number] for number in range(payload[0])}
        for number, component in enumerate(layout.frame.components):
            if component.identifier in in_scan and number not in layout.tables and component.table in slots:
                layout.tables[number] = slots[component.table]


def _read_tables(payload: bytes, layout: JpegLayout, slots: dict[int, UInt16Array]) -> None:
    position = 0
    while position < len(payload):
        is_wide, slot = payload[position] >> 4 != 0, payload[position] & 15
        stop = position + 1 + (128 if is_wide else 64)
        if stop > len(payload):
            layout.problems.append("a quantization table is cut short")
            return
        entries = np.frombuffer(payload, dtype=">u2" if is_wide else "u1", count=64, offset=position + 1)
        flat = np.zeros(64, dtype=np.uint16)
        flat[list(ZIGZAG_TO_NATURAL)] = entries
        table = flat.reshape(8, 8)
        table.flags.writeable = False
        slots[slot] = table
        layout.has_16_bit_tables |= is_wide
        position = stop


def _read_frame(code: int, payload: bytes, layout: JpegLayout) -> None:
    if layout.frame is not None:
        layout.problems.append("there is more than one frame header")
        return
    if len(payload) < 6 or len(payload) < 6 + 3 * payload[5]:
        layout.problems.append("the frame header is cut short")
        return
    components = tuple(
        Component(payload[at], payload[at + 1] >> 4, payload[at + 1] & 15, payload[at + 2])
        for at in range(6, 6 + 3 * payload[5], 3)
    )
    if not components or any(not (1 <= c.horizontal <= 4 and 1 <= c.vertical <= 4) for c in components):
        layout.problems.append("the frame header has no components or impossible sampling factors")
        return
    height, width = int.from_bytes(payload[1:3], "big"), int.from_bytes(payload[3:5], "big")
    layout.frame = Frame(code, payload[0], height, width, components)
