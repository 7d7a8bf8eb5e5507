"""Block statistics: means over a regular grid, and the way back to the size of the image."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from imforensics.preprocessing.kept import keep_with_array

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from imforensics.types import BoolArray, CellT, FloatArray, UInt8Array

_FLAT_RANGE = 1  # gray levels
_BRIGHTEST = 250  # near the ends of [0, 255], with room for the rounding of a JPEG decoder
_DARKEST = 5
_MAX_CLIPPED = 1 / 8  # share of a block's pixels with a channel at 0 or 255


def block_means(image: FloatArray | UInt8Array, *, block: int) -> FloatArray:
    """Mean over each block of a grid that starts at the top-left corner.

    Args:
        image: (H, W) or (H, W, C), any real dtype; channels are averaged too.
        block: side of a block in pixels; blocks that the edge cuts hold fewer pixels.

    Returns:
        (ceil(H / block), ceil(W / block)) float32, in the unit of `image`.

    >>> block_means(np.arange(12, dtype=np.float32).reshape(3, 4), block=2)
    array([[ 2.5,  4.5],
           [ 8.5, 10.5]], dtype=float32)
    """
    height, width = image.shape[:2]
    channels = image.shape[2] if image.ndim == 3 else 1
    tops, lefts = np.arange(0, height, block), np.arange(0, width, block)
    kind = np.uint32 if np.issubdtype(image.dtype, np.integer) else np.float32
    rows = np.empty((len(tops), width * channels), dtype=np.float32)
    flat = image.reshape(height, width * channels)
    for index, top in enumerate(tops):
        rows[index] = flat[top : top + block].sum(axis=0, dtype=kind)
    sums = np.add.reduceat(rows, lefts * channels, axis=1)
    row_counts = np.minimum(tops + block, height) - tops
    column_counts = np.minimum(lefts + block, width) - lefts
    sums /= np.multiply.outer(row_counts, column_counts * channels).astype(np.float32)
    return sums


def smooth_blocks(values: FloatArray, *, weights: FloatArray | None = None) -> FloatArray:
    """Mean over each block and its up to eight neighbours.

    Args:
        values: (h, w) float32, one value per block.
        weights: (h, w) float32 >= 0, how far each block counts; None counts all alike.

    Returns:
        (h, w) float32; 0 where no block in reach has weight.

    >>> smooth_blocks(np.array([[0.0, 0.0, 3.0]], np.float32))
    array([[0. , 1. , 1.5]], dtype=float32)
    """
    weights = np.ones(values.shape, np.float32) if weights is None else weights
    total, weight = _sum_of_neighbours(values * weights), _sum_of_neighbours(weights)
    return np.divide(total, weight, out=np.zeros_like(total), where=weight > 0)


def gaussian_blocks(values: FloatArray, *, sigma: float) -> FloatArray:
    """Gaussian mean over blocks; edges are mirrored.

    Args:
        values: (..., h, w) float32, one value per block.
        sigma: standard deviation in blocks; the window reaches three of them to each side.

    Returns:
        (..., h, w) float32.

    >>> gaussian_blocks(np.full((3, 4), 2.0, np.float32), sigma=1.0).round(4).max()
    np.float32(2.0)
    """
    radius = int(3 * sigma)
    weights = np.exp(-0.5 * (np.arange(-radius, radius + 1) / sigma) ** 2).astype(np.float32)
    weights /= weights.sum()
    whole = ((0, 0),) * (values.ndim - 2)
    for _ in range(2):
        size = values.shape[-2]
        padded = np.pad(values, (*whole, (radius, radius), (0, 0)), mode="symmetric")
        total, part = np.zeros(values.shape, dtype=np.float32), np.empty(values.shape, dtype=np.float32)
        for shift, weight in enumerate(weights):
            total += np.multiply(padded[..., shift : shift + size, :], weight, out=part)
        values = np.ascontiguousarray(total.swapaxes(-1, -2))
    return values


@keep_with_array
def find_analysable_blocks(pixels: UInt8Array, *, block: int) -> BoolArray:
    """Blocks with something to see: neither flat nor saturated.

    Flat: no channel spans more than 1 gray level. Saturated: all samples at or above 250, or at or below 5,
    where the sensor or a decoder has cut off noise and compression traces.

    Args:
        pixels: (H, W, 3) uint8 RGB.
        block: side of a block in pixels.

    Returns:
        (ceil(H / block), ceil(W / block)) bool, True = can be analysed.

    >>> find_analysable_blocks(np.full((8, 8, 3), 255, np.uint8), block=8)
    array([[False]])
    """
    height, width = pixels.shape[:2]
    tops, lefts = np.arange(0, height, block), np.arange(0, width, block)
    result = np.empty((len(tops), len(lefts)), dtype=np.bool_)
    for index, top in enumerate(tops):
        rows = pixels[top : top + block]
        highest = np.maximum.reduceat(rows.max(axis=0), lefts, axis=0)
        lowest = np.minimum.reduceat(rows.min(axis=0), lefts, axis=0)
        is_flat = (highest - lowest).max(axis=-1) <= _FLAT_RANGE
        is_saturated = (lowest.min(axis=-1) >= _BRIGHTEST) | (highest.max(axis=-1) <= _DARKEST)
        result[index] = ~(is_flat | is_saturated)
    return result


@keep_with_array
def find_unclipped_blocks(pixels: UInt8Array, *, block: int) -> BoolArray:
    """Blocks whose DCT coefficients another saving on the same grid can have kept.

    Left out are flat and saturated ones, those of which more than an eighth of the pixels was cut to
    [0, 255], and those that the edge cuts: their padding is made anew in each saving.

    Args:
        pixels: (H, W, 3) uint8 RGB.
        block: side of a block in pixels.

    Returns:
        (ceil(H / block), ceil(W / block)) bool.

    >>> find_unclipped_blocks(np.arange(2 * 3 * 3, dtype=np.uint8).reshape(2, 3, 3) * 9, block=2)
    array([[False, False]])
    >>> find_unclipped_blocks(np.arange(2 * 3 * 3, dtype=np.uint8).reshape(2, 3, 3) * 9 + 9, block=2)
    array([[ True, False]])
    """
    height, width = pixels.shape[:2]
    usable = find_analysable_blocks(pixels, block=block).copy()
    for index, top in enumerate(range(0, height, block)):
        samples = pixels[top : top + block]
        is_end = (samples - np.uint8(1)) >= 254  # 0 becomes 255, 255 becomes 254
        if is_end.any():
            clipped = is_end[..., 0] | is_end[..., 1] | is_end[..., 2]
            usable[index] &= block_means(clipped.view(np.uint8), block=block)[0] <= _MAX_CLIPPED
    usable[height // block :] = False
    usable[:, width // block :] = False
    return usable


def spread_blocks(values: NDArray[CellT], shape: tuple[int, int], *, block: int) -> NDArray[CellT]:
    """Each pixel takes the value of its block, without interpolation.

    Args:
        values: (ceil(H / block), ceil(W / block)), any dtype.
        shape: (H, W) of the image.
        block: side of a block in pixels.

    Returns:
        (H, W), the dtype of `values`.

    >>> spread_blocks(np.array([[True, False]]), (1, 3), block=2)
    array([[ True,  True, False]])
    """
    columns = np.repeat(values, block, axis=1)[:, : shape[1]]
    return np.repeat(columns, block, axis=0)[: shape[0]]


def _sum_of_neighbours(values: FloatArray) -> FloatArray:
    padded = np.pad(values, 1)
    rows = padded[:-2] + padded[1:-1] + padded[2:]
    return np.asarray(rows[:, :-2] + rows[:, 1:-1] + rows[:, 2:], dtype=np.float32)


def upsample_blocks(values: FloatArray, shape: tuple[int, int], *, block: int) -> FloatArray:
    """Bilinear interpolation between block centres, constant beyond the outermost ones.

    Args:
        values: (h, w) float32, one value per block.
        shape: (H, W) of the image, with h = ceil(H / block) and w = ceil(W / block).
        block: side of a block in pixels.

    Returns:
        (H, W) float32, within the range of `values`.

    Raises:
        ValueError: `values` does not fit `shape`.

    >>> upsample_blocks(np.array([[0.0, 4.0]], np.float32), (1, 4), block=2)
    array([[0., 1., 3., 4.]], dtype=float32)
    """
    result = np.empty(shape, dtype=np.float32)
    for rows, upper, lower, share in _interpolate(values, shape, block):
        part = result[rows]
        np.multiply.outer(share, lower - upper, out=part)
        part += upper
    return result


def share_reached(values: FloatArray, shape: tuple[int, int], *, block: int, threshold: float) -> float:
    """Share of the pixels at or above a threshold, were the blocks brought to pixels by `upsample_blocks`.

    Args:
        values: (h, w) float32, one value per block.
        shape: (H, W) of the image, as for `upsample_blocks`.
        block: side of a block in pixels.
        threshold: of the values.

    Returns:
        In [0, 1].

    >>> share_reached(np.array([[0.0, 4.0]], np.float32), (1, 4), block=2, threshold=3)
    0.5
    """
    limit, reached = np.float32(threshold), 0
    for _, upper, lower, share in _interpolate(values, shape, block):
        if max(upper.max(), lower.max()) >= limit:
            part = np.multiply.outer(share, lower - upper)
            part += upper
            reached += int(np.count_nonzero(part >= limit))
    return reached / (shape[0] * shape[1])


def _interpolate(
    values: FloatArray, shape: tuple[int, int], block: int
) -> Iterator[tuple[slice, FloatArray, FloatArray, FloatArray]]:
    """Rows of pixels between the same blocks: which, (W,) at the blocks above and below, share of these."""
    expected = tuple(-(-side // block) for side in shape)
    if values.shape != expected:
        raise ValueError(
            f"Expected {expected} blocks of {block} for an image of {shape}; received {values.shape}"
        )
    left, right, share = _neighbours(shape[1], block)
    rows = values[:, left] * (1 - share) + values[:, right] * share
    above, below, share = _neighbours(shape[0], block)
    starts = np.flatnonzero(np.diff(above, prepend=-1) | np.diff(below, prepend=-1))
    for start, stop in zip(starts, [*starts[1:], shape[0]], strict=True):
        yield slice(start, stop), rows[above[start]], rows[below[start]], share[start:stop]


def _neighbours(size: int, block: int) -> tuple[np.ndarray, np.ndarray, FloatArray]:
    """For each pixel of a line: the block centre before it, the one after, and the share of the latter."""
    count = -(-size // block)
    position = np.clip((np.arange(size) + 0.5) / block - 0.5, 0, count - 1)
    before = np.floor(position).astype(np.intp)
    after = np.minimum(before + 1, count - 1)
    return before, after, (position - before).astype(np.float32)
