"""What a caller hands over to be read: a path, bytes, a Pillow image or an array → the file behind it.

Forensics needs the file as it was received. A picture in memory has lost how it was compressed and its
metadata: where its file is at hand that is taken instead, else the picture becomes a PNG that says so.
"""

from __future__ import annotations

import hashlib
import os
import warnings
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias

import numpy as np

from imforensics.errors import EvidenceError
from imforensics.evidence.library_output import caught_output

if TYPE_CHECKING:
    from PIL.Image import Image

    from imforensics.types import UInt8Array

Source: TypeAlias = "str | os.PathLike[str] | bytes | bytearray | memoryview | Image | UInt8Array"

LOST = "how it was compressed before is lost, and its metadata; it was encoded as PNG to be analyzed"
_PNG_LEVEL = 1  # the pixels are the same at every level, and nobody keeps the file


@dataclass(frozen=True, slots=True)
class Received:
    """The file behind a source.

    Attributes:
        content: its path or its bytes.
        name: what to call it; None for the path's own name.
        notes: what was done to get at it, in words.
    """

    content: Path | bytes
    name: str | None = None
    notes: tuple[str, ...] = ()


def receive(source: Source) -> Received:
    """Find the file behind a source.

    Args:
        source: path or bytes of a file; a Pillow image; or an array, (H, W, 3) uint8 RGB.

    Raises:
        EvidenceError: it is none of these, or a picture that no PNG can hold.
    """
    from PIL.Image import Image

    if isinstance(source, str | os.PathLike):
        return Received(Path(source))
    if isinstance(source, bytes | bytearray | memoryview):
        return Received(bytes(source), "bytes in memory")
    if isinstance(source, Image):
        return _receive_image(source)
    if isinstance(source, np.ndarray):
        return _receive_array(source)
    raise EvidenceError(
        "expected a path, the bytes of a file, a PIL image or a uint8 array (H, W, 3), "
        f"received {type(source).__name__}. Pass the path of the file where there is one"
    )


def _receive_image(image: Image) -> Received:
    original = _find_original(image)
    if original is None:
        return Received(
            _encode_png(image), "image in memory", (f"from a PIL image without its file: {LOST}",)
        )
    if _is_decoded_from(image, original.content):
        return original
    note = f"from a PIL image that is not, or no longer, as in its file: {LOST}"
    return Received(_encode_png(image), "image in memory", (note,))


def _receive_array(pixels: UInt8Array) -> Received:
    if pixels.dtype != np.uint8 or pixels.ndim != 3 or pixels.shape[2] != 3 or pixels.size == 0:
        raise EvidenceError(
            f"expected an array (H, W, 3) of uint8, RGB, received {pixels.dtype} {pixels.shape}. "
            "Convert it, or pass the path of the file that it was read from"
        )
    from PIL import Image

    return Received(
        _encode_png(Image.fromarray(pixels)), "array in memory", (f"from an array of pixels: {LOST}",)
    )


def _find_original(image: Image) -> Received | None:
    """The file that Pillow opened: by its path, or from the file object while that is open."""
    name = getattr(image, "filename", "")
    path = Path(os.fsdecode(name)) if name else None
    if path is not None and path.is_file():
        return Received(path)
    stream = getattr(image, "fp", None)
    if stream is None:
        return None
    try:
        position = stream.tell()
        stream.seek(0)
        content = stream.read()
        stream.seek(position)
    except (OSError, ValueError):  # closed, or not to be read again
        return None
    return None if not content else Received(content, "image in memory")


def _is_decoded_from(image: Image, content: Path | bytes) -> bool:
    """Whether the image shows what its file holds: it was not edited, nor moved to another frame."""
    from PIL import Image as PillowImage

    with caught_output(), warnings.catch_warnings():  # what there is to say is said where the file is read
        warnings.simplefilter("ignore")
        try:
            shown = _digest(image)
        except Exception:  # whatever Pillow raises: it could not be decoded, so nobody has edited it
            return True
        try:
            with PillowImage.open(content if isinstance(content, Path) else BytesIO(content)) as again:
                return _digest(again) == shown
        except Exception:  # the file has become another one
            return False


def _digest(image: Image) -> tuple[str, tuple[int, int], list[int] | None, bytes]:
    pixels = image.tobytes()  # decodes: before this, mode and palette may not be final
    return image.mode, image.size, image.getpalette(), hashlib.sha256(pixels).digest()


def _encode_png(image: Image) -> bytes:
    stream = BytesIO()
    try:
        image.save(stream, "PNG", compress_level=_PNG_LEVEL)
    except (OSError, ValueError) as error:
        raise EvidenceError(
            f"a PIL image of mode {image.mode} and size {image.size} cannot be encoded as PNG: {error}. "
            "Pass its file, or image.convert('RGB')"
        ) from None
    return stream.getvalue()
