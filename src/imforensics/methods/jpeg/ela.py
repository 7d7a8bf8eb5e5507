"""Error level analysis: the image is saved once more as JPEG, and what changes is shown."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

import numpy as np
from pydantic import Field

from imforensics.methods.base import Method, MethodOptions, Reference
from imforensics.preprocessing.blocks import (
    block_means,
    find_analysable_blocks,
    smooth_blocks,
    spread_blocks,
    upsample_blocks,
)
from imforensics.preprocessing.ela import DEFAULT_QUALITY, PICTURE_SCALE, ela_picture, iterate_residual
from imforensics.preprocessing.jpeg import MAX_SIDE, Subsampling
from imforensics.types import Artifact, Finding, LocalizationMap

if TYPE_CHECKING:
    from collections.abc import Iterator

    from imforensics.types import BoolArray, Evidence, FloatArray, UInt8Array

MIN_SIDE = 16  # two JPEG blocks
BLOCK = 8  # the JPEG grid
HALF_WAY_RESIDUAL = 5.0  # gray levels at which the map reads 0.5; photos mostly stay below


class ErrorLevelAnalysis(Method):
    """Error level analysis at one quality.

    The map is m / (m + 5), m the mean residual over 3x3 JPEG blocks in gray levels: a fixed function, the
    same for every image. The score is d / (d + 5), d the distance in gray levels from the median of the block
    means to their 99 % quantile: 0 where all blocks change alike.
    """

    name = "ela"
    family = "jpeg"
    question = "Are there regions that change more than the rest when the image is recompressed as JPEG?"
    idea = (
        "The image is recompressed as JPEG at a known quality and compared with itself. A region that was "
        "JPEG-compressed a different number of times, or at a different quality, than its surroundings can "
        "change more or less than they do."
    )
    limitations = (
        "Contrast misleads: in any image edges, text and fine texture change most and smooth areas least, so "
        "compare like with like. Recompressing or resizing the whole file weakens the difference, and so "
        "does a file quality below the chosen one. Flat and saturated areas cannot be analysed. A bright "
        "region is not proof."
    )
    reference = Reference(
        "N. Krawetz, A Picture's Worth: Digital Image Analysis and Forensics, Black Hat USA, 2007 (no DOI). "
        "Assessed in: N. B. A. Warif et al., An evaluation of Error Level Analysis in image forensics, "
        "ICSET, 2015",
        doi="10.1109/ICSEngT.2015.7412439",
    )

    class Options(MethodOptions):
        """Options of error level analysis.

        Attributes:
            quality: IJG quality of the resave.
            subsampling: chroma subsampling of the resave.
        """

        quality: int = Field(DEFAULT_QUALITY, ge=1, le=100)
        subsampling: Subsampling = "4:2:0"

    options: Options

    def analyze(self, evidence: Evidence) -> Finding:
        """Compute the residual, its map, its picture and an uncalibrated score."""
        reason = _why_not(evidence)
        valid = find_analysable_blocks(evidence.pixels, block=BLOCK) if reason is None else None
        if valid is not None and not valid.any():
            reason = "Flat or saturated all over: nothing in the image can change with compression."
        if reason is not None or valid is None:
            return self._decline(reason or "")
        bands = self._iterate(evidence.pixels)
        residual = np.concatenate([block_means(band, block=BLOCK) for _, band in bands])
        return self._report(evidence.pixels, residual, valid)

    def _iterate(self, pixels: UInt8Array) -> Iterator[tuple[int, UInt8Array]]:
        return iterate_residual(pixels, quality=self.options.quality, subsampling=self.options.subsampling)

    def _draw(self, pixels: UInt8Array) -> UInt8Array:
        """The picture of the residual, which takes another resave: it is made for those who look at it."""
        picture = np.empty_like(pixels)
        for top, band in self._iterate(pixels):
            picture[top : top + len(band)] = ela_picture(band)
        return picture

    def _report(self, pixels: UInt8Array, residual: FloatArray, valid: BoolArray) -> Finding:
        shape = (pixels.shape[0], pixels.shape[1])
        local = smooth_blocks(residual)
        marks = local / (local + np.float32(HALF_WAY_RESIDUAL))
        typical, top = (float(value) for value in np.quantile(residual[valid], (0.5, 0.99)))
        options = self.options
        caption = (
            f"ELA residual at quality {options.quality}, {options.subsampling}; fixed scale: brightness = "
            f"residual x {PICTURE_SCALE}, white from {255 // PICTURE_SCALE} of 255 gray levels on"
        )
        return Finding(
            self.name,
            self.family,
            "ok",
            score=(top - typical) / (top - typical + HALF_WAY_RESIDUAL),
            map=LocalizationMap(
                partial(upsample_blocks, marks, shape, block=BLOCK),
                partial(spread_blocks, valid, shape, block=BLOCK),
            ),
            artifacts={"ela": Artifact(partial(self._draw, pixels), caption)},
            observations={
                "quality": options.quality,
                "subsampling": options.subsampling,
                "median_residual": round(typical, 3),
                "residual_q99": round(top, 3),
                "analysable_share": round(float(valid.mean()), 4),
            },
            notes=(
                f"Blocks change by {typical:.2f} gray levels in the median, {top:.2f} at the 99 % quantile.",
                "The score compares these two; it is an uncalibrated heuristic, and contrast raises it too.",
                f"Map: m / (m + {HALF_WAY_RESIDUAL:g}), m the mean residual over 24x24 pixels.",
            ),
        )


def _why_not(evidence: Evidence) -> str | None:
    """Why this evidence cannot be analysed, None where it can."""
    size = f"{evidence.width}x{evidence.height}"
    if min(evidence.height, evidence.width) < MIN_SIDE:
        return f"The image is {size} pixels; error level analysis needs at least {MIN_SIDE} on each side."
    if max(evidence.height, evidence.width) > MAX_SIDE:
        return f"The image is {size} pixels; a JPEG file holds at most {MAX_SIDE} on each side."
    return None
