"""What the localizer is shown of a picture: in training, calibration and production the same."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, cast

import numpy as np

from imforensics.evidence.luma import BLOCK
from imforensics.models.localizer.traces import BlockTraces, describe_blocks, describe_uncompressed
from imforensics.preprocessing.ela import ela_residual
from imforensics.preprocessing.inputs import normalize
from imforensics.preprocessing.wavelet import noise_residual

if TYPE_CHECKING:
    from collections.abc import Sequence

    from imforensics.types import FloatArray, Int16Array, UInt8Array, UInt16Array

ELA_QUALITY = 90


@dataclass(frozen=True, slots=True)
class LocalizerInput:
    """One picture as the network takes it.

    Attributes:
        traces: of its R x C blocks, see `BlockTraces`.
        pixels: (8R, 8C, 3) uint8, or float32 where residuals take their place; edges repeated.
    """

    traces: BlockTraces
    pixels: UInt8Array | FloatArray


def build_localizer_input(
    pixels: UInt8Array,
    coefficients: Int16Array | None,
    table: UInt16Array | None,
    *,
    streams: Sequence[str],
) -> LocalizerInput:
    """Traces and pixels of one picture.

    Args:
        pixels: (H, W, 3) uint8 RGB.
        coefficients: (ceil(H / 8), ceil(W / 8), 8, 8) int16 quantized luma; None for a picture that is no
            JPEG, or whose luma is subsampled.
        table: (8, 8) divisors of the luma, None likewise.
        streams: of the network, see `LocalizerNetworkConfig`.
    """
    rows, columns = (-(-side // BLOCK) for side in pixels.shape[:2])
    if coefficients is None or table is None or min(rows, columns) < 2:
        traces = describe_uncompressed(rows, columns)
    else:
        traces = describe_blocks(coefficients, table)
    return LocalizerInput(traces, pad_to_blocks(view_pixels(pixels, streams)))


def view_pixels(pixels: UInt8Array, streams: Sequence[str]) -> UInt8Array | FloatArray:
    """The pixels, or the residual that an "ela" or "wavelet" stream looks at in their place, (H, W, 3)."""
    if "ela" in streams:
        return np.asarray(ela_residual(pixels, quality=ELA_QUALITY))
    if "wavelet" in streams:
        return np.asarray(noise_residual(normalize(pixels)) * np.float32(255))
    return pixels


def pad_to_blocks(pixels: UInt8Array | FloatArray) -> UInt8Array | FloatArray:
    """Whole blocks: the last row and column are repeated."""
    height, width = pixels.shape[:2]
    margins = ((0, -height % BLOCK), (0, -width % BLOCK), (0, 0))
    return cast("UInt8Array | FloatArray", np.pad(pixels, margins, mode="edge"))
