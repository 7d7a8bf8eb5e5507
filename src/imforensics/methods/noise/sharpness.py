"""How much fine detail there is for the edges there are: two bands of the picture, and a robust line.

References:
    F. Crete, T. Dolmiere, P. Ladret, M. Nicolas, "The blur effect: perception and estimation with a new
    no-reference perceptual blur metric", SPIE 6492 (2007), doi:10.1117/12.702790 (a blurred picture changes
    little when it is blurred again).
    P. J. Huber, "Robust estimation of a location parameter", Annals of Mathematical Statistics 35 (1964),
    doi:10.1214/aoms/1177703732 (weights of the robust line).
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from imforensics.preprocessing.blocks import block_means
from imforensics.preprocessing.noise import MAD_OF_NORMAL
from imforensics.types import BoolArray, FloatArray

FINE_SIGMA = 0.7  # pixels; the picture less its blur keeps edges of about a pixel and noise
COARSE_SIGMAS = (1.0, 2.0)  # their difference keeps the same edges where they have been blurred
HUBER = 1.5  # robust standard deviations within which a deviation counts in full

_STEPS = 8
_REACH = 3  # standard deviations at which a Gaussian is cut
_STRIP = 64


def filter_gaussian(image: FloatArray, *, sigma: float) -> FloatArray:
    """Gaussian blur, cut at three standard deviations; the outermost pixels are repeated beyond the edge.

    Args:
        image: (H, W) float32.
        sigma: standard deviation in pixels, > 0.

    Returns:
        (H, W) float32.

    >>> filter_gaussian(np.full((2, 3), 7, np.float32), sigma=1.0)
    array([[7., 7., 7.],
           [7., 7., 7.]], dtype=float32)
    """
    reach = math.ceil(_REACH * sigma)
    weights = np.exp(-0.5 * (np.arange(-reach, reach + 1) / sigma) ** 2)
    weights = (weights / weights.sum()).astype(np.float32)
    for axis in (0, 1):
        padded = np.pad(image, [(reach, reach) if i == axis else (0, 0) for i in (0, 1)], mode="edge")
        size = image.shape[axis]
        parts = [padded[i : i + size] if axis == 0 else padded[:, i : i + size] for i in range(2 * reach + 1)]
        image = parts[reach] * weights[reach]
        pair = np.empty_like(image)
        for shift in range(reach):
            np.add(parts[shift], parts[2 * reach - shift], out=pair)
            pair *= weights[shift]
            image += pair
    return image


def sum_detail(image: FloatArray, usable: BoolArray, *, cell: int) -> FloatArray:
    """Sums over the usable pixels of each cell of a grid that starts at the top-left corner.

    Args:
        image: (H, W) float32 in gray levels.
        usable: (H, W) bool.
        cell: side of a cell in pixels, >= 1.

    Returns:
        (ceil(H / cell), ceil(W / cell), 3) float32: number of usable pixels, sum of the fine detail
        |y - G(0.7) y|, sum of the coarse detail |G(1) y - G(2) y|.

    Raises:
        ValueError: `usable` has another shape than `image`, or `cell` is below 1.
    """
    if image.shape != usable.shape or image.ndim != 2 or cell < 1:
        raise ValueError(
            f"Expected image and usable of one (H, W) and cell >= 1; received {image.shape}, {usable.shape}, "
            f"cell={cell}"
        )
    height, width = image.shape
    rows, columns = -(-height // cell), -(-width // cell)
    margin = math.ceil(_REACH * max(COARSE_SIGMAS))
    padded = np.pad(image, ((margin, margin), (0, 0)), mode="edge")
    means = np.empty((rows, columns, 3), dtype=np.float32)
    cells_a_strip = max(1, _STRIP // cell)
    for first in range(0, rows, cells_a_strip):
        last = min(first + cells_a_strip, rows)
        inside = slice(first * cell, min(last * cell, height))
        fine, coarse = _split_detail(padded[inside.start : inside.stop + 2 * margin])
        weight = usable[inside].astype(np.float32)
        means[first:last, :, 0] = block_means(weight, block=cell)
        for index, band in ((1, fine), (2, coarse)):
            means[first:last, :, index] = block_means(band[margin:-margin] * weight, block=cell)
    sizes = np.multiply.outer(*(np.minimum(cell, n - np.arange(0, n, cell)) for n in (height, width)))
    means *= sizes[..., None]
    return means


def _split_detail(strip: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Absolute fine and coarse detail at each pixel."""
    soft, softer = (filter_gaussian(strip, sigma=sigma) for sigma in COARSE_SIGMAS)
    return np.abs(strip - filter_gaussian(strip, sigma=FINE_SIGMA)), np.abs(soft - softer)


def fit_robust_line(
    x: NDArray[np.float64], y: NDArray[np.float64]
) -> tuple[float, float, NDArray[np.float64]]:
    """Line y = slope x + intercept with Huber's weights, by a fixed number of reweighted least squares.

    Args:
        x: (n,) float64, n >= 1.
        y: (n,) float64.

    Returns:
        slope (0 where all x are equal), intercept, deviations y - line (n,).

    >>> x = np.arange(9.0)
    >>> y = 2 * x + 1
    >>> y[4] = 90
    >>> slope, intercept, _ = fit_robust_line(x, y)
    >>> round(slope, 2), round(intercept, 2)
    (2.0, 1.0)
    """
    weights = np.ones_like(x)
    slope = intercept = 0.0
    for _ in range(_STEPS):
        total = weights.sum()
        middle_x, middle_y = weights @ x / total, weights @ y / total
        spread = weights @ (x - middle_x) ** 2
        slope = float(weights @ ((x - middle_x) * (y - middle_y)) / spread) if spread > 0 else 0.0
        intercept = float(middle_y - slope * middle_x)
        distances = np.abs(y - slope * x - intercept)
        scale = HUBER * float(np.median(distances)) / MAD_OF_NORMAL
        weights = np.minimum(1.0, scale / np.maximum(distances, 1e-12)) if scale > 0 else weights
    return slope, intercept, y - slope * x - intercept
