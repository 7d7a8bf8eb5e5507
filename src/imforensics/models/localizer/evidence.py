"""From a file as received to the traces that the localizer reads, or why it has none."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from imforensics.evidence.luma import BLOCK, LumaBlocks, read_luma
from imforensics.models.localizer.traces import BlockTraces, describe_blocks, describe_uncompressed

if TYPE_CHECKING:
    from imforensics.types import Evidence

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
    if evidence.jpeg is not None and min(rows, columns) < LEAST_BLOCKS:
        reason = "the picture is smaller than two blocks"
    elif evidence.jpeg is not None:
        luma = read_luma(evidence)
        if isinstance(luma, LumaBlocks):
            return ReadTraces(describe_blocks(luma.quantized, luma.table), None, is_read=True)
        reason = f"its {luma}"
    return ReadTraces(describe_uncompressed(rows, columns), reason, is_read=False)
