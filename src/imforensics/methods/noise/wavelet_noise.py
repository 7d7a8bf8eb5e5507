"""Wavelet noise: places whose colour noise differs from that of the rest of the image."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import Literal

import numpy as np
from pydantic import Field, field_validator

from imforensics.methods.base import Method, MethodOptions, Reference, describe_too_small
from imforensics.methods.noise.chroma_noise import block_detail_levels, gaussian_mean, half_size_ycbcr
from imforensics.preprocessing.blocks import find_analysable_blocks, spread_blocks, upsample_blocks
from imforensics.preprocessing.logistic import logistic
from imforensics.preprocessing.noise import MAD_OF_NORMAL
from imforensics.types import (
    OUTSIDE_KEY,
    Artifact,
    BoolArray,
    Evidence,
    Finding,
    FloatArray,
    JsonValue,
    LocalizationMap,
    UInt8Array,
)

MIN_SIDE = 16
MIN_LEVEL = 0.02  # gray levels; below, compression has removed the noise (8-bit rounding alone leaves 0.1)
LEVEL_OFFSET = 0.02  # gray levels, added before the logarithm: differences far below rounding do not count
# Chosen on tampered images of CASIA v1 train and val, raw and saved again at quality 90: the Gaussian that
# neighbouring blocks are averaged with, in blocks, and the power of the luma's level that the colour's is
# divided by. Texture shows in the colour planes too, and more so where it shows in the luma.
SIGMA_BLOCKS = 2.5
TEXTURE_POWER = 0.2
MIN_SPREAD = 0.1  # of ln(level): in an even image, differences below 10 % are within the error of estimation
HALF_WAY = 2.0  # robust standard deviations at which the map reads 0.5
SCORE_QUANTILE = 0.99
PICTURE_SCALE = 50  # a noise level of 5.1 gray levels shows white


@dataclass(frozen=True, slots=True)
class _Levels:
    """Smoothed noise levels of the blocks.

    Attributes:
        compared: geometric mean of those of Cb and Cr; of an image without colour those of the luma.
        logs: ln of them, less a part of the texture.
        has_color: whether colour was compared.
    """

    compared: FloatArray
    logs: FloatArray
    has_color: bool


class WaveletNoise(Method):
    """Local noise level of the colour differences against the typical one of the image.

    d = (ln(Cb level) + ln(Cr level)) / 2 - 0.2 ln(Y level) around each block, each level the Gaussian mean of
    |diagonal wavelet detail| at half size; x = d - median(d), z = x / (MAD / 0.6745). The map is
    1 / (1 + exp(2 - z)), the score 1 - exp(-q), q the 99 % quantile of x: the share of the noise there that
    is above the typical. Where `deviation` is "either", |z| and |x| stand for z and x.
    """

    name = "wavelet_noise"
    family = "noise"
    question = "Are there regions whose noise differs from the noise in the rest of the image?"
    idea = (
        "Noise comes from the sensor and from processing and is similar throughout a photograph. The local "
        "noise level is the mean magnitude of the finest diagonal wavelet coefficients of the two "
        "colour-difference planes, which contain little texture; part of the remaining texture is removed "
        "using the luminance detail. A region from another image, or one that was sharpened, scaled or never "
        "chroma-subsampled, can stand out from the typical level."
    )
    limitations = (
        "Colourful fine texture (flowers, fabric, signs) counts as noise, and sensors are noisier in dark "
        "areas, so authentic images have false alarms too. Strong JPEG compression removes colour noise, and "
        "copies within one image have the same noise. In an image without colour only luminance is "
        "available, where texture has more influence. Flat and saturated areas cannot be analysed. By "
        "default the map shows only noisier regions, so blurring and smooth insertions are missed."
    )
    reference = Reference(
        "B. Mahdian, S. Saic, Using noise inconsistencies for blind image forensics, Image and Vision "
        "Computing 27, 2009",
        doi="10.1016/j.imavis.2009.02.001",
    )

    class Options(MethodOptions):
        """Options of the wavelet noise method.

        Attributes:
            block: side of a block in pixels, a multiple of 4; noise is averaged over some five blocks.
            deviation: "noisier" marks blocks above the typical level, "either" those below too.
        """

        block: int = Field(8, ge=8, le=256)
        deviation: Literal["noisier", "either"] = "noisier"

        @field_validator("block")
        @classmethod
        def _check_multiple(cls, block: int) -> int:
            if block % 4:
                raise ValueError(f"expected a multiple of 4 pixels, received {block}")
            return block

    options: Options

    def analyze(self, evidence: Evidence) -> Finding:
        """Measure the noise of each block and mark those that deviate."""
        if min(evidence.height, evidence.width) < MIN_SIDE:
            return self._decline(describe_too_small(evidence, MIN_SIDE))
        block = self.options.block
        planes = half_size_ycbcr(evidence.pixels)
        levels = [block_detail_levels(plane, block=block) for plane in planes]
        valid = find_analysable_blocks(evidence.pixels, block=block) & (levels[0] >= MIN_LEVEL)
        if not valid.any():
            return self._decline("Flat, saturated or without noise all over: there is no noise to compare.")
        return self._report(_compare(levels, valid), valid, (evidence.height, evidence.width))

    def _report(self, levels: _Levels, valid: BoolArray, shape: tuple[int, int]) -> Finding:
        block, is_either = self.options.block, self.options.deviation == "either"
        above = levels.logs - np.median(levels.logs[valid])
        spread = max(float(np.median(np.abs(above[valid]))) / MAD_OF_NORMAL, MIN_SPREAD)
        above = np.abs(above) if is_either else above
        marks = logistic(above / np.float32(spread) - HALF_WAY)
        top = max(float(np.quantile(above[valid], SCORE_QUANTILE)), 0.0)
        plane = "colour" if levels.has_color else "brightness"
        caption = (
            f"Local noise level of the {plane} at half size; fixed scale: brightness = level x "
            f"{PICTURE_SCALE}, white from {255 / PICTURE_SCALE:.1f} gray levels on"
        )
        picture = np.minimum(levels.compared * np.float32(PICTURE_SCALE), 255)
        return Finding(
            self.name,
            self.family,
            "ok",
            score=float(1 - np.exp(-top)),
            map=LocalizationMap(
                partial(upsample_blocks, marks, shape, block=block),
                partial(spread_blocks, valid, shape, block=block),
            ),
            artifacts={"noise": Artifact(partial(_draw, picture, shape, block), caption)},
            observations=_observe(levels, valid, spread),
            notes=_notes(levels, valid, is_either=is_either),
        )


def _compare(levels: list[FloatArray], valid: BoolArray) -> _Levels:
    """Average the levels of Y, Cb and Cr over neighbouring blocks and set colour against brightness."""
    weights = valid.astype(np.float32)
    luma, *chroma = (gaussian_mean(level, weights, sigma=SIGMA_BLOCKS) for level in levels)
    luma_logs = np.log(luma + np.float32(LEVEL_OFFSET))
    if max(float(level[valid].max()) for level in chroma) < MIN_LEVEL:
        return _Levels(luma, luma_logs, has_color=False)
    logs = sum(np.log(level + np.float32(LEVEL_OFFSET)) for level in chroma) / np.float32(2)
    compared = np.sqrt(chroma[0] * chroma[1])
    return _Levels(compared, logs - np.float32(TEXTURE_POWER) * luma_logs, has_color=True)


def _observe(levels: _Levels, valid: BoolArray, spread: float) -> dict[str, JsonValue]:
    low, typical, high = (float(level) for level in np.quantile(levels.compared[valid], (0.05, 0.5, 0.95)))
    facts: dict[str, JsonValue] = {
        "plane": "chroma" if levels.has_color else "luma",
        "sigma": round(typical, 3),
        "sigma_q05": round(low, 3),
        "sigma_q95": round(high, 3),
        "log_spread": round(spread, 4),
        "analysable_share": round(float(valid.mean()), 4),
    }
    if not levels.has_color:
        facts[OUTSIDE_KEY] = ["the image has no colour, whose noise the method compares"]
    return facts


def _notes(levels: _Levels, valid: BoolArray, *, is_either: bool) -> tuple[str, ...]:
    low, typical, high = np.quantile(levels.compared[valid], (0.05, 0.5, 0.95))
    plane = "colour" if levels.has_color else "brightness"
    notes = (
        f"The typical noise level of the {plane} at half size is {typical:.2f} gray levels; 90 % of the "
        f"blocks have {low:.2f} to {high:.2f}.",
        "The score tells how far the noisiest hundredth is above the typical level, a heuristic without "
        "calibration: colourful texture raises it too.",
        f"Map: 0.5 at {HALF_WAY:g} robust standard deviations of ln(level) "
        f"{'away from' if is_either else 'above'} the image's median.",
    )
    if levels.has_color:
        return notes
    return (
        "The image has no colour: its luminance is compared instead, where texture has more influence.",
        *notes,
    )


def _draw(levels: FloatArray, shape: tuple[int, int], block: int) -> UInt8Array:
    return upsample_blocks(levels, shape, block=block).astype(np.uint8)
