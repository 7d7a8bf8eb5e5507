"""JPEG in memory: encode, decode, save again. Nothing touches the disk."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, Any, Literal, get_args

import numpy as np
from PIL import Image, JpegImagePlugin

from imforensics.errors import EvidenceError, EvidenceTooLargeError
from imforensics.types import DEFAULT_MAX_PIXELS

if TYPE_CHECKING:
    from collections.abc import Sequence

    from imforensics.types import UInt8Array, UInt16Array

Subsampling = Literal["4:4:4", "4:2:2", "4:2:0"]
MAX_SIDE = 65_500  # libjpeg's JPEG_MAX_DIMENSION; the format itself ends at 65,535


def encode_jpeg(
    pixels: UInt8Array,
    *,
    quality: int | None = None,
    tables: Sequence[UInt16Array] | None = None,
    subsampling: Subsampling = "4:2:0",
    progressive: bool = False,
) -> bytes:
    """Encode pixels as a JPEG file, with exactly one of `quality` and `tables`.

    Args:
        pixels: (H, W, 3) uint8 RGB, or (H, W) uint8 gray; each side at most 65,500.
        quality: IJG quality, 1-100.
        tables: 1-3 quantization tables, (8, 8) divisors 1-255 each, natural (row-major) order; luma first.
            The last one serves the remaining components. A gray image takes the first alone.
        subsampling: of the chroma; without effect on a gray image.
        progressive: progressive scans instead of sequential ones.

    Returns:
        The file's bytes.

    Raises:
        TypeError: `pixels` is not uint8.
        ValueError: wrong shape, quality, tables or subsampling; divisors above 255 need 12-bit or extended
            JPEG, which is not written here.

    >>> encode_jpeg(np.zeros((8, 8, 3), np.uint8), quality=90)[:2].hex()
    'ffd8'
    """
    check_pixels(pixels, allow_gray=True)
    settings = _encoder_settings(quality, tables, subsampling, is_gray=pixels.ndim == 2)
    buffer = io.BytesIO()
    Image.fromarray(np.ascontiguousarray(pixels)).save(buffer, "JPEG", progressive=progressive, **settings)
    return buffer.getvalue()


def decode_jpeg(data: bytes, *, max_pixels: int = DEFAULT_MAX_PIXELS) -> UInt8Array:
    """Decode a JPEG file.

    Args:
        data: the file's bytes.
        max_pixels: larger images are refused before decoding.

    Returns:
        (H, W, 3) uint8 RGB as stored, never rotated; a gray file gives three equal channels.

    Raises:
        EvidenceError: `data` is not a JPEG, or is damaged.
        EvidenceTooLargeError: more than `max_pixels` pixels.

    >>> decode_jpeg(encode_jpeg(np.zeros((5, 7), np.uint8), quality=90)).shape
    (5, 7, 3)
    """
    try:
        image = JpegImagePlugin.JpegImageFile(io.BytesIO(data))
        _check_size(image.height, image.width, max_pixels)
        return _to_array(image if image.mode == "RGB" else image.convert("RGB"))
    except (OSError, SyntaxError, ValueError) as error:
        raise EvidenceError(
            f"Expected the bytes of a JPEG file, which could not be decoded: {error}"
        ) from None


def resave_jpeg(pixels: UInt8Array, *, quality: int, subsampling: Subsampling = "4:2:0") -> UInt8Array:
    """Encode pixels as JPEG and decode them again; arguments and errors as for `encode_jpeg`.

    Returns:
        (H, W, 3) uint8 RGB; a gray image gives three equal channels.

    >>> resave_jpeg(np.full((8, 8, 3), 128, np.uint8), quality=90).max()
    np.uint8(128)
    """
    return _to_array(decode_own_jpeg(encode_jpeg(pixels, quality=quality, subsampling=subsampling)))


def decode_own_jpeg(data: bytes) -> Image.Image:
    """Decode bytes that `encode_jpeg` has made to an RGB Pillow image, without limits on the size.

    Pillow's own limit guards against hostile files; it would refuse the resave of a large photo that was
    accepted as evidence.
    """
    image = JpegImagePlugin.JpegImageFile(io.BytesIO(data))
    image.load()
    return image if image.mode == "RGB" else image.convert("RGB")


def check_pixels(pixels: UInt8Array, *, allow_gray: bool = False) -> None:
    """Refuse what is not an (H, W, 3) uint8 image ((H, W) too with `allow_gray`) of at least one pixel.

    Raises:
        TypeError: not a uint8 array.
        ValueError: any other shape, or no pixels.
    """
    if not isinstance(pixels, np.ndarray) or pixels.dtype != np.uint8:
        received = getattr(pixels, "dtype", type(pixels).__name__)
        raise TypeError(
            f"Expected pixels as a uint8 array in [0, 255]; received {received}. Scale and cast it."
        )
    is_gray = allow_gray and pixels.ndim == 2
    is_rgb = pixels.ndim == 3 and pixels.shape[-1] == 3
    if not (is_gray or is_rgb) or pixels.size == 0:
        expected = "(H, W, 3) or (H, W)" if allow_gray else "(H, W, 3)"
        raise ValueError(f"Expected pixels of shape {expected} with H, W >= 1; received shape {pixels.shape}")


def _encoder_settings(
    quality: int | None, tables: Sequence[UInt16Array] | None, subsampling: str, *, is_gray: bool
) -> dict[str, Any]:
    """Keyword arguments of Pillow's JPEG writer."""
    if subsampling not in get_args(Subsampling):
        raise ValueError(
            f"Expected subsampling to be one of {get_args(Subsampling)}; received {subsampling!r}"
        )
    settings: dict[str, Any] = {} if is_gray else {"subsampling": subsampling}
    if tables is not None and quality is None:
        checked = [_check_table(table) for table in tables]
        if not 1 <= len(checked) <= 3:
            raise ValueError(f"Expected 1 to 3 quantization tables; received {len(checked)}")
        return settings | {"qtables": checked[:1] if is_gray else checked}
    if quality is None or tables is not None:
        raise ValueError("Expected exactly one of quality and tables; give the other one up")
    if isinstance(quality, bool) or not isinstance(quality, int | np.integer) or not 1 <= quality <= 100:
        raise ValueError(f"Expected quality to be an integer from 1 to 100; received {quality!r}")
    return settings | {"quality": int(quality)}


def _check_table(table: UInt16Array) -> list[int]:
    """The 64 divisors in natural order, as Pillow takes them (it does the zigzag itself)."""
    divisors = np.asarray(table)
    if divisors.shape != (8, 8) or not np.issubdtype(divisors.dtype, np.integer):
        raise ValueError(
            f"Expected each quantization table as (8, 8) integers; received {divisors.shape} {divisors.dtype}"
        )
    if divisors.min() < 1 or divisors.max() > 255:
        raise ValueError(
            f"Expected divisors from 1 to 255 (baseline JPEG); received {divisors.min()} to {divisors.max()}."
            " 16-bit tables are not written: clip them, or leave this file out"
        )
    return [int(divisor) for divisor in divisors.ravel()]


def _check_size(height: int, width: int, max_pixels: int) -> None:
    if height * width > max_pixels:
        raise EvidenceTooLargeError(
            f"The image has {height * width} pixels ({width} x {height}), more than max_pixels = {max_pixels}"
        )


def _to_array(image: Image.Image) -> UInt8Array:
    """A writable copy of an RGB image."""
    return np.array(image, dtype=np.uint8)
