"""Luminance tables of known encoders, to complete one of which only some divisors are seen."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np

from imforensics.evidence.encoder_formulas import MOST_SCALE, ffmpeg_table, jpegli_tables, mozjpeg_luma_tables
from imforensics.evidence.quantization import ijg_tables
from imforensics.evidence.table_families import list_known_tables

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from imforensics.types import BoolArray, UInt16Array

_JPEGLI_DISTANCES = np.geomspace(0.1, 15, 200)  # from the finest to about quality 20


@lru_cache(maxsize=1)
def known_luma_tables() -> NDArray[np.int64]:
    """(N, 64) int64 in [1, 255], natural order, without repeats; the IJG's at quality 1 to 100 come first."""
    tables = [ijg_tables(quality)[0] for quality in range(1, 101)]
    tables += [known.tables[0] for known in list_known_tables()]
    tables += list(mozjpeg_luma_tables())
    tables += [ffmpeg_table(scale) for scale in range(1, MOST_SCALE + 1)]
    for is_420 in (False, True):
        tables += [jpegli_tables(float(each), is_420=is_420)[0] for each in _JPEGLI_DISTANCES]
    rows = np.stack([np.asarray(table, dtype=np.int64).ravel() for table in tables])
    _, first = np.unique(rows, axis=0, return_index=True)
    unique: NDArray[np.int64] = rows[np.sort(first)]
    unique.flags.writeable = False
    return unique


def complete_table(divisors: NDArray[np.int64], is_seen: BoolArray) -> UInt16Array:
    """A table of an unknown encoder, with the divisors that are not seen taken from the nearest IJG table.

    Args:
        divisors: (64,) at least 1 where they are seen.
        is_seen: (64,) bool.

    Returns:
        (64,) uint16.
    """
    tables = known_luma_tables()[:100]
    distances = np.abs(np.log(tables[:, is_seen]) - np.log(divisors[is_seen])).sum(axis=1)
    nearest = tables[int(distances.argmin())]
    return np.where(is_seen, divisors, nearest).astype(np.uint16)
