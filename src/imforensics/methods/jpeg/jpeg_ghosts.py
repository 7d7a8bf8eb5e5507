"""JPEG ghosts: how much each block would change if it were saved again, as a curve over the quality.

A block that went through a saving at some quality changes least when it is saved at that quality again: its
curve dips there (the ghost), and lies lower in general the coarser it was quantized before. All texture
raises the whole curve, so that a curve is compared with those of the blocks of like texture in its image.

The resaves are done on the DCT coefficients of the luma: the squared difference of a block is that of its
coefficients (Parseval), here without the rounding to whole pixels that saving to a file adds.

Reference:
    H. Farid, "Exposing digital forgeries from JPEG ghosts", IEEE Transactions on Information Forensics and
    Security 4(1), 2009, doi:10.1109/TIFS.2008.2012215.
"""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np

from imforensics.evidence.block_dct import block_dct
from imforensics.evidence.quantization import ijg_tables
from imforensics.methods.jpeg.requantization import requantization_errors
from imforensics.preprocessing.medians import median
from imforensics.preprocessing.noise import luma

if TYPE_CHECKING:
    from collections.abc import Sequence

    from imforensics.types import BoolArray, FloatArray, UInt8Array, UInt16Array

# Squared gray levels added before the logarithm: below it the rounding of pixels to whole gray levels and
# what the colour conversion adds hide the curve. 1 to 4 localize alike on CASIA v1 train and val, 0.3 worse.
FLOOR = 2.0
TEXTURE_CLASSES = 24  # of equal size; 16 to 32 localize alike on CASIA v1 val, 4 worse
MIN_CLASS_BLOCKS = 32  # fewer give no reliable median
OWN_SHARE = 0.25  # of a dip's depth that the last saving leaves by itself, above which it explains the dip
_BAND_ROWS = 512  # pixel rows transformed at a time, a multiple of 8
_SORTED = 1 << 19  # values sorted by class at a time: 2 MB
_MOST = 32_768  # blocks that a typical curve is taken of


