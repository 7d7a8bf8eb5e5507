"""Bytes to Evidence: hashes, true format, pixels as stored, JPEG structure, metadata."""

from __future__ import annotations

import hashlib
import os
import stat
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import cast

from imforensics.errors import EvidenceError, EvidenceTooLargeError, UnsupportedImageError
from imforensics.evidence.coefficients import KeptCoefficients
from imforensics.evidence.containers import (
    FORMATS,
    identify_format,
    is_cut_start,
    is_extension_of,
    name_near_format,
    name_other_format,
)
from imforensics.evidence.decoding import Decoded, decode_image, unsupported
from imforensics.evidence.jpeg_markers import ARITHMETIC_FRAMES, EXIF_IDENTIFIER
from imforensics.evidence.jpeg_structure import JpegLayout, build_jpeg_info, walk_jpeg
from imforensics.evidence.library_output import caught_output, describe_messages
from imforensics.evidence.metadata import read_metadata
from imforensics.evidence.support import describe_unsupported_jpeg
from imforensics.evidence.truncation import Rest, close_jpeg
from imforensics.evidence.virtual_jpeg import Kept, infer_jpeg
from imforensics.types import DEFAULT_MAX_PIXELS, Evidence, JpegInfo

_CORRUPT = "Corrupt JPEG data"  # libjpeg's words; none of 262 camera originals gives them
LOSSY_FORMATS = frozenset({"JPEG", "HEIF", "AVIF"})  # little of an earlier JPEG is left in them
MAX_FILE_BYTES = 2 * 1024**3  # of 2 GiB: a raw 120-megapixel TIFF with 16 bits a channel has 0.7 GiB
MAX_SCANS = 256  # a progressive photo has about 10; each one costs a pass over all blocks
MESSAGES_IN_ERROR = 3  # of the decoding library's own: the first says why
MAX_EXIF_SEGMENTS = 64  # one is regular; decoders join them in quadratic time


def read_evidence(
    source: Path | bytes, *, name: str | None = None, max_pixels: int = DEFAULT_MAX_PIXELS
) -> Evidence:
    """Read one image file, once, without changing it.

    Args:
        source: path of a regular file, or the content of one.
        name: name to keep for it; by default the path's last part, "-" for bytes.
        max_pixels: an image with more pixels is refused before it is decoded.

    Returns:
        The evidence: pixels (H, W, 3) uint8 RGB as stored, read-only. Of a JPEG that is cut short, what it
        holds whole, see `Evidence.truncation`.

    Raises:
        EvidenceError: missing, not a regular file, empty, over `MAX_FILE_BYTES`, of an unknown format, of a
            kind that is not supported, damaged, or cut short before anything can be decoded.
        EvidenceTooLargeError: more than `max_pixels` pixels, or a decompression bomb.
        ValueError: max_pixels is not positive.
    """
    if max_pixels < 1:
        raise ValueError(f"max_pixels must be at least 1, received {max_pixels}")
    path = None if isinstance(source, bytes) else Path(source)
    kept_name = name if name is not None else ("-" if path is None else path.name)
    label = repr(kept_name)
    data = source if isinstance(source, bytes) else _read_file(Path(source), label)
    if not data:
        raise EvidenceError(f"{label} is empty (0 bytes). Expected an image: {', '.join(FORMATS)}")
    format_name = identify_format(data[:1024])
    if format_name is None:
        raise _unknown_format(data, label)
    layout = _check_jpeg_layout(data, label) if format_name == "JPEG" else None
    messages: list[str] = []
    try:
        with caught_output() as messages:
            decoded, rest = _decode(data, layout, format_name=format_name, label=label, max_pixels=max_pixels)
            metadata, orientation = read_metadata(
                data, format_name=format_name, info=decoded.info, layout=layout
            )
    except EvidenceError as error:
        said = describe_messages(["; ".join(messages[:MESSAGES_IN_ERROR])] if messages else [])
        raise type(error)(" ".join([str(error), *(f"({words})" for words in said)])) from None
    cut_short = [] if rest.truncation is None else [rest.truncation.describe()]
    notes = [*cut_short, *decoded.notes, *describe_messages(messages)]
    sha256 = hashlib.sha256(data).hexdigest()
    # Held anyway: a JPEG for its coefficients, bytes by the caller. Everything else is read again on demand.
    if path is None or layout is not None:
        content_reader = partial(bytes, data)
    else:
        content_reader = partial(_read_again, path, label, sha256)
    return Evidence(
        name=kept_name,
        path=path,
        size_bytes=len(data),
        sha256=sha256,
        pixel_sha256=hashlib.sha256(decoded.pixels.data).hexdigest(),
        format=format_name,
        has_matching_extension=is_extension_of(kept_name, format_name),
        mode=decoded.mode,
        pixels=decoded.pixels,
        orientation=_display_orientation(decoded, orientation, notes),
        frame_count=decoded.frame_count,
        jpeg=_describe_jpeg(data, rest.content, layout, notes),
        metadata=metadata,
        notes=(*notes, *_note_frames(decoded)),
        content_reader=content_reader,
        truncation=rest.truncation,
        history_reader=None if format_name in LOSSY_FORMATS else Kept(infer_jpeg, decoded.pixels),
    )


