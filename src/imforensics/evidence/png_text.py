"""The text chunks of a PNG: plain, compressed, international, and the profiles that programs put there."""

from __future__ import annotations

import re
import zlib
from collections.abc import Iterator
from dataclasses import dataclass

from imforensics.evidence.chunks import TEXT_CHUNKS, read_chunks
from imforensics.evidence.text import decode_text

MAX_UNPACKED_BYTES = 16 * 1024 * 1024  # of all text chunks together

_MAX_RATIO = 1032  # of unpacked to packed bytes in deflate
_RAW_PROFILE = "Raw profile type "
# An optional name, the number of bytes, then hexadecimal digits in lines.
_PROFILE = re.compile(rb"\s*(?:[^\n]{0,80}\n)?[ \t]*\d{1,10}[ \t]*\r?\n")
_WHITESPACE = b" \t\r\n\x00"


@dataclass(frozen=True, slots=True)
class TextChunk:
    """One text chunk: keyword, unpacked bytes, and whether they are declared to be UTF-8."""

    keyword: str
    content: bytes
    is_utf8: bool

    def decode(self) -> str:
        """The text; in a chunk that is not international, UTF-8 where it is valid, else Latin-1."""
        if self.is_utf8:
            return decode_text(self.content)
        try:
            return self.content.decode("utf-8")
        except UnicodeDecodeError:
            return self.content.decode("latin-1")


@dataclass(frozen=True, slots=True)
class RawProfile:
    """A binary block written as hexadecimal text; `name` in small letters: exif, iptc, xmp, app1 …"""

    name: str
    content: bytes


def read_png_text(data: bytes, problems: list[str]) -> Iterator[TextChunk | RawProfile]:
    """Text chunks in file order, those that hold a profile unpacked.

    Args:
        data: a PNG.
        problems: a chunk that is there and cannot be unpacked is named here.

    Reference:
        ISO/IEC 15948:2004 (PNG), 11.3.4; ImageMagick, coders/png.c, for the form of raw profiles.
    """
    left = MAX_UNPACKED_BYTES
    for kind, chunk in read_chunks(data, "PNG", TEXT_CHUNKS):
        raw_keyword, _, rest = chunk.partition(b"\x00")
        keyword = raw_keyword[:79].decode("latin-1")
        content = _unpack(kind, rest, left)
        if isinstance(content, str):
            problems.append(f"{_kind_of(keyword)}: the PNG's text chunk {keyword!r} {content}")
            left = max(0, left - _MAX_RATIO * len(rest))  # what the attempt may have cost
            continue
        left -= len(content)
        if not keyword.startswith(_RAW_PROFILE):
            yield TextChunk(keyword, content, is_utf8=kind == b"iTXt")
            continue
        profile = _decode_profile(content)
        if profile is None:
            problems.append(f"{_kind_of(keyword)}: the {keyword!r} of the PNG is not hexadecimal")
        else:
            yield RawProfile(keyword.removeprefix(_RAW_PROFILE).strip().lower(), profile)


def _unpack(kind: bytes, rest: bytes, limit: int) -> bytes | str:
    """Content of a chunk after its keyword; words where it cannot be had."""
    is_packed = kind == b"zTXt"
    if kind == b"zTXt":
        rest = rest[1:]
    elif kind == b"iTXt":
        is_packed = rest[:1] == b"\x01"
        rest = rest[2:].partition(b"\x00")[2].partition(b"\x00")[2]  # after language and translated keyword
    if not is_packed:
        return rest if len(rest) <= limit else f"has {len(rest)} bytes, more than are read"
    unpacker = zlib.decompressobj()
    try:
        content = unpacker.decompress(rest, limit + 1)
    except zlib.error:
        return "cannot be unpacked"
    return content if len(content) <= limit else "unpacks to more bytes than are read"


def _decode_profile(content: bytes) -> bytes | None:
    header = _PROFILE.match(content)
    digits = content[header.end() :] if header is not None else content
    try:
        profile = bytes.fromhex(digits.translate(None, _WHITESPACE).decode("ascii"))
    except ValueError:
        return None
    return profile or None


def _kind_of(keyword: str) -> str:
    """The kind of metadata that a keyword announces, for the problem that names it."""
    name = keyword.removeprefix(_RAW_PROFILE).strip().lower()
    kinds = {"exif": "EXIF", "app1": "EXIF", "xmp": "XMP", "xml:com.adobe.xmp": "XMP", "iptc": "IPTC"}
    return kinds.get(name, "text")
