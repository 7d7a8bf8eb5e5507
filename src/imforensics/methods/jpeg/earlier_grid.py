"""Whether an image, or a part of it, was saved as JPEG before on another block grid, and which blocks were.

Every offset of the grid but four is tested with the quantization tables of known encoders in every window of
the image. The last saving leaves lattices of its own on other grids, where neighbouring blocks are alike;
these are the same on the grids mirrored at its own, so that an offset counts only by what it shows beyond its
mirror images. The offsets of no or half a block along each axis are their own mirror images and not tested.

References:
    T. Bianchi, A. Piva, IEEE Transactions on Information Forensics and Security 7(3), 2012,
    doi:10.1109/TIFS.2012.2187516 (likelihood ratio a block); 7(2), 2012, doi:10.1109/TIFS.2011.2170836
    (periodicity on the 64 grids). The number of false alarms follows A. Desolneux, L. Moisan, J.-M. Morel,
    "From Gestalt Theory to Image Analysis", Springer 2008, doi:10.1007/978-0-387-74378-3.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import erfc, log, log10, pi, sqrt
from typing import TYPE_CHECKING

import numpy as np

from imforensics.evidence.block_dct import block_dct
from imforensics.methods.jpeg.grid_periodicity import BLOCK, MAX_DIVISOR, Periodicity, U, V
from imforensics.preprocessing.first_quantization import known_tables

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from imforensics.types import FloatArray, Int16Array, UInt16Array

MIN_STRENGTH = 0.03  # expected mean cosine below which a frequency says nothing of a divisor
MIRROR_WEIGHT = 1.5  # how many times what a mirror image shows an offset has to show
MAX_NFA = 1e-3
_NORMAL_MAD = 0.6745
_SMALL = 3.0  # added to a standard deviation, in cosines: a handful of coefficients is no evidence
_UNTESTED = (0, 4, 32, 36)  # the grid of the last saving; those that are their own mirror images
_BAND_ROWS = 64  # of blocks at a time
_SPREAD = 2.5  # rounding errors that reach a frequency beside what its nearest neighbours give; as observed
_PIXEL_ROUNDING = 0.2  # squared gray levels: of pixels after either saving, and of the colour conversion
_ROUNDING = (0.5, 0.7, 1.0, 1.4, 2.0, 2.8)  # factors on the rounding's variance that are tried
_SHARES = (0.02, 0.05, 0.1, 0.2, 0.35, 0.5, 0.65, 0.8, 0.9, 0.95, 0.98)  # of blocks quantized, likewise
_FIT_ROWS, _FIT_BLOCKS = 128, 8192  # about so many rows, and blocks in them, that the factor is fitted to
_MAX_LOG_ODDS = 20.0


@dataclass(frozen=True, slots=True)
class EarlierGrid:
    """The best candidate for an earlier saving on another grid.

    Attributes:
        is_found: its number of false alarms is at most MAX_NFA.
        offset: row and column, 0 to 7, where its first whole block begins.
        table_name: "IJG quality 84", "Photoshop high", ...
        divisors: (8, 8) int64 of that table, at most MAX_DIVISOR.
        log10_nfa: log10 of the number of offsets, tables and windows expected to do as well by chance.
        deviations: standard deviations beyond chance and mirror images.
        window: top, left, bottom, right in pixels, where it is clearest.
        typical: (F,) float64, mean cosine that the other offsets show, by the frequencies (U[f], V[f]).
    """

    is_found: bool
    offset: tuple[int, int]
    table_name: str
    divisors: NDArray[np.int64]
    log10_nfa: float
    deviations: float
    window: tuple[int, int, int, int]
    typical: NDArray[np.float64]


def expected_strengths(coefficients: Int16Array, table: UInt16Array) -> FloatArray:
    """Mean cos(2 pi x / q) that multiples of q keep through the rounding of the last saving.

    The rounding errors of the last saving, by frequency, are taken to reach each frequency of another grid
    from its neighbours alike, and to be normal there.

    Args:
        coefficients: (rows, columns, 8, 8) int16, quantized by the last saving.
        table: (8, 8) its divisors.

    Returns:
        (8, 8, MAX_DIVISOR) float32 in [0, 1], 0 below MIN_STRENGTH; q - 1 on the last axis.
    """
    step = table.astype(np.float64)
    kept = np.clip((coefficients[::4] != 0).mean(axis=(0, 1)), 1e-4, 1 - 1e-4)
    scale = step / (2 * np.log(1 / kept))  # of the Laplacian of which the share `kept` is beyond step / 2
    reach = step / 2 / scale
    zeroed = scale**2 * (2 - np.exp(-reach) * (reach**2 + 2 * reach + 2)) / -np.expm1(-reach)
    errors = kept * step**2 / 12 + (1 - kept) * np.minimum(zeroed, step**2 / 12)
    padded = np.pad(errors, 1, mode="edge")
    neighbours = np.mean([padded[i : i + 8, j : j + 8] for i in range(3) for j in range(3)], axis=0)
    variance = _SPREAD * neighbours + _PIXEL_ROUNDING
    divisors = np.arange(1, MAX_DIVISOR + 1)
    strengths = np.exp(-2 * np.pi**2 * variance[..., None] / divisors**2)
    return np.where(strengths >= MIN_STRENGTH, strengths, 0).astype(np.float32)


def find_earlier_grid(periodicity: Periodicity, strengths: FloatArray) -> EarlierGrid:
    """The offset, table and window that stand out most from chance and from the mirrored offsets.

    Args:
        periodicity: from `measure_periodicity`.
        strengths: (8, 8, MAX_DIVISOR) float32 from `expected_strengths`.

    Returns:
        See `EarlierGrid`.
    """
    names, tables = list(known_tables()), np.stack(list(known_tables().values()))
    divisors = np.minimum(tables.reshape(-1, 8, 8)[:, U, V], MAX_DIVISOR)
    deviations = _against_mirrors(_measure_deviations(periodicity, divisors, strengths[U, V]))
    offset, window, table = map(int, np.unravel_index(deviations.argmax(), deviations.shape))
    best = float(deviations[offset, window, table])
    tests = (64 - len(_UNTESTED)) * deviations.shape[1] * deviations.shape[2]
    log10_nfa = log10(tests) + _log10_tail(best)
    top, left, bottom, right = (int(edge) for edge in periodicity.windows[window])
    return EarlierGrid(
        log10_nfa <= log10(MAX_NFA),
        (offset // BLOCK, offset % BLOCK),
        names[table],
        np.minimum(tables[table].reshape(8, 8), MAX_DIVISOR),
        log10_nfa,
        best,
        (top, left, bottom, right),
        _typical_cosines(periodicity, 0)[np.arange(len(U)), divisors[table] - 1].astype(np.float64),
    )


def block_evidence(
    plane: FloatArray, grid: EarlierGrid, strengths: FloatArray
) -> tuple[FloatArray, FloatArray]:
    """Log likelihood ratio of each block of the earlier grid: quantized there before, against not.

    A coefficient beyond half a divisor has a von Mises distribution around the multiples of the divisor, of
    the expected strength where it was quantized there, and of the strength that other grids show where it was
    not. How much stronger the last saving's rounding is than expected is fitted to the image.

    Args:
        plane: (H, W) float32, luma minus 128.
        grid: from `find_earlier_grid`.
        strengths: (8, 8, MAX_DIVISOR) float32 from `expected_strengths`.

    Returns:
        (rows, columns) float32 nats, above 0 for "quantized there before", of the whole blocks of the grid,
        and of the same shape the information: the expected size of that evidence, 0 where a block has no
        coefficient that tells.
    """
    expected = strengths[U, V, grid.divisors[U, V] - 1].astype(np.float64)
    used = np.flatnonzero(expected > 0)
    waves = _block_waves(plane, grid, used)
    if not used.size:
        return np.zeros(waves.shape[:2], dtype=np.float32), np.zeros(waves.shape[:2], dtype=np.float32)
    typical = grid.typical[used]
    slopes, constants, gains = _log_ratio(_fit_strengths(waves, expected[used], typical), typical)
    return _sum_evidence(waves, slopes, constants), (~np.isnan(waves)) @ gains.astype(np.float32)


def _fit_strengths(
    waves: FloatArray, expected: NDArray[np.float64], typical: NDArray[np.float64]
) -> NDArray[np.float64]:
    """The expected strengths at the factor on the variance that explains a sample of the blocks best."""
    sample = waves[:: -(-len(waves) // _FIT_ROWS)]
    sample = sample.reshape(-1, len(expected))[:: -(-sample.shape[0] * sample.shape[1] // _FIT_BLOCKS)]
    candidates = [expected**factor for factor in _ROUNDING]  # exp(-c v) to the power f is exp(-c f v)
    fits = []
    for strengths in candidates:
        slopes, constants, _ = _log_ratio(strengths, typical)
        fits.append(_mixture_likelihood(_sum_evidence(sample, slopes, constants)))
    return candidates[int(np.argmax(fits))]


def _block_waves(plane: FloatArray, grid: EarlierGrid, used: NDArray[np.intp]) -> FloatArray:
    """(rows, columns, used) float32 cos(2 pi x / q) of the grid's whole blocks, NaN where |x| < q / 2."""
    steps = grid.divisors[U[used], V[used]].astype(np.float32)
    top, left = grid.offset
    rows, columns = (plane.shape[0] - top) // BLOCK, (plane.shape[1] - left) // BLOCK
    waves = np.empty((rows, columns, len(used)), dtype=np.float32)
    for first in range(0, rows, _BAND_ROWS):
        start, stop = top + first * BLOCK, top + min(rows, first + _BAND_ROWS) * BLOCK
        values = block_dct(plane[start:stop], left=left)[:, :, U[used], V[used]] / steps
        part = np.cos(values * np.float32(2 * np.pi))
        part[np.abs(values) < 0.5] = np.nan
        waves[first : first + _BAND_ROWS] = part
    if used.size and used[0] == 0:  # the mean of a block without detail is that of its neighbours too
        waves[np.isnan(waves[..., 1:]).all(axis=-1), 0] = np.nan
    return waves


