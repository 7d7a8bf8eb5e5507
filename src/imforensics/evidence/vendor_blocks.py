"""Blocks that cameras, phones and programs append to a file, told by the mark that closes them."""

from __future__ import annotations

import json
import re
import struct
from collections.abc import Callable, Iterator

MAX_BLOCKS = 8
_MAX_ENTRIES = 64
_NAME = re.compile(rb"[A-Za-z0-9_]{1,40}")


def find_block_at_end(data: bytes, first: int) -> Iterator[tuple[int, int, str]]:
    """The blocks that close the file, the last one first.

    Args:
        data: the file.
        first: offset after the image; no block begins before it.

    Yields:
        (start, stop, words). A block whose length is not given or not possible reaches back to `first`.
    """
    stop = len(data)
    for _ in range(MAX_BLOCKS):
        tail = data[max(first, stop - 80) : stop]
        for mark, words, measure in _MARKS:
            if mark.search(tail):
                start, names = measure(data, stop)
                start = start if first <= start < stop else first
                yield start, stop, f"vendor data ({words}{': ' if names else ''}{', '.join(names)})"
                stop = start
                break
        else:
            return


def _measure_samsung(data: bytes, stop: int) -> tuple[int, tuple[str, ...]]:
    """The directory SEFH...SEFT lists blocks by their distance before it; each begins with its name."""
    directory = stop - 8 - _number(data, stop - 8)
    if directory < 0 or data[directory : directory + 4] != b"SEFH":
        return -1, ()
    count = min(_number(data, directory + 8), _MAX_ENTRIES)
    start, names = directory, []
    for number in range(count):
        block = directory - _number(data, directory + 12 + 12 * number + 4)
        name = _NAME.match(data, block + 8, max(block + 8, 0) + min(_number(data, block + 4), 40))
        if 0 <= block < start:
            start = block
        if block >= 0 and name is not None:
            names.append(name[0].decode())
    return start, tuple(dict.fromkeys(names))[:8]


def _measure_oneplus(data: bytes, stop: int) -> tuple[int, tuple[str, ...]]:
    """A list in JSON, which gives each block's distance before it, closed by "jxrs" and the list's length."""
    length = _number(data, stop - 4)
    if not 8 < length <= min(stop, 65_536):
        return -1, ()
    try:
        entries = json.loads(data[stop - length : stop - 8].rstrip(b"\x00"))
    except (ValueError, RecursionError):
        return -1, ()
    offsets = [entry.get("offset") for entry in entries[:_MAX_ENTRIES] if isinstance(entry, dict)]
    return stop - length - max((at for at in offsets if isinstance(at, int)), default=0), ()


def _measure_vivo(data: bytes, stop: int) -> tuple[int, tuple[str, ...]]:
    starts = [at for at in (data.rfind(b"streamdata", 0, stop), data.rfind(b'vivo{"', 0, stop)) if at >= 0]
    return min(starts, default=-1), ()


def _measure_by(position: int, order: str, more: int) -> Callable[[bytes, int], tuple[int, tuple[str, ...]]]:
    """A block whose length, less `more`, stands `position` bytes before its end."""

    def measure(data: bytes, stop: int) -> tuple[int, tuple[str, ...]]:
        return stop - _number(data, stop - position, order) - more, ()

    return measure


def _measure_afcp(data: bytes, stop: int) -> tuple[int, tuple[str, ...]]:
    mark = data[stop - 12 : stop - 8]
    start = _number(data, stop - 8, ">I" if mark == b"AXS!" else "<I")
    return start if data.startswith(mark, start) else -1, ()


def _leave_unmeasured(_data: bytes, _stop: int) -> tuple[int, tuple[str, ...]]:
    return -1, ()


def _number(data: bytes, at: int, order: str = "<I") -> int:
    return int(struct.unpack_from(order, data, at)[0]) if 0 <= at <= len(data) - 4 else 0


# Closing marks and lengths as ExifTool documents and reads them (exiftool.org/TagNames/Trailer.html, the
# modules Samsung, CanonVRD, AFCP, FotoStation, PhotoMechanic, Nikon, QuickTimeStream, MIE, Trailer).
_MARKS: tuple[tuple[re.Pattern[bytes], str, Callable[[bytes, int], tuple[int, tuple[str, ...]]]], ...] = (
    (re.compile(rb"SEFT\Z"), "Samsung trailer", _measure_samsung),
    (re.compile(rb"\x00\x00QDIOBS\Z"), "Samsung trailer", _leave_unmeasured),
    (re.compile(rb"jxrs...\x00\Z", re.DOTALL), "OnePlus and OPPO phones", _measure_oneplus),
    (re.compile(rb"\xff{4}\x1b\*9HWfu\x84\x93\xa2\xb1\Z"), "Vivo phones", _measure_vivo),
    (re.compile(rb"8db42d694ccc418790edff439fe026bf\Z"), "Insta360 cameras", _measure_by(40, "<I", 0)),
    (re.compile(rb"\x00{6}/NIKON APP\Z"), "Nikon's editing programs", _measure_by(20, ">I", 0)),
    (
        re.compile(rb"CANON OPTIONAL DATA\x00.{44}\Z", re.DOTALL),
        "Canon's raw converter",
        _measure_by(44, ">I", 0x5C),
    ),
    (re.compile(rb"AXS[!*].{8}\Z", re.DOTALL), "AFCP captions", _measure_afcp),
    (re.compile(rb"\xa1\xb2\xc3\xd4\Z"), "FotoStation captions", _measure_by(8, ">I", 0)),
    (re.compile(rb"cbipcbbl\Z"), "Photo Mechanic", _measure_by(12, ">I", 12)),
    (
        re.compile(rb"~\x00\x04\x00zmie~\x00\x00[\x06\x0a].{4,8}[\x10\x18][\x04\x08]\Z", re.DOTALL),
        "MIE metadata",
        _leave_unmeasured,
    ),
)
