"""Comments and application blocks of a GIF: the blocks are walked over, frames are not decoded."""

from __future__ import annotations

from collections.abc import Iterator

MAX_SUB_BLOCKS = 2_000_000  # of 255 bytes: 500 MB

_EXTENSION, _IMAGE = 0x21, 0x2C
_COMMENT, _APPLICATION = 0xFE, 0xFF
_XMP = "XMP DataXMP"
_XMP_STARTS = (b"<?", b"<x", b"<r", b"\xef\xbb\xbf")
_XMP_TRAILER = b"\x01\xff\xfe\xfd"  # 0x01, 0xFF down to 0x00: it steers a reader of sub-blocks to the end


def read_gif_blocks(data: bytes, problems: list[str]) -> Iterator[tuple[str, bytes]]:
    """Name and content of comments and application blocks, in file order.

    Args:
        data: a GIF.
        problems: where the walk is given up is added here.

    Yields:
        ("GIF comment", bytes) or (the application's identifier of 11 characters, bytes).

    Reference:
        GIF89a (CompuServe, 1990), sections 15 and 26; XMP Specification Part 3 (2020), 1.1.2 (GIF).
    """
    position = 13 + _table_bytes(data[10:11])
    sub_blocks = 0
    while position < len(data):
        start, left = position, MAX_SUB_BLOCKS - sub_blocks
        if data[start] == _IMAGE:
            position = start + 11 + _table_bytes(data[start + 9 : start + 10])  # and the LZW code size
            position, count, _ = _skip_sub_blocks(data, position, left)
        elif data[start] == _EXTENSION:
            position, count, span = _skip_sub_blocks(data, start + 2, left)
            yield from _name_extension(data, data[start + 1 : start + 2], span)
        elif data[start] == 0:  # a terminator too many, which decoders step over
            position, count = start + 1, 0
        else:  # the trailer, or damage
            return
        sub_blocks += count + 1
        if sub_blocks >= MAX_SUB_BLOCKS:
            problems.append(f"text: the GIF has more than {MAX_SUB_BLOCKS} blocks; the rest is not looked at")
            return


def _table_bytes(flags: bytes) -> int:
    """Size of the color table that flags announce."""
    return 3 << ((flags[0] & 7) + 1) if flags and flags[0] & 0x80 else 0


def _skip_sub_blocks(data: bytes, position: int, limit: int) -> tuple[int, int, tuple[int, int]]:
    """Offset after the terminator, number of sub-blocks, and (first length byte, terminator)."""
    start, count = position, 0
    while position < len(data) and data[position] and count < limit:
        position += 1 + data[position]
        count += 1
    return position + 1, count, (start, min(position, len(data)))


def _name_extension(data: bytes, label: bytes, span: tuple[int, int]) -> Iterator[tuple[str, bytes]]:
    start, stop = span
    if label == bytes([_COMMENT]):
        yield "GIF comment", _join(data, start, stop)
    elif label == bytes([_APPLICATION]) and data[start : start + 1] == b"\x0b":
        name = data[start + 1 : start + 12].decode("latin-1")
        content = data[start + 12 : stop]
        # XMP is written as it is, without lengths; some programs write it in sub-blocks all the same.
        if name == _XMP and content.startswith(_XMP_STARTS):
            yield name, content.partition(_XMP_TRAILER)[0]
        else:
            yield name, _join(data, start + 12, stop)


def _join(data: bytes, position: int, stop: int) -> bytes:
    parts = []
    while position < stop:
        parts.append(data[position + 1 : min(position + 1 + data[position], stop)])
        position += 1 + data[position]
    return b"".join(parts)
