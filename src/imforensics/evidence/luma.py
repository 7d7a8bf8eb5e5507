"""The luma of a JPEG block by block, where its blocks are 8x8 pixels of the image: one rule for all."""

from __future__ import annotations

from dataclasses import dataclass

from imforensics.types import Evidence, Int16Array, UInt16Array

BLOCK = 8
LARGEST_DIVISOR = 255  # of an 8-bit baseline table


@dataclass(frozen=True, slots=True)
class LumaBlocks:
    """The luma of a JPEG with an 8-bit baseline table, on the grid of the image.

    Attributes:
        quantized: (ceil(H / 8), ceil(W / 8), 8, 8) int16 quantized coefficients, natural order, read-only.
        table: (8, 8) uint16 divisors, 1 to 255.
    """

    quantized: Int16Array
    table: UInt16Array


def read_luma(evidence: Evidence) -> LumaBlocks | str:
    """Read the luma of a JPEG, if its table is an 8-bit one and its first component is not subsampled.

    Args:
        evidence: a JPEG.

    Returns:
        The luma; else what is wrong, in words that go on after "its" or "The". A table that is refused is
        refused before anything is decoded.

    Raises:
        EvidenceError: the entropy-coded data cannot be decoded.
        ValueError: the evidence is not a JPEG.
    """
    if evidence.jpeg is None:
        raise ValueError("Expected a JPEG; received evidence without one. Ask `evidence.jpeg` before")
    table = evidence.jpeg.quantization_tables[0]
    if table.min() < 1 or table.max() > LARGEST_DIVISOR:
        return f"luminance table has divisors outside 1 to {LARGEST_DIVISOR}: not an 8-bit baseline one"
    quantized = evidence.jpeg.read_coefficients()[0]
    if quantized.shape[:2] != (-(-evidence.height // BLOCK), -(-evidence.width // BLOCK)):
        return "first component is subsampled: its blocks are not 8x8 pixels of the image"
    return LumaBlocks(quantized, table)
