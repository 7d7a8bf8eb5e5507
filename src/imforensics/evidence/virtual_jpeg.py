"""The JPEG that a picture was decoded from, inferred from its pixels: grid, luminance table, coefficients.

A picture that was decoded from a JPEG and kept in a lossless file, cropped or not, still holds its quantized
luma coefficients nearly all: converted back to luma and cut on the right grid, they are multiples of the
divisors but for the rounding of the pixels. Resizing, filters, palettes and lossy formats end that.
"""

from __future__ import annotations

from dataclasses import replace
from threading import Lock
from typing import TYPE_CHECKING, Generic, TypeVar, cast

import numpy as np

from imforensics.evidence.block_dct import BLOCK, transform_blocks
from imforensics.evidence.lattices import (
    FREQUENCIES,
    MAX_DIVISOR,
    LatticeFit,
    best_gains,
    count_magnitudes,
    fit_lattices,
)
from imforensics.evidence.luma_samples import LEVEL_SHIFT, sample_blocks, sample_grids, to_luma
from imforensics.evidence.luma_tables import complete_table, known_luma_tables
from imforensics.evidence.quantization import estimate_quality
from imforensics.evidence.table_families import identify_tables
from imforensics.types import InferredJpeg, JpegInfo

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from imforensics.types import BoolArray, Evidence, FloatArray, Int16Array, UInt8Array

Value = TypeVar("Value")

MIN_GAIN, MIN_FREE_GAIN = 150.0, 500.0  # nats that the best grid has to give, with a known table and without
MIN_LEAD = 2.0  # times what the second one gives
MIN_SEEN = 10.0  # nats from which a divisor counts as seen
MIN_DIVISORS = 4  # of AC frequencies, that have to be seen
MIN_KNOWN_SHARE = 0.6  # of the gain of free divisors that a known table must give to be taken
MIN_SUPPORT = 0.5  # share of a seen divisor's gain that a known table's has to give as well
MAX_ERROR = 0.097  # mean squared, of a known table: 1/12 and some for bins and altered blocks
DETAIL = 3  # AC coefficients that are not 0, of a block that counts for the fit
MIN_FIT, MIN_FREE_FIT = 0.5, 0.9  # share of blocks that a known table and that free divisors have to fit
LARGEST_ERROR = 0.25  # mean squared, of a block: rounding moves no pixel by more than half a gray level
# Lower 95 % bound of the share whose grid and seen divisors are right: 66 of 66 with a known table
# (docs/experiments/inferred_jpeg.md).
CONFIDENCE = 0.94
_STRIP_BLOCKS = 1 << 14  # quantized at a time
_ALL = np.arange(FREQUENCIES)


class Kept(Generic[Value]):
    """What a function gives, computed at the first call and kept as long as this object.

    A pickle holds the function's name and its arguments only, so that another process computes for itself.
    """

    def __init__(self, compute: Callable[..., Value], *arguments: object) -> None:
        """Take a module's function and its arguments."""
        self._call = compute, *arguments
        self._filling = Lock()
        self._kept: tuple[Value] | None = None

    def __call__(self) -> Value:
        """The value; threads may call at once: one computes, the others wait for it."""
        with self._filling:
            if self._kept is None:
                compute, *arguments = self._call
                self._kept = (cast("Callable[..., Value]", compute)(*arguments),)
            return self._kept[0]

    def __reduce__(self) -> tuple[object, ...]:
        """How a pickle or a copy is made: anew, with nothing computed yet."""
        return type(self), self._call


def infer_jpeg(pixels: UInt8Array) -> InferredJpeg | None:
    """Find the grid and the luminance table of the JPEG that a picture was decoded from.

    The grid on which some table explains the coefficients best is taken, if it stands out from the other 63;
    the table is the known one that explains them as well as free divisors do, else these. It has to fit most
    blocks to within the rounding of their pixels.

    Args:
        pixels: (H, W, 3) uint8 RGB.

    Returns:
        What was found; None where nothing stands out.
    """
    histograms = np.stack([count_magnitudes(blocks) for blocks in sample_grids(pixels)])
    totals = best_gains(histograms)[:, 1:].sum(axis=1)
    best = int(totals.argmax())
    rest = np.delete(totals, best)
    if totals[best] < max(MIN_GAIN, MIN_LEAD * rest.max(initial=0.0)):
        return None
    offset = divmod(best, BLOCK)
    blocks = sample_blocks(pixels, offset)
    errors, _ = _measure_errors(blocks, fit_lattices(count_magnitudes(blocks)).gains.argmax(axis=1) + 1)
    unaltered = blocks[errors <= LARGEST_ERROR]
    divisors, is_seen, is_known = _choose_table(fit_lattices(count_magnitudes(unaltered)))
    errors, has_detail = _measure_errors(blocks, divisors)
    fit = float((errors[has_detail] <= LARGEST_ERROR).mean()) if has_detail.any() else 0.0
    least = (MIN_GAIN, MIN_FIT) if is_known else (MIN_FREE_GAIN, MIN_FREE_FIT)
    if is_seen[1:].sum() < MIN_DIVISORS or totals[best] < least[0] or fit < least[1]:
        return None
    table = divisors.astype(np.uint16).reshape(BLOCK, BLOCK)
    quality, is_standard = estimate_quality([table])
    encoders = identify_tables([table]) if is_known else ()
    return InferredJpeg(
        offset=offset,
        table=table,
        is_seen=is_seen.reshape(BLOCK, BLOCK),
        estimated_quality=quality,
        is_standard_table=is_standard,
        gain=float(totals[best]),
        encoder=encoders[0].words if encoders else None,
        fit=fit,
        confidence=CONFIDENCE if is_known else None,
        coefficient_reader=Kept(quantize_luma, pixels, offset, table),
    )


