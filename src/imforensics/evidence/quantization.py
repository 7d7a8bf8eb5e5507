"""Quantization tables of the Independent JPEG Group's encoder, and the quality that a table comes from."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from imforensics.types import FloatArray, UInt16Array

# ITU-T T.81 (1992), Annex K, Table K.1: luminance, natural order.
_BASE_LUMA = (
    (16, 11, 10, 16, 24, 40, 51, 61),
    (12, 12, 14, 19, 26, 58, 60, 55),
    (14, 13, 16, 24, 40, 57, 69, 56),
    (14, 17, 22, 29, 51, 87, 80, 62),
    (18, 22, 37, 56, 68, 109, 103, 77),
    (24, 35, 55, 64, 81, 104, 113, 92),
    (49, 64, 78, 87, 103, 121, 120, 101),
    (72, 92, 95, 98, 112, 100, 103, 99),
)
# The same, Table K.2: chrominance.
_BASE_CHROMA = (
    (17, 18, 24, 47, 99, 99, 99, 99),
    (18, 21, 26, 66, 99, 99, 99, 99),
    (24, 26, 56, 99, 99, 99, 99, 99),
    (47, 66, 99, 99, 99, 99, 99, 99),
    (99, 99, 99, 99, 99, 99, 99, 99),
    (99, 99, 99, 99, 99, 99, 99, 99),
    (99, 99, 99, 99, 99, 99, 99, 99),
    (99, 99, 99, 99, 99, 99, 99, 99),
)

# Positions in natural (row-major) order of the 64 entries in the order of the file: T.81, Figure A.6.
ZIGZAG_TO_NATURAL = (
    *(0, 1, 8, 16, 9, 2, 3, 10, 17, 24, 32, 25, 18, 11, 4, 5),
    *(12, 19, 26, 33, 40, 48, 41, 34, 27, 20, 13, 6, 7, 14, 21, 28),
    *(35, 42, 49, 56, 57, 50, 43, 36, 29, 22, 15, 23, 30, 37, 44, 51),
    *(58, 59, 52, 45, 38, 31, 39, 46, 53, 60, 61, 54, 47, 55, 62, 63),
)

# Mean absolute difference of the logarithms of two tables beyond which no quality is named: a factor of
# 1.4 (half a stop) in the typical entry.
NEAR_IN_LOG = float(np.log(1.4))


def ijg_tables(quality: int) -> tuple[UInt16Array, UInt16Array]:
    """The two tables that the IJG encoder (libjpeg, libjpeg-turbo) writes at a quality setting.

    Args:
        quality: 1 (coarsest) to 100.

    Returns:
        Luminance and chrominance divisors, each (8, 8) uint16 in [1, 255], natural order.

    Raises:
        ValueError: quality is outside 1-100.

    Reference:
        ITU-T T.81 (1992), Annex K; scaling as in `jpeg_quality_scaling` of libjpeg 6b.

    >>> int(ijg_tables(50)[0][0, 0]), int(ijg_tables(90)[0][0, 0])
    (16, 3)
    """
    if not 1 <= quality <= 100:
        raise ValueError(f"quality must be 1 to 100, received {quality}")
    luma, chroma = (
        scale_base(np.array(base, dtype=np.int64), quality) for base in (_BASE_LUMA, _BASE_CHROMA)
    )
    return luma, chroma


def scale_base(base: NDArray[np.int64], quality: int) -> UInt16Array:
    """A base table at a quality, 1-100, as libjpeg 6b scales it: divisors in [1, 255]."""
    scale = 5000 // quality if quality < 50 else 200 - 2 * quality
    return np.clip((base * scale + 50) // 100, 1, 255).astype(np.uint16)


def estimate_quality(tables: Sequence[UInt16Array]) -> tuple[int | None, bool]:
    """The IJG quality whose tables are nearest to those of a file.

    The first table is compared to the luminance table, every other one to the chrominance or the luminance
    table, whichever is nearer (encoders share one table among the components of RGB and CMYK files). Nearest
    means the smallest mean absolute difference of the logarithms of the divisors.

    Args:
        tables: one (8, 8) uint16 table a component, natural order, the first for luminance.

    Returns:
        The nearest quality, None where none is near (`NEAR_IN_LOG`); and whether the tables are exactly the
        IJG tables at that quality.

    >>> estimate_quality(ijg_tables(85))
    (85, True)
    """
    if not tables or any(table.min() < 1 for table in tables):
        return None, False
    logarithms = np.log(np.stack(tables).astype(np.float32)).reshape(len(tables), 1, 1, 64)
    distances = np.abs(logarithms - _ijg_logarithms()).mean(axis=3)  # component x quality x (luma, chroma)
    total = distances[0, :, 0] + distances[1:].min(axis=2).sum(axis=0)
    best = int(total.argmin())
    if total[best] / len(tables) > NEAR_IN_LOG:
        return None, False
    exact = ijg_tables(best + 1)
    is_standard = np.array_equal(tables[0], exact[0]) and all(
        any(np.array_equal(table, each) for each in exact) for table in tables[1:]
    )
    return best + 1, is_standard


def find_ijg_quality(table: UInt16Array, *, is_luma: bool) -> int | None:
    """The quality at which the IJG encoder writes exactly this table, None where it never does.

    Args:
        table: (8, 8) divisors, natural order.
        is_luma: compare to the luminance tables, else to the chrominance tables.

    >>> find_ijg_quality(ijg_tables(80)[1], is_luma=False)
    80
    """
    tables = _ijg_stack()[:, 0 if is_luma else 1]
    same = np.flatnonzero((tables == np.asarray(table).ravel()).all(axis=1))
    return int(same[0]) + 1 if len(same) else None


def find_base_percent(table: UInt16Array, *, is_luma: bool) -> int | None:
    """The whole percentage by which an Annex K table was multiplied, rounded or cut, to give this one.

    Encoders other than the IJG's scale the same base tables in steps of their own.

    Args:
        table: (8, 8) divisors, natural order.
        is_luma: the base is the luminance table, else the chrominance table.

    Returns:
        1 to 400, None where no percentage gives the table.
    """
    base = np.array(_BASE_LUMA if is_luma else _BASE_CHROMA, dtype=np.int64).ravel()
    products = np.arange(1, 401)[:, np.newaxis] * base
    for half in (50, 0):  # rounded; cut
        scaled = np.clip((products + half) // 100, 1, 255)
        same = np.flatnonzero((scaled == np.asarray(table).ravel()).all(axis=1))
        if len(same):
            return int(same[0]) + 1
    return None


@lru_cache(maxsize=1)
def _ijg_stack() -> UInt16Array:
    """All IJG tables, (100, 2, 64): quality 1-100 x (luma, chroma) x entry."""
    return np.stack([np.stack(ijg_tables(quality)) for quality in range(1, 101)]).reshape(100, 2, 64)


@lru_cache(maxsize=1)
def _ijg_logarithms() -> FloatArray:
    """Natural logarithms of all IJG tables, (100, 2, 64): quality 1-100 x (luma, chroma) x entry."""
    return np.log(_ijg_stack().astype(np.float32))
