"""A JPEG that ends before its end-of-image marker: what of it can be decoded whole, and nothing else.

Decoders fill what is missing with gray. Here the file is cut back to its last whole row of blocks, or to its
last whole progressive scan, and closed, so that every decoder sees coded content only.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass

import numpy as np

from imforensics.errors import EvidenceError
from imforensics.evidence.coefficients import read_coefficients
from imforensics.evidence.jpeg_markers import FRAMES, PROGRESSIVE_FRAMES, SOS
from imforensics.evidence.jpeg_structure import Frame, JpegLayout, Segment, cut_to_bare_jpeg
from imforensics.evidence.library_output import dropped_output
from imforensics.types import Int16Array, Truncation

_EOI = b"\xff\xd9"
_LEAST_ZEROS = 64  # in coded data, as long a run of zeros is found only in flat areas, if anywhere
_ADVICE = "Get a complete copy of the file"


@dataclass(frozen=True, slots=True)
class Rest:
    """What is left of a JPEG without an end: a whole JPEG, and what it lacks; None where only the marker."""

    content: bytes
    truncation: Truncation | None


@dataclass(frozen=True, slots=True)
class _Scan:
    """One scan: its segment, numbers of its components, first and last coefficient, lowest bit sent."""

    segment: Segment
    components: frozenset[int]
    first: int
    last: int
    low: int


def close_jpeg(data: bytes, layout: JpegLayout, *, label: str, max_pixels: int) -> Rest:
    """Keep what can be decoded whole of a JPEG that ends without its end-of-image marker.

    Args:
        data: the file.
        layout: its segments; `end` is None.
        label: how the file is called in messages.
        max_pixels: more are not decoded.

    Returns:
        The rest; the content of a file that lacks nothing but the marker is all of it.

    Raises:
        EvidenceError: the file ends before one row of blocks of every component.
    """
    frame, scans = layout.frame, _read_scans(data, layout)
    if frame is None or not scans or not 0 < frame.height * frame.width <= max_pixels:
        problem = layout.problems[-1] if layout.problems else "no scan was found"
        raise EvidenceError(
            f"{label}: the JPEG ends or breaks off before its image data begin ({problem}). {_ADVICE}"
        )
    try:
        with dropped_output():  # what is said of the fillers is not said of the file
            rows = _count_rows(data, layout, scans[-1], frame)
    except EvidenceError:
        raise EvidenceError(
            f"{label}: the JPEG has no end-of-image marker, and its data are damaged or arithmetic-coded, so "
            f"that it cannot be told how far they go. {_ADVICE}"
        ) from None
    whole = scans if rows == frame.height else scans[:-1]
    if _covered(whole) == set(range(len(frame.components))):
        kept = None if _is_all_sent(whole, frame) else Truncation(frame.height, frame.height, False)
        return Rest(_trim(data[: whole[-1].segment.stop]) + _EOI, kept)
    if len(scans[-1].components) < len(frame.components):
        raise EvidenceError(
            f"{label}: the JPEG stores its color components one after another and is truncated before the "
            f"last one is whole. {_ADVICE}"
        )
    if rows == 0:
        raise EvidenceError(
            f"{label}: the JPEG is cut short in its first row of blocks: no pixel can be relied on. {_ADVICE}"
        )
    content = _set_height(data, layout, rows)[: scans[-1].segment.stop]
    has_all_detail = frame.code not in PROGRESSIVE_FRAMES
    return Rest(_trim(content) + _EOI, Truncation(frame.height, rows, has_all_detail))


def _read_scans(data: bytes, layout: JpegLayout) -> list[_Scan]:
    if layout.frame is None:
        return []
    numbers = {component.identifier: number for number, component in enumerate(layout.frame.components)}
    scans = []
    for segment in layout.segments:
        payload = data[segment.payload : segment.payload_stop]
        if segment.code != SOS or not payload or len(payload) < 4 + 2 * payload[0]:
            continue
        named = {payload[1 + 2 * at] for at in range(payload[0])}
        first, last, bits = payload[1 + 2 * payload[0] : 4 + 2 * payload[0]]
        known = frozenset(numbers[name] for name in named if name in numbers)
        scans.append(_Scan(segment, known, first, last, bits & 15))
    return scans


def _covered(scans: list[_Scan]) -> set[int]:
    """Components whose mean values (coefficient 0) were sent."""
    return {number for scan in scans if scan.first == 0 for number in scan.components}


def _is_all_sent(scans: list[_Scan], frame: Frame) -> bool:
    """Every coefficient of every component came down to its lowest bit: nothing else is to follow."""
    if frame.code not in PROGRESSIVE_FRAMES:
        return True
    sent = {
        (number, at)
        for scan in scans
        if scan.low == 0
        for number in scan.components
        for at in range(scan.first, min(scan.last, 63) + 1)
    }
    return len(sent) == 64 * len(frame.components)


def _count_rows(data: bytes, layout: JpegLayout, scan: _Scan, frame: Frame) -> int:
    """Rows of pixels whose blocks the scan holds whole: those that come out the same, whatever is put in the
    place of what is missing: noise, or the same noise with every bit turned over.
    """
    bare = cut_to_bare_jpeg(data[: scan.segment.stop], layout)
    body = _trim(bare.removesuffix(_EOI))
    factors = [(component.vertical, component.horizontal) for component in frame.components]
    most_down = max(down for down, _ in factors)
    unit = 8 * most_down if len(factors) > 1 else 8
    one, other = (
        read_coefficients(body + filler + _EOI, size=(frame.height, frame.width), factors=factors)
        for filler in (_make_filler(0), _make_filler(0xFF))
    )
    rows = frame.height
    for number in scan.components:
        differing = _first_difference(one[number], other[number])
        if differing is not None:
            rows = min(rows, differing * 8 * most_down // factors[number][0] // unit * unit)
    return rows


def _make_filler(turned: int) -> bytes:
    """Noise without 0x00 and 0xFF, then all restart markers in turn with noise between them, for a file that
    ends where one is expected; `turned` are the bits of each byte of noise to turn over.
    """
    noise = (np.random.default_rng(1).integers(1, 255, 8192, dtype=np.uint8) ^ turned).tobytes()
    markers = (bytes([0xFF, 0xD0 + number % 8]) for number in range(16))
    parts = (
        marker + noise[at : at + 256] for marker, at in zip(markers, range(4096, 8192, 256), strict=True)
    )
    return noise[:4096] + b"".join(parts)


def _first_difference(one: Int16Array, other: Int16Array) -> int | None:
    rows = (one != other).any(axis=(1, 2, 3))
    return int(rows.argmax()) if rows.any() else None


def _set_height(data: bytes, layout: JpegLayout, height: int) -> bytes:
    """The file with another height in its frame header."""
    at = next(segment.payload for segment in layout.segments if segment.code in FRAMES) + 1
    return data[:at] + struct.pack(">H", height) + data[at + 2 :]


def _trim(coded: bytes) -> bytes:
    """Without the half of a marker, or of a stuffed byte, at the end, and without the zeros that stand for
    what never arrived in a file that was given its size beforehand.
    """
    if coded.endswith(bytes(_LEAST_ZEROS)):
        coded = coded.rstrip(b"\x00")
    return coded.rstrip(b"\xff")