def _decode(
    data: bytes, layout: JpegLayout | None, *, format_name: str, label: str, max_pixels: int
) -> tuple[Decoded, Rest]:
    """The decoded file, or what a JPEG without its end holds whole, with the bytes that were decoded.

    Decoders may fill what is missing without a word: where the end-of-image marker is missing, what is there
    is counted whatever they say.
    """
    decoded = None
    try:
        decoded = decode_image(data, format_name=format_name, label=label, max_pixels=max_pixels)
    except (EvidenceTooLargeError, UnsupportedImageError):
        raise
    except EvidenceError:
        if layout is None or layout.end is not None:
            if layout is not None and layout.frame is not None and layout.frame.code in ARITHMETIC_FRAMES:
                # Pillow hands the data over in pieces, which libjpeg cannot take in arithmetic coding
                kind = "an arithmetic-coded JPEG. Write it anew without loss: jpegtran IN.jpg > OUT.jpg"
                raise unsupported(label, kind) from None
            raise
    if decoded is not None and (layout is None or layout.end is not None):
        return decoded, Rest(data, None)
    try:
        rest = close_jpeg(data, cast("JpegLayout", layout), label=label, max_pixels=max_pixels)
    except EvidenceError:
        if decoded is None:
            raise
        return decoded, Rest(data, None)  # `describe_damage` tells what its coefficients lack
    return decode_image(rest.content, format_name=format_name, label=label, max_pixels=max_pixels), rest


def _unknown_format(data: bytes, label: str) -> EvidenceError:
    start, expected = data[:8].hex(" "), f"Expected one of {', '.join(FORMATS)}"
    other, near = name_other_format(data), name_near_format(data)
    if other is not None:
        return UnsupportedImageError(
            f"{label} is {other}, which is not read. {expected}; convert it without loss"
        )
    if near is not None and is_cut_start(data):
        return EvidenceError(
            f"{label} ends after {len(data)} bytes, the first of a {near}. Get a complete copy of the file"
        )
    if near is not None:
        return EvidenceError(
            f"{label} begins nearly like a {near}, with the bytes {start}: these were changed, as by "
            "damage or a transfer as text. Get another copy of the file"
        )
    return EvidenceError(
        f"{label} is not an image of a known format: it starts with the bytes {start}. "
        f"{expected}; convert it without loss, or check what it is"
    )


def describe_damage(evidence: Evidence) -> str | None:
    """Why nothing may be stated on these pixels: some of the coded data are missing or damaged.

    Decoders fill what is missing with gray or guesses, and only the one that reads the coefficients says so.

    Returns:
        A clause; None for whole data, and as long as nobody has read the coefficients.
    """
    if evidence.truncation is not None:
        return evidence.truncation.describe()
    damage = [text for text in _late_messages(evidence) if text.startswith(_CORRUPT)]
    return f"some of the coded data are missing or damaged ({damage[0]})" if damage else None


def _late_messages(evidence: Evidence) -> tuple[str, ...]:
    """What the decoder of the coefficients said, but of what was closed here and not in the file."""
    reader = None if evidence.jpeg is None else evidence.jpeg.coefficient_reader
    messages = reader.messages if isinstance(reader, KeptCoefficients) else ()
    is_closed = evidence.truncation is not None
    return tuple(text for text in messages if not (is_closed and text.startswith(_CORRUPT)))


def add_late_notes(evidence: Evidence) -> Evidence:
    """The evidence with what the decoder of its coefficients had to say since it was read."""
    late = describe_messages(_late_messages(evidence))
    new = [note for note in late if note not in evidence.notes]
    return replace(evidence, notes=(*evidence.notes, *new)) if new else evidence


