"""The boxes of an ISO media file (HEIF, AVIF), as far as they say how its picture is coded; bounded."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice

MAX_BOXES = 10_000


def list_item_types(data: bytes) -> tuple[bytes, ...] | None:
    """Types of the items in a file, the primary one's first: b"hvc1", b"grid", b"Exif", ...

    Returns:
        None where there is no list of items, or none of the primary item.

    Reference:
        ISO/IEC 14496-12 (2022), 8.11: meta, pitm, iinf, infe.
    """
    meta = next((bounds for kind, *bounds in _walk_boxes(data, 0, len(data)) if kind == b"meta"), None)
    if meta is None:
        return None
    primary: int | None = None
    types: dict[int, bytes] = {}
    for kind, start, stop in _walk_boxes(data, meta[0] + 4, meta[1]):
        version = data[start] if start < stop else 0
        if kind == b"pitm":
            primary = int.from_bytes(data[start + 4 : start + (8 if version else 6)], "big")
        elif kind == b"iinf":
            types |= dict(_read_entries(data, start + (8 if version else 6), stop))
    if primary not in types:
        return None
    return types[primary], *(item for number, item in types.items() if number != primary)


def _read_entries(data: bytes, start: int, stop: int) -> Iterator[tuple[int, bytes]]:
    for kind, first, last in _walk_boxes(data, start, stop):
        version = data[first] if first < last else 0
        if kind == b"infe" and version in {2, 3}:
            at = first + (6 if version == 2 else 8)
            if at + 6 <= last:
                yield int.from_bytes(data[first + 4 : at], "big"), data[at + 2 : at + 6]


def _walk_boxes(data: bytes, start: int, stop: int) -> Iterator[tuple[bytes, int, int]]:
    """(type, start and stop of the content) of each box; one that reaches beyond `stop` ends the walk."""
    yield from islice(_walk_all(data, start, stop), MAX_BOXES)


def _walk_all(data: bytes, start: int, stop: int) -> Iterator[tuple[bytes, int, int]]:
    while start + 8 <= stop:
        size, head = int.from_bytes(data[start : start + 4], "big"), 8
        if size == 1:
            size, head = int.from_bytes(data[start + 8 : start + 16], "big"), 16
        elif size == 0:
            size = stop - start
        if size < head or start + size > stop:
            return
        yield data[start + 4 : start + 8], start + head, start + size
        start += size
