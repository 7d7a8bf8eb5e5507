"""The first directory of a TIFF: both byte orders, both sizes of offsets, bounded."""

from __future__ import annotations

import struct
from collections.abc import Mapping
from dataclasses import dataclass

MAX_ENTRIES = 1000
_MAX_VALUES = 1024
# Type of a field (TIFF 6.0, section 2; 16 to 18 by BigTIFF) to its code in struct; those that count things.
_TYPES = {1: "B", 3: "H", 4: "I", 13: "I", 16: "Q", 18: "Q"}


@dataclass(frozen=True, slots=True)
class TiffDirectory:
    """Byte order ("<" or ">"), whether offsets have 64 bits, and tag to values of the whole-number fields."""

    order: str
    is_big: bool
    values: Mapping[int, tuple[int, ...]]

    def first(self, tag: int, default: int) -> int:
        """The first value of a tag."""
        return self.values.get(tag, (default,))[0]


def read_first_directory(data: bytes) -> TiffDirectory | None:
    """Read the directory that the header points at; None where it is not there or not whole.

    Reference:
        TIFF revision 6.0 (1992), section 2; BigTIFF design, awaresystems.be (2004).
    """
    order = {b"II": "<", b"MM": ">"}.get(data[:2])
    if order is None:
        return None
    try:
        is_big = struct.unpack_from(order + "H", data, 2)[0] == 43
        start = struct.unpack_from(order + ("Q" if is_big else "I"), data, 8 if is_big else 4)[0]
        count = struct.unpack_from(order + ("Q" if is_big else "H"), data, start)[0]
        if not 0 < count <= MAX_ENTRIES:
            return None
        first, size = start + (8 if is_big else 2), 20 if is_big else 12
        values = dict(_read_entry(data, first + size * at, order, is_big=is_big) for at in range(count))
    except (struct.error, OverflowError):
        return None
    return TiffDirectory(order, is_big, {tag: found for tag, found in values.items() if found})


def _read_entry(data: bytes, at: int, order: str, *, is_big: bool) -> tuple[int, tuple[int, ...]]:
    tag, kind, count = struct.unpack_from(order + ("HHQ" if is_big else "HHI"), data, at)
    code = _TYPES.get(kind)
    if code is None or not 0 < count <= _MAX_VALUES:
        return tag, ()
    room = 8 if is_big else 4
    value_at = at + (12 if is_big else 8)
    if count * struct.calcsize(order + code) > room:
        value_at = struct.unpack_from(order + ("Q" if is_big else "I"), data, value_at)[0]
    return tag, struct.unpack_from(f"{order}{count}{code}", data, value_at)
