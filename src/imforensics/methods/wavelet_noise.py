"""Wavelet noise: places whose noise level differs from that of the rest of the image."""

from __future__ import annotations

from typing import Literal

import numpy as np
from pydantic import Field, field_validator

from imforensics.methods.base import Method, MethodOptions, Reference
from imforensics.preprocessing.blocks import (
    find_analysable_blocks,
    smooth_blocks,
    spread_blocks,
    upsample_blocks,
)
from imforensics.preprocessing.noise import MAD_OF_NORMAL, NOISE_BLOCK, block_noise_levels, luma
from imforensics.types import Artifact, BoolArray, Evidence, Finding, FloatArray, LocalizationMap, UInt8Array

MIN_SIDE = 16
MIN_LEVEL = 0.02  # gray levels; below, compression has removed the noise (8-bit rounding alone leaves 0.29)
LEVEL_OFFSET = 0.1  # gray levels, added before the logarithm: differences far below rounding do not count
MIN_SPREAD = 0.1  # of ln(level): in an even image, differences below 10 % are within the error of 64 samples
HALF_WAY = 3.0  # robust standard deviations at which the map reads 0.5
MAX_LOGIT = 30.0  # exp() stays in the range of float32
PICTURE_SCALE = 25  # a noise level of 10.2 gray levels shows white


class WaveletNoise(Method):
    """Local noise level against the typical one of the image.

    z = (ln(level + 0.1) - median) / (MAD / 0.6745) for each block, averaged over 3x3 blocks; the map is
    1 / (1 + exp(3 - z)), with |z| for z where `deviation` is "either". The score is the 95 % quantile over
    the blocks of 1 / (1 + exp(3 - |z|)): how uneven the noise is, in both directions.
    """

    name = "wavelet_noise"
    family = "noise"
    question = "Are there regions whose noise differs from the noise of the rest of the image?"
    idea = (
        "Noise comes from the sensor and from processing and is much alike all over one photo. The noise "
        "level of each block is the median of its finest diagonal wavelet coefficients; a part from another "
        "image, or one that was smoothed, sharpened or scaled, can stand out from the typical level."
    )
    limitations = (
        "Fine texture (grass, hair, fabric) counts as noise, defocus and strong JPEG compression remove it, "
        "and sensors are noisier in the dark: all of these mark authentic images too. Flat and saturated "
        "areas cannot be analysed. By default the map shows noisier regions only, so that blurring and "
        "smooth insertions are missed."
    )
    reference = Reference(
        "B. Mahdian, S. Saic, Using noise inconsistencies for blind image forensics, Image and Vision "
        "Computing 27, 2009",
        doi="10.1016/j.imavis.2009.02.001",
    )

    class Options(MethodOptions):
        """Options of the wavelet noise method.

        Attributes:
            block: side of a block in pixels, even; larger ones measure better and place worse.
            deviation: "noisier" marks blocks above the typical level, "either" those below too.
        """

        block: int = Field(NOISE_BLOCK, ge=8, le=256)
        deviation: Literal["noisier", "either"] = "noisier"

        @field_validator("block")
        @classmethod
        def _check_even(cls, block: int) -> int:
            if block % 2:
                raise ValueError(f"expected an even number of pixels, received {block}")
            return block

    options: Options

    def analyze(self, evidence: Evidence) -> Finding:
        """Measure the noise of each block and mark those that deviate."""
        if min(evidence.height, evidence.width) < MIN_SIDE:
            size = f"{evidence.width}x{evidence.height}"
            return self._decline(f"The image is {size} pixels; at least {MIN_SIDE} on each side are needed.")
        block = self.options.block
        levels = block_noise_levels(luma(evidence.pixels), block=block)
        valid = find_analysable_blocks(evidence.pixels, block=block) & (levels >= MIN_LEVEL)
        if not valid.any():
            return self._decline("Flat, saturated or without noise all over: there is no noise to compare.")
        return self._report(levels, valid, (evidence.height, evidence.width))

    def _decline(self, reason: str) -> Finding:
        return Finding(self.name, self.family, "not_applicable", notes=(reason,))

    def _report(self, levels: FloatArray, valid: BoolArray, shape: tuple[int, int]) -> Finding:
        block = self.options.block
        deviations, spread = _deviations(levels, valid)
        weights = valid.astype(np.float32)
        uneven = _squash(smooth_blocks(np.abs(deviations), weights=weights))
        is_either = self.options.deviation == "either"
        marks = uneven if is_either else _squash(smooth_blocks(deviations, weights=weights))
        low, typical, high = (float(level) for level in np.quantile(levels[valid], (0.05, 0.5, 0.95)))
        caption = (
            f"Local noise level in blocks of {block} pixels; fixed scale: brightness = level x "
            f"{PICTURE_SCALE}, white from {255 / PICTURE_SCALE:.1f} gray levels on"
        )
        return Finding(
            self.name,
            self.family,
            "ok",
            score=float(np.quantile(uneven[valid], 0.95)),
            map=LocalizationMap(
                upsample_blocks(marks, shape, block=block), spread_blocks(valid, shape, block=block)
            ),
            artifacts={"noise": Artifact(_draw_levels(levels, shape, block), caption)},
            observations={
                "sigma": round(typical, 3),
                "sigma_q05": round(low, 3),
                "sigma_q95": round(high, 3),
                "log_spread": round(spread, 4),
                "analysable_share": round(float(valid.mean()), 4),
            },
            notes=(
                f"The typical noise level is {typical:.2f} gray levels; 90 % of the blocks have {low:.2f} to "
                f"{high:.2f}.",
                "The score tells how uneven the noise is, a heuristic without calibration: texture raises it "
                "too.",
                f"Map: 0.5 at {HALF_WAY:g} robust standard deviations of ln(level) "
                f"{'away from' if is_either else 'above'} the image's median.",
            ),
        )


def _squash(deviations: FloatArray) -> FloatArray:
    """Logistic function, 0.5 at HALF_WAY."""
    exponent = np.clip(HALF_WAY - deviations, -MAX_LOGIT, MAX_LOGIT)
    return np.asarray(1 / (1 + np.exp(exponent)), dtype=np.float32)


def _deviations(levels: FloatArray, valid: BoolArray) -> tuple[FloatArray, float]:
    """Robust z of the log noise level of each block, and the robust spread it is measured in."""
    logs = np.log(levels + np.float32(LEVEL_OFFSET))
    center = np.median(logs[valid])
    spread = max(float(np.median(np.abs(logs[valid] - center))) / MAD_OF_NORMAL, MIN_SPREAD)
    return np.asarray((logs - center) / np.float32(spread), dtype=np.float32), spread


def _draw_levels(levels: FloatArray, shape: tuple[int, int], block: int) -> UInt8Array:
    picture = upsample_blocks(np.minimum(levels * np.float32(PICTURE_SCALE), 255), shape, block=block)
    return picture.astype(np.uint8)
