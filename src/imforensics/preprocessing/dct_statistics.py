"""Statistics of quantized DCT coefficients: quantized once, or twice on one and the same 8x8 grid.

All is told by magnitudes |x| of quantized coefficients of one frequency. Before quantization they are taken
as Laplacian with a scale that the neighbouring blocks give (a mixture of three scales, because neighbours do
not give it exactly), so that texture, which raises every magnitude, is no evidence by itself. Quantizing
twice, by `first` and then by `step`, moves the magnitudes to those that multiples of `first` fall on.

Reference:
    Z. Lin et al., Pattern Recognition 42(11), 2009, doi:10.1016/j.patcog.2009.03.019 (histograms of doubly
    quantized coefficients); T. Bianchi, A. Piva, IEEE TIFS 7(3), 2012, doi:10.1109/TIFS.2012.2187516
    (likelihood ratio a block, distribution of the once quantized from the image moved off its grid).
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np

from imforensics.evidence.block_dct import restore_blocks, transform_blocks

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from imforensics.types import FloatArray, Int16Array, UInt8Array, UInt16Array

MAX_FIRST = 48  # largest first divisor that is told apart; above, nearly all coefficients are 0 either way
# Standard deviation of a coefficient's error between the two savings, from the rounding of pixels and colour;
# 0.35 to 0.6 localize almost equally well on CASIA v1 train.
NOISE = 0.45
SCALES = np.geomspace(0.08, 40, 28)  # Laplacian scales, in units of the divisor
_SPREAD = ((-4, 0.3), (0, 0.4), (4, 0.3))  # mixture of scales: steps along SCALES (a factor of 2.5), weight
_MIXTURES = (0.6, 0.9)  # shares of doubly quantized blocks that a gain is the larger of
_LARGEST = 2**15  # dequantized coefficient: beyond it a file is damaged, and sums would not be exact
_FLOOR = 1e-12  # probability; no magnitude is impossible
_CONTEXT_EDGES = np.array([0.02, 0.05, 0.1, 0.18, 0.3, 0.5, 0.8, 1.2, 1.8, 2.7, 4, 6, 9, 14, 22])
_CONTEXT_WEIGHT = 32  # of the 24 neighbours: 2 for each of the nearest 8, 1 for the others
_PRIOR_COUNT = 30.0  # weight, in coefficients, of the model in the reference distribution of a scale


@dataclass(frozen=True, slots=True)
class Levels:
    """Quantized coefficients of one frequency.

    Attributes:
        bins: (rows, columns) uint8, of the weighted sum of the neighbours' magnitudes.
        scale_of_bin: uint8, index into SCALES.
        magnitudes: (rows, columns) uint8, |x|, cut at `magnitude_limit`.
        counts: (len(SCALES), limit + 1) float32, number of blocks by scale and magnitude.
    """

    bins: UInt8Array
    scale_of_bin: UInt8Array
    magnitudes: UInt8Array
    counts: FloatArray

    @property
    def scales(self) -> UInt8Array:
        """(rows, columns) uint8, index into SCALES that the neighbouring blocks give."""
        return self.scale_of_bin.take(self.bins)


def magnitude_limit(step: int) -> int:
    """Largest magnitude that is told apart, for a divisor: 40, and more below a divisor of 5.

    >>> magnitude_limit(1), magnitude_limit(16)
    (200, 40)
    """
    return max(40, 200 // step)


def describe_levels(coefficients: Int16Array, step: int) -> Levels:
    """Magnitudes of one frequency, and the scale that the neighbours of each block give.

    Args:
        coefficients: (rows, columns) int16, quantized.
        step: their divisor, at least 1.

    Returns:
        See `Levels`.
    """
    limit = magnitude_limit(step)
    magnitudes = np.minimum(np.abs(coefficients), limit).astype(np.uint8)
    bins = _context_bins(limit).take(_sum_neighbours(magnitudes))
    joint = bins * np.int16(limit + 1)
    joint += magnitudes
    table = np.bincount(joint.ravel(), minlength=(len(_CONTEXT_EDGES) + 1) * (limit + 1))
    table = table.reshape(len(_CONTEXT_EDGES) + 1, limit + 1)
    means = (table @ np.arange(limit + 1)) / np.maximum(table.sum(axis=1), 1)
    scale_of_bin = _nearest_scale(means)
    counts = np.zeros((len(SCALES), limit + 1), dtype=np.float32)
    np.add.at(counts, scale_of_bin, table.astype(np.float32))
    return Levels(bins, scale_of_bin, magnitudes, counts)


@lru_cache(maxsize=256)
def once_quantized(step: int) -> FloatArray:
    """Log probability of each magnitude after one quantization.

    Args:
        step: the divisor, at least 1.

    Returns:
        (len(SCALES), limit + 1) float32, natural logarithm; the last magnitude stands for all above too.
    """
    edges = np.arange(magnitude_limit(step)) + 0.5
    below = 1 - np.exp(-edges / SCALES[:, None])
    return _log_mixture(np.diff(below, axis=1, prepend=0, append=1))


def twice_quantized(step: int) -> FloatArray:
    """Log probability of each magnitude after quantization by a first divisor, noise, then by `step`.

    Args:
        step: the second divisor, at least 1.

    Returns:
        (MAX_FIRST, len(SCALES), limit + 1) float32; row k for the first divisor k + 1.
    """
    limit = magnitude_limit(step)
    result = np.empty((MAX_FIRST, len(SCALES), limit + 1))
    counts = [(limit + 2) * step // first + 2 for first in range(1, MAX_FIRST + 1)]
    firsts = np.repeat(np.arange(1, MAX_FIRST + 1), counts)
    multiples = np.concatenate([np.arange(count) for count in counts])
    moves = _requantize(multiples * firsts, step)
    below = 1 - np.exp(-(multiples + 0.5) * firsts / (SCALES[:, None] * step))
    stop = 0
    for index, count in enumerate(counts):
        start, stop = stop, stop + count
        shares = below[:, start:stop].copy()
        shares[:, 1:] -= below[:, start : stop - 1]
        np.matmul(shares, moves[start:stop], out=result[index])
    return _log_mixture(result)


def log_ratios(step: int, reference: FloatArray, *, smallest: int = 0) -> FloatArray:
    """Log likelihood ratio of each magnitude: quantized twice against once.

    The ratio is normalised so that its mean over the reference coefficients, which are quantized once, is 1
    for each scale and first divisor: where the Laplacian does not fit, the misfit then does not pass for
    double quantization.

    Args:
        step: the second divisor.
        reference: (len(SCALES), limit + 1) float32 counts of coefficients known to be quantized once, see
            `move_off_grid`.
        smallest: magnitudes below it say nothing, the others are compared among themselves.

    Returns:
        (MAX_FIRST, len(SCALES), limit + 1) float32; above 0 speaks for twice, 0 below `smallest`.
    """
    ratios, odds = _expected_ratios(step)
    weights = (reference + _PRIOR_COUNT * np.exp(once_quantized(step)))[:, smallest:]
    weights /= weights.sum(axis=1, keepdims=True)
    means = np.einsum("fsm,sm->fs", odds[..., smallest:], weights)
    ratios = ratios - np.log(means)[..., None]
    ratios[..., :smallest] = 0
    return np.asarray(ratios, dtype=np.float32)


@lru_cache(maxsize=64)
def _expected_ratios(step: int) -> tuple[FloatArray, FloatArray]:
    """Log likelihood ratios before they are normalised, and the ratios themselves, at most e^20."""
    ratios = twice_quantized(step) - once_quantized(step)
    return ratios, np.exp(np.minimum(ratios, 20))


def likelihood_gains(ratios: FloatArray, counts: FloatArray) -> FloatArray:
    """How much better a mixture of once and twice quantized explains the coefficients than once alone.

    Args:
        ratios: (F, len(SCALES), limit + 1) float32 from `log_ratios`.
        counts: (len(SCALES), limit + 1) float32 coefficients by scale and magnitude.

    Returns:
        (F,) float32 log likelihood gain in nats, negative where once alone explains them better.
    """
    used = counts > 0
    weights, odds = counts[used], np.exp(np.minimum(ratios[:, used], 20))
    gains = [np.log1p(share * (odds - 1)) @ weights for share in _MIXTURES]
    return np.asarray(np.max(gains, axis=0), dtype=np.float32)


def move_off_grid(coefficients: Int16Array, table: UInt16Array) -> Int16Array:
    """The coefficients the image would have, were it quantized on a grid moved by (4, 4): never twice on it.

    Args:
        coefficients: (rows, columns, 8, 8) int16, quantized, of the luma; at least 2 rows and columns.
        table: (8, 8) divisors.

    Returns:
        (rows - 1, columns - 1, 8, 8) int16, quantized by the same table.
    """
    rows, columns = coefficients.shape[:2]
    divisors = table.astype(np.float64)
    result = np.empty((rows - 1, columns - 1, 8, 8), dtype=np.int16)
    strip = max(1, 65536 // (64 * columns))  # rows of blocks at a time: some MB, whatever the image's size
    for top in range(0, rows - 1, strip):
        part = coefficients[top : top + strip + 1] * divisors
        np.clip(part, -_LARGEST, _LARGEST, out=part)
        pixels = restore_blocks(part.reshape(-1, 64))
        np.rint(pixels, out=pixels)
        np.clip(pixels, -128, 127, out=pixels)
        plane = pixels.reshape(-1, columns, 8, 8).transpose(0, 2, 1, 3).reshape(-1, columns * 8)[4:-4, 4:-4]
        blocks = plane.reshape(-1, 8, columns - 1, 8).transpose(0, 2, 1, 3)
        moved = transform_blocks(blocks.reshape(-1, 64)).reshape(blocks.shape)
        moved /= divisors
        result[top : top + strip] = np.rint(moved, out=moved)
    return result


def normal_cdf(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Distribution function of N(0, 1), within 1e-7: Abramowitz and Stegun 1964, 26.2.17."""
    t = 1 / (1 + 0.2316419 * np.abs(values))
    series = ((((1.330274429 * t - 1.821255978) * t + 1.781477937) * t - 0.356563782) * t + 0.319381530) * t
    tail = np.exp(-(values**2) / 2) / np.sqrt(2 * np.pi) * series
    return np.asarray(np.where(values >= 0, 1 - tail, tail))


