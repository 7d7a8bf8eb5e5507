"""The entries of a TIFF directory as stored: type and bytes, classic and BigTIFF; lengths are not trusted."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

MAX_ENTRIES = 500  # of one directory; a camera's has 20 to 60
MAX_NUMBERS = 1024  # of one value
MAX_VALUE_BYTES = 16 * 1024 * 1024  # of one value

# TIFF 6.0, section 2; 13: TIFF technical note 1; 16-18: BigTIFF; 129: UTF-8 of EXIF 3.0, 4.6.2.
_TYPE_BYTES = {1: 1, 2: 1, 3: 2, 4: 4, 5: 8, 6: 1, 7: 1, 8: 2, 9: 4, 10: 8, 11: 4, 12: 8, 13: 4}
_TYPE_BYTES |= {16: 8, 17: 8, 18: 8, 129: 1}
_UNSIGNED = frozenset({1, 3, 4, 13, 16, 18})
_POINTER_TYPES = frozenset({3, 4, 8, 9, 13, 16, 18})  # some programs write signed ones


@dataclass(frozen=True, slots=True)
class Entry:
    """One entry: tag, type, declared size of its value in bytes, and where in the block the value stands."""

    tag: int
    kind: int
    size: int
    at: int


@dataclass(frozen=True, slots=True)
class TiffBlock:
    """A TIFF structure: an EXIF block or a whole file.

    Attributes:
        content: its bytes, from the header on.
        order: byte order.
        is_big: BigTIFF.
    """

    content: bytes
    order: Literal["little", "big"]
    is_big: bool

    def read_first_directory(self) -> dict[int, Entry] | None:
        """The first directory, None where it lies outside the block."""
        return self.read_directory(self._number(8, 8) if self.is_big else self._number(4, 4))

    def follow(self, entries: dict[int, Entry] | None, tag: int) -> dict[int, Entry] | None:
        """The directory that an entry points to, None without the entry or outside the block."""
        entry = None if entries is None else entries.get(tag)
        if entry is None or entry.kind not in _POINTER_TYPES:
            return None
        return self.read_directory(self.to_number(entry))

    def to_number(self, entry: Entry) -> int:
        """The first whole number of an entry."""
        return self._number(entry.at, _TYPE_BYTES.get(entry.kind, 0))

    def read_value(self, entry: Entry, limit: int = MAX_VALUE_BYTES) -> bytes:
        """The value's bytes: at most `limit`, fewer where the block ends before."""
        return self.content[entry.at : entry.at + min(entry.size, limit)]

    def read_numbers(self, entry: Entry) -> tuple[int, ...]:
        """All whole numbers of an entry; none for other types, over `MAX_NUMBERS`, or outside the block."""
        width = _TYPE_BYTES.get(entry.kind, 0)
        value = self.read_value(entry)
        if entry.kind not in _UNSIGNED or len(value) != entry.size or entry.size > MAX_NUMBERS * width:
            return ()
        return tuple(int.from_bytes(value[at : at + width], self.order) for at in range(0, entry.size, width))

    def read_directory(self, offset: int) -> dict[int, Entry] | None:
        """Tag to entry, the first of each tag, at most `MAX_ENTRIES`; None outside the block."""
        width = 8 if self.is_big else 2
        if offset == 0 or offset + width > len(self.content):
            return None
        count = min(self._number(offset, width), MAX_ENTRIES)
        entries: dict[int, Entry] = {}
        for entry in self._walk(offset + width, count):
            entries.setdefault(entry.tag, entry)
        return entries

    def _walk(self, start: int, count: int) -> Iterator[Entry]:
        step, field = (20, 8) if self.is_big else (12, 4)
        for at in range(start, start + step * count, step):
            if at + step > len(self.content):
                return
            tag, kind = self._number(at, 2), self._number(at + 2, 2)
            size = self._number(at + 4, field) * _TYPE_BYTES.get(kind, 0)
            value_at = at + 4 + field
            if size > field:
                value_at = self._number(value_at, field)
            yield Entry(tag, kind, size, value_at)

    def _number(self, offset: int, size: int) -> int:
        return int.from_bytes(self.content[offset : offset + size], self.order)


def open_tiff(content: bytes) -> TiffBlock | None:
    """A block that starts with a TIFF header, None for every other one.

    >>> open_tiff(bytes.fromhex("4d4d002a00000008")).order
    'big'
    """
    for start, order, is_big in (
        (b"II*\x00", "little", False),
        (b"MM\x00*", "big", False),
        (b"II+\x00", "little", True),
        (b"MM\x00+", "big", True),
    ):
        if content.startswith(start):
            return TiffBlock(content, order, is_big)  # type: ignore[arg-type]
    return None
