"""What methods that read a JPEG's luma coefficients block by block start from, or why they cannot."""

from __future__ import annotations

from dataclasses import dataclass

from imforensics.evidence.luma import BLOCK, LumaBlocks, read_luma
from imforensics.methods.base import describe_too_small
from imforensics.preprocessing.blocks import find_unclipped_blocks
from imforensics.types import BoolArray, Evidence, Int16Array, UInt16Array

MIN_BLOCKS = 4  # on each side


@dataclass(frozen=True, slots=True)
class LumaCoefficients:
    """The luma of a baseline JPEG whose blocks are 8x8 pixels of the image.

    Attributes:
        quantized: (rows, columns, 8, 8) int16 quantized coefficients, natural order, read-only.
        table: (8, 8) uint16 divisors, 1 to 255.
        usable: (rows, columns) bool, at least one True: blocks whose coefficients a saving can have kept.
    """

    quantized: Int16Array
    table: UInt16Array
    usable: BoolArray


def read_luma_coefficients(evidence: Evidence) -> LumaCoefficients | str:
    """Read the luma coefficients, and find the blocks that are worth looking at.

    Args:
        evidence: a JPEG.

    Returns:
        The coefficients; a sentence that says why there are none to look at, for a finding "not_applicable".

    Raises:
        EvidenceError: the entropy-coded data cannot be decoded.
        ValueError: the evidence is not a JPEG.
    """
    luma = read_baseline_luma(evidence, min_side=MIN_BLOCKS * BLOCK)
    if isinstance(luma, str):
        return luma
    usable = find_unclipped_blocks(evidence.pixels, block=BLOCK)
    if not usable.any():
        return "Flat or clipped all over: there are no coefficients to look at."
    return LumaCoefficients(luma.quantized, luma.table, usable)


def read_baseline_luma(evidence: Evidence, *, min_side: int) -> LumaBlocks | str:
    """The luma of a JPEG that is large enough, see `read_luma`.

    Args:
        evidence: a JPEG.
        min_side: least height and width in pixels.

    Returns:
        The luma; a sentence that says what is wrong with it, for a finding "not_applicable".

    Raises:
        EvidenceError: the entropy-coded data cannot be decoded.
        ValueError: the evidence is not a JPEG.
    """
    if evidence.jpeg is None:
        raise ValueError(f"this method needs a JPEG, received {evidence.format}")
    if min(evidence.height, evidence.width) < min_side:
        return describe_too_small(evidence, min_side)
    luma = read_luma(evidence)
    return f"The {luma}." if isinstance(luma, str) else luma