def _requantize(magnitudes: NDArray[np.int64], step: int) -> NDArray[np.float64]:
    """(N, limit + 1): where each of (N,) magnitudes, with noise, goes when divided by `step`."""
    limit = magnitude_limit(step)
    values = magnitudes.astype(np.float64)
    nearest = np.rint(values / step)[:, None] + np.arange(-2, 3)
    edges = np.concatenate([nearest - 0.5, nearest[:, -1:] + 0.5], axis=1)
    share = np.diff(normal_cdf((edges * step - values[:, None]) / NOISE), axis=1)
    goes_to = np.minimum(np.abs(nearest), limit).astype(np.intp)
    goes_to += np.arange(len(values))[:, None] * (limit + 1)
    sums = np.bincount(goes_to.ravel(), weights=share.ravel(), minlength=len(values) * (limit + 1))
    return np.asarray(sums.reshape(len(values), limit + 1), dtype=np.float64)


def _log_mixture(probabilities: NDArray[np.float64]) -> FloatArray:
    """(..., len(SCALES), limit + 1): neighbouring scales mixed and normalised, as float32 logarithms."""
    rows = np.arange(len(SCALES))
    mixed = np.zeros_like(probabilities)
    for shift, weight in _SPREAD:
        mixed += weight * probabilities[..., np.clip(rows + shift, 0, rows[-1]), :]
    return np.asarray(np.log(mixed / mixed.sum(axis=-1, keepdims=True) + _FLOOR), dtype=np.float32)


