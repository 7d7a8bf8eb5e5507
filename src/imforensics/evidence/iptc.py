"""IPTC datasets by name, and the description of an ICC profile."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from imforensics.evidence.text import bound_entries, decode_text

MAX_ICC_BYTES = 16 * 1024 * 1024

# IPTC Information Interchange Model, version 4.2 (2014), application record 2.
_DATASETS = {
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


def name_iptc(
    datasets: Mapping[tuple[int, int], bytes | list[bytes]] | None, problems: list[str]
) -> dict[str, str]:
    """Datasets by their names, repeated ones joined with "; "; unknown ones as "2:230"."""
    return bound_entries(_named(datasets or {}), "IPTC", problems)


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


def _named(datasets: Mapping[tuple[int, int], bytes | list[bytes]]) -> Iterator[tuple[str, str]]:
    for key, value in datasets.items():
        values = value if isinstance(value, list) else [value]
        if key[0] == 2 and key != (2, 0):  # 2:00 is the record's version, a binary number
            yield _DATASETS.get(key, f"{key[0]}:{key[1]}"), "; ".join(decode_text(each) for each in values)


def _description(tag: bytes) -> str:
    if tag[:4] == b"desc":
        length = int.from_bytes(tag[8:12], "big")
        return decode_text(tag[12 : 12 + length])
    if tag[:4] == b"mluc":
        length, offset = int.from_bytes(tag[20:24], "big"), int.from_bytes(tag[24:28], "big")
        return tag[offset : offset + length].decode("utf-16-be", "replace").strip("\x00")
    return ""
