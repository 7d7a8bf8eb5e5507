"""Metadata items and rotation properties of HEIF and AVIF, from their boxes; no length is trusted."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import islice

import numpy as np

from imforensics.types import UInt8Array

MAX_BOXES = 10_000  # of one container: a grid of 48 megapixels has about 100 properties
MAX_ITEMS = 10_000
MAX_EXTENTS = 20_000  # pieces of all items together
MAX_ITEM_BYTES = 16 * 1024 * 1024  # of all metadata items together

_MAX_PROPERTY_BOXES = 8  # one list of properties, and one table of items for each width of numbers
_XMP_TYPE = b"application/rdf+xml"


@dataclass(slots=True)
class HeifItems:
    """EXIF blocks and XMP packets in order of the items, and the orientation 1-8 of the primary picture."""

    exif: list[bytes] = field(default_factory=list)
    xmp: list[bytes] = field(default_factory=list)
    orientation: int = 1


@dataclass(frozen=True, slots=True)
class _Item:
    kind: bytes
    content_type: bytes
    encoding: bytes


def read_heif_items(data: bytes, problems: list[str]) -> HeifItems:
    """Read what the "meta" box says of a still picture.

    Args:
        data: a HEIF or AVIF file.
        problems: what is there and cannot be read is added here, in words; nothing is raised.

    Returns:
        Metadata items as stored, and the orientation that "irot" and "imir" of the primary item amount to,
        in EXIF's numbers.

    Reference:
        ISO/IEC 14496-12:2022, 8.11 (items); ISO/IEC 23008-12:2022, 6.5.10, 6.5.12 (rotation, mirroring), A.2.
    """
    found = HeifItems()
    boxes = _open_meta(data)
    items = dict(_list_items(data, *boxes.get(b"iinf", (0, 0))))
    idat = boxes.get(b"idat", (0, 0))
    located = dict(_locate(data, boxes.get(b"iloc", (0, 0)), idat, items))
    for number, item in items.items():
        _sort_item(item, located.get(number, b""), found, problems)
    found.orientation = _read_orientation(data, boxes)
    return found


def list_item_types(data: bytes) -> tuple[bytes, ...] | None:
    """Types of the items in a file, the primary one's first: b"hvc1", b"grid", b"Exif", ...

    Returns:
        None where there is no list of items, or none of the primary item.

    Reference:
        ISO/IEC 14496-12:2022, 8.11: meta, pitm, iinf, infe.
    """
    boxes = _open_meta(data)
    primary = _read_primary(data, boxes)
    types = {number: item.kind for number, item in _list_items(data, *boxes.get(b"iinf", (0, 0)))}
    if primary not in types:
        return None
    return types[primary], *(kind for number, kind in types.items() if number != primary)


def to_orientation(turns: list[tuple[bytes, int]]) -> int:
    """EXIF orientation that does the same as rotations and mirrorings, in their order.

    Args:
        turns: ("irot", quarter turns anti-clockwise) and ("imir", 0: top to bottom, 1: left to right).

    >>> to_orientation([(b"irot", 3)])
    6
    """
    pattern = np.arange(6, dtype=np.uint8).reshape(2, 3)
    turned = pattern
    for kind, value in turns:
        turned = np.rot90(turned, value & 3) if kind == b"irot" else np.flip(turned, value & 1)
    return next(n for n in range(1, 9) if np.array_equal(_orient(pattern, n), turned))


def _orient(pixels: UInt8Array, orientation: int) -> UInt8Array:
    """Pixels as a viewer shows them by EXIF's orientation (TIFF 6.0, tag 274)."""
    if orientation >= 5:
        pixels = pixels.T
    if orientation in {3, 4, 7, 8}:
        pixels = pixels[::-1]
    return pixels[:, ::-1] if orientation in {2, 3, 6, 7} else pixels


def _walk(data: bytes, start: int, stop: int) -> Iterator[tuple[bytes, int, int]]:
    """Type of each box, and its content from and to; a box that leaves its container ends the walk."""
    for _ in range(MAX_BOXES):
        if start + 8 > stop:
            return
        size, header = int.from_bytes(data[start : start + 4], "big"), 8
        if size == 1:
            size, header = int.from_bytes(data[start + 8 : start + 16], "big"), 16
        elif size == 0:  # to the end
            size = stop - start
        if size < header or start + size > stop:
            return
        yield data[start + 4 : start + 8], start + header, start + size
        start += size


def _open_meta(data: bytes) -> dict[bytes, tuple[int, int]]:
    """Type of each box in "meta" to its content's bounds: the first of each type, none without "meta"."""
    boxes: dict[bytes, tuple[int, int]] = {}
    meta = next((span for kind, *span in _walk(data, 0, len(data)) if kind == b"meta"), None)
    if meta is not None:
        for kind, start, stop in _walk(data, meta[0] + 4, meta[1]):
            boxes.setdefault(kind, (start, stop))
    return boxes


def _read_primary(data: bytes, boxes: dict[bytes, tuple[int, int]]) -> int | None:
    """Number of the primary item ("pitm"), None without one."""
    start, stop = boxes.get(b"pitm", (0, 0))
    if stop - start < 6:
        return None
    return int.from_bytes(data[start + 4 : start + (6 if data[start] == 0 else 8)], "big")