def ghost_curves(plane: FloatArray, *, qualities: Sequence[int], top: int = 0, left: int = 0) -> FloatArray:
    """Mean squared difference of each block to its resave, at each quality (Farid 2009, eq. 3 with b = 8).

    Args:
        plane: (H, W) float32 luma in [0, 255].
        qualities: IJG qualities of the resaves, 1-100, at least one.
        top: row of the first block of the grid of the resave, 0-7.
        left: its column, 0-7.

    Returns:
        (Q, rows, columns) float32 >= 0, squared gray levels, for the whole blocks of the grid: rows =
        (H - top) // 8, columns likewise.

    Raises:
        ValueError: no quality, or one outside 1-100; an offset outside 0-7.

    >>> ghost_curves(np.full((16, 24), 128, np.float32), qualities=(50, 90)).shape
    (2, 2, 3)
    """
    if len(qualities) == 0:
        raise ValueError("Expected at least one quality; received none")
    if not (0 <= top < 8 and 0 <= left < 8):
        raise ValueError(f"Expected an offset of the grid from 0 to 7; received ({top}, {left})")
    tables = np.stack([ijg_tables(quality)[0].ravel() for quality in qualities]).astype(np.float32)
    rows, columns = max(0, plane.shape[0] - top) // 8, max(0, plane.shape[1] - left) // 8
    curves = np.empty((len(qualities), rows, columns), dtype=np.float32)
    for first in range(0, rows, _BAND_ROWS // 8):
        start = top + first * 8
        band = plane[start : min(start + _BAND_ROWS, top + rows * 8)] - np.float32(128)
        coefficients = block_dct(band, left=left).reshape(-1, 64)
        part = curves[:, first : first + _BAND_ROWS // 8]
        part[...] = requantization_errors(coefficients, tables).reshape(part.shape)
    return curves


def normalise_ghosts(curves: FloatArray) -> FloatArray:
    """Each block's curve stretched from its lowest to its highest value (Farid 2009, eq. 4).

    Args:
        curves: (Q, rows, columns) float32 from `ghost_curves`.

    Returns:
        The same shape, float32 in [0, 1]; 0 where the block changes least, all 0 for a curve without range.

    >>> normalise_ghosts(np.array([[[4.0]], [[2.0]], [[3.0]]], np.float32)).ravel()
    array([1. , 0. , 0.5], dtype=float32)
    """
    low = curves.min(axis=0)
    span = curves.max(axis=0) - low
    scaled: FloatArray = np.divide(curves - low, span, out=np.zeros_like(curves), where=span > 0)
    return scaled


def split_curves(curves: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Height and shape of each block's curve, on a logarithmic scale.

    Args:
        curves: (Q, rows, columns) float32 from `ghost_curves`; overwritten with the shapes.

    Returns:
        (rows, columns) float32, mean over the qualities of the natural logarithm of squared gray levels above
        FLOOR; and `curves`, what each quality is above that mean.
    """
    curves += np.float32(FLOOR)
    np.log(curves, out=curves)
    heights = curves.mean(axis=0)
    curves -= heights
    return heights, curves


def block_variances(plane: FloatArray, *, top: int = 0, left: int = 0) -> FloatArray:
    """Variance of the pixels of each whole block.

    A measure of its texture that follows an earlier saving less than the height of its curve does. What
    stands out by either is seen where both are used.

    Args:
        plane: (H, W) float32 luma in [0, 255].
        top: row of the first block of the grid, 0-7.
        left: its column, 0-7.

    Returns:
        (rows, columns) float32, natural logarithms of squared gray levels above FLOOR.
    """
    rows, columns = (plane.shape[0] - top) // 8, (plane.shape[1] - left) // 8
    result = np.empty((rows, columns), dtype=np.float32)
    for row in range(rows):
        line = plane[top + 8 * row : top + 8 * row + 8, left : left + 8 * columns].reshape(8, columns, 8)
        result[row] = np.log(line.var(axis=(0, 2)) + np.float32(FLOOR))
    return result


def compare_shapes(
    shapes: FloatArray, texture: FloatArray, usable: BoolArray, *, out: FloatArray | None = None
) -> FloatArray:
    """How the shape of each block's curve differs from that of the image's blocks of like texture.

    Args:
        shapes: (Q, rows, columns) float32 from `split_curves`.
        texture: (rows, columns) float32: heights from `split_curves`, or from `block_variances`.
        usable: (rows, columns) bool, the blocks to compare, at least one.
        out: of the shape of `shapes`, for the result; may be `shapes`.

    Returns:
        (Q, rows, columns) float32, natural logarithm of a ratio: below 0 the block changes less at that
        quality than is typical, for what it changes in the mean over all. 0 where not usable.
    """
    places = np.flatnonzero(usable)
    key = texture.ravel()[places]
    count = int(np.clip(len(key) // MIN_CLASS_BLOCKS, 1, TEXTURE_CLASSES))
    classes = np.digitize(key, np.quantile(key, np.arange(1, count) / count))
    order = places[np.argsort(classes, kind="stable")]
    ends = np.cumsum(np.bincount(classes, minlength=count))
    result = np.empty_like(shapes) if out is None else out
    lines, compared = (planes.reshape(len(shapes), -1) for planes in (shapes, result))
    together = max(1, _SORTED // len(order))
    for top in range(0, len(lines), together):
        by_class = lines[top : top + together].take(order, axis=1)
        for first, stop in pairwise((0, *ends)):
            if stop > first:
                part = by_class[:, first:stop]
                part -= median(part)[:, None]
        compared[top : top + together] = 0
        compared[top : top + together, order] = by_class
    return result


def find_dip(curve: FloatArray, *, reach: int = 3) -> tuple[int, float]:
    """Where a curve dips first below the straight line between its values `reach` places before and after.

    A quality whose divisors are half those of another dips with it, since multiples of a divisor are
    multiples of its half: the first dip of at least half the greatest depth is taken.

    Args:
        curve: (Q,) float32, log differences by rising quality.
        reach: places, at least 1.

    Returns:
        Index and depth, in the unit of `curve`, larger = clearer; (0, 0.0) for a curve of 2 `reach` values or
        fewer, or one that dips nowhere.

    >>> index, depth = find_dip(np.array([5, 4, 3, 0, 3, 4, 5], np.float32), reach=2)
    >>> index, round(depth, 2)
    (3, 4.0)
    """
    if len(curve) <= 2 * reach:
        return 0, 0.0
    depths = (curve[: -2 * reach] + curve[2 * reach :]) / 2 - curve[reach:-reach]
    deepest = depths.max()
    if deepest <= 0:
        return 0, 0.0
    around = np.pad(depths, 1, constant_values=-np.inf)
    is_peak = (depths >= around[:-2]) & (depths >= around[2:]) & (depths >= deepest / 2)
    first = int(is_peak.argmax())
    return first + reach, float(depths[first])


def saved_once_curve(
    pixels: UInt8Array, usable: BoolArray, *, table: UInt16Array, qualities: Sequence[int]
) -> FloatArray:
    """The typical curve that the last saving alone would leave in this picture.

    The picture is quantized by the table on a grid moved by (4, 4), where it was never quantized before.

    Args:
        pixels: (H, W, 3) uint8 RGB.
        usable: (rows, columns) bool, blocks of the moved grid to take, at least one.
        table: (8, 8) divisors of the last saving, at least 1.
        qualities: as for `ghost_curves`.

    Returns:
        (Q,) float32 as from `typical_curve`.
    """
    tables = np.stack([ijg_tables(quality)[0].ravel() for quality in qualities]).astype(np.float32)
    own = table.astype(np.float32).ravel()
    rows, step = usable.shape[0], -(-int(usable.sum()) // _MOST)
    parts = []
    for first in range(0, rows, _BAND_ROWS // 8):
        chosen = usable[first : first + _BAND_ROWS // 8]
        top, (height, width) = 4 + first * 8, chosen.shape
        band = pixels[top : top + height * 8, 4 : 4 + width * 8].reshape(height, 8, width, 8, 3)
        blocks = band.swapaxes(1, 2)[chosen][::step].swapaxes(0, 1).reshape(8, -1, 3)  # side by side
        coefficients = block_dct(luma(blocks) - np.float32(128)).reshape(-1, 64)
        parts.append(requantization_errors(np.rint(coefficients / own) * own, tables))
    return typical_curve(np.concatenate(parts, axis=1))


def typical_curve(curves: FloatArray) -> FloatArray:
    """Logarithm of the median over blocks: (Q,) float32 from (Q, blocks) squared gray levels.

    >>> typical_curve(np.array([[1.0, 2.0, 9.0]], np.float32)).round(3)  # ln(2 + FLOOR)
    array([1.386], dtype=float32)
    """
    return np.asarray(np.log(median(curves) + np.float32(FLOOR)), dtype=np.float32)


def find_earlier_dip(curve: FloatArray, own: FloatArray, *, reach: int = 3) -> tuple[int, float]:
    """Where a curve dips and the last saving alone does not, see `find_dip`.

    Args:
        curve: (Q,) float32, typical of the image.
        own: (Q,) float32, see `saved_once_curve`.
        reach: places, at least 1.

    Returns:
        Index and depth, the smaller one of the curve's and of its difference to `own`; (0, 0.0) where the
        curve does not dip, or its own last saving explains it.
    """
    index, depth = find_dip(curve - own, reach=reach)
    if depth <= 0:
        return 0, 0.0
    seen, explained = (
        float((line[index - reach] + line[index + reach]) / 2 - line[index]) for line in (curve, own)
    )
    return (0, 0.0) if seen <= 0 or explained > OWN_SHARE * seen else (index, min(depth, seen))
