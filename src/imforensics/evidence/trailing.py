"""What follows the end of an image in its file: data that decoders do not look at."""

from __future__ import annotations

from imforensics.evidence.chunks import walk_chunks
from imforensics.evidence.jpeg_structure import JpegLayout, walk_jpeg

MAX_PARTS = 16
MAX_WALKED_BYTES = 64 * 1024 * 1024  # of an appended JPEG, to find where it ends
_SAMPLE = 4096
_TEXT_SHARE = 0.95

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
)
_ENDS = ((b"SEFT", "a Samsung trailer"),)


def describe_trailing(data: bytes, *, format_name: str, layout: JpegLayout | None) -> tuple[str, ...]:
    """Name what stands after the end of the image.

    Args:
        data: the file.
        format_name: its format by content.
        layout: the JPEG's segments, None for every other format.

    Returns:
        One entry a part, in file order, with its size: "a JPEG image (12,345 bytes)". Empty where nothing
        follows, for a damaged file, and for formats whose end is not marked (TIFF, HEIF, AVIF, GIF, BMP).
    """
    end = _find_end(data, format_name, layout)
    if end is None or end >= len(data):
        return ()
    parts: list[str] = []
    while end < len(data) and len(parts) < MAX_PARTS:
        words, stop = _describe_part(data, end)
        parts.append(f"{words} ({stop - end:,} bytes)")
        end = stop
    if end < len(data):
        parts.append(f"more ({len(data) - end:,} bytes)")
    return tuple(parts)


def _find_end(data: bytes, format_name: str, layout: JpegLayout | None) -> int | None:
    if layout is not None:
        return layout.end
    if format_name == "WEBP":
        size = int.from_bytes(data[4:8], "little")
        return 8 + size + size % 2
    if format_name == "PNG":
        return next((stop for kind, stop in walk_chunks(data, format_name) if kind == b"IEND"), None)
    return None


def _describe_part(data: bytes, start: int) -> tuple[str, int]:
    """Words for the part that begins at `start`, and where it stops."""
    sample = data[start : start + _SAMPLE]
    if not sample.strip(b"\x00"):
        stop = start + len(sample)
        while stop < len(data) and not data[stop : stop + _SAMPLE].strip(b"\x00"):
            stop += _SAMPLE
        return "padding with zeros", min(stop, len(data))
    for identifier, words in _STARTS:
        if sample.startswith(identifier):
            return words, _find_jpeg_stop(data, start) if words == "a JPEG image" else len(data)
    if sample[4:8] == b"ftyp":
        return "a video or image in an ISO media container", len(data)
    for identifier, words in _ENDS:
        if data.endswith(identifier):
            return words, len(data)
    return ("text" if _is_text(sample) else "unknown data"), len(data)


def _find_jpeg_stop(data: bytes, start: int) -> int:
    end = walk_jpeg(data[start : start + MAX_WALKED_BYTES]).end
    return len(data) if end is None else start + end


def _is_text(sample: bytes) -> bool:
    """Nearly all of it is UTF-8 that can be printed; a character cut by the sample's end does not count."""
    text = sample.decode("utf-8", "ignore")
    printable = sum(character.isprintable() or character in "\r\n\t" for character in text)
    is_decoded = len(text.encode()) >= _TEXT_SHARE * len(sample)
    return is_decoded and printable >= _TEXT_SHARE * len(text)
