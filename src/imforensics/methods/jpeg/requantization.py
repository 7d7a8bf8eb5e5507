"""What DCT coefficients change by when they are quantized again, by the tables of many qualities."""

from __future__ import annotations

from functools import lru_cache
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from imforensics.types import FloatArray

_Group = tuple[slice, np.float32, np.float32]  # tables that share a divisor, its inverse, and its eighth
_STRIP_BLOCKS = 8192  # blocks at a time: sums of 46 tables, 1.5 MB, stay in the cache
_TO_ZERO = 0.5  # of a divisor: up to it `rint` gives 0


def requantization_errors(coefficients: FloatArray, tables: FloatArray) -> FloatArray:
    """Mean squared change of each block.

    Tables of neighbouring qualities share divisors, and where all is quantized to 0 the change is the
    coefficient itself, whatever the divisor. One frequency is added after the other: a product of matrices
    would add them in an order that depends on the machine.

    Args:
        coefficients: (N, 64) float32, orthonormal DCT in gray levels.
        tables: (Q, 64) float32 divisors.

    Returns:
        (Q, N) float32, squared gray levels a pixel.

    >>> requantization_errors(np.full((1, 64), 3, np.float32), np.full((2, 64), [[4], [8]], np.float32))
    array([[1.],
           [9.]], dtype=float32)
    """
    result = np.empty((len(tables), len(coefficients)), dtype=np.float32)
    for first in range(0, len(coefficients), _STRIP_BLOCKS):
        strip = np.ascontiguousarray(coefficients[first : first + _STRIP_BLOCKS].T)  # (64, n)
        errors = np.zeros((len(tables), strip.shape[1]), dtype=np.float32)
        for values, groups in zip(strip, _group_divisors(tables.tobytes(), len(tables)), strict=True):
            _add_errors(values, groups, errors)
        result[:, first : first + _STRIP_BLOCKS] = errors
    return result


@lru_cache(maxsize=8)
def _group_divisors(tables: bytes, count: int) -> list[list[_Group]]:
    """For each frequency the runs of equal divisors among `count` tables of 64 float32."""
    frequencies = np.frombuffer(tables, dtype=np.float32).reshape(count, -1).T
    groups = []
    for divisors in frequencies:
        edges = (0, *map(int, np.flatnonzero(np.diff(divisors)) + 1), count)
        groups.append(
            [
                (slice(start, stop), 1 / divisors[start], divisors[start] / 8)
                for start, stop in pairwise(edges)
            ]
        )
    return groups


def _add_errors(values: FloatArray, groups: list[_Group], errors: FloatArray) -> None:
    """Add a 64th of the squared change of (n,) values by each of Q divisors to (Q, n) errors, in place."""
    eighths = values * np.float32(1 / 8)
    largest = max(values.max(), -values.min())
    changed, square = np.empty_like(values), eighths * eighths
    for tables, inverse, eighth in groups:
        if largest * inverse <= _TO_ZERO:
            errors[tables] += square
            continue
        np.multiply(values, inverse, out=changed)
        np.rint(changed, out=changed)
        np.multiply(changed, eighth, out=changed)
        np.subtract(changed, eighths, out=changed)
        np.multiply(changed, changed, out=changed)
        errors[tables] += changed
