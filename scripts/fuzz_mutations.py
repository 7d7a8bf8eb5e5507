"""Mutations of image files that keep enough structure to get past a parser's first check."""

from __future__ import annotations

import random
import re
import struct
import zlib
from collections.abc import Callable, Iterator

from fuzz_containers import find_container

MAX_BYTES = 2_000_000  # of a mutated file; splices and repeats stop here

Mutation = Callable[[bytes, bytes, random.Random], bytes]  # content, content of a donor, generator

_NUMBERS = (
    0,
    1,
    2,
    3,
    4,
    7,
    8,
    9,
    127,
    128,
    255,
    256,
    32767,
    32768,
    65535,
    65536,
    2**31 - 1,
    2**31,
    2**32 - 1,
)
_TEXTS = (
    *(b"0000:00:00 00:00:00", b"2020:02:30 25:61:61", b"2020-02-29T23:59:60.999999999+99:99", b"9999-12-31Z"),
    *(b"0001-01-01T00:00:00-14:00", b"-1", b"1e999", b"nan", b"inf", b"1/0", b"0/0", b" ", b"", b"\x00" * 9),
    *("٣".encode(), "²".encode(), b"\xed\xa0\x80", b"\xff\xfe", b"\xc3", "\u202e\u0000\u2028".encode()),
    *(
        b"1" * 5000,
        b"<rdf:li>",
        b"</rdf:li>",
        b"<a:b xmlns:a=''/>",
        b"&amp;",
        b"&#0;",
        b"]]>",
        b"<!--",
        b"{}",
    ),
    *(b"xmp:CreatorTool", b"stEvt:softwareAgent", b"xmpMM:History", b"exif:GPSLatitude", b"tiff:Software"),
    *(b"8BIM\x04\x04\x00\x00", b"8BIM\x04\x06\x00\x00", b"\x1c\x02\x05\x00\x00", b"\x1c\x02\x37\x80\x04"),
    *(b"\xff\xd8\xff", b"\xff\xd9", b"\xff\xda", b"\xff\xdb", b"\xff\xc0", b"\xff\xff", b"MPF\x00II*\x00"),
    *(b"Exif\x00\x00", b"II*\x00\x08\x00\x00\x00", b"MM\x00*", b"UNICODE\x00", b"ASCII\x00\x00\x00", b"jumb"),
    *(b"http://ns.adobe.com/xap/1.0/\x00", b"http://ns.adobe.com/xmp/extension/\x00", b"ICC_PROFILE\x00"),
    *(b"\n     100\n", b"Raw profile type exif\x00", b"Raw profile type iptc\x00", b"XML:com.adobe.xmp\x00"),
)
# Without them intact, hardly any decoder lets a file pass, and what follows is not reached.
_IMAGE_PARTS = frozenset(
    {b"IHDR", b"IDAT", b"IEND", b"VP8 ", b"VP8X", b"ftyp", b"\xff\xc4", b"\xff\xc0", b"\xff\xc2"}
)


def mutate(content: bytes, donor: bytes, generator: random.Random) -> bytes:
    """One to four mutations of a file, one after the other.

    Args:
        content: the file.
        donor: another file, a source of parts.
        generator: decides everything; the same state gives the same bytes.

    Returns:
        The mutated file, at most `MAX_BYTES` long; it may by chance equal the original.
    """
    for _ in range(generator.choice((1, 1, 2, 2, 3, 4))):
        mutation = _mutate_parts if generator.random() < 0.75 else generator.choice(CONTENT_MUTATIONS)
        content = mutation(content, donor, generator)[:MAX_BYTES]
    return content


