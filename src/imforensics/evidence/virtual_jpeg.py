"""The JPEG that a picture was decoded from, inferred from its pixels: grid, luminance table, coefficients.

A picture that was decoded from a JPEG and kept in a lossless file, cropped or not, still holds its quantized
luma coefficients nearly all: converted back to luma and cut on the right grid, they are multiples of the
divisors but for the rounding of the pixels. Resizing, filters, palettes and lossy formats end that.
"""

from __future__ import annotations

from threading import Lock
from typing import TYPE_CHECKING

import numpy as np

from imforensics.evidence.block_dct import BLOCK, transform_blocks
from imforensics.evidence.lattices import (
    FREQUENCIES,
    MAX_DIVISOR,
    LatticeFit,
    count_magnitudes,
    fit_lattices,
)
from imforensics.evidence.luma_tables import complete_table, known_luma_tables
from imforensics.evidence.quantization import estimate_quality
from imforensics.types import InferredJpeg

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from imforensics.types import BoolArray, FloatArray, Int16Array, UInt8Array

GRIDS = 64
MIN_GAIN = 150.0  # nats that the best grid has to give
MIN_LEAD = 2.0  # times what the second one gives
MIN_SEEN = 10.0  # nats from which a divisor counts as seen
MIN_DIVISORS = 4  # of AC frequencies, that have to be seen
MIN_KNOWN_SHARE = 0.97  # of the gain of free divisors that a known table must give to be taken
MIN_SUPPORT = 0.5  # share of a seen divisor's gain that a known table's has to give as well
MAX_ERROR = 0.097  # mean squared, of a known table: 1/12 and some for bins and altered blocks
MIN_FIT = 0.5  # share of blocks that a table has to fit
_LARGEST_ERROR = 0.25  # mean squared, of a block: rounding moves no pixel by more than half a gray level
_PATCH, _PATCHES = 32, 64  # pixels a side, number: 1024 blocks on each grid
_STRIPS = 16  # rows of blocks that the table is read from
_STRIP_BLOCKS = 1 << 14  # blocks quantized at a time
_LUMA = (19595, 38470, 7471)  # 2^-16, ITU-R BT.601, rounded as libjpeg does
_ALL = np.arange(FREQUENCIES)
_LEVEL_SHIFT = 1024.0  # of the mean's coefficient: 8 times 128


class KeptInference:
    """What is inferred from one picture, at the first call, and kept as long as this object.

    A pickle holds the pixels only, so that another process infers for itself.
    """

    def __init__(self, pixels: UInt8Array) -> None:
        """Take the pixels, (H, W, 3) uint8 RGB."""
        self._pixels = pixels
        self._filling = Lock()
        self._kept: tuple[InferredJpeg | None] | None = None

    def __call__(self) -> InferredJpeg | None:
        """See `infer_jpeg`."""
        with self._filling:
            if self._kept is None:
                self._kept = (infer_jpeg(self._pixels),)
            return self._kept[0]

    def __reduce__(self) -> tuple[object, ...]:
        """How a pickle or a copy is made: anew, with nothing inferred yet."""
        return type(self), (self._pixels,)


class KeptQuantized:
    """The quantized luma coefficients of one picture on one grid, computed at the first call and kept."""

    def __init__(self, pixels: UInt8Array, offset: tuple[int, int], table: NDArray[np.int64]) -> None:
        """Take the picture, where its first whole block begins, and the (8, 8) divisors."""
        self._arguments = pixels, offset, table
        self._filling = Lock()
        self._kept: Int16Array | None = None

    def __call__(self) -> Int16Array:
        """(rows, columns, 8, 8) int16 of the whole blocks, natural order, read-only."""
        with self._filling:
            if self._kept is None:
                self._kept = quantize_luma(*self._arguments)
                self._kept.flags.writeable = False
            return self._kept

    def __reduce__(self) -> tuple[object, ...]:
        """How a pickle or a copy is made: anew, with nothing computed yet."""
        return type(self), self._arguments


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
    gains = _measure_grids(pixels)
    totals = gains[:, 1:].sum(axis=1)
    best = int(totals.argmax())
    rest = np.delete(totals, best)
    if totals[best] < max(MIN_GAIN, MIN_LEAD * rest.max(initial=0.0)):
        return None
    offset = divmod(best, BLOCK)
    blocks = _take_strips(pixels, offset)
    divisors, is_seen = _choose_table(fit_lattices(count_magnitudes(blocks)))
    if is_seen[1:].sum() < MIN_DIVISORS:
        return None
    fit = _measure_fit(blocks, divisors)
    if fit < MIN_FIT:
        return None
    table = divisors.astype(np.uint16).reshape(BLOCK, BLOCK)
    quality, is_standard = estimate_quality([table])
    return InferredJpeg(
        offset=offset,
        table=table,
        is_seen=is_seen.reshape(BLOCK, BLOCK),
        estimated_quality=quality,
        is_standard_table=is_standard,
        gain=float(totals[best]),
        fit=fit,
        coefficient_reader=KeptQuantized(pixels, offset, table),
    )


