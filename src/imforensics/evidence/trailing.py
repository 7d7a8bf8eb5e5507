"""What follows the end of an image in its file: data that decoders do not look at."""

from __future__ import annotations

import re

from imforensics.evidence.announced import Part, find_announced, is_offset_in_exif
from imforensics.evidence.chunks import walk_chunks
from imforensics.evidence.jpeg_markers import EXIF_IDENTIFIER
from imforensics.evidence.jpeg_structure import JpegLayout, find_payload, walk_jpeg

MAX_PARTS = 16
MAX_WALKED_BYTES = 64 * 1024 * 1024  # of an appended JPEG, to find where it ends
_SAMPLE = 4096
_TEXT_SHARE = 0.95
_LEAST_FILL = 16  # of equal bytes: fewer are found in any data
_BLOCK, _MOST_IN_BLOCK = 512, 65_536  # of storage: the sector, and the largest usual cluster
_MOST_BETWEEN = 4096  # bytes before an announced picture: cameras start it at a whole block

_STARTS = (
    (b"\xff\xd8\xff", "a JPEG image"),
    (b"\x89PNG\r\n\x1a\n", "a PNG image"),
    (b"PK\x03\x04", "a ZIP archive"),
    (b"Rar!\x1a\x07", "a RAR archive"),
    (b"7z\xbc\xaf\x27\x1c", "a 7z archive"),
    (b"\x1f\x8b\x08", "gzip data"),
    (b"%PDF-", "a PDF document"),
    (b"MZ", "a Windows program"),
    (b"\x7fELF", "a Linux program"),
    (b"GIF8", "a GIF image"),
    (b"II*\x00", "a TIFF structure"),
    (b"MM\x00*", "a TIFF structure"),
    (b"<?xpacket", "an XMP packet"),
    (b"\x55\x26\x11\x05\x00", "vendor data (Sony)"),
)
# A string of the EXIF block, the largest tail seen, the maker. Source: originals of the public corpus
# digicam_corpus (github.com/thorsted/digicam_corpus); their tails look like memory that was not cleared.
_MAKER_TAILS = (
    (b"hp PhotoSmart 43x", 64, "Hewlett-Packard"),  # 9 to 46 bytes in 14 of 14
    (b"Photosmart M4", 64, "Hewlett-Packard"),  # 9 to 45 bytes in 9 of 9
    (b"PV-SD4090", 521, "Panasonic"),  # 520 or 521 bytes in 10 of 10, one of them 0xFF only
)
_GAIN_MAP_MARKS = (b"hdrgm:", b"HDRGainMap", b"urn:iso:std:iso:ts:21496:-1")
_RUN = re.compile(rb"\x00+|\xff+")
# Some cameras write the first byte of a preview wrong; what follows it is a JPEG's.
_PREVIEW_START = re.compile(rb"[\x00-\xff]\xd8\xff[\xc0-\xfe]")
_NOT_CODED = re.compile(rb"\xff[^\x00\xd0-\xd7\xff]")  # ends the coded data of a JPEG scan


def describe_trailing(data: bytes, *, format_name: str, layout: JpegLayout | None) -> tuple[str, ...]:
    """Name what stands after the end of the image.

    Args:
        data: the file.
        format_name: its format by content.
        layout: the JPEG's segments, None for every other format.

    Returns:
        One entry a part, in file order, with its size: "second picture (MPF) (12,345 bytes)". Empty where
        nothing follows, for a damaged file, and for formats whose end is not marked (TIFF, HEIF, AVIF, GIF,
        BMP).
    """
    end = _find_end(data, format_name, layout)
    if end is None or end >= len(data):
        return ()
    announced = find_announced(data, layout, end)
    parts: list[Part] = []
    while end < len(data) and len(parts) < MAX_PARTS:
        following = next((part for part in announced if part.start >= end), None)
        part = _name_part(data, layout, end, following, parts)
        parts.append(part)
        end = part.stop
    words = [f"{part.words} ({part.stop - part.start:,} bytes)" for part in parts]
    return tuple(words) if end >= len(data) else (*words, f"more ({len(data) - end:,} bytes)")


def _find_end(data: bytes, format_name: str, layout: JpegLayout | None) -> int | None:
    if layout is not None:
        return layout.end
    if format_name == "WEBP":
        size = int.from_bytes(data[4:8], "little")
        return 8 + size + size % 2
    if format_name == "PNG":
        return next((stop for kind, stop in walk_chunks(data, format_name) if kind == b"IEND"), None)
    return None


def _name_part(
    data: bytes, layout: JpegLayout | None, start: int, following: Part | None, before: list[Part]
) -> Part:
    """The part that begins at `start`, given the next announced one and those found so far."""
    if following is not None and following.start == start:
        if "(MPF)" in following.words and not data.startswith(b"\xff\xd8", start):
            return Part(start, following.stop, f"data in the place of the {following.words}")
        # A closing mark costs four bytes: what begins like a file of its own is named as that.
        foreign = _recognize(data, layout, start, following.stop) if "vendor" in following.words else None
        if foreign is not None:
            return foreign
        is_gain_map = "gain map" not in following.words and _has_gain_map(data, start)
        return Part(start, following.stop, following.words + (", a gain map" if is_gain_map else ""))
    stop = len(data) if following is None else following.start
    fill = _RUN.match(data, start, stop)
    if fill is not None:
        fill_stop = _end_fill(data, layout, fill, stop)
        is_known = fill_stop == stop or _recognize(data, layout, fill_stop, stop) is not None
        if fill_stop > start and (is_known or fill_stop - start >= _LEAST_FILL):
            return Part(start, fill_stop, f"fill bytes ({'zeros' if data[start] == 0 else '0xFF'})")
    known = _recognize(data, layout, start, stop)
    if known is not None:
        return known
    return Part(start, stop, _name_unknown(data, layout, start, stop, before))