def _mutate_parts(content: bytes, donor: bytes, generator: random.Random) -> bytes:
    container = find_container(content)
    parts = list(container.split(content)) if container is not None else []
    named = [number for number, (kind, _) in enumerate(parts) if kind]
    if container is None or not named:
        return generator.choice(CONTENT_MUTATIONS)(content, donor, generator)
    metadata = [number for number in named if parts[number][0] not in _IMAGE_PARTS]
    at = generator.choice(metadata if metadata and generator.random() < 0.85 else named)
    choice = generator.randrange(10)
    if choice == 0:
        del parts[at]
    elif choice == 1:
        parts[at:at] = [parts[at]] * generator.choice((1, 2, 3, 70))
    elif choice == 2:
        other = generator.choice(named)
        parts[at], parts[other] = parts[other], parts[at]
    elif choice == 3:
        parts.insert(at, generator.choice(_split(donor)))
    elif choice == 4:
        parts[at] = generator.choice(parts)[0], parts[at][1]
    else:
        parts[at] = parts[at][0], _mutate_payload(*parts[at], donor, generator)
    return container.join(parts)


def _split(content: bytes) -> list[tuple[bytes, bytes]]:
    container = find_container(content)
    return [(b"", content)] if container is None else list(container.split(content))


def _mutate_payload(kind: bytes, payload: bytes, donor: bytes, generator: random.Random) -> bytes:
    mutation = generator.choice(CONTENT_MUTATIONS)
    start = payload.find(b"\x00") + 2
    if kind in {b"zTXt", b"iCCP"}:  # keyword, method, deflated text
        try:
            unpacked = zlib.decompressobj().decompress(payload[start:], MAX_BYTES)
        except zlib.error:
            return mutation(payload, donor, generator)
        return payload[:start] + zlib.compress(mutation(unpacked, donor, generator), 1)
    return mutation(payload, donor, generator)


def _flip_bits(content: bytes, _: bytes, generator: random.Random) -> bytes:
    changed = bytearray(content)
    for _number in range(generator.choice((1, 1, 2, 4, 16)) if changed else 0):
        changed[generator.randrange(len(changed))] ^= 1 << generator.randrange(8)
    return bytes(changed)


def _set_number(content: bytes, _: bytes, generator: random.Random) -> bytes:
    size = generator.choice((1, 2, 4, 8))
    value = generator.choice(_NUMBERS) if generator.random() < 0.7 else generator.getrandbits(8 * size)
    number = (value % (1 << 8 * size)).to_bytes(size, "big" if generator.random() < 0.5 else "little")
    at = generator.randrange(len(content) + 1)
    return content[:at] + number + content[at + size :]


def _cut(content: bytes, _: bytes, generator: random.Random) -> bytes:
    start, stop = _range(content, generator)
    return content[:start] if generator.random() < 0.3 else content[:start] + content[stop:]


def _repeat(content: bytes, _: bytes, generator: random.Random) -> bytes:
    start, stop = _range(content, generator)
    return content[:start] + content[start:stop] * generator.choice((2, 3, 30)) + content[stop:]


def _insert_text(content: bytes, _: bytes, generator: random.Random) -> bytes:
    start, stop = _range(content, generator)
    text = generator.choice(_TEXTS) if generator.random() < 0.9 else generator.randbytes(32)
    return content[:start] + text + content[generator.choice((start, start + len(text), stop)) :]


def _splice(content: bytes, donor: bytes, generator: random.Random) -> bytes:
    start, stop = _range(content, generator)
    first, last = _range(donor, generator)
    return content[:start] + (
        donor[first:last] + content[stop:] if generator.random() < 0.7 else donor[first:]
    )


def _append(content: bytes, donor: bytes, generator: random.Random) -> bytes:
    start, stop = _range(donor, generator)
    filling = generator.choice((b"\xff", b"\x00", b"\x00" * 100, b""))
    return content + filling + generator.choice((donor, donor[start:stop], generator.choice(_TEXTS)))


def _change_digits(content: bytes, _: bytes, generator: random.Random) -> bytes:
    runs = list(re.finditer(rb"[0-9]{1,19}", content[:100_000]))
    if not runs:
        return content
    run = generator.choice(runs)
    number = generator.choice(
        (b"", b"-", b"0", b"99", str(generator.choice(_NUMBERS)).encode(), generator.choice(_TEXTS))
    )
    return content[: run.start()] + number + content[run.end() :]


