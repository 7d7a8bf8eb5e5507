"""From a file as received to the traces that the localizer reads, or why it has none."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from imforensics.models.localizer_inputs import BLOCK
from imforensics.preprocessing.block_traces import BlockTraces, describe_blocks, describe_uncompressed

if TYPE_CHECKING:
    from imforensics.types import Evidence, Int16Array, JpegInfo

LARGEST_DIVISOR = 255  # of an 8-bit baseline table
LEAST_BLOCKS = 2  # on each side: histograms off the grid need a grid to be moved


@dataclass(frozen=True, slots=True)
class ReadTraces:
    """Traces of one piece of evidence.

    Attributes:
        traces: of its blocks; those of `describe_uncompressed` where there are none to read.
        absent_because: clause that says why a JPEG has none; None where traces were read, and for other
            formats, which have none by nature.
        is_read: True where the traces are those of the file's coefficients.
    """

    traces: BlockTraces
    absent_because: str | None
    is_read: bool


def read_traces(evidence: Evidence) -> ReadTraces:
    """Traces of the luma, where the file is a JPEG whose luma blocks are 8x8 pixels of the image.

    Raises:
        EvidenceError: the entropy-coded data of a JPEG cannot be decoded.
    """
    rows, columns = -(-evidence.height // BLOCK), -(-evidence.width // BLOCK)
    reason = None
    if evidence.jpeg is not None:
        coefficients = _read_luma(evidence.jpeg, (rows, columns))
        if not isinstance(coefficients, str):
            traces = describe_blocks(coefficients, evidence.jpeg.quantization_tables[0])
            return ReadTraces(traces, None, is_read=True)
        reason = coefficients
    return ReadTraces(describe_uncompressed(rows, columns), reason, is_read=False)


def _read_luma(jpeg: JpegInfo, shape: tuple[int, int]) -> Int16Array | str:
    table = jpeg.quantization_tables[0]
    if min(shape) < LEAST_BLOCKS:
        return "the picture is smaller than two blocks"
    if table.min() < 1 or table.max() > LARGEST_DIVISOR:
        return f"its luminance table has divisors outside 1 to {LARGEST_DIVISOR}"
    luma = jpeg.read_coefficients()[0]
    if luma.shape[:2] != shape:
        return "its first component is subsampled: its blocks are not 8x8 pixels of the image"
    return luma
