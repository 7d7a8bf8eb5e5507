"""What a file itself says of the data after its image: MPF pictures, motion photos, gain maps, vendor blocks.

Every offset and length is the file's own word, and hostile: a part is believed only inside the file, behind
the end of the image.
"""

from __future__ import annotations

import re
import struct
from collections.abc import Iterator
from dataclasses import dataclass

from imforensics.evidence.jpeg_markers import EXIF_IDENTIFIER, MPF_IDENTIFIER, XMP_IDENTIFIER
from imforensics.evidence.jpeg_structure import JpegLayout, find_payload
from imforensics.evidence.vendor_blocks import find_block_at_end

MAX_ANNOUNCED = 32
# MPF individual image attribute, low 24 bits (CIPA DC-007-2021, 5.2.3.3.1).
_MPF_TYPES = {
    0x010001: ", a preview",
    0x010002: ", a preview",
    0x010003: ", a preview",
    0x010004: ", a preview",
    0x010005: ", a preview",
    0x020001: ", of a panorama",
    0x020002: ", of a stereo pair",
    0x020003: ", of a view from several angles",
    0x050000: ", a gain map",
}
_ORDINALS = ("first", "second", "third", "fourth", "fifth", "sixth", "seventh", "eighth")
_MICRO_VIDEO = re.compile(rb"MicroVideoOffset\s*(?:=\s*[\"']|>)\s*(\d{1,10})")
_ITEM = re.compile(rb"<\w{1,40}:Item\s([^>]{1,1000})>")
_ITEM_FIELD = re.compile(rb":(Semantic|Mime|Length|Padding)\s*=\s*[\"']([^\"']{0,100})[\"']")
# Item semantics of the Android motion photo and Ultra HDR formats.
_SEMANTICS = {b"MotionPhoto": "the video of a motion photo", b"GainMap": "gain map", b"Depth": "depth map"}


@dataclass(frozen=True, slots=True)
class Part:
    """Some bytes after the image, data[start:stop], and what they are."""

    start: int
    stop: int
    words: str


def find_announced(data: bytes, layout: JpegLayout | None, end: int) -> list[Part]:
    """Parts behind the image whose place the file itself gives.

    Args:
        data: the file.
        layout: the JPEG's segments, None for every other format.
        end: offset after the image.

    Returns:
        In file order, not overlapping, at most `MAX_ANNOUNCED`.
    """
    found = list(find_block_at_end(data, end))
    last = min((start for start, _, _ in found), default=len(data))
    parts = [Part(*block) for block in found]
    if layout is not None:
        parts += _read_mpf(data, layout)
        parts += _read_xmp(data, layout, end, last)
    kept: list[Part] = []
    for part in sorted(parts, key=lambda part: part.start)[: 4 * MAX_ANNOUNCED]:
        stop = min(part.stop, len(data))  # Pillow announces a third picture of an MPO longer than it is
        if (kept[-1].stop if kept else end) <= part.start < stop:
            kept.append(Part(part.start, stop, part.words))
    return kept[:MAX_ANNOUNCED]


def is_offset_in_exif(data: bytes, layout: JpegLayout | None, start: int) -> bool:
    """True where the EXIF segment holds `start` as a 32-bit number, counted from its header or from the start
    of the file: cameras announce previews so, in an image directory or in the maker note. A chance hit in
    64 kB: 6 in 100,000.
    """
    bounds = None if layout is None else find_payload(data, layout, EXIF_IDENTIFIER)
    if bounds is None:
        return False
    header = bounds[0] + 1  # the identifier ends with two NULs
    block = data[header : bounds[1]]
    return any(struct.pack(order, at) in block for order in ("<I", ">I") for at in (start - header, start))


def _read_mpf(data: bytes, layout: JpegLayout) -> Iterator[Part]:
    """The pictures of the MPF index; their offsets count from its byte-order mark (CIPA DC-007, 5.2.2)."""
    bounds = find_payload(data, layout, MPF_IDENTIFIER)
    if bounds is None:
        return
    header, stop = bounds
    block = data[header:stop]
    order = {b"II*\x00": "<", b"MM\x00*": ">"}.get(block[:4])
    if order is None:
        return
    try:
        (directory,) = struct.unpack_from(order + "I", block, 4)
        (count,) = struct.unpack_from(order + "H", block, directory)
        for number in range(min(count, 32)):
            tag, _, length, value = struct.unpack_from(order + "HHII", block, directory + 2 + 12 * number)
            if tag == 0xB002:  # the list of pictures, 16 bytes each
                yield from _read_mpf_entries(block[value : value + min(length, 16 * 16)], order, header)
    except struct.error:
        return


def _read_mpf_entries(entries: bytes, order: str, header: int) -> Iterator[Part]:
    for number, (attribute, size, offset, _, _) in enumerate(
        struct.iter_unpack(order + "IIIHH", entries[: len(entries) // 16 * 16])
    ):
        if offset:  # zero: the file's own first picture
            ordinal = _ORDINALS[number] if number < len(_ORDINALS) else f"{number + 1}th"
            kind = _MPF_TYPES.get(attribute & 0xFFFFFF, "")
            yield Part(header + offset, header + offset + size, f"{ordinal} picture (MPF){kind}")


def _read_xmp(data: bytes, layout: JpegLayout, end: int, last: int) -> Iterator[Part]:
    """Motion photos, gain maps and depth maps as XMP lists them: one after the other, up to the file's end
    or to the vendor block there (`last`).
    """
    bounds = find_payload(data, layout, XMP_IDENTIFIER)
    if bounds is None:
        return
    packet = data[bounds[0] : bounds[1]]
    video = _MICRO_VIDEO.search(packet)
    if video is not None and int(video[1]):
        yield Part(len(data) - int(video[1]), len(data), "the video of a motion photo")
    items = [dict(_ITEM_FIELD.findall(match[1])) for match in _ITEM.finditer(packet)][:MAX_ANNOUNCED]
    lengths = [_number(item.get(b"Length")) + _number(item.get(b"Padding")) for item in items[1:]]
    first_padding = _number(items[0].get(b"Padding")) if items else 0
    for begin in (end + first_padding, last - sum(lengths), len(data) - sum(lengths)):
        parts = list(_place_items(items[1:], lengths, begin))
        if parts and all(_starts_right(data, part) for part in parts):
            yield from parts
            return


def _place_items(items: list[dict[bytes, bytes]], lengths: list[int], begin: int) -> Iterator[Part]:
    for item, length in zip(items, lengths, strict=True):
        stop = begin + _number(item.get(b"Length"))
        if stop > begin:
            yield Part(begin, stop, _SEMANTICS.get(item.get(b"Semantic", b""), "a part that XMP announces"))
        begin += length


def _starts_right(data: bytes, part: Part) -> bool:
    head = data[max(part.start, 0) : part.start + 8] if part.start > 0 else b""
    return head.startswith(b"\xff\xd8\xff") or head[4:8] == b"ftyp"


def _number(digits: bytes | None) -> int:
    return int(digits) if digits is not None and digits.isdigit() and len(digits) <= 10 else 0