def _change_tiff(content: bytes, donor: bytes, generator: random.Random) -> bytes:
    """One field of one directory entry, of the entry count, or of the link to the next directory."""
    starts = [match.start() for match in re.finditer(rb"II\*\x00|MM\x00\*", content)]
    if not starts:
        return _set_number(content, donor, generator)
    start = generator.choice(starts)
    order = "<" if content.startswith(b"II", start) else ">"
    fields = list(_walk_tiff(content, start, order))
    if not fields:
        return content
    at, code = generator.choice(fields)
    value = generator.choice(
        (*_NUMBERS, 0x0112, 0x010F, 0x8769, 0x8825, 0x9286, 0x927C, 0x83BB, 0x02BC, at - start, len(content))
    )
    size = struct.calcsize(code)
    return content[:at] + struct.pack(order + code, value % 256**size) + content[at + size :]


def _walk_tiff(content: bytes, start: int, order: str) -> Iterator[tuple[int, str]]:
    """Place and type code of every field of the directories that the first ones point to."""

    def read(code: str, at: int) -> int:
        return int(struct.unpack_from(order + code, content, at)[0])

    pending, seen = [4], set[int]()
    while pending and len(seen) < 8:
        try:
            directory = start + read("I", start + pending.pop())
            count = read("H", directory)
            if directory in seen:
                continue
            seen.add(directory)
            yield directory, "H"
            for entry in range(directory + 2, directory + 2 + 12 * min(count, 60), 12):
                yield from ((entry, "H"), (entry + 2, "H"), (entry + 4, "I"), (entry + 8, "I"))
                if read("H", entry) in {0x8769, 0x8825, 0xA005, 0x014A}:
                    pending.append(entry + 8 - start)
            pending.append(directory + 2 + 12 * count - start)
        except struct.error:
            continue


def _change_records(content: bytes, donor: bytes, generator: random.Random) -> bytes:
    """Head of one IPTC dataset or of one Photoshop resource."""
    heads = list(re.finditer(rb"\x1c[\x01-\x09].{3}|8BIM.{8}", content, re.DOTALL))
    if not heads:
        return _insert_text(content, donor, generator)
    head = generator.choice(heads)
    at = head.start() + generator.randrange(1, len(head[0]))
    value = generator.choice((0, 1, 2, 4, 5, 6, 55, 60, 0x0C, 0x25, 0x80, 0x84, 0xFF))
    return content[:at] + bytes([value]) + content[at + 1 :]


def _change_xml(content: bytes, donor: bytes, generator: random.Random) -> bytes:
    """Drop, repeat, swap or replace one tag, name, value or text of an XML document."""
    tokens = list(re.finditer(rb"<[^<>]{1,300}>|[\w-]+:[\w-]+|\"[^\"<>]{0,300}\"", content[:200_000]))
    if not tokens:
        return _insert_text(content, donor, generator)
    token, other = generator.choice(tokens), generator.choice(tokens)
    quoted = b'"' + generator.choice(_TEXTS) + b'"'
    new = generator.choice((b"", token[0] * 2, token[0] * 50, other[0], generator.choice(_TEXTS), quoted))
    return content[: token.start()] + new + content[token.end() :]


CONTENT_MUTATIONS: tuple[Mutation, ...] = (
    *(_flip_bits, _set_number, _cut, _repeat, _insert_text, _splice, _append),
    *(_change_digits, _change_tiff, _change_tiff, _change_records, _change_xml, _change_xml),
)


def _range(content: bytes, generator: random.Random) -> tuple[int, int]:
    """A range of the content, mostly a short one."""
    start = generator.randrange(len(content) + 1)
    return start, min(len(content), start + generator.choice((1, 2, 4, 16, 64, 1024, len(content))))