def _end_fill(data: bytes, layout: JpegLayout | None, fill: re.Match[bytes], stop: int) -> int:
    """Where the fill ends: its last byte may be the first one of a JPEG, 0xFF or what a camera put there, its
    last three those of the length of a video's first box.
    """
    last = fill.end() - 1
    if data[fill.end() + 1 : fill.end() + 5] == b"ftyp":
        return max(fill.end() - 3, fill.start())
    if fill.end() < stop and _PREVIEW_START.match(data, last, stop):
        return last if data[last] == 0xFF or is_offset_in_exif(data, layout, last) else fill.end()
    return fill.end()


def _recognize(data: bytes, layout: JpegLayout | None, start: int, stop: int) -> Part | None:
    """The part at `start` by how it begins; None where that says nothing."""
    if _PREVIEW_START.match(data, start, stop) and is_offset_in_exif(data, layout, start):
        return Part(start, _find_jpeg_stop(data, start, stop), "preview, announced in the EXIF data")
    for identifier, words in _STARTS:
        if data.startswith(identifier, start, stop):
            if words == "a JPEG image":
                return _name_jpeg(data, layout, start, stop)
            return Part(start, stop, words)
    if data[start + 4 : start + 8] == b"ftyp":
        return Part(start, stop, "a video or image in an ISO media container")
    return None


def _name_jpeg(data: bytes, layout: JpegLayout | None, start: int, stop: int) -> Part:
    inner = walk_jpeg(data[start : min(stop, start + MAX_WALKED_BYTES)])
    inner_stop = stop if inner.end is None else start + inner.end
    if _has_gain_map(data, start):
        return Part(start, inner_stop, "a JPEG image, a gain map")
    main = None if layout is None else layout.frame
    if inner.frame is not None and main is not None:
        size = f"{inner.frame.width} x {inner.frame.height} pixels"
        if inner.frame.width < main.width and inner.frame.height < main.height:
            return Part(start, inner_stop, f"a smaller JPEG image, as previews are, of {size}")
    return Part(start, inner_stop, "a JPEG image")


def _has_gain_map(data: bytes, start: int) -> bool:
    """A gain map says so in one of its first segments, in XMP or by the identifier of ISO 21496-1."""
    head = data[start : start + 65_536]
    return head.startswith(b"\xff\xd8") and any(mark in head for mark in _GAIN_MAP_MARKS)


def _find_jpeg_stop(data: bytes, start: int, stop: int) -> int:
    end = walk_jpeg(data[start : min(stop, start + MAX_WALKED_BYTES)]).end
    return stop if end is None else start + end


def _name_unknown(data: bytes, layout: JpegLayout | None, start: int, stop: int, before: list[Part]) -> str:
    """Words for data that nothing announces and that begin like no known format."""
    if stop < len(data) and stop - start < _MOST_BETWEEN:
        return "fill bytes (not cleared, up to the part that follows)"
    if _is_text(data[start : min(stop, start + _SAMPLE)]):
        return "text"
    if before and before[-1].words.startswith("fill bytes"):
        return "leftover data after fill bytes"
    maker = _name_maker_tail(data, layout, stop - start)
    if maker is not None:
        return maker
    if data.endswith(b"\xff\xd9", start, stop) and _is_coded(data, start, stop - 2):
        return "the end of another JPEG image's coded data"
    if stop == len(data) and stop % _BLOCK == 0 and stop - start < _MOST_IN_BLOCK:
        return "leftover data up to the end of a storage block"
    return "unknown data"


def _is_coded(data: bytes, start: int, stop: int) -> bool:
    """Only zeros and restarts follow 0xFF: of 2 kB of random data, 1 in 10 to the 11th is so."""
    return stop - start >= 2048 and _NOT_CODED.search(data, start, stop) is None


def _is_text(sample: bytes) -> bool:
    """Nearly all of it is UTF-8 that can be printed, from its first bytes on; a character cut by the sample's
    end does not count.
    """
    text = sample.decode("utf-8", "ignore")
    printable = sum(character.isprintable() or character in "\r\n\t" for character in text)
    is_decoded = len(text.encode()) >= _TEXT_SHARE * len(sample) and sample.startswith(text[:1].encode())
    return is_decoded and printable >= _TEXT_SHARE * len(text)


def _name_maker_tail(data: bytes, layout: JpegLayout | None, size: int) -> str | None:
    """Words for a tail of `size` bytes where the camera that EXIF names is known to write one; else None."""
    bounds = None if layout is None else find_payload(data, layout, EXIF_IDENTIFIER)
    if bounds is None:
        return None
    block = data[bounds[0] : bounds[1]]
    return next(
        (
            f"vendor data (leftover bytes as {maker} cameras write them)"
            for model, largest, maker in _MAKER_TAILS
            if size <= largest and model in block
        ),
        None,
    )
