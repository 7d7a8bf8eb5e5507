"""Traces of a Bayer colour filter: how differently the two lattices of the green plane are predictable.

In a Bayer mosaic every other pixel, in the pattern of a chessboard, has its own green sample; the others are
interpolated. An interpolated pixel is predicted well by its neighbours, an acquired one less well. Source:
P. Ferrara, T. Bianchi, A. De Rosa, A. Piva, Image forgery localization via fine-grained analysis of CFA
artifacts, IEEE TIFS 7(5), 2012, doi:10.1109/TIFS.2012.2202227, section III.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from imforensics.types import FloatArray, UInt8Array

RADIUS = 3  # pixels, of the window that the variance of the error is taken in: 7x7
SIGMA = 1.75  # pixels, of the Gaussian weights in it
HALO = RADIUS + 1  # the prediction reaches one pixel further
LEAST_VARIANCE = 1 / 12  # squared gray levels: that of rounding, so that no logarithm is infinite
STRIP = 256  # rows at a time: bounds the temporary arrays


def lattice_evidence(green: UInt8Array, *, block: int) -> tuple[FloatArray, FloatArray]:
    """Logarithm of the ratio of the prediction errors' variances on the two lattices, for each block.

    L = mean over one lattice of ln(variance) - mean over the other (equations 7 to 9): 0 where no lattice
    stands out, positive where pixels with an even sum of row and column are the acquired ones, negative where
    the others are.

    Args:
        green: (H, W) uint8.
        block: side of a block in pixels, even.

    Returns:
        (floor(H / block), floor(W / block)) float32 each, whole blocks only: L, and the mean over the block
        of ln(variance), variance in squared gray levels.

    Raises:
        ValueError: the block is odd or smaller than 2.
    """
    if block < 2 or block % 2:
        raise ValueError(f"Expected an even block of at least 2 pixels, received {block}")
    rows, columns = green.shape[0] // block, green.shape[1] // block
    evidence, levels = (np.empty((rows, columns), dtype=np.float32) for _ in range(2))
    step = max(1, STRIP // block)
    if not evidence.size:
        return evidence, levels
    padded = np.pad(green[: rows * block, : columns * block], HALO, mode="symmetric")
    for first in range(0, rows, step):
        last = min(first + step, rows)
        part = padded[first * block : last * block + 2 * HALO].astype(np.float32)
        logs = _log_variances(part)
        blocks = logs.reshape(last - first, block, columns, block)
        levels[first:last] = blocks.mean(axis=(1, 3))
        logs[::2, 1::2] *= -1
        logs[1::2, ::2] *= -1
        evidence[first:last] = 2 * blocks.mean(axis=(1, 3))
    return evidence, levels


def _log_variances(green: FloatArray) -> FloatArray:
    """ln of the local variance of the prediction error among pixels of the same lattice; HALO is cut off."""
    neighbours = green[:-2, 1:-1] + green[2:, 1:-1] + green[1:-1, :-2] + green[1:-1, 2:]
    error = np.asarray(green[1:-1, 1:-1] - neighbours / 4, dtype=np.float32)
    mean, square = _average_on_lattice(error), _average_on_lattice(np.square(error))
    return np.asarray(np.log(np.maximum(square - mean * mean, 0) + LEAST_VARIANCE), dtype=np.float32)


def _average_on_lattice(values: FloatArray) -> FloatArray:
    """Gaussian mean over the pixels of the window that lie on the lattice of its centre; RADIUS is cut off.

    The weights g(y) g(x) of those with an even y + x are half the sum of g(y) g(x) and of the same with every
    other sign turned, (-1)^y g(y) (-1)^x g(x): two separable filters.
    """
    offsets = np.arange(-RADIUS, RADIUS + 1)
    weights = np.exp(-0.5 * (offsets / SIGMA) ** 2)
    signed = weights * (-1.0) ** offsets
    total = (weights.sum() ** 2 + signed.sum() ** 2) / 2
    result = _separable(values, weights) + _separable(values, signed)
    return np.asarray(result / np.float32(2 * total), dtype=np.float32)


def _separable(values: FloatArray, weights: np.ndarray) -> FloatArray:
    height, width = (side - 2 * RADIUS for side in values.shape)
    rows = np.zeros((height, values.shape[1]), dtype=np.float32)
    for shift, weight in enumerate(weights):
        rows += np.float32(weight) * values[shift : shift + height]
    result = np.zeros((height, width), dtype=np.float32)
    for shift, weight in enumerate(weights):
        result += np.float32(weight) * rows[:, shift : shift + width]
    return result
