"""Pictures for people: pure functions from arrays to uint8 RGB, on fixed scales, never stretched per image.

Everything is reduced by area average before it is coloured: a report shows, the raw maps are for measuring.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from imforensics.report.colormap import colormap
from imforensics.report.encoding import encode_jpeg
from imforensics.types import BoolArray, FloatArray, LocalizationMap, UInt8Array

LONGEST = 1024  # longest side of a picture in a report: sharp across an A4 page at 150 dpi
OVERLAY_ALPHA = (0.15, 0.75)  # opacity of the map on the overlay at the values 0 and 1
HATCH_LIGHT, HATCH_DARK = 225, 120  # gray levels of the stripes over what cannot be analysed
_HATCHES = 64  # stripes along the longest side
_OUTLINES = 400  # widths of an outline along the longest side
_PREVIEW_QUALITY = 80
# EXIF orientation: whether rows and columns change places, then the direction of the rows and of the columns.
_TURNS = {
    1: (False, 1, 1),
    2: (False, 1, -1),
    3: (False, -1, -1),
    4: (False, -1, 1),
    5: (True, 1, 1),
    6: (True, 1, -1),
    7: (True, -1, -1),
    8: (True, -1, 1),
}
_GRAY_WEIGHTS = np.array([0.299, 0.587, 0.114], dtype=np.float32)  # luma, ITU-R BT.601


def display_picture(pixels: UInt8Array, *, longest: int = LONGEST, orientation: int = 1) -> UInt8Array:
    """A picture small enough to show, turned upright.

    Args:
        pixels: (H, W) or (H, W, 3) uint8.
        longest: longest side of the result; smaller pictures keep their size.
        orientation: EXIF orientation 1-8.

    Returns:
        (h, w) or (h, w, 3) uint8, as given.

    Raises:
        ValueError: pixels are not uint8 with one or three channels, or the orientation is not 1-8.

    >>> display_picture(np.zeros((4, 8), np.uint8), longest=4, orientation=6).shape
    (4, 2)
    """
    if pixels.dtype != np.uint8 or pixels.ndim not in (2, 3) or (pixels.ndim == 3 and pixels.shape[2] != 3):
        raise ValueError(f"expected uint8 (H, W) or (H, W, 3), received {pixels.dtype} {pixels.shape}")
    return orient(reduce_area(pixels, longest=longest), orientation)


def encode_preview(pixels: UInt8Array, *, longest: int, orientation: int = 1) -> bytes:
    """A small JPEG of a picture, turned upright: a thumbnail for a listing.

    Args:
        pixels: (H, W) or (H, W, 3) uint8.
        longest: longest side in pixels.
        orientation: EXIF orientation 1-8.
    """
    picture = display_picture(pixels, longest=longest, orientation=orientation)
    return encode_jpeg(picture, quality=_PREVIEW_QUALITY)


@dataclass(frozen=True, slots=True)
class ReducedMap:
    """A map at the size it is shown, not yet turned upright.

    Attributes:
        level: (h, w) uint8, the values 0 to 1 as 0 to 255, averaged over what is valid.
        valid: (h, w) bool, True where at least half of what a pixel stands for is valid; None: everywhere.
        mask: (h, w) bool, True where at least half of what a pixel stands for is; None without a mask.
    """

    level: UInt8Array
    valid: BoolArray | None
    mask: BoolArray | None


def reduce_map(map_: LocalizationMap, *, mask: BoolArray | None = None, longest: int = LONGEST) -> ReducedMap:
    """Shrink a map for display by area average; the range 0 to 1 is fixed.

    Args:
        map_: the map; higher = more likely tampered.
        mask: (H, W) bool, the map at its threshold.
        longest: longest side of the result; smaller maps keep their size.
    """
    level, valid = _to_levels(map_.values), map_.valid
    small_mask = None if mask is None else reduce_area(_to_bytes(mask), longest=longest) >= 128
    if valid is None:
        return ReducedMap(reduce_area(level, longest=longest), None, small_mask)
    share = reduce_area(_to_bytes(valid), longest=longest)
    total = reduce_area(np.where(valid, level, np.uint8(0)), longest=longest)
    mean = total.astype(np.uint16) * np.uint16(255) // np.maximum(share, 1)
    return ReducedMap(np.minimum(mean, 255).astype(np.uint8), share >= 128, small_mask)


def heatmap(reduced: ReducedMap, *, orientation: int = 1) -> UInt8Array:
    """A map in colours on the fixed range 0 to 1; what is not valid is hatched, not coloured low.

    Args:
        reduced: the map; the outline of its mask is drawn.
        orientation: EXIF orientation 1-8.

    Returns:
        (h, w, 3) uint8.
    """
    coloured = colormap()[reduced.level]
    if reduced.valid is not None:
        stripes = np.where(_stripes(*reduced.level.shape), HATCH_DARK, HATCH_LIGHT).astype(np.uint8)
        coloured = np.where(reduced.valid[:, :, None], coloured, stripes[:, :, None])
    return orient(_draw_outline(coloured, reduced.mask), orientation)


def overlay(picture: UInt8Array, reduced: ReducedMap, *, orientation: int = 1) -> UInt8Array:
    """A picture in gray under a map in colours; opacity rises with the value as OVERLAY_ALPHA says.

    Args:
        picture: (h, w, 3) uint8 as stored (not turned), reduced to the size of the reduced map.
        reduced: the map; the outline of its mask is drawn.
        orientation: EXIF orientation 1-8.

    Returns:
        (h, w, 3) uint8.

    Raises:
        ValueError: picture and map differ in size.
    """
    if picture.shape[:2] != reduced.level.shape:
        raise ValueError(f"picture {picture.shape[:2]} and map {reduced.level.shape} must have the same size")
    gray = picture.astype(np.float32) @ _GRAY_WEIGHTS
    alpha = np.linspace(*OVERLAY_ALPHA, 256, dtype=np.float32)
    tint = (colormap() * alpha[:, None]).astype(np.float32)
    mixed = (gray * (1 - alpha[reduced.level]))[:, :, None] + tint[reduced.level]
    if reduced.valid is not None:
        hatched = np.where(_stripes(*gray.shape), (gray + np.float32(HATCH_LIGHT)) / 2, gray)
        mixed = np.where(reduced.valid[:, :, None], mixed, hatched[:, :, None])
    shown = (mixed + np.float32(0.5)).astype(np.uint8)
    return orient(_draw_outline(shown, reduced.mask), orientation)


def orient(picture: UInt8Array, orientation: int) -> UInt8Array:
    """Turn and mirror a picture for display as its EXIF orientation (1-8) says.

    Raises:
        ValueError: the orientation is not 1-8.
    """
    if orientation not in _TURNS:
        raise ValueError(f"expected an EXIF orientation from 1 to 8, received {orientation}")
    has_swapped_axes, rows, columns = _TURNS[orientation]
    upright = picture.swapaxes(0, 1) if has_swapped_axes else picture
    return np.ascontiguousarray(upright[::rows, ::columns])


def reduce_area(picture: UInt8Array, *, longest: int) -> UInt8Array:
    """Shrink a uint8 picture by area average until its longest side is at most `longest`; never enlarge.

    From twice the size on, whole blocks of pixels are averaged: the result is then between two thirds of
    `longest` and `longest`.
    """
    from PIL import Image

    height, width = picture.shape[:2]
    factor = max(height, width) / longest
    if factor <= 1:
        return picture
    image = Image.fromarray(picture)
    if factor > 2:
        return np.asarray(image.reduce(math.ceil(factor)))
    size = (max(1, round(width / factor)), max(1, round(height / factor)))
    return np.asarray(image.resize(size, Image.Resampling.BOX))


def _to_levels(values: FloatArray) -> UInt8Array:
    level = values * np.float32(255)
    level += np.float32(0.5)
    return np.clip(level, 0, 255, out=level).astype(np.uint8)


def _to_bytes(mask: BoolArray) -> UInt8Array:
    return mask.view(np.uint8) * np.uint8(255)


def _stripes(height: int, width: int) -> BoolArray:
    """Diagonal stripes, (H, W) bool."""
    period = max(4, max(height, width) // _HATCHES)
    phase = np.arange(height)[:, None] + np.arange(width)[None, :]
    return phase % period < period // 3


def _draw_outline(picture: UInt8Array, mask: BoolArray | None) -> UInt8Array:
    """Draw the inner border of a mask in white with a black line outside it."""
    if mask is None or mask.all() or not mask.any():
        return picture
    thickness = max(1, max(mask.shape) // _OUTLINES)
    outer, inner = mask, ~mask
    for _ in range(thickness):
        outer, inner = _grow(outer), _grow(inner)
    drawn = picture.copy()
    drawn[outer & ~mask] = 0
    drawn[mask & inner] = 255
    return drawn


def _grow(mask: BoolArray) -> BoolArray:
    """The mask and its neighbours above, below, left and right."""
    grown = mask.copy()
    grown[1:] |= mask[:-1]
    grown[:-1] |= mask[1:]
    grown[:, 1:] |= mask[:, :-1]
    grown[:, :-1] |= mask[:, 1:]
    return grown
