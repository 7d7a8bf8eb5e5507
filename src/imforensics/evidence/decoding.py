"""Bytes to pixels as stored, through Pillow and pillow-heif; sizes are checked before anything is decoded."""

from __future__ import annotations

import io
import struct
import warnings
import zlib
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from threading import RLock
from typing import Any

import numpy as np
from PIL import Image, ImageFile, PngImagePlugin, UnidentifiedImageError

from imforensics.errors import EvidenceError, EvidenceTooLargeError, UnsupportedImageError
from imforensics.evidence.chunks import TEXT_CHUNKS, drop_chunks
from imforensics.evidence.conversion import convert_to_rgb
from imforensics.evidence.support import describe_unsupported
from imforensics.types import UInt8Array

# What decoders raise on damaged input. Caught around calls into decoders only.
DECODER_ERRORS = (
    *(OSError, SyntaxError, ValueError, TypeError, AttributeError, AssertionError, MemoryError, EOFError),
    *(ArithmeticError, LookupError, RuntimeError, struct.error, zlib.error, Image.DecompressionBombError),
)
# Pillow turns a TIFF by its orientation tag; these undo it exactly, on rows and columns.
_UNDO_ORIENTATION: Mapping[int, Callable[[UInt8Array], UInt8Array]] = {
    2: lambda pixels: pixels[:, ::-1],
    3: lambda pixels: pixels[::-1, ::-1],
    4: lambda pixels: pixels[::-1],
    5: lambda pixels: pixels.swapaxes(0, 1),
    6: lambda pixels: pixels.swapaxes(0, 1)[::-1],
    7: lambda pixels: pixels[::-1, ::-1].swapaxes(0, 1),
    8: lambda pixels: pixels.swapaxes(0, 1)[:, ::-1],
}
SIDEWAYS = frozenset({5, 6, 7, 8})  # the orientations that swap height and width
_limit_lock = RLock()


@dataclass(frozen=True, slots=True)
class Decoded:
    """One decoded file.

    Attributes:
        pixels: (H, W, 3) uint8 RGB, read-only.
        mode: pixel mode as stored.
        frame_count: number of frames, 1 where it cannot be told.
        notes: conversions done, in words.
        info: what the decoder found beside the pixels: "icc_profile".
        is_orientation_applied: the decoder has turned the pixels and cannot do otherwise.
    """

    pixels: UInt8Array
    mode: str
    frame_count: int
    notes: tuple[str, ...]
    info: Mapping[str, Any] = field(default_factory=dict)
    is_orientation_applied: bool = False


def decode_image(data: bytes, *, format_name: str, label: str, max_pixels: int) -> Decoded:
    """Decode the first frame.

    Args:
        data: the file.
        format_name: its format by content, a name of `containers.FORMATS`.
        label: how the file is called in messages.
        max_pixels: an image with more is refused before it is decoded.

    Returns:
        Pixels as stored and what stands beside them.

    Raises:
        UnsupportedImageError: the decoder refuses a kind of image that the file declares to be.
        EvidenceError: the decoder refuses the data.
        EvidenceTooLargeError: the image is larger than `max_pixels` or its data are a decompression bomb.
    """
    decode = _decode_heif if format_name == "HEIF" else _decode_with_pillow
    try:
        return decode(data, format_name, label, max_pixels)
    except EvidenceError:
        raise
    except (Image.DecompressionBombError, Image.DecompressionBombWarning):
        raise _too_large(label, format_name, None, max_pixels) from None
    except MemoryError:
        raise EvidenceTooLargeError(
            f"{label}: not enough memory to decode this {format_name}. Lower max_pixels, or free memory"
        ) from None
    except DECODER_ERRORS as error:
        if "MAX_TEXT" in str(error):  # Pillow's limit of a megabyte, which profiles in text chunks exceed
            bare, dropped = drop_chunks(data, TEXT_CHUNKS)
            if dropped:
                return decode_image(bare, format_name=format_name, label=label, max_pixels=max_pixels)
            raise EvidenceTooLargeError(
                f"{label}: the colour profile of this PNG unpacks to over {PngImagePlugin.MAX_TEXT_CHUNK} "
                "bytes: a decompression bomb. Remove it to analyze the pixels"
            ) from None
        reason = describe_error(error)
        rest = _decode_critical_chunks(data, label, max_pixels, reason) if format_name == "PNG" else None
        if rest is not None:
            return rest
        kind = describe_unsupported(data, format_name)
        if kind is not None:
            raise unsupported(label, kind) from None
        raise EvidenceError(
            f"{label}: the {format_name} data are damaged or cut short ({reason}). "
            "Get a complete copy of the file"
        ) from None


def _decode_critical_chunks(data: bytes, label: str, max_pixels: int, reason: str) -> Decoded | None:
    """The pixels of a PNG that is damaged only in chunks which they do not need; else None."""
    bare, dropped = drop_chunks(data)
    has_palette_colors = bare[25:26] == b"\x03"  # a palette whose name is damaged is not made up
    if not dropped or (has_palette_colors and b"PLTE" not in bare):
        return None
    try:
        decoded = _decode_with_pillow(bare, "PNG", label, max_pixels)
    except DECODER_ERRORS:
        return None
    names = ", ".join(dropped[:10])
    note = f"a chunk beside the pixels is damaged ({reason}): {names} are there and were not read"
    return replace(decoded, notes=(note, *decoded.notes))


