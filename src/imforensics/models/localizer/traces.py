"""What each 8x8 block of a JPEG tells of the picture's compression history: the input of the localizer.

For each block and each of 35 frequencies: how common its quantized coefficient is in the picture's own
histogram, against the histogram on a grid moved by (4, 4), where earlier quantizations leave no trace. A
part that does not share the picture's history is seen by coefficients that its peaks do not explain. The
comparison is with the picture itself, so that no table has to be known from training.

Reference:
    S. Ye, Q. Sun, E.-C. Chang, ICME 2007, doi:10.1109/ICME.2007.4284574 (blocks that do not follow the
    image's histograms)
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from imforensics.preprocessing.coefficient_histograms import FREQUENCIES, LIKELY, count_coefficients

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from imforensics.types import FloatArray, Int16Array, UInt16Array

CHANNELS = 2 * len(FREQUENCIES)
TABLE_FACTS = len(FREQUENCIES) + 1
MAX_SURPRISE = 4.0  # nats, either way
LARGEST_MAGNITUDE = 127  # log(1 + 127) = 4.9
_STRIP = 4  # rows of blocks at a time, so that both sides stay in the processor's cache


@dataclass(frozen=True, slots=True)
class BlockTraces:
    """Traces of one picture's luma.

    Attributes:
        values: (rows, columns, CHANNELS) float16: for the frequencies in FREQUENCIES first the surprise
            -ln(observed / expected) in nats, in [-MAX_SURPRISE, MAX_SURPRISE], then ln(1 + |x|).
        table: (TABLE_FACTS,) float32: ln of the divisors, and 1; all 0 for a picture that is not a JPEG.
    """

    values: NDArray[np.float16]
    table: FloatArray


def describe_blocks(coefficients: Int16Array, table: UInt16Array) -> BlockTraces:
    """Traces of each block of a JPEG.

    Args:
        coefficients: (rows, columns, 8, 8) int16, quantized luma; at least 2 rows and columns.
        table: (8, 8) divisors, at least 1.
    """
    values = np.empty((*coefficients.shape[:2], CHANNELS), dtype=np.float16)
    logarithms = np.log1p(np.arange(LARGEST_MAGNITUDE + 1)).astype(np.float16)
    surprises = []
    for histogram in count_coefficients(coefficients, table):
        ratios = (histogram.observed + LIKELY) / (histogram.expected + LIKELY)
        surprises.append(np.clip(-np.log(ratios), -MAX_SURPRISE, MAX_SURPRISE).astype(np.float16))
    for top in range(0, coefficients.shape[0], _STRIP):
        strip, part = coefficients[top : top + _STRIP], values[top : top + _STRIP]
        for index, (u, v) in enumerate(FREQUENCIES):
            magnitudes = np.abs(strip[:, :, u, v])
            part[:, :, index] = surprises[index].take(magnitudes, mode="clip")
            part[:, :, index + len(FREQUENCIES)] = logarithms.take(magnitudes, mode="clip")
    rows, columns = zip(*FREQUENCIES, strict=True)
    facts = np.append(np.log(table[rows, columns].astype(np.float32)), np.float32(1))
    return BlockTraces(values, facts)


def describe_uncompressed(rows: int, columns: int) -> BlockTraces:
    """What stands for the traces of a picture that is not a JPEG: no surprise, no magnitude, no table."""
    return BlockTraces(
        np.zeros((rows, columns, CHANNELS), dtype=np.float16), np.zeros(TABLE_FACTS, dtype=np.float32)
    )
