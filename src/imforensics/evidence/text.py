"""Text from a file, kept to a bounded length and number; it stays hostile until its sink escapes it."""

from __future__ import annotations

from collections.abc import Iterable

MAX_CHARACTERS = 2_000
MAX_ENTRIES = 500


def shorten(value: str, limit: int = MAX_CHARACTERS) -> str:
    """Cut a long text and say so.

    >>> shorten("abcdef", 3)
    'abc… (6 characters)'
    """
    return value if len(value) <= limit else f"{value[:limit]}… ({len(value)} characters)"


def decode_text(value: bytes) -> str:
    """Bytes as text: UTF-8, anything else kept visible as an escape; NULs at the end are dropped.

    >>> decode_text(bytes([65, 255, 0]))
    'A\\\\xff'
    """
    return value.rstrip(b"\x00").decode("utf-8", "backslashreplace")


def bound_entries(entries: Iterable[tuple[str, str]], what: str, problems: list[str]) -> dict[str, str]:
    """The first `MAX_ENTRIES` entries, each shortened; the rest is counted in `problems`."""
    bounded: dict[str, str] = {}
    left_out = 0
    for key, value in entries:
        if len(bounded) < MAX_ENTRIES:
            bounded[shorten(key, 200)] = shorten(value)
        else:
            left_out += 1
    if left_out:
        problems.append(f"{what}: {left_out} entries beyond the first {MAX_ENTRIES} are left out")
    return bounded
