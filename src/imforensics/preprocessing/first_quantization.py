"""Which table a JPEG was quantized with before its last saving, and where the blocks do not follow it."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np

from imforensics.evidence.quantization import ijg_tables
from imforensics.preprocessing.dct_statistics import (
    MAX_FIRST,
    describe_levels,
    likelihood_gains,
    log_ratios,
    move_off_grid,
)

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from imforensics.types import BoolArray, FloatArray, Int16Array, UInt16Array

QUALITIES = range(30, 98)  # of IJG tables tried as first ones; finer ones leave next to no trace
FINE_TABLES = frozenset({"web_maximum"})  # of Photoshop's, likewise
MAX_STEP = 2 * MAX_FIRST  # coefficients with a larger divisor are nearly all 0 and are left out
MIN_FREQUENCIES = 12  # divisors of an earlier table that must be the larger ones for `undo_last_saving`

# Nats a block, chosen on CASIA v1 (train, val) and photos (train, val): nearly all files saved once stay
# below 0.06 with a known table and below 0.4 with free divisors (docs/experiments/double_quantization.md).
MIN_KNOWN_GAIN = 0.1
MIN_FREE_GAIN = 0.45
MIN_TOTAL_GAIN = 50.0  # nats, in small images
CHANCE_GAIN = 4.0  # nats: ln(MAX_FIRST), what the best of 48 divisors gains by chance
# An encoder's rounding is no history: jpegli, mozjpeg's trellis and the dead zones of hardware turn many 1s
# into 0s, which any coarser divisor seems to explain. Earlier quantization also leaves peaks and gaps among
# larger magnitudes: least nats that these give, and least share of the whole gain; chosen on files saved once
# by such encoders, of which 6 in 1,181 exceed both (docs/experiments/encoders.md).
SMALLEST_PERIODIC = 2  # magnitude
MIN_KNOWN_LATTICE = 16.0
MIN_FREE_LATTICE = 30.0
MIN_LATTICE_SHARE = 0.01
KNOWN_SHARE = 0.8  # of the free gain that a known table must reach, else it is not the one
_STRIP, _MOVED = 8, 64  # rows of blocks at a time
MAX_EVIDENCE = 10.0  # nats that one coefficient may say: rounding differs between programs


@dataclass(frozen=True, slots=True)
class FirstQuantization:
    """What the luma coefficients say of an earlier saving on the same grid.

    Attributes:
        is_found: an earlier quantization is seen.
        table_name: "IJG quality 84", "Photoshop high", ...; None where no known table explains it.
        divisors: (8, 8) int64, 1 to MAX_FIRST; where unknown, the best one for each frequency.
        used: (8, 8) bool, frequencies that give evidence.
        gain: log likelihood gain a block in nats, 0 where nothing is found.
        evidence: (rows, columns) float32, nats for "this block lacks the earlier quantization"; zeros where
            nothing is found.
        lattice_gain: nats of the whole image for it from magnitudes of SMALLEST_PERIODIC or more, what chance
            gives taken off; 0 where no table explains the coefficients.
        is_rounding: a table explains the coefficients, but `lattice_gain` is too small: what is seen can be
            how the last encoder rounds small coefficients. Nothing is found then.
    """

    is_found: bool
    table_name: str | None
    divisors: NDArray[np.int64]
    used: BoolArray
    gain: float
    evidence: FloatArray
    lattice_gain: float
    is_rounding: bool


def find_first_quantization(
    coefficients: Int16Array, table: UInt16Array, *, frequencies: BoolArray | None = None
) -> FirstQuantization:
    """Find the table of an earlier saving, and each block's evidence against having been through it.

    The known table, or where none fits the free divisors, with the largest likelihood over all frequencies is
    taken. A frequency gives evidence where it supports the table.

    Args:
        coefficients: (rows, columns, 8, 8) int16 quantized luma; at least 2 rows and columns.
        table: (8, 8) divisors.
        frequencies: (8, 8) bool, those to use; None for all but the mean (DC).

    Returns:
        See `FirstQuantization`.
    """
    chosen = (table <= MAX_STEP) & (True if frequencies is None else frequencies)
    chosen[0, 0] = False
    seen = _compare_frequencies(coefficients, table, chosen)
    gains = np.zeros((64, MAX_FIRST), dtype=np.float32)
    for index, frequency in seen.items():
        gains[index] = likelihood_gains(frequency.ratios, frequency.counts)
    count = coefficients.shape[0] * coefficients.shape[1]
    name, divisors, total = _choose_divisors(gains, count)
    lattice = 0.0 if total is None else _sum_lattice_gains(seen, table, divisors)
    least = MIN_FREE_LATTICE if name is None else MIN_KNOWN_LATTICE
    is_rounding = total is not None and lattice < max(least, MIN_LATTICE_SHARE * total)
    if is_rounding:
        name, total = None, None
    evidence = np.zeros(coefficients.shape[:2], dtype=np.float32)
    used = (gains[np.arange(64), divisors - 1] > 0) & (total is not None)
    for index in map(int, np.flatnonzero(used)):
        frequency = seen[index]
        found = np.clip(frequency.ratios[divisors[index] - 1], -MAX_EVIDENCE, MAX_EVIDENCE)
        levels = describe_levels(coefficients[:, :, index // 8, index % 8], int(table.flat[index]))
        evidence -= found[levels.scales, levels.magnitudes]
    return FirstQuantization(
        total is not None,
        name,
        divisors.reshape(8, 8),
        used.reshape(8, 8),
        0.0 if total is None else total / count,
        evidence,
        lattice,
        is_rounding,
    )


def undo_last_saving(
    coefficients: Int16Array, table: UInt16Array, first: FirstQuantization
) -> tuple[Int16Array, UInt16Array, BoolArray] | None:
    """The coefficients of the earlier file, where its divisors were larger: rounding to their multiples.

    Args:
        coefficients: (rows, columns, 8, 8) int16 quantized luma.
        table: (8, 8) divisors of the last saving.
        first: the earlier saving, found.

    Returns:
        Coefficients and table like the input, the earlier ones where known, and (8, 8) bool: where; None
        where fewer than MIN_FREQUENCIES are known.
    """
    last, earlier = table.astype(np.int64), first.divisors
    known = first.used & (earlier < MAX_FIRST) & (earlier > last) & ((earlier >= last + 2) | (last <= 2))
    if known.sum() < MIN_FREQUENCIES:
        return None
    restored = coefficients.copy()
    factors = (last[known] / earlier[known]).astype(np.float32)
    restored[:, :, known] = np.rint(coefficients[:, :, known] * factors)
    return restored, np.where(known, earlier, last).astype(np.uint16), known


@lru_cache(maxsize=1)
def known_tables() -> dict[str, NDArray[np.int64]]:
    """Luminance tables of known encoders by name: (64,) int64, natural order, cut at MAX_FIRST."""
    from PIL.JpegPresets import presets

    tables = {f"IJG quality {quality}": ijg_tables(quality)[0].ravel() for quality in QUALITIES}
    for name, preset in presets.items():
        if name in FINE_TABLES:
            continue
        tables[f"Photoshop {name.replace('_', ' ')}"] = np.array(preset["quantization"][0])  # type: ignore[index]
    return {name: np.minimum(table.astype(np.int64), MAX_FIRST) for name, table in tables.items()}


@dataclass(frozen=True, slots=True)
class _Frequency:
    """Counts of one frequency's levels on and off the grid, and log ratios of each first divisor."""

    counts: FloatArray
    reference: FloatArray
    ratios: FloatArray