def _list_items(data: bytes, start: int, stop: int) -> Iterator[tuple[int, _Item]]:
    """Number of each item and what it is ("iinf")."""
    if stop - start < 8:
        return
    first = start + (6 if data[start] == 0 else 8)
    for kind, at, end in _walk(data, first, stop):
        if kind != b"infe" or end - at < 12 or data[at] < 2:
            continue
        width = 2 if data[at] == 2 else 4
        number = int.from_bytes(data[at + 4 : at + 4 + width], "big")
        words = data[at + 10 + width : min(end, at + 1000)].split(b"\x00")
        content_type, encoding = (*words[1:3], b"", b"")[:2]
        yield number, _Item(data[at + 6 + width : at + 10 + width], content_type, encoding)


class _Numbers:
    """Reads numbers of given widths one after the other; beyond the end they are 0 and `is_spent` is set."""

    def __init__(self, content: bytes) -> None:
        self.content, self.at = content, 0

    @property
    def is_spent(self) -> bool:
        return self.at > len(self.content)

    def read(self, width: int) -> int:
        self.at += width
        return int.from_bytes(self.content[self.at - width : self.at], "big")


def _locate(
    data: bytes, iloc: tuple[int, int], idat: tuple[int, int], items: dict[int, _Item]
) -> Iterator[tuple[int, bytes]]:
    """Number and content of each metadata item ("iloc"); an item with extents elsewhere has no content."""
    numbers = _Numbers(data[iloc[0] : iloc[1]])
    version = numbers.read(1)
    numbers.read(3)
    sizes = numbers.read(2)
    offset_size, length_size, base_size = sizes >> 12, sizes >> 8 & 15, sizes >> 4 & 15
    index_size = sizes & 15 if version else 0
    extents_left, bytes_left = MAX_EXTENTS, MAX_ITEM_BYTES
    for _ in range(min(numbers.read(4 if version == 2 else 2), MAX_ITEMS)):
        number = numbers.read(4 if version == 2 else 2)
        method = numbers.read(2) & 15 if version else 0
        is_elsewhere = numbers.read(2) != 0
        base = numbers.read(base_size)
        is_wanted = number in items and items[number].kind in {b"Exif", b"mime"} and not is_elsewhere
        content = b""
        for _ in range(numbers.read(2)):
            numbers.read(index_size)
            offset, length = base + numbers.read(offset_size), numbers.read(length_size)
            extents_left -= 1
            if numbers.is_spent or extents_left < 0:
                return
            if is_wanted and bytes_left:
                container = idat if method == 1 else (0, 0 if method else len(data))
                part = _cut(data, container, offset, length, bytes_left)
                content, bytes_left = content + part, bytes_left - len(part)
        if number in items:
            yield number, content


def _cut(data: bytes, container: tuple[int, int], offset: int, length: int, limit: int) -> bytes:
    """Bytes of one extent: of the file, or of the "idat" box; length 0 is all of it. None over the limit."""
    start, stop = container[0] + offset, container[1]
    size = min(length, stop - start) if length else stop - start
    return data[start : start + size] if 0 < size <= limit else b""


def _sort_item(item: _Item, content: bytes, found: HeifItems, problems: list[str]) -> None:
    what = "EXIF" if item.kind == b"Exif" else "XMP" if item.content_type == _XMP_TYPE else None
    if what is None:
        return
    if not content:
        problems.append(f"{what}: an item of the file points to no data, or to more than are read")
    elif item.encoding:
        problems.append(f"{what}: an item of the file is packed ({item.encoding[:20]!r}) and is not read")
    elif what == "XMP":
        found.xmp.append(content)
    else:  # four bytes say how far the TIFF header is
        found.exif.append(content[4 + int.from_bytes(content[:4], "big") :])


def _read_orientation(data: bytes, boxes: dict[bytes, tuple[int, int]]) -> int:
    """Orientation by the properties of the primary item ("pitm", "iprp")."""
    primary = _read_primary(data, boxes)
    if primary is None:
        return 1
    properties: list[tuple[bytes, int]] = []
    turns: list[tuple[bytes, int]] = []
    for kind, start, stop in islice(_walk(data, *boxes.get(b"iprp", (0, 0))), _MAX_PROPERTY_BOXES):
        if kind == b"ipco":
            properties = [(name, data[at] if end > at else 0) for name, at, end in _walk(data, start, stop)]
        elif kind == b"ipma":
            numbers = _associations(data[start:stop], primary)
            turns += [properties[n - 1] for n in numbers if 0 < n <= len(properties)]
    return to_orientation([turn for turn in turns if turn[0] in {b"irot", b"imir"}][:16])


def _associations(content: bytes, wanted: int) -> list[int]:
    """Numbers of the properties of one item ("ipma"), from 1."""
    numbers = _Numbers(content)
    version, flags = numbers.read(1), numbers.read(3)
    for _ in range(min(numbers.read(4), MAX_ITEMS)):
        item, count = numbers.read(4 if version else 2), numbers.read(1)
        width, mask = (2, 0x7FFF) if flags & 1 else (1, 0x7F)
        if item == wanted:
            return [numbers.read(width) & mask for _ in range(count)]
        numbers.at += width * count
        if numbers.is_spent:
            break
    return []