def quantize_luma(pixels: UInt8Array, offset: tuple[int, int], table: NDArray[np.integer]) -> Int16Array:
    """Luma coefficients of the whole blocks of a grid, over their divisors, rounded.

    Args:
        pixels: (H, W, 3) uint8 RGB.
        offset: row and column, 0 to 7, where the first whole block begins.
        table: (8, 8) divisors, at least 1.

    Returns:
        (rows, columns, 8, 8) int16, natural order, read-only.
    """
    rows, columns = ((side - start) // BLOCK for side, start in zip(pixels.shape[:2], offset, strict=True))
    result = np.empty((rows, columns, FREQUENCIES), dtype=np.int16)
    factors = 1 / np.asarray(table, dtype=np.float64).ravel()
    step = max(1, _STRIP_BLOCKS // max(columns, 1))
    for first in range(0, rows, step):
        count = min(step, rows - first)
        values = transform_blocks(_cut_luma(pixels, offset, first, count).astype(np.float64))
        values[..., 0] -= LEVEL_SHIFT
        values *= factors
        result[first : first + count] = np.rint(values, out=values)
    result.flags.writeable = False
    return result.reshape(rows, columns, BLOCK, BLOCK)


def _cut_luma(pixels: UInt8Array, offset: tuple[int, int], first: int, count: int) -> UInt8Array:
    """(count, columns, 64) luma of rows of blocks from the first one on."""
    columns = (pixels.shape[1] - offset[1]) // BLOCK
    top = offset[0] + first * BLOCK
    plane = to_luma(pixels[top : top + count * BLOCK, offset[1] : offset[1] + columns * BLOCK])
    return plane.reshape(count, BLOCK, columns, BLOCK).transpose(0, 2, 1, 3).reshape(count, columns, -1)


def _choose_table(found: LatticeFit) -> tuple[NDArray[np.int64], BoolArray, bool]:
    """(64,) divisors, which of them are seen, and whether they are a known table.

    A known table is taken if its errors are those of rounding, it explains most of what free divisors do, and
    no frequency speaks against it. A free divisor may be a multiple of the table's: an earlier saving leaves
    no other coefficients in between.
    """
    free = _choose_freely(found)
    free_gains = found.gains[_ALL, free - 1]
    is_seen = free_gains >= MIN_SEEN
    tables = known_luma_tables()
    columns = np.minimum(tables, MAX_DIVISOR) - 1
    gains = np.where(tables > MAX_DIVISOR, 0.0, found.gains[_ALL, columns])
    gains = np.where(tables == 1, np.maximum(gains, 0.0), gains)  # any picture is made of whole numbers
    is_opposed = is_seen & (free % tables > 0) & (gains < MIN_SUPPORT * free_gains)
    is_possible = (found.mean_error(tables) <= MAX_ERROR) & ~is_opposed.any(axis=1)
    totals = np.where(is_possible, gains.sum(axis=1), -np.inf)
    best = int(totals.argmax())
    if totals[best] >= MIN_KNOWN_SHARE * np.maximum(free_gains, 0).sum():
        return tables[best], np.asarray(gains[best] >= MIN_SEEN), True
    return complete_table(free, is_seen).astype(np.int64), is_seen, False


def _choose_freely(found: LatticeFit) -> NDArray[np.int64]:
    """(64,) the best divisor of each frequency; among those with strict gains where else errors are large."""
    best = found.gains.argmax(axis=1)
    if found.mean_error(best + 1) > MAX_ERROR:
        best = found.strict_gains().argmax(axis=1)
    return np.asarray(best + 1, dtype=np.int64)


def _measure_errors(coefficients: FloatArray, divisors: NDArray[np.int64]) -> tuple[FloatArray, BoolArray]:
    """Mean squared distance of each block from the multiples of the divisors; whether it has detail."""
    steps = divisors.astype(np.float32)
    levels = np.rint(coefficients / steps)
    errors = np.square(coefficients - steps * levels).mean(axis=1)
    return errors, np.asarray(np.count_nonzero(levels[:, 1:], axis=1) >= DETAIL)


def view_inferred(evidence: Evidence, inferred: InferredJpeg) -> Evidence:
    """The evidence as if it were the JPEG that its pixels were decoded from, cut to whole blocks.

    Nothing of the file but the pixels is that JPEG's: no marker is known of it, and no chroma table.
    """
    top, left = inferred.offset
    height, width = (
        (side - start) // BLOCK * BLOCK
        for side, start in zip(evidence.pixels.shape[:2], (top, left), strict=True)
    )
    jpeg = JpegInfo(
        quantization_tables=(inferred.table,),
        subsampling="unknown",
        is_progressive=False,
        estimated_quality=inferred.estimated_quality,
        is_standard_tables=inferred.is_standard_table,
        markers=(),
        trailing_bytes=0,
        coefficient_reader=lambda: (inferred.read_coefficients(),),
    )
    return replace(evidence, pixels=evidence.pixels[top : top + height, left : left + width], jpeg=jpeg)