def _compare_frequencies(
    coefficients: Int16Array, table: UInt16Array, chosen: BoolArray
) -> dict[int, _Frequency]:
    """What is known of each chosen frequency, by its index in natural order."""
    counts = _count_levels(_by_frequency(coefficients), table, chosen)
    references = _count_levels(_by_frequency_off_grid(coefficients, table), table, chosen)
    return {
        index: _Frequency(counts[index], reference, log_ratios(int(table.flat[index]), reference))
        for index, reference in references.items()
    }


def _count_levels(planes: Int16Array, table: UInt16Array, chosen: BoolArray) -> dict[int, FloatArray]:
    """Counts of the levels of each chosen frequency."""
    indices = map(int, np.flatnonzero(chosen))
    return {index: describe_levels(planes[index], int(table.flat[index])).counts for index in indices}


def _sum_lattice_gains(
    frequencies: dict[int, _Frequency], table: UInt16Array, divisors: NDArray[np.int64]
) -> float:
    """Nats for these divisors from larger magnitudes alone, of the frequencies that exceed chance."""
    total = 0.0
    for index, frequency in frequencies.items():
        ratios = log_ratios(int(table.flat[index]), frequency.reference, smallest=SMALLEST_PERIODIC)
        chosen = slice(divisors[index] - 1, divisors[index])
        gain = float(likelihood_gains(ratios[chosen], frequency.counts)[0])
        total += max(gain - CHANCE_GAIN, 0.0)
    return total


def _by_frequency(coefficients: Int16Array) -> Int16Array:
    """(64, rows, columns): each frequency in one piece of memory, which its many passes need."""
    rows, columns = coefficients.shape[:2]
    result = np.empty((64, rows, columns), dtype=np.int16)
    for top in range(0, rows, _STRIP):  # which stays in the cache
        strip = coefficients[top : top + _STRIP]
        result[:, top : top + _STRIP] = strip.reshape(len(strip), columns, 64).transpose(2, 0, 1)
    return result


def _by_frequency_off_grid(coefficients: Int16Array, table: UInt16Array) -> Int16Array:
    """(64, rows - 1, columns - 1): those of `move_off_grid` likewise, never held block by block."""
    rows, columns = coefficients.shape[:2]
    result = np.empty((64, rows - 1, columns - 1), dtype=np.int16)
    for top in range(0, rows - 1, _MOVED):
        moved = move_off_grid(coefficients[top : top + _MOVED + 1], table)
        result[:, top : top + _MOVED] = _by_frequency(moved)
    return result


def _choose_divisors(gains: FloatArray, count: int) -> tuple[str | None, NDArray[np.int64], float | None]:
    """Name, (64,) divisors and total gain in nats; None for a gain that one saving alone can give."""
    names, stack = list(known_tables()), np.stack(list(known_tables().values()))
    totals = gains[np.arange(64), stack - 1].sum(axis=1)
    best = int(totals.argmax())
    known, free = float(totals[best]), float(np.maximum(gains.max(axis=1) - CHANCE_GAIN, 0).sum())
    is_known = known >= max(MIN_KNOWN_GAIN * count, MIN_TOTAL_GAIN)
    is_free = free >= max(MIN_FREE_GAIN * count, MIN_TOTAL_GAIN)
    if is_known and (known >= KNOWN_SHARE * free or not is_free):
        return names[best], stack[best], known
    divisors = gains.argmax(axis=1) + 1
    return None, divisors, free if is_free else None
