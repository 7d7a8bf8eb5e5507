"""Error level analysis: how much each pixel changes when the image is saved once more as JPEG.

Reference: N. Krawetz, "A Picture's Worth: Digital Image Analysis and Forensics", Black Hat USA 2007 (no DOI).
The residual is |pixels - resave(pixels)|, taken channel by channel.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from imforensics.preprocessing.jpeg import Subsampling, check_pixels, decode_own_jpeg, encode_jpeg

if TYPE_CHECKING:
    from collections.abc import Iterator

    from imforensics.types import FloatArray, UInt8Array

DEFAULT_QUALITY = 90  # the resave quality of the paper and of most ELA tools
PICTURE_SCALE = 15  # a residual of 17 of 255 shows white; the residual of a photo at quality 90 stays below
_BAND_BYTES = 400_000  # of a band for the subtraction: three of them stay in a 2 MB second-level cache
_STRIP_PIXELS = (
    2_000_000  # of a strip for the resave: 16 MB with Pillow's copies, fastest of 0.5 to 6 million
)
_CONTEXT = 16  # rows: the tallest coding unit (4:2:0); strips start at multiples of it


def ela_residual(
    pixels: UInt8Array, *, quality: int = DEFAULT_QUALITY, subsampling: Subsampling = "4:2:0"
) -> FloatArray:
    """Absolute difference between an image and its resave.

    Args:
        pixels: (H, W, 3) uint8 RGB, as stored.
        quality: IJG quality of the resave, 1-100.
        subsampling: chroma subsampling of the resave.

    Returns:
        (H, W, 3) float32 in [0, 255], integer values, unit: gray levels.

    Raises:
        TypeError, ValueError: as `encode_jpeg`.

    >>> float(ela_residual(np.full((16, 16, 3), 128, np.uint8)).max())
    0.0
    """
    check_pixels(pixels)
    residual = np.empty(pixels.shape, dtype=np.float32)
    for top, band in iterate_residual(pixels, quality=quality, subsampling=subsampling):
        residual[top : top + len(band)] = band
    return residual


def iterate_residual(
    pixels: UInt8Array, *, quality: int = DEFAULT_QUALITY, subsampling: Subsampling = "4:2:0"
) -> Iterator[tuple[int, UInt8Array]]:
    """The ELA residual band by band, so that a large photo needs no array of its own size.

    The image is saved again in strips, which stay in the cache where the whole would not. The pixels are
    those of one resave, bit by bit: blocks are coded one by one, and the 16 rows of context above and below a
    strip hold the neighbours that the decoder interpolates chroma from.

    Args and errors as for `ela_residual`.

    Yields:
        (first row, residual): residual is (rows, W, 3) uint8, rows a multiple of 8 but for the last band.
        The array is used again for the next band: copy what is to be kept.
    """
    check_pixels(pixels)
    height, width = pixels.shape[:2]
    rows = max(_CONTEXT, _BAND_BYTES // (3 * width) // _CONTEXT * _CONTEXT)
    strip = max(rows, _STRIP_PIXELS // width // rows * rows)
    larger = np.empty((min(rows, height), width, 3), dtype=np.uint8)
    smaller = np.empty_like(larger)
    for strip_top in range(0, height, strip):
        strip_bottom = min(strip_top + strip, height)
        start = max(strip_top - _CONTEXT, 0)
        data = encode_jpeg(pixels[start : strip_bottom + _CONTEXT], quality=quality, subsampling=subsampling)
        resaved = decode_own_jpeg(data)
        for top in range(strip_top, strip_bottom, rows):
            bottom = min(top + rows, strip_bottom)
            band = pixels[top:bottom]
            packed = resaved.crop((0, top - start, width, bottom - start)).tobytes()
            other = np.frombuffer(packed, dtype=np.uint8).reshape(band.shape)
            difference = larger[: bottom - top]
            np.maximum(band, other, out=difference)
            difference -= np.minimum(band, other, out=smaller[: bottom - top])
            yield top, difference


def ela_picture(residual: FloatArray | UInt8Array, *, scale: int = PICTURE_SCALE) -> UInt8Array:
    """The residual made visible on a fixed scale: brightness = residual x scale, white from 255 / scale on.

    Two pictures at one scale can be compared, since nothing depends on the single image.

    Args:
        residual: ELA residual of any shape, in [0, 255].
        scale: factor, 1-255; print it in the caption.

    Returns:
        uint8 of the shape of `residual`, rounded down.

    Raises:
        ValueError: `scale` is not from 1 to 255.

    >>> ela_picture(np.array([0.0, 2.0, 40.0], np.float32), scale=15)
    array([  0,  30, 255], dtype=uint8)
    """
    if not 1 <= scale <= 255:
        raise ValueError(f"Expected scale from 1 to 255; received {scale}")
    if residual.dtype != np.uint8:
        return np.asarray(np.minimum(residual * np.float32(scale), 255), dtype=np.uint8)
    table = np.minimum(np.arange(256) * scale, 255).astype(np.uint8)
    return np.asarray(table[residual.astype(np.uint8, copy=False)])
