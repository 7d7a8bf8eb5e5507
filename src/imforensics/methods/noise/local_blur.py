"""Local blur: places with less fine detail than the edges there are let expect."""

from __future__ import annotations

from functools import partial

import numpy as np
from pydantic import Field

from imforensics.methods.base import Method, MethodOptions, Reference, describe_too_small
from imforensics.methods.noise.sharpness import fit_robust_line, sum_detail
from imforensics.preprocessing.blocks import find_analysable_blocks, spread_blocks, upsample_blocks
from imforensics.preprocessing.logistic import logistic
from imforensics.preprocessing.noise import MAD_OF_NORMAL, luma
from imforensics.preprocessing.windows import gather_windows
from imforensics.types import BoolArray, Evidence, Finding, FloatArray, LocalizationMap, UInt8Array

CELL = 8
BRIGHTEST, DARKEST = 250, 5  # luma beyond is cut off by the sensor or a decoder
MIN_COARSE = 0.3  # gray levels of coarse detail, mean of a window: below, there is no edge to compare with
OFFSET = 0.05  # gray levels, added before the logarithms: what is far below rounding does not count
MIN_SUPPORT = 0.5  # share of a window's pixels that must be usable
MIN_WINDOWS = 50
MIN_SPREAD = 0.05  # of ln(fine detail): in an even image, 5 % are within the error of a window
# Robust standard deviations at which map and score read 0.5, chosen on photos train and val: 1 % of the
# windows of authentic photographs lie beyond the first, the score of 2 % of them beyond the second.
MAP_HALF_WAY = 3.0
SCORE_HALF_WAY = 5.4
SCORE_QUANTILE = 0.99  # of the windows


class LocalBlur(Method):
    """Fine detail of each window against that of the windows of the same image with like edges.

    ln(fine detail) = slope ln(coarse detail) + intercept is fitted robustly over the windows of the image;
    z is how many robust standard deviations a window lies below the line. The map is 1 / (1 + exp(a - z)),
    the score the same, moved, of the 99 % quantile.
    """

    name = "local_blur"
    family = "noise"
    question = "Are there regions that are smoother than their own edges suggest?"
    idea = (
        "An edge that was blurred, retouched or enlarged keeps its coarse contrast, loses fine detail, and "
        "changes little when it is blurred again. In sliding windows the difference from a slight blur is "
        "compared with the difference between two stronger blurs, using a line fitted to the image itself, "
        "so that texture alone has no effect. The map shows windows far below the line."
    )
    limitations = (
        "Depth of field and motion blur have the same effect as retouching: in an untouched portrait the "
        "background is flagged. Hair, grass and noise are finer than most edges and raise the line. The "
        "method does not show why an area is soft, and it is uninformative without edges, as in sky and on "
        "plain walls. An insertion that is sharper than its surroundings is not flagged."
    )
    reference = Reference(
        "F. Crete, T. Dolmiere, P. Ladret, M. Nicolas, The blur effect: perception and estimation with a new "
        "no-reference perceptual blur metric, SPIE 6492, 2007 (the re-blurring; the line is this program's)",
        doi="10.1117/12.702790",
    )
    experimental = (
        "Its map is at chance on public forgeries: pixel AUC .521 on CASIA v1 val as published, .520 after "
        "recompression at quality 90 (imforensics evaluate --method local_blur --dataset casia1 --split val "
        "--protocol raw, and resaved_q90)."
    )

    class Options(MethodOptions):
        """Options of the local blur method.

        Attributes:
            window: side of a window in pixels; larger ones measure better and place worse.
        """

        window: int = Field(32, ge=16, le=256, multiple_of=8)

    options: Options

    def analyze(self, evidence: Evidence) -> Finding:
        """Fit the line and mark the windows far below it."""
        window = self.options.window
        if min(evidence.height, evidence.width) < window:
            return self._decline(describe_too_small(evidence, window))
        fine, coarse, valid = measure_detail(evidence.pixels, window=window)
        if int(valid.sum()) < MIN_WINDOWS:
            return self._decline(
                f"{int(valid.sum())} windows have edges, neither flat nor saturated; at least {MIN_WINDOWS} "
                "are needed to tell what is usual."
            )
        return self._report(fine, coarse, valid, (evidence.height, evidence.width))

    def _report(
        self, fine: FloatArray, coarse: FloatArray, valid: BoolArray, shape: tuple[int, int]
    ) -> Finding:
        deviations, slope, spread = find_softness(fine[valid], coarse[valid])
        marks = np.zeros(valid.shape, dtype=np.float32)
        marks[valid] = logistic(deviations - MAP_HALF_WAY)
        peak = float(np.quantile(deviations, SCORE_QUANTILE))
        share = float((deviations >= MAP_HALF_WAY).mean())
        return Finding(
            self.name,
            self.family,
            "ok",
            score=float(logistic(np.float32(peak) - SCORE_HALF_WAY)),
            map=LocalizationMap(
                partial(upsample_blocks, marks, shape, block=CELL),
                partial(spread_blocks, valid, shape, block=CELL),
            ),
            observations={
                "fine_to_coarse": round(float(np.median(fine[valid] / coarse[valid])), 4),
                "slope": round(slope, 4),
                "log_spread": round(spread, 4),
                "largest_deviation": round(float(deviations.max()), 3),
                "soft_share": round(share, 4),
                "analysable_share": round(float(valid.mean()), 4),
            },
            notes=(
                f"{share:.1%} of the windows with edges are softer than the others of this image by "
                f"{MAP_HALF_WAY:g} robust standard deviations, where the map is 0.5.",
                "An uncalibrated heuristic: depth of field and motion blur have the same effect.",
            ),
        )


def measure_detail(pixels: UInt8Array, *, window: int) -> tuple[FloatArray, FloatArray, BoolArray]:
    """Mean fine and coarse detail in the window around each cell of 8 pixels.

    Args:
        pixels: (H, W, 3) uint8 RGB.
        window: side in pixels, a multiple of 8.

    Returns:
        fine, coarse (h, w) float32 in gray levels; (h, w) bool: windows with edges and enough usable pixels.
    """
    image = luma(pixels)
    sums = sum_detail(image, (image > DARKEST) & (image < BRIGHTEST), cell=CELL)
    sums *= find_analysable_blocks(pixels, block=CELL)[..., None]
    sums = gather_windows(sums, cells=window // CELL)
    usable = np.maximum(sums[..., 0], np.float32(1))
    fine, coarse = (np.asarray(sums[..., i] / usable, dtype=np.float32) for i in (1, 2))
    return fine, coarse, (usable >= MIN_SUPPORT * window**2) & (coarse >= MIN_COARSE)


def find_softness(fine: FloatArray, coarse: FloatArray) -> tuple[FloatArray, float, float]:
    """How far each window lies below the line of the others.

    Args:
        fine: (n,) float32, mean fine detail in gray levels.
        coarse: (n,) float32, mean coarse detail.

    Returns:
        robust standard deviations below the line (n,) float32; the slope; the spread of ln(fine detail).
    """
    logs = [np.log(values.astype(np.float64) + OFFSET) for values in (coarse, fine)]
    slope, _, rest = fit_robust_line(*logs)
    rest -= np.median(rest)
    spread = max(float(np.median(np.abs(rest))) / MAD_OF_NORMAL, MIN_SPREAD)
    return (-rest / spread).astype(np.float32), slope, spread
