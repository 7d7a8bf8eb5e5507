"""Where the quietest blocks of an image lie, among the blocks that are smooth for their brightness.

References:
    M. Gardella, P. Muse, J.-M. Morel, M. Colom, "Noisesniffer: a Fully Automatic Image Forgery Detector Based
    on Noise Analysis", IWBF 2021, doi:10.1109/IWBF50991.2021.9465095.
    M. Gardella, P. Muse, M. Colom, J.-M. Morel, "Image Forgery Detection Based on Noise Inspection: Analysis
    and Refinement of the Noisesniffer Method", Image Processing On Line 14 (2024), doi:10.5201/ipol.2024.462.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from imforensics.types import BoolArray, FloatArray, UInt8Array

SIDE = 3  # pixels of a block: w of the papers
BIN_BLOCKS = 20_000  # blocks of one bin of brightness: b of the papers
SMOOTH_SHARE = 0.1  # of a bin, with the least energy at low frequencies: n of the papers
QUIET_SHARE = 0.5  # of those, with the least variance: m of the papers
# The papers count 9 overlapping blocks as one independent trial. Those within one 8x8 block of JPEG depend on
# each other too: 64 count as one here. Channels are counted apart, as in the papers, though they are related.
DEPENDENT_BLOCKS = 64
CHANNELS = 3
MAX_BLOCKS = 1 << 21  # of one channel; larger images are looked at in every second, third, ... row and column
MAX_STEP = 8
_STRIP_ROWS = 128  # rows at a time: working arrays stay in the cache


@dataclass(frozen=True, slots=True)
class QuietBlocks:
    """Smooth blocks of one channel.

    Attributes:
        rows: (N,) intp, row of each block in the grid of those looked at.
        columns: (N,) intp, its column.
        quiet: (N,) float32, 1 where the block is among the quietest half of its bin, 0 where not; blocks as
            quiet as the one at the border share what is left to them, so that no order of pixels decides.
    """

    rows: NDArray[np.intp]
    columns: NDArray[np.intp]
    quiet: FloatArray


def count_quiet_blocks(pixels: UInt8Array, *, cell: int) -> tuple[FloatArray, FloatArray]:
    """Independent smooth blocks in each cell of a grid, and how many of them are quiet, over all channels.

    Args:
        pixels: (H, W, 3) uint8 RGB.
        cell: side of a cell in pixels, at least 3; a block belongs to the cell of its middle pixel.

    Returns:
        smooth and quiet, each (ceil(H / cell), ceil(W / cell)) float32, quiet <= smooth. 64 overlapping
        blocks count as one; all are 0 where nothing can be said.

    Raises:
        ValueError: `cell` is below 3.

    >>> noise = np.random.default_rng(0).integers(90, 110, (64, 96, 3), dtype=np.uint8)
    >>> smooth, quiet = count_quiet_blocks(noise, cell=32)
    >>> smooth.shape, round(float(quiet.sum() / smooth.sum()), 3)
    ((2, 3), 0.5)
    """
    if cell < SIDE:
        raise ValueError(f"Expected cell to be at least {SIDE} pixels; received {cell}")
    rows, columns = (-(-side // cell) for side in pixels.shape[:2])
    step = min(max(math.ceil(math.sqrt(pixels[..., 0].size / MAX_BLOCKS)), 1), MAX_STEP)
    usable = find_unclipped_blocks(pixels)[::step, ::step]
    counts = np.zeros((2, rows * columns))
    for channel in range(CHANNELS):
        found = find_quiet_blocks(np.ascontiguousarray(pixels[..., channel]), usable, step=step)
        middle = SIDE // 2
        places = (found.rows * step + middle) // cell * columns + (found.columns * step + middle) // cell
        counts[0] += np.bincount(places, minlength=rows * columns)
        counts[1] += np.bincount(places, weights=found.quiet, minlength=rows * columns)
    counts *= step**2 / DEPENDENT_BLOCKS
    smooth, quiet = counts.reshape(2, rows, columns).astype(np.float32)
    return smooth, np.minimum(quiet, smooth)


def find_quiet_blocks(channel: UInt8Array, usable: BoolArray, *, step: int = 1) -> QuietBlocks:
    """The smooth blocks of one channel, and which half of them is quiet.

    All overlapping blocks of 3x3 pixels are sorted by their mean into bins of about 20,000; in each bin the
    tenth with the least energy at low frequencies of the DCT is kept; the half of that with the least
    variance is quiet. A bin in which half of what is kept has no variance says nothing and is left out.

    Args:
        channel: (H, W) uint8.
        usable: (ceil((H - 2) / step), ceil((W - 2) / step)) bool, blocks to look at, by their first pixel;
            see `find_unclipped_blocks`.
        step: blocks begin at every `step`-th row and column.

    Returns:
        The smooth blocks of all bins; `quiet` adds up to half of their number.

    >>> noise = np.random.default_rng(0).integers(90, 110, (60, 80), dtype=np.uint8)
    >>> found = find_quiet_blocks(noise, np.ones((58, 78), bool))
    >>> len(found.rows), float(found.quiet.sum())
    (452, 226.0)
    """
    index = np.flatnonzero(usable)
    sums, low, total = (values.ravel()[index] for values in _block_energies(channel, usable.shape, step))
    order = np.argsort(sums.astype(np.uint16), kind="stable")  # a radix sort, of whole numbers
    kept, quiet = [], []
    count = max(round(len(order) / BIN_BLOCKS), 1)
    for members in np.array_split(order, count) if len(order) else []:
        smooth = members[low[members] <= _order_value(low[members], SMOOTH_SHARE)]
        share = _share_quiet(total[smooth])
        if share is not None:
            kept.append(index[smooth])
            quiet.append(share)
    if not kept:
        return QuietBlocks(np.zeros(0, np.intp), np.zeros(0, np.intp), np.zeros(0, np.float32))
    rows, columns = np.divmod(np.concatenate(kept), usable.shape[1])
    return QuietBlocks(rows, columns, np.concatenate(quiet))


def find_unclipped_blocks(pixels: UInt8Array) -> BoolArray:
    """Blocks without a pixel at the ends of [0, 255] in any channel, where noise is cut off.

    Args:
        pixels: (H, W, 3) uint8 RGB.

    Returns:
        (max(H - 2, 0), max(W - 2, 0)) bool, by the block's first pixel.

    >>> find_unclipped_blocks(np.full((3, 4, 3), 9, np.uint8))
    array([[ True,  True]])
    """
    rows, columns = pixels.shape[:2]
    clipped = np.zeros((rows, columns), dtype=np.bool_)
    for channel in range(3):
        plane = pixels[..., channel]
        clipped |= (plane == 0) | (plane == 255)
    height, width = max(rows - SIDE + 1, 0), max(columns - SIDE + 1, 0)
    across = clipped[:, :width] | clipped[:, 1 : width + 1] | clipped[:, 2 : width + 2]
    return ~(across[:height] | across[1 : height + 1] | across[2 : height + 2])


def _block_energies(
    channel: UInt8Array, shape: tuple[int, ...], step: int
) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Sum, energy at low and medium frequencies, and energy of all but the mean, of 3x3 blocks.

    Energies are 36 times those of the orthonormal DCT: whole numbers, below 2^24 and thus exact in float32.
    """
    sums, low, total = np.empty((3, *shape), dtype=np.float32)
    for top in range(0, shape[0], _STRIP_ROWS):
        part = slice(top, min(top + _STRIP_ROWS, shape[0]))
        plane = channel[part.start * step : (part.stop - 1) * step + SIDE].astype(np.float32)
        last = (shape[1] - 1) * step + 1
        left, middle, right = (plane[:, start : start + last : step] for start in range(SIDE))
        across = left + middle + right, left - right, left - 2 * middle + right  # 3-point DCT, not scaled
        flat, slope, bend = (
            [lines[row : len(plane) - 2 + row : step] for row in range(3)] for lines in across
        )
        sums[part] = flat[0] + flat[1] + flat[2]
        low[part] = 6 * (flat[0] - flat[2]) ** 2 + 2 * (flat[0] - 2 * flat[1] + flat[2]) ** 2
        low[part] += 6 * (slope[0] + slope[1] + slope[2]) ** 2 + 9 * (slope[0] - slope[2]) ** 2
        low[part] += 2 * (bend[0] + bend[1] + bend[2]) ** 2
        total[part] = 3 * (slope[0] - 2 * slope[1] + slope[2]) ** 2 + 3 * (bend[0] - bend[2]) ** 2
        total[part] += (bend[0] - 2 * bend[1] + bend[2]) ** 2
        total[part] += low[part]
    return sums, low, total


def _order_value(values: FloatArray, share: float) -> float:
    """The value that `share` of the values do not exceed."""
    place = max(int(len(values) * share) - 1, 0)
    return float(np.partition(values, place)[place])


def _share_quiet(energies: FloatArray) -> FloatArray | None:
    """How far each smooth block of a bin belongs to the quiet half; None where half of them have no noise."""
    wanted = len(energies) * QUIET_SHARE
    border = _order_value(energies, QUIET_SHARE)
    if border == 0:
        return None
    below, tied = energies < border, energies == border
    return np.asarray(below + tied * ((wanted - below.sum()) / tied.sum()), dtype=np.float32)
