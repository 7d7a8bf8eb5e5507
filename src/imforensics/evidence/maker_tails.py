"""Leftover bytes that cameras of some makers write after the image, known by maker and size only."""

from __future__ import annotations

from imforensics.evidence.jpeg_markers import EXIF_IDENTIFIER
from imforensics.evidence.jpeg_structure import JpegLayout, find_payload

# A string of the EXIF block, the largest tail seen, the maker. Source: originals of the public corpus
# digicam_corpus (github.com/thorsted/digicam_corpus); their tails look like memory that was not cleared.
_TAILS = (
    (b"hp PhotoSmart 43x", 64, "Hewlett-Packard"),  # 9 to 46 bytes in 14 of 14
    (b"Photosmart M4", 64, "Hewlett-Packard"),  # 9 to 45 bytes in 9 of 9
    (b"PV-SD4090", 521, "Panasonic"),  # 520 or 521 bytes in 10 of 10, one of them 0xFF only
)


def name_maker_tail(data: bytes, layout: JpegLayout | None, size: int) -> str | None:
    """Words for a tail of `size` bytes where the camera that EXIF names is known to write one; else None."""
    bounds = None if layout is None else find_payload(data, layout, EXIF_IDENTIFIER)
    if bounds is None:
        return None
    block = data[bounds[0] : bounds[1]]
    return next(
        (
            f"vendor data (leftover bytes as {maker} cameras write them)"
            for model, largest, maker in _TAILS
            if size <= largest and model in block
        ),
        None,
    )