@lru_cache(maxsize=8)
def _context_bins(limit: int) -> UInt8Array:
    """Bin of a weighted sum of the neighbours' magnitudes."""
    means = np.arange(_CONTEXT_WEIGHT * limit + 1) / _CONTEXT_WEIGHT
    return np.digitize(means, _CONTEXT_EDGES).astype(np.uint8)


def _sum_neighbours(magnitudes: UInt8Array) -> Int16Array:
    """Sum over 5x5 blocks plus that over 3x3, without the block itself, at most 32 x 200; edges mirrored."""
    padded = _mirror_edges(magnitudes)
    rows, columns = magnitudes.shape
    inner = padded[1:-1, 1:-1]
    three = inner[:rows] + inner[1 : rows + 1] + inner[2 : rows + 2]
    five = padded[:rows] + padded[1 : rows + 1] + padded[2 : rows + 2] + padded[3 : rows + 3] + padded[4:]
    total = -2 * padded[2:-2, 2:-2]
    for k in range(5):
        total += five[:, k : k + columns]
    for k in range(3):
        total += three[:, k : k + columns]
    return np.asarray(total, dtype=np.int16)


def _mirror_edges(magnitudes: UInt8Array) -> Int16Array:
    """Two more cells on each side, mirrored, as int16."""
    if min(magnitudes.shape) < 2:
        return np.pad(magnitudes, 2, mode="symmetric").astype(np.int16)
    padded = np.empty((magnitudes.shape[0] + 4, magnitudes.shape[1] + 4), dtype=np.int16)
    padded[2:-2, 2:-2] = magnitudes
    padded[:2, 2:-2], padded[-2:, 2:-2] = magnitudes[1::-1], magnitudes[:-3:-1]
    padded[:, :2], padded[:, -2:] = padded[:, 3:1:-1], padded[:, -3:-5:-1]
    return padded


def _nearest_scale(means: NDArray[np.float64]) -> UInt8Array:
    """Index of the scale whose quantized Laplacian has the mean magnitude."""
    logs = np.interp(np.log(np.maximum(means, 1e-6)), *_log_means())
    return np.asarray(np.abs(logs[:, None] - np.log(SCALES)).argmin(axis=1), dtype=np.uint8)


@lru_cache(maxsize=1)
def _log_means() -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """ln of the mean magnitude of quantized Laplacians, and of their scales."""
    fine = np.geomspace(0.02, 80, 400)
    return np.log(np.exp(-0.5 / fine) / -np.expm1(-1 / fine)), np.log(fine)