def _read_again(path: Path, label: str, sha256: str) -> bytes:
    data = _read_file(path, label)
    if hashlib.sha256(data).hexdigest() != sha256:
        raise EvidenceError(f"{label} changed since it was read. Analyze a copy that nobody writes to")
    return data


def _read_file(path: Path, label: str) -> bytes:
    """The whole file, opened read-only; a pipe or device is refused instead of waited for."""
    try:
        descriptor = os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0))
    except FileNotFoundError:
        raise EvidenceError(f"{label} does not exist. Check the path") from None
    except (OSError, ValueError) as error:  # ValueError: a NUL in the name
        reason = getattr(error, "strerror", None) or str(error)
        raise EvidenceError(
            f"{label} cannot be opened: {reason}. Check the path and its permissions"
        ) from None
    try:
        _check_file_status(os.fstat(descriptor), label)
        with open(descriptor, "rb", closefd=False) as stream:
            return stream.read(MAX_FILE_BYTES + 1)
    except (OSError, MemoryError) as error:
        raise EvidenceError(f"{label} cannot be read: {error}. Check the disk and the free memory") from None
    finally:
        os.close(descriptor)


def _check_file_status(status: os.stat_result, label: str) -> None:
    if stat.S_ISDIR(status.st_mode):
        raise EvidenceError(f"{label} is a folder. Name a file in it, or scan the folder")
    if not stat.S_ISREG(status.st_mode):
        raise EvidenceError(f"{label} is a pipe or device, not a file. Save its content to a file first")
    if status.st_size > MAX_FILE_BYTES:
        raise EvidenceError(
            f"{label} has {status.st_size} bytes, more than the {MAX_FILE_BYTES} that are read. "
            "Cut the image out of it without re-encoding"
        )


def _check_jpeg_layout(data: bytes, label: str) -> JpegLayout:
    """Refuse, before a decoder sees it, a JPEG that it cannot decode or that is built to cost too much."""
    layout = walk_jpeg(data)
    if layout.scan_count > MAX_SCANS:
        raise EvidenceError(
            f"{label} has {layout.scan_count} scans, more than the {MAX_SCANS} that are decoded: no encoder "
            "writes so many, and each costs a pass over the image. "
            "Re-save it without loss (jpegtran) to analyze it"
        )
    kind = describe_unsupported_jpeg(layout)
    if kind is not None:
        raise unsupported(label, kind)
    if layout.frame is not None and layout.frame.precision != 8:
        raise EvidenceError(
            f"{label}: the frame header of this JPEG is damaged: it declares {layout.frame.precision} bits a "
            "sample, where 8 or 12 are possible. Get another copy of the file"
        )
    blocks = sum(
        segment.code == 0xE1 and data.startswith(EXIF_IDENTIFIER, segment.payload, segment.payload_stop)
        for segment in layout.segments
    )
    if blocks > MAX_EXIF_SEGMENTS:
        raise EvidenceError(
            f"{label} has {blocks} EXIF segments, more than the {MAX_EXIF_SEGMENTS} that are read; one is "
            "regular. Strip its metadata without re-encoding to analyze the pixels"
        )
    return layout


def _describe_jpeg(data: bytes, coded: bytes, layout: JpegLayout | None, notes: list[str]) -> JpegInfo | None:
    if layout is None:
        return None
    notes.extend(f"JPEG structure: {problem}" for problem in layout.problems[:10])
    if layout.has_16_bit_tables:
        notes.append("JPEG structure: a quantization table is stored with 16 bits an entry")
    try:
        return build_jpeg_info(data, layout, coded=coded)
    except EvidenceError as error:
        notes.append(f"JPEG structure: not readable, methods that need it are left out: {error}")
        return None


def _display_orientation(decoded: Decoded, orientation: int, notes: list[str]) -> int:
    if not decoded.is_orientation_applied:
        return orientation
    if orientation != 1:
        notes.append(
            f"the file's rotation properties (irot, imir; orientation {orientation} in EXIF's numbers) are "
            "applied by the decoder, which cannot leave them out: the pixels are upright and not as stored"
        )
    return 1


def _note_frames(decoded: Decoded) -> tuple[str, ...]:
    if decoded.frame_count == 1:
        return ()
    return (f"{decoded.frame_count} frames: only the first is analyzed",)
