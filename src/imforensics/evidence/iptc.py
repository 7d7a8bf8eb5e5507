"""IPTC datasets by name, and the description of an ICC profile."""

from __future__ import annotations

from collections.abc import Iterator

from imforensics.evidence.text import bound_entries, decode_text

MAX_ICC_BYTES = 16 * 1024 * 1024
MAX_DATASETS = 5_000  # of one file

_MARKER = 0x1C
_CHARACTER_SET, _IS_UTF8 = (1, 90), b"\x1b%G"
_PREVIEW_RECORD = 8  # and 9: a preview picture

# IPTC Information Interchange Model, version 4.2 (2014), application record 2.
_DATASETS = {
    _CHARACTER_SET: "Coded Character Set",
    (2, 0): "Record Version",
    (2, 5): "Object Name",
    (2, 10): "Urgency",
    (2, 15): "Category",
    (2, 25): "Keywords",
    (2, 40): "Special Instructions",
    (2, 55): "Date Created",
    (2, 60): "Time Created",
    (2, 62): "Digital Creation Date",
    (2, 63): "Digital Creation Time",
    (2, 65): "Originating Program",
    (2, 70): "Program Version",
    (2, 80): "By-line",
    (2, 85): "By-line Title",
    (2, 90): "City",
    (2, 95): "Province/State",
    (2, 101): "Country",
    (2, 103): "Original Transmission Reference",
    (2, 105): "Headline",
    (2, 110): "Credit",
    (2, 115): "Source",
    (2, 116): "Copyright Notice",
    (2, 120): "Caption",
    (2, 122): "Writer",
}


def read_iptc(blocks: list[bytes], problems: list[str]) -> dict[str, str]:
    """Datasets of IPTC blocks.

    Args:
        blocks: as stored, the bytes of the image resource.
        problems: what cannot be read is added here, in words; nothing is raised.

    Returns:
        Name of each dataset to its value, repeated ones joined with "; "; unknown ones as "2:230".

    Reference:
        IPTC-NAA Information Interchange Model, version 4.2 (2014), sections 1.5 and 1.6; the character set
        is dataset 1:90.
    """
    datasets: dict[tuple[int, int], list[bytes]] = {}
    left = MAX_DATASETS
    for block in blocks:
        for key, value in _walk(block, left, problems):
            datasets.setdefault(key, []).append(value)
            left -= 1
    is_utf8 = datasets.get(_CHARACTER_SET, [b""])[0].startswith(_IS_UTF8)
    values = {key: [_decode(key, value) for value in found] for key, found in datasets.items()}
    if not is_utf8 and any(is_assumed for found in values.values() for _, is_assumed in found):
        problems.append("IPTC character set: not declared and not UTF-8; read as Windows-1252")
    elif is_utf8 and any(is_assumed for found in values.values() for _, is_assumed in found):
        problems.append("IPTC character set: UTF-8 is declared, and some text is none; read as Windows-1252")
    named = (
        (_DATASETS.get(key, f"{key[0]}:{key[1]}"), "; ".join(text for text, _ in found))
        for key, found in values.items()
    )
    return bound_entries(named, "IPTC", problems)


def read_icc_description(profile: bytes, problems: list[str]) -> str | None:
    """The profile's own description.

    Args:
        profile: an ICC profile.
        problems: what cannot be read is added here, in words.

    Returns:
        The description, None where the profile has none that can be read.

    Reference:
        ICC.1:2022, 7.3 (tag table), 10.15 (multiLocalizedUnicodeType); ICC.1:2001-04, 6.5.17 (before it).
    """
    count = int.from_bytes(profile[128:132], "big")
    for number in range(min(count, 200)):
        entry = profile[132 + 12 * number : 144 + 12 * number]
        if entry[:4] == b"desc":
            offset, size = int.from_bytes(entry[4:8], "big"), int.from_bytes(entry[8:12], "big")
            words = _description(profile[offset : offset + min(size, 65536)])
            if words:
                return words[:500]
    problems.append("ICC: a profile without a readable description")
    return None


def _walk(block: bytes, limit: int, problems: list[str]) -> Iterator[tuple[tuple[int, int], bytes]]:
    """(Record, dataset) and value in file order; what is no dataset is stepped over."""
    position = lost = 0
    for _ in range(limit):
        marker = block.find(_MARKER, position)
        if marker < 0 or marker + 5 > len(block):
            break
        lost += len(block[position:marker].strip(b"\x00"))
        position = marker
        key = block[position + 1], block[position + 2]
        size, position = int.from_bytes(block[position + 3 : position + 5], "big"), position + 5
        if size & 0x8000:  # an extended dataset: the number of bytes that hold the size
            width = size & 0x7FFF
            size, position = (
                int.from_bytes(block[position : position + min(width, 8)], "big"),
                position + width,
            )
        if position + size > len(block):
            left = max(0, len(block) - position)
            problems.append(f"IPTC: dataset {key[0]}:{key[1]} declares {size} bytes, {left} are left")
            return
        yield key, block[position : position + size]
        position += size
    lost += len(block[position:].strip(b"\x00 "))
    if lost:
        problems.append(f"IPTC: {lost} bytes that belong to no dataset are not read")


def _decode(key: tuple[int, int], value: bytes) -> tuple[str, bool]:
    """Text of a value, and whether its character set had to be assumed."""
    if key == _CHARACTER_SET:
        return "UTF-8" if value.startswith(_IS_UTF8) else value.hex(" "), False
    if key[1] == 0:  # the version of each record is a number
        return str(int.from_bytes(value[:4], "big")), False
    text = value.rstrip(b"\x00")
    if key[0] >= _PREVIEW_RECORD or b"\x00" in text:
        return f"{len(value)} bytes", False
    try:
        return text.decode("utf-8"), False
    except UnicodeDecodeError:
        return text.decode("cp1252", "backslashreplace"), True


def _description(tag: bytes) -> str:
    if tag[:4] == b"desc":
        length = int.from_bytes(tag[8:12], "big")
        return decode_text(tag[12 : 12 + length])
    if tag[:4] == b"mluc":
        length, offset = int.from_bytes(tag[20:24], "big"), int.from_bytes(tag[24:28], "big")
        return tag[offset : offset + length].decode("utf-16-be", "replace").strip("\x00")
    return ""
