"""The chunks of PNG and RIFF (WebP) files, walked over without reading more than is asked for."""

from __future__ import annotations

from collections.abc import Container, Iterator
from itertools import islice

TEXT_CHUNKS = frozenset({b"tEXt", b"zTXt", b"iTXt"})
MAX_CHUNKS = 100_000  # a PNG of 100 megapixels in chunks of 8 kB has about 40,000


def walk_chunks(data: bytes, format_name: str) -> Iterator[tuple[bytes, int]]:
    """Type of each chunk and where it stops, in file order, the first `MAX_CHUNKS`.

    Args:
        data: the file.
        format_name: "PNG" or "WEBP"; every other format has no chunks.

    Yields:
        (type of four bytes, offset after the chunk); a chunk that is cut short ends the walk.
    """
    for kind, _, _, stop in _walk(data, format_name):
        yield kind, stop


def read_chunks(data: bytes, format_name: str, kinds: Container[bytes]) -> Iterator[tuple[bytes, bytes]]:
    """Type and content of each chunk of some types, as `walk_chunks` meets them."""
    for kind, start, size, _ in _walk(data, format_name):
        if kind in kinds:
            yield kind, data[start : start + size]


def _walk(data: bytes, format_name: str) -> Iterator[tuple[bytes, int, int, int]]:
    """Type, offset and size of the content, offset after the chunk."""
    walkers = {"PNG": _walk_png, "WEBP": _walk_riff}
    if format_name in walkers:
        yield from islice(walkers[format_name](data), MAX_CHUNKS)


def drop_chunks(png: bytes, kinds: Container[bytes] | None = None) -> tuple[bytes, tuple[str, ...]]:
    """A PNG without the chunks of some types, and the types left out.

    Args:
        png: the file.
        kinds: the types; None for all but the critical ones, whose type begins with a capital.
    """
    kept, dropped, start = [png[:8]], [], 8
    for kind, stop in walk_chunks(png, "PNG"):
        if kind[:1].isupper() if kinds is None else kind not in kinds:
            kept.append(png[start:stop])
        else:
            dropped.append(kind.decode("latin-1").encode("unicode_escape").decode())
        start = stop
    return b"".join(kept), tuple(dict.fromkeys(dropped))


def _walk_png(data: bytes) -> Iterator[tuple[bytes, int, int, int]]:
    position = 8
    while position + 12 <= len(data):
        kind = data[position + 4 : position + 8]
        start, size = position + 8, int.from_bytes(data[position : position + 4], "big")
        position += 12 + size
        if position > len(data):
            return
        yield kind, start, size, position
        if kind == b"IEND":
            return


def _walk_riff(data: bytes) -> Iterator[tuple[bytes, int, int, int]]:
    stop = min(8 + int.from_bytes(data[4:8], "little"), len(data))
    position = 12
    while position + 8 <= stop:
        kind = data[position : position + 4]
        start, size = position + 8, int.from_bytes(data[position + 4 : position + 8], "little")
        position += 8 + size + size % 2
        yield kind, start, size, position