def _log_ratio(
    strengths: NDArray[np.float64], typical: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    """Slope and constant of the log likelihood ratio of cos(2 pi x / q), and its mean if quantized there."""
    strengths = np.maximum(strengths, typical)
    with_it, without = _concentration(strengths), _concentration(typical)
    slopes, constants = with_it - without, np.log(np.i0(without)) - np.log(np.i0(with_it))
    return slopes, constants, np.maximum(slopes * strengths + constants, 0)


def _concentration(means: NDArray[np.float64]) -> NDArray[np.float64]:
    """Kappa of the von Mises distribution with a mean cosine, as in Banerjee et al., JMLR 2005."""
    bounded = np.clip(means, -0.98, 0.98)
    return np.asarray(bounded * (2 - bounded**2) / (1 - bounded**2))


def _sum_evidence(
    waves: FloatArray, slopes: NDArray[np.float64], constants: NDArray[np.float64]
) -> FloatArray:
    ratios = waves * slopes.astype(np.float32) + constants.astype(np.float32)
    return np.asarray(np.nansum(ratios, axis=-1), dtype=np.float32)


def _mixture_likelihood(evidence: FloatArray) -> float:
    """Log likelihood gain of the blocks as a mixture, of the share of quantized ones that fits best."""
    odds = np.exp(np.clip(evidence, -_MAX_LOG_ODDS, _MAX_LOG_ODDS).astype(np.float64))
    return max(float(np.log1p(share * (odds - 1)).sum()) for share in _SHARES)


def _measure_deviations(
    periodicity: Periodicity, divisors: NDArray[np.int64], strengths: FloatArray
) -> FloatArray:
    """(64, windows, tables) float32: standard deviations by which the sums exceed those of the other offsets.

    The median over the offsets is what the shape of the histogram gives without any lattice.
    """
    cosines, counts = periodicity.cosines, periodicity.counts
    typical = _typical_cosines(periodicity)
    excess = cosines - counts * typical
    frequencies = np.arange(len(U))
    weights = strengths[frequencies, divisors - 1]  # (tables, F)
    shape = (*cosines.shape[:2], len(divisors))
    total, variance = np.zeros(shape, dtype=np.float32), np.zeros(shape, dtype=np.float32)
    for index in frequencies:
        total += excess[:, :, index, divisors[:, index] - 1] * weights[:, index]
        variance += counts[:, :, index, divisors[:, index] - 1] * weights[:, index] ** 2 / 2
    deviations = total / (np.sqrt(variance) + np.float32(_SMALL))
    spread = np.median(np.abs(deviations[1:]), axis=0) / _NORMAL_MAD
    return np.asarray(deviations / np.maximum(spread, 1), dtype=np.float32)


def _typical_cosines(periodicity: Periodicity, window: int | None = None) -> FloatArray:
    """Median over the offsets of the mean cosine: (windows, F, MAX_DIVISOR), or (F, MAX_DIVISOR) of one."""
    chosen = slice(None) if window is None else window
    means = periodicity.cosines[1:, chosen] / np.maximum(periodicity.counts[1:, chosen], 1)
    return np.asarray(np.median(means, axis=0), dtype=np.float32)


def _against_mirrors(deviations: FloatArray) -> FloatArray:
    """What each offset shows beyond its mirror images; far below 0 where it is not tested."""
    rows, columns = np.divmod(np.arange(64), BLOCK)
    result = deviations.copy()
    for flip_rows, flip_columns in ((True, False), (False, True), (True, True)):
        mirror = (-rows % BLOCK if flip_rows else rows) * BLOCK + (
            -columns % BLOCK if flip_columns else columns
        )
        beyond = deviations - MIRROR_WEIGHT * np.maximum(deviations[mirror], 0)
        differs = mirror != np.arange(64)
        result[differs] = np.minimum(result, beyond)[differs]
    result[list(_UNTESTED)] = -1e6
    return result


def _log10_tail(deviations: float) -> float:
    """log10 of the probability that N(0, 1) exceeds a value."""
    if deviations < 30:
        return log10(erfc(deviations / sqrt(2)) / 2)
    return (-(deviations**2) / 2 - log(deviations * sqrt(2 * pi))) / log(10)
