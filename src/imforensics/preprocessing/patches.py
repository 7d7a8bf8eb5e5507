"""Overlapping windows for large photos, aligned to the 8x8 JPEG grid, and their seamless stitching."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from numpy.typing import NDArray

    from imforensics.types import FloatArray


@dataclass(frozen=True, slots=True)
class Window:
    """A rectangle of an image, in pixels; all of it lies inside the image.

    Attributes:
        top: first row, a multiple of the grid.
        left: first column, a multiple of the grid.
        height: number of rows.
        width: number of columns.
    """

    top: int
    left: int
    height: int
    width: int

    @property
    def slices(self) -> tuple[slice, slice]:
        """Index of the window in an array (H, W[, C])."""
        return slice(self.top, self.top + self.height), slice(self.left, self.left + self.width)


def cut_windows(height: int, width: int, *, window: int, overlap: int, grid: int = 8) -> list[Window]:
    """Cover an image with overlapping windows, row by row.

    Every window starts on the grid. The last one of a row or column is shifted inward to end at the edge;
    where the image is no multiple of the grid, it starts on the next grid line and is up to grid - 1 pixels
    short.

    Args:
        height: of the image, in pixels.
        width: of the image, in pixels.
        window: side of a window, a multiple of `grid`; an image that is smaller gives one window of its size.
        overlap: of neighbouring windows, in pixels, a multiple of `grid`, less than `window`.
        grid: distance of the grid lines.

    Returns:
        Windows that cover each pixel at least once.

    Raises:
        ValueError: a size that is no multiple of the grid, or out of range.

    >>> [(part.left, part.width) for part in cut_windows(8, 43, window=24, overlap=8)]
    [(0, 24), (16, 24), (24, 19)]
    """
    if height < 1 or width < 1:
        raise ValueError(f"Expected an image of at least 1x1 pixels; received height {height}, width {width}")
    if grid < 1 or window < grid or window % grid:
        raise ValueError(f"Expected window to be a multiple of the grid of {grid}; received {window}")
    if not 0 <= overlap < window or overlap % grid:
        raise ValueError(
            f"Expected overlap as a multiple of the grid of {grid}, 0 to {window - grid}; received {overlap}"
        )
    rows = _spans(height, window, overlap, grid)
    columns = _spans(width, window, overlap, grid)
    return [Window(top, left, bottom - top, right - left) for top, bottom in rows for left, right in columns]


def read_window(array: NDArray[Any], window: Window, *, size: tuple[int, int] | None = None) -> NDArray[Any]:
    """The part of an array that a window covers.

    Args:
        array: (H, W) or (H, W, C), any dtype.
        window: part to read.
        size: (h, w) to fill up to at the bottom and right by mirroring, for networks of a fixed input; None
            fills nothing up.

    Returns:
        Array of the window's size, or of `size`; a view where nothing is filled up.

    Raises:
        ValueError: the window does not lie inside the array, or is larger than `size`.

    >>> read_window(np.arange(6).reshape(2, 3), Window(0, 1, 2, 2))
    array([[1, 2],
           [4, 5]])
    """
    if window.top + window.height > array.shape[0] or window.left + window.width > array.shape[1]:
        raise ValueError(f"Expected a window inside the array of shape {array.shape}; received {window}")
    part = array[window.slices]
    if size is None:
        return part
    missing = (size[0] - window.height, size[1] - window.width)
    if min(missing) < 0:
        raise ValueError(f"Expected a window of at most {size}; received {window}")
    padding = [(0, missing[0]), (0, missing[1]), *[(0, 0)] * (array.ndim - 2)]
    return np.pad(part, padding, mode="symmetric")


def stitch_windows(
    shape: tuple[int, int], windows: Sequence[Window], values: Iterable[FloatArray]
) -> FloatArray:
    """Blend the values of overlapping windows into one map without seams.

    Each window counts with raised-cosine weights, greatest in its middle. The weighted mean is updated window
    by window, mean += (value - mean) * weight / (sum of weights so far): `values` may be a generator, one
    window at a time is held, and a map that was cut comes back bit by bit.

    Args:
        shape: (H, W) of the map.
        windows: windows that cover the map, as from `cut_windows`.
        values: for each window, in order, (h, w) or (h, w, C) values; rows and columns beyond the window, as
            `read_window` fills up, are ignored.

    Returns:
        (H, W) or (H, W, C) float32, within the range of the values.

    Raises:
        ValueError: fewer or more values than windows, a value smaller than its window, or a pixel that no
            window covers.

    >>> stitch_windows((8, 12), cut_windows(8, 12, window=8, overlap=0), iter(np.ones((2, 8, 8)))).mean()
    np.float32(1.0)
    """
    weights = np.zeros(shape, dtype=np.float32)
    mean: FloatArray | None = None
    for window, value in zip(windows, values, strict=True):
        if value.shape[0] < window.height or value.shape[1] < window.width:
            raise ValueError(
                f"Expected at least ({window.height}, {window.width}) values; received {value.shape}"
            )
        if mean is None:
            mean = np.zeros((*shape, *value.shape[2:]), dtype=np.float32)
        _blend(mean[window.slices], weights[window.slices], value[: window.height, : window.width])
    if mean is None or not weights.all():
        raise ValueError(
            f"Expected windows that cover all of a map of shape {shape}; some pixels are left out"
        )
    return mean


def _blend(mean: FloatArray, weights: FloatArray, value: FloatArray) -> None:
    """Update the weighted mean and the sum of weights of one window in place."""
    weight = np.multiply.outer(_raised_cosine(value.shape[0]), _raised_cosine(value.shape[1]))
    weights += weight
    share = weight / weights
    mean += (value.astype(np.float32) - mean) * share.reshape(share.shape + (1,) * (value.ndim - 2))


def _raised_cosine(size: int) -> FloatArray:
    """sin^2 at half-sample positions: > 0 everywhere, 1 in the middle."""
    return np.asarray(np.sin(np.pi * (np.arange(size) + 0.5) / size) ** 2, dtype=np.float32)


def _spans(size: int, window: int, overlap: int, grid: int) -> list[tuple[int, int]]:
    """(start, stop) of the windows along one axis."""
    if size <= window:
        return [(0, size)]
    last = -(-(size - window) // grid) * grid
    starts = [*range(0, last, window - overlap), last]
    return [(start, min(start + window, size)) for start in starts]
