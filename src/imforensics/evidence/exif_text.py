"""Text of EXIF that is not plain ASCII: comments with a character code, UTF-16, text stored as bytes."""

from __future__ import annotations

import unicodedata
from typing import Literal

from imforensics.evidence.text import decode_text

MAX_TEXT_BYTES = 256 * 1024  # of one value; what is printed of it is cut further

_NUL_CODE = bytes(8)
_CODES = (b"ASCII", b"UNICODE", b"JIS")
_WHITESPACE = "\n\r\t"
_NO_TEXT = frozenset({"Cc", "Cn", "Co", "Cs"})  # control, unassigned, private, surrogate


def decode_coded_text(value: bytes, order: Literal["little", "big"]) -> str:
    """Text that begins with its character code in 8 bytes: UserComment, GPSProcessingMethod.

    Args:
        value: as stored; without a known code all of it is taken for text.
        order: byte order of the block, which decides where UTF-16 could be read both ways.

    Returns:
        The text. "UNICODE" is read as UTF-8 (EXIF 3.0) or UTF-16 (before it), in either byte order.

    Reference:
        CIPA DC-008-2023 (EXIF 3.0), 4.6.6 Table 9; JEITA CP-3451 (EXIF 2.2), Table 6.
    """
    code, text = _split_code(value)
    if code == b"UNICODE":
        return _strip(decode_utf8_or_16(text, order))
    if code == b"JIS":
        return _strip(_decode_jis(text))
    if code is None and _looks_like_utf16(text):
        words = _strip(decode_utf8_or_16(text, order))
        if _implausibility(words)[0] == 0:
            return words
    return _strip(decode_text(text))


def decode_utf8_or_16(value: bytes, order: Literal["little", "big"]) -> str:
    """Text in UTF-8 or in UTF-16 of either byte order; a byte order mark decides, then what reads better."""
    for mark, encoding in (
        (b"\xef\xbb\xbf", "utf-8"),
        (b"\xff\xfe", "utf-16-le"),
        (b"\xfe\xff", "utf-16-be"),
    ):
        if value.startswith(mark):
            return value[len(mark) :].decode(encoding, "replace")
    if (text := _decode_readable_utf8(value)) is not None:
        return text
    even = value[: len(value) // 2 * 2]
    readings = {name: even.decode(f"utf-16-{name[0]}e", "replace") for name in ("little", "big")}
    return min(readings.items(), key=lambda reading: (_implausibility(reading[1]), reading[0] != order))[1]


def decode_utf16(value: bytes) -> str:
    """Little-endian UTF-16, as Windows stores titles and comments, up to the first NUL."""
    return value[: len(value) // 2 * 2].decode("utf-16-le", "replace").split("\x00")[0]


def decode_stored_bytes(value: bytes) -> str | None:
    """Text that was stored as bytes of no type, None where it is not text."""
    text = value.split(b"\x00", 1)[0]
    return _decode_readable_utf8(text) if text else None


def _split_code(value: bytes) -> tuple[bytes | None, bytes]:
    """Character code and the text after it; no code where the first 8 bytes are none or only NULs."""
    code = value[:8].rstrip(b"\x00 ").upper()
    if code in _CODES:
        return code, value[8:]
    return None, value[8:] if value.startswith(_NUL_CODE) else value


def _decode_readable_utf8(value: bytes) -> str | None:
    try:
        text = value.rstrip(b"\x00").decode("utf-8")
    except UnicodeDecodeError:
        return None
    return text if all(char.isprintable() or char in _WHITESPACE for char in text) else None


def _decode_jis(value: bytes) -> str:
    for encoding in ("iso2022_jp_2", "shift_jis", "euc_jp"):
        try:
            return value.rstrip(b"\x00").decode(encoding)
        except UnicodeDecodeError:
            continue
    return decode_text(value)


def _looks_like_utf16(value: bytes) -> bool:
    """Every second byte of the start is nearly always NUL: Latin letters in UTF-16."""
    sample = value.rstrip(b"\x00")[:200]
    halves = sample[::2], sample[1::2]
    return len(sample) >= 6 and any(half.count(0) > 0.8 * len(half) for half in halves)


def _implausibility(text: str) -> tuple[int, int]:
    """How little like text a reading is: characters that no text has, then the number of scripts."""
    sample = text.rstrip("\x00")[:2000]
    odd = sum(
        char == "\ufffd" or (unicodedata.category(char) in _NO_TEXT and char not in _WHITESPACE)
        for char in sample
    )
    return odd, len({ord(char) >> 8 for char in sample})


def _strip(text: str) -> str:
    return text.strip("\x00 ")