def unsupported(label: str, kind: str) -> UnsupportedImageError:
    """The error for a file of a kind that is not read, in the words of `support`."""
    return UnsupportedImageError(
        f"{label} is not supported, which does not mean that it is damaged: it is {kind}"
    )


def _decode_with_pillow(data: bytes, format_name: str, label: str, max_pixels: int) -> Decoded:
    notes: list[str] = []
    with warnings.catch_warnings(record=True) as caught, _pillow_limit() as set_limit:
        warnings.simplefilter("always")
        warnings.simplefilter("error", Image.DecompressionBombWarning)
        image = Image.open(io.BytesIO(_hide_resources(data, format_name)), formats=[format_name])
        width, height = image.size
        if width * height > max_pixels:
            raise _too_large(label, format_name, (height, width), max_pixels)
        set_limit(max_pixels)
        mode, stored_notes = image.mode, _describe_storage(image)
        orientation = applied_orientation(image)
        image.load()
        pixels, conversion_notes = convert_to_rgb(image)
        frame_count = _count_frames(image, notes)
        info = {"icc_profile": image.info.get("icc_profile")}
    pixels = undo_orientation(pixels, orientation)
    pixels.flags.writeable = False
    words = dict.fromkeys(f"the decoder warns: {' '.join(str(w.message).split())[:200]}" for w in caught)
    return Decoded(
        pixels=pixels,
        mode=mode,
        frame_count=frame_count,
        notes=(*stored_notes, *conversion_notes, *notes, *list(words)[:10]),
        info=info,
    )


def applied_orientation(image: Image.Image) -> int:
    """The EXIF orientation by which Pillow turns a picture as it loads it: 1 but for TIFF; ask before."""
    orientation = image.getexif().get(0x0112, 1) if image.format == "TIFF" else 1
    return int(orientation) if orientation in _UNDO_ORIENTATION else 1


def undo_orientation(pixels: UInt8Array, orientation: int) -> UInt8Array:
    """Pixels (H, W[, C]) as stored, of those that Pillow has turned by `applied_orientation`."""
    undo = _UNDO_ORIENTATION.get(orientation)
    return pixels if undo is None else np.ascontiguousarray(undo(pixels))


def _hide_resources(data: bytes, format_name: str) -> bytes:
    """A JPEG whose image resources Pillow steps over: where a segment cuts one, it would refuse the file."""
    return data.replace(b"Photoshop 3.0\x008BIM", b"Photoshop 3.0\xff8BIM") if format_name == "JPEG" else data


def _decode_heif(data: bytes, format_name: str, label: str, max_pixels: int) -> Decoded:
    import pillow_heif

    container = pillow_heif.open_heif(data)
    picture = container[container.primary_index]
    width, height = picture.size
    if width * height > max_pixels:
        raise _too_large(label, format_name, (height, width), max_pixels)
    image = Image.frombytes(
        picture.mode, picture.size, bytes(picture.data), "raw", picture.mode, picture.stride
    )
    pixels, notes = convert_to_rgb(image)
    pixels.flags.writeable = False
    depth = picture.info.get("bit_depth", 8)
    if depth > 8:
        notes = (f"{depth} bits a channel brought down to 8 by the decoder", *notes)
    return Decoded(
        pixels=pixels,
        mode=picture.mode,
        frame_count=len(container),
        notes=notes,
        info={"icc_profile": picture.info.get("icc_profile")},
        is_orientation_applied=True,
    )


@contextmanager
def _pillow_limit() -> Iterator[Callable[[int], None]]:
    """Pillow's own bomb check: off while the header is read (we check the size ourselves, and can then name
    it), at our limit from the call of the yielded function on, for what is decoded later (tiles, frames).
    """

    def set_limit(max_pixels: int) -> None:
        Image.MAX_IMAGE_PIXELS = max_pixels

    with _limit_lock:
        before = Image.MAX_IMAGE_PIXELS
        Image.MAX_IMAGE_PIXELS = None
        try:
            yield set_limit
        finally:
            Image.MAX_IMAGE_PIXELS = before


def describe_error(error: BaseException) -> str:
    """The decoder's reason on one line, without the address of an object in it."""
    if isinstance(error, UnidentifiedImageError):
        return "the header is not valid"
    return " ".join(str(error).split())[:200] or type(error).__name__


def _too_large(
    label: str, format_name: str, size: tuple[int, int] | None, max_pixels: int
) -> EvidenceTooLargeError:
    what = f"this {format_name}" if size is None else f"this {format_name} of {size[1]} x {size[0]} pixels"
    return EvidenceTooLargeError(
        f"{label}: {what} is over the limit of max_pixels = {max_pixels}. "
        "Raise max_pixels if the file is trusted and memory allows (about 10 bytes a pixel)"
    )


def _describe_storage(image: ImageFile.ImageFile) -> tuple[str, ...]:
    """Losses that happen inside the decoder: Pillow keeps the high byte of 16-bit color."""
    raw_modes = {
        str(tile.args if isinstance(tile.args, str) else tile.args[0]) for tile in image.tile if tile.args
    }
    if image.mode in {"RGB", "RGBA", "LA", "CMYK"} and any(";16" in raw_mode for raw_mode in raw_modes):
        return ("16 bits a channel: the high byte is kept",)
    return ()


def _count_frames(image: ImageFile.ImageFile, notes: list[str]) -> int:
    try:
        count = int(getattr(image, "n_frames", 1))
    except DECODER_ERRORS:
        notes.append("the number of frames cannot be read; the first frame is analyzed")
        return 1
    return max(count, 1)
