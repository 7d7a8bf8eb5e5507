"""Image containers taken apart into segments, chunks or boxes, and put together again with right lengths."""

from __future__ import annotations

import re
import struct
import zlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

Part = tuple[bytes, bytes]  # kind and payload; kind b"" for bytes that belong to no part


@dataclass(frozen=True, slots=True)
class Container:
    """How a file is taken apart, and how one part is written; `finish` mends what spans all parts."""

    start: re.Pattern[bytes]
    split: Callable[[bytes], Iterator[Part]]
    build: Callable[[bytes, bytes], bytes]
    finish: Callable[[bytes], bytes] = bytes

    def join(self, parts: Sequence[Part]) -> bytes:
        """The file of these parts."""
        built = (self.build(kind, payload) if kind else payload for kind, payload in parts)
        return self.finish(b"".join(built))


def find_container(content: bytes) -> Container | None:
    """The container that a file starts like, None for TIFF, BMP, GIF and everything unknown."""
    return next((each for each in _CONTAINERS if each.start.match(content)), None)


def _split_jpeg(content: bytes) -> Iterator[Part]:
    yield b"", content[:2]
    at = 2
    while at + 4 <= len(content) and content[at] == 0xFF and content[at + 1] not in {0xD9, 0xDA}:
        stop = at + 2 + int.from_bytes(content[at + 2 : at + 4], "big")
        yield content[at : at + 2], content[at + 4 : stop]
        at = stop
    yield b"", content[at:]


def _split_chunks(
    content: bytes, *, header: int, order: Literal["big", "little"], is_size_first: bool, extra: int
) -> Iterator[Part]:
    """PNG, RIFF and ISO media: a size of four bytes and a kind of four; `extra` bytes count to neither."""
    yield b"", content[:header]
    at = header
    while at + 8 <= len(content):
        first, second = content[at : at + 4], content[at + 4 : at + 8]
        size_bytes, kind = (first, second) if is_size_first else (second, first)
        size = int.from_bytes(size_bytes, order)
        size = max(size - 8, 0) if header == 0 else size
        yield kind, content[at + 8 : at + 8 + size]
        at += 8 + size + (extra if is_size_first else size % 2)
    yield b"", content[at:]


def _finish_riff(content: bytes) -> bytes:
    return content[:4] + struct.pack("<I", len(content) - 8) + content[8:] if len(content) >= 12 else content


_CONTAINERS = (
    Container(
        re.compile(rb"\xff\xd8\xff"),
        _split_jpeg,
        lambda kind, payload: kind[:2] + struct.pack(">H", min(len(payload), 65533) + 2) + payload[:65533],
    ),
    Container(
        re.compile(rb"\x89PNG"),
        lambda content: _split_chunks(content, header=8, order="big", is_size_first=True, extra=4),
        lambda kind, payload: (
            struct.pack(">I", len(payload)) + kind + payload + struct.pack(">I", zlib.crc32(kind + payload))
        ),
    ),
    Container(
        re.compile(rb"RIFF"),
        lambda content: _split_chunks(content, header=12, order="little", is_size_first=False, extra=0),
        lambda kind, payload: kind + struct.pack("<I", len(payload)) + payload + b"\x00" * (len(payload) % 2),
        _finish_riff,
    ),
    Container(
        re.compile(rb".{4}ftyp", re.DOTALL),
        lambda content: _split_chunks(content, header=0, order="big", is_size_first=True, extra=0),
        lambda kind, payload: struct.pack(">I", len(payload) + 8) + kind + payload,
    ),
)
