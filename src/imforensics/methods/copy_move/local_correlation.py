"""Box means and local correlation of two pictures: how alike they are around each pixel."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from imforensics.types import FloatArray


def box_mean(plane: FloatArray, radius: int) -> FloatArray:
    """Mean over a square window; at the edges over what is inside.

    Args:
        plane: (H, W) float.
        radius: the window has 2 radius + 1 pixels on each side.

    Returns:
        (H, W) float32.

    >>> box_mean(np.array([[0.0, 3.0, 6.0]], np.float32), 1).tolist()
    [[1.5, 3.0, 4.5]]
    """
    result = plane
    for _ in range(2):
        result = _mean_down(result, radius).T
    return np.ascontiguousarray(result, dtype=np.float32)


def _mean_down(plane: FloatArray, radius: int) -> FloatArray:
    size = plane.shape[0]
    sums = np.zeros((size + 1, plane.shape[1]), dtype=np.float64)
    np.cumsum(plane, axis=0, dtype=np.float64, out=sums[1:])
    low = np.maximum(np.arange(size) - radius, 0)
    high = np.minimum(np.arange(size) + radius + 1, size)
    return np.asarray((sums[high] - sums[low]) / (high - low)[:, np.newaxis], dtype=np.float32)


def local_moments(
    first: FloatArray, second: FloatArray, *, radius: int
) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Covariance and the two variances over a square window around each pixel.

    Args:
        first: (H, W) float32.
        second: (H, W) float32.
        radius: the window has 2 radius + 1 pixels on each side.

    Returns:
        Covariance, variance of `first`, variance of `second`; each (H, W) float32, variances >= 0.
    """
    mean_first, mean_second = box_mean(first, radius), box_mean(second, radius)
    covariance = box_mean(first * second, radius) - mean_first * mean_second
    spread_first = np.maximum(box_mean(first * first, radius) - mean_first * mean_first, 0)
    spread_second = np.maximum(box_mean(second * second, radius) - mean_second * mean_second, 0)
    return covariance, spread_first, spread_second


def local_correlation(first: FloatArray, second: FloatArray, *, radius: int, floor: float) -> FloatArray:
    """Zero-mean normalised correlation over a square window around each pixel.

    Args:
        first: (H, W) float32.
        second: (H, W) float32.
        radius: the window has 2 radius + 1 pixels on each side.
        floor: standard deviation, in the planes' unit, that is added to both: windows without contrast tend
            to 0 instead of comparing noise.

    Returns:
        (H, W) float32 in [-1, 1].
    """
    covariance, spread_first, spread_second = local_moments(first, second, radius=radius)
    scale = np.sqrt((spread_first + floor * floor) * (spread_second + floor * floor))
    ratio = np.divide(covariance, scale, out=np.zeros_like(covariance), where=scale > 0)
    return np.clip(ratio, -1, 1, out=ratio)


def gaussian_blur(plane: FloatArray, sigma: float) -> FloatArray:
    """Gaussian mean; edges are mirrored.

    Args:
        plane: (H, W) float32.
        sigma: in pixels; below 0.2 the plane is returned as it is.

    Returns:
        (H, W) float32.
    """
    if sigma < 0.2:
        return plane
    radius = max(1, int(np.ceil(3 * sigma)))
    weights = np.exp(-0.5 * (np.arange(-radius, radius + 1) / sigma) ** 2)
    weights = (weights / weights.sum()).astype(np.float32)
    result = plane
    for _ in range(2):
        size = result.shape[0]
        padded = np.pad(result, ((radius, radius), (0, 0)), mode="symmetric")
        result = np.sum([w * padded[k : k + size] for k, w in enumerate(weights)], axis=0).T
    return np.ascontiguousarray(result, dtype=np.float32)