def to_luma(pixels: UInt8Array) -> UInt8Array:
    """The luma that a JPEG decoder made RGB of: (..., 3) uint8 to (...) uint8.

    Exact wherever no channel was cut to [0, 255]: the rounding of the three channels moves it by less than
    half a gray level.
    """
    red, green, blue = (pixels[..., channel].astype(np.uint32) for channel in range(3))
    total = red * _LUMA[0] + green * _LUMA[1] + blue * _LUMA[2] + (1 << 15)
    return (total >> 16).astype(np.uint8)


def quantize_luma(pixels: UInt8Array, offset: tuple[int, int], table: NDArray[np.integer]) -> Int16Array:
    """Luma coefficients of the whole blocks of a grid, over their divisors, rounded.

    Args:
        pixels: (H, W, 3) uint8 RGB.
        offset: row and column, 0 to 7, where the first whole block begins.
        table: (8, 8) divisors, at least 1.

    Returns:
        (rows, columns, 8, 8) int16, natural order.
    """
    rows, columns = ((side - start) // BLOCK for side, start in zip(pixels.shape[:2], offset, strict=True))
    result = np.empty((rows, columns, FREQUENCIES), dtype=np.int16)
    factors = 1 / np.asarray(table, dtype=np.float64).ravel()
    step = max(1, _STRIP_BLOCKS // max(columns, 1))
    for first in range(0, rows, step):
        count = min(step, rows - first)
        values = transform_blocks(_cut_luma(pixels, offset, first, count).astype(np.float64))
        values[..., 0] -= _LEVEL_SHIFT
        values *= factors
        result[first : first + count] = np.rint(values, out=values)
    return result.reshape(rows, columns, BLOCK, BLOCK)


def _cut_luma(pixels: UInt8Array, offset: tuple[int, int], first: int, count: int) -> UInt8Array:
    """(count, columns, 64) luma of rows of blocks from the first one on."""
    columns = (pixels.shape[1] - offset[1]) // BLOCK
    top = offset[0] + first * BLOCK
    plane = to_luma(pixels[top : top + count * BLOCK, offset[1] : offset[1] + columns * BLOCK])
    return plane.reshape(count, BLOCK, columns, BLOCK).transpose(0, 2, 1, 3).reshape(count, columns, -1)


def _measure_grids(pixels: UInt8Array) -> NDArray[np.float64]:
    """(64, 64) nats that the best divisor of each frequency gives on each grid, beyond chance."""
    patches = _take_patches(pixels)
    planes = [(to_luma(patch), _is_clipped(patch)) for patch, _, _ in patches]
    histograms: list[NDArray[np.int64]] = []
    for grid in range(GRIDS):
        blocks = []
        for (plane, clipped), (_, top, left) in zip(planes, patches, strict=True):
            start = (grid // BLOCK - top) % BLOCK, (grid % BLOCK - left) % BLOCK
            blocks.append(_cut_usable(plane, clipped, start))
        histograms.append(count_magnitudes(_transform(_drop_repeats(np.concatenate(blocks)))))
    best = fit_lattices(np.stack(histograms)).gains.max(axis=-1) - np.log(MAX_DIVISOR)
    return np.maximum(best, 0.0)


def _take_patches(pixels: UInt8Array) -> list[tuple[UInt8Array, int, int]]:
    """A small picture whole; of a large one evenly spaced patches; each with its top and left."""
    height, width = pixels.shape[:2]
    side = _PATCH + BLOCK - 1
    if height * width <= _PATCHES * _PATCH**2 or min(height, width) <= side:
        return [(pixels[: _PATCHES * _PATCH, : _PATCHES * _PATCH], 0, 0)]
    down = int(np.clip(round((_PATCHES * height / width) ** 0.5), 1, _PATCHES))
    tops = np.linspace(0, height - side, down).astype(int)
    lefts = np.linspace(0, width - side, _PATCHES // down).astype(int)
    return [(pixels[y : y + side, x : x + side], int(y), int(x)) for y in tops for x in lefts]


def _is_clipped(pixels: UInt8Array) -> BoolArray:
    return np.asarray(((pixels == 0) | (pixels == 255)).any(axis=-1))


def _cut_usable(plane: UInt8Array, clipped: BoolArray, start: tuple[int, int]) -> UInt8Array:
    """(N, 64) the whole blocks from a start on that are neither clipped nor flat."""
    rows, columns = ((side - first) // BLOCK for side, first in zip(plane.shape, start, strict=True))
    if rows <= 0 or columns <= 0:
        return np.empty((0, FREQUENCIES), dtype=np.uint8)
    part = np.s_[start[0] : start[0] + rows * BLOCK, start[1] : start[1] + columns * BLOCK]
    blocks, cut = (
        values[part].reshape(rows, BLOCK, columns, BLOCK).transpose(0, 2, 1, 3).reshape(-1, FREQUENCIES)
        for values in (plane, clipped)
    )
    return np.asarray(blocks[~cut.any(axis=1) & (np.ptp(blocks, axis=1) > 1)], dtype=np.uint8)


def _drop_repeats(blocks: UInt8Array) -> UInt8Array:
    """Blocks without exact repeats: what graphics repeat is seen once."""
    weights = np.random.default_rng(0).integers(1, 1 << 40, FREQUENCIES, dtype=np.int64)
    _, first = np.unique(blocks.astype(np.int64) @ weights, return_index=True)
    return blocks[np.sort(first)]


def _transform(blocks: UInt8Array) -> FloatArray:
    """Coefficients of (N, 64) blocks, level-shifted, float32."""
    values = transform_blocks(blocks.astype(np.float64))
    values[:, 0] -= _LEVEL_SHIFT
    return values.astype(np.float32)


def _take_strips(pixels: UInt8Array, offset: tuple[int, int]) -> FloatArray:
    """Coefficients of the usable blocks in evenly spaced rows of blocks, all of them in a small picture."""
    rows = (pixels.shape[0] - offset[0]) // BLOCK
    columns = (pixels.shape[1] - offset[1]) // BLOCK
    wanted = rows if rows * columns <= _STRIP_BLOCKS else max(_STRIPS, _STRIP_BLOCKS // columns)
    blocks = []
    for row in np.unique(np.linspace(0, rows - 1, min(wanted, rows)).astype(int)):
        top = offset[0] + int(row) * BLOCK
        strip = pixels[top : top + BLOCK, offset[1] :]
        blocks.append(_cut_usable(to_luma(strip), _is_clipped(strip), (0, 0)))
    return _transform(_drop_repeats(np.concatenate(blocks)))


def _choose_table(found: LatticeFit) -> tuple[NDArray[np.int64], BoolArray]:
    """(64,) divisors, and which of them are seen.

    A known table is taken if its errors are those of rounding, it explains nearly all that free divisors do,
    and no frequency speaks against it.
    """
    free = _choose_freely(found)
    best_gains = found.gains[_ALL, free - 1]
    is_seen = best_gains >= MIN_SEEN
    tables = known_luma_tables()
    columns = np.minimum(tables, MAX_DIVISOR) - 1
    gains = np.where(tables > MAX_DIVISOR, 0.0, found.gains[_ALL, columns])
    gains = np.where(tables == 1, np.maximum(gains, 0.0), gains)  # any picture is made of whole numbers
    is_opposed = (is_seen & (gains < MIN_SUPPORT * best_gains)).any(axis=1)
    is_possible = (found.mean_error(tables) <= MAX_ERROR) & ~is_opposed
    totals = np.where(is_possible, gains.sum(axis=1), -np.inf)
    best = int(totals.argmax())
    if totals[best] >= MIN_KNOWN_SHARE * np.maximum(best_gains, 0).sum():
        return tables[best], gains[best] >= MIN_SEEN
    return complete_table(free, is_seen).astype(np.int64), is_seen


def _choose_freely(found: LatticeFit) -> NDArray[np.int64]:
    """(64,) the best divisor of each frequency; among those with strict gains where else errors are large."""
    divisors = found.gains.argmax(axis=1).astype(np.int64) + 1
    if found.mean_error(divisors) > MAX_ERROR:
        divisors = found.strict_gains().argmax(axis=1).astype(np.int64) + 1
    return divisors


def _measure_fit(coefficients: FloatArray, divisors: NDArray[np.int64]) -> float:
    """Share of the blocks with detail whose coefficients are multiples of the divisors but for rounding."""
    steps = divisors.astype(np.float32)
    levels = np.rint(coefficients / steps)
    has_detail = np.count_nonzero(levels[:, 1:], axis=1) >= 3
    errors = coefficients[has_detail] - steps * levels[has_detail]
    if not len(errors):
        return 0.0
    return float((np.square(errors).mean(axis=1) <= _LARGEST_ERROR).mean())
