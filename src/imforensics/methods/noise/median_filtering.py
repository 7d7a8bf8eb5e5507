"""Median filtering: places that were smoothed with a median, as retouching and anti-forensic tools do."""

from __future__ import annotations

import numpy as np

from imforensics.methods.base import Method, Reference, describe_too_small
from imforensics.methods.noise.median_traces import describe_traces, sum_median_traces
from imforensics.preprocessing.blocks import spread_blocks, upsample_blocks
from imforensics.preprocessing.logistic import logistic
from imforensics.preprocessing.noise import luma
from imforensics.preprocessing.windows import gather_windows
from imforensics.types import BoolArray, Evidence, Finding, FloatArray, LocalizationMap, UInt8Array

CELL = 16
WINDOW = 64  # pixels
MIN_SUPPORT = 0.25  # share of a window that must have texture
MAX_MEAN_DIVISOR = 12.0  # of the luminance table; the IJG's at quality 90 has 11.4, at quality 85 17.2
# Bias and weights of the features in the order of median_traces.FEATURES: scripts/fit_median_filtering.py,
# on photos train.
LOSSLESS_WEIGHTS = (-10.63, (-1.879, 11.272, 9.753, -2.814, 5.913, 5.099, 1.535, 2.443, 2.159))
JPEG_WEIGHTS = (-11.611, (-3.619, 3.941, 8.05, -7.835, -1.694, 14.982, -6.072, 9.32, 2.957))
# Log odds at which map and score read 0.5, chosen on photos train and val. Lossless: 3 of 169 authentic
# photographs (decoded and taken as if stored losslessly), all edited wallpapers, have any window beyond.
# JPEG: 1 % of their windows lie beyond the first, the score of 2 % of them beyond the second.
MAP_HALF_WAY = {"lossless": 5.3, "jpeg": 4.0}
SCORE_HALF_WAY = {"lossless": 5.3, "jpeg": 4.8}
SCORE_QUANTILE = {"lossless": 1.0, "jpeg": 0.95}  # of the windows
THRESHOLD = 0.5  # of the map of a lossless file; that of a JPEG does not separate well enough to decide


class MedianFiltering(Method):
    """Log odds that a textured window was median filtered, against untouched, blurred or resized ones.

    The odds are those of a logistic regression on nine statistics of differences and of the residual of a
    3x3 median. The map is 1 / (1 + exp(a - log odds)). The score of a lossless file is the largest value of
    its map; of a JPEG, the same curve, moved, of the 95 % quantile. Only lossless files get a mask.
    """

    name = "median_filtering"
    family = "noise"
    question = "Was the image, or a part of it, smoothed with a median filter?"
    idea = (
        "A median filter outputs values of its own input: neighbours become equal even in texture "
        "(streaking), and a second median changes little. In textured windows, zero differences, the "
        "residual of a 3x3 median and its correlation are compared with what blurring, resizing and an "
        "untouched sensor leave. Lossless files and JPEGs have separate weights."
    )
    limitations = (
        "A single JPEG compression removes the streaking even at quality 98; the remaining trace, the shape "
        "of the residual, fades by quality 90, and files of lower quality are not analysed. Noise reduction "
        "in cameras and phones is often a kind of median filter and appears all over the picture. Drawings "
        "and enlarged pictures have equal neighbours too. Flat and saturated areas are uninformative."
    )
    reference = Reference(
        "M. Kirchner, J. Fridrich, On detection of median filtering in digital images, SPIE 7541, 2010; "
        "X. Kang et al., Robust median filtering forensics using an autoregressive model, IEEE Transactions "
        "on Information Forensics and Security 8(9), 2013 (doi:10.1109/TIFS.2013.2273394)",
        doi="10.1117/12.839100",
    )
    experimental = (
        "Its map is at chance on public forgeries, which are JPEGs: pixel AUC .536 on the 30 % of CASIA v1 "
        "val that it accepts, .538 after recompression at quality 90 (imforensics evaluate --method "
        "median_filtering --dataset casia1 --split val --protocol raw, and resaved_q90)."
    )

    def analyze(self, evidence: Evidence) -> Finding:
        """Measure the traces in each textured window."""
        shape = (evidence.height, evidence.width)
        if min(shape) < WINDOW:
            return self._decline(describe_too_small(evidence, WINDOW))
        if evidence.jpeg is not None:
            divisor = float(evidence.jpeg.quantization_tables[0].mean())
            if divisor > MAX_MEAN_DIVISOR:
                return self._decline(
                    f"The JPEG is too coarse: the luminance divisors have a mean of {divisor:.1f}, above "
                    f"{MAX_MEAN_DIVISOR:g} (about quality 90) the trace is gone."
                )
        is_jpeg = evidence.jpeg is not None
        logits, valid, facts = measure_windows(evidence.pixels, is_jpeg=is_jpeg)
        if not valid.any():
            return self._decline(
                "There is no texture: equal neighbours are no trace of a median in flat areas."
            )
        return self._report(logits, valid, facts, "jpeg" if is_jpeg else "lossless", shape)

    def _report(
        self, logits: FloatArray, valid: BoolArray, ratio: float, kind: str, shape: tuple[int, int]
    ) -> Finding:
        marks = np.where(valid, logistic(logits - MAP_HALF_WAY[kind]), np.float32(0))
        values = upsample_blocks(marks, shape, block=CELL)
        textured = spread_blocks(valid, shape, block=CELL)
        peak = np.quantile(logits[valid], [SCORE_QUANTILE[kind]])
        can_decide = kind == "lossless"
        share = float((logits[valid] >= MAP_HALF_WAY[kind]).mean())
        return Finding(
            self.name,
            self.family,
            "ok",
            score=float(logistic(peak - SCORE_HALF_WAY[kind])[0]),
            map=LocalizationMap(values, textured),
            mask_source=(values >= THRESHOLD) & textured if can_decide else None,
            threshold=THRESHOLD if can_decide else None,
            threshold_policy="far_2pct" if can_decide else None,
            observations={
                "weights": kind,
                "streaking_ratio": round(ratio, 4),
                "marked_share": round(share, 4),
                "median_log_odds": round(float(np.median(logits[valid])), 3),
                "textured_share": round(float(valid.mean()), 4),
            },
            notes=(
                f"{share:.0%} of the textured windows look median filtered. In texture, {ratio:.2f} "
                "neighbours are equal for each that differs by one gray level.",
                "If flagged everywhere, the whole file was filtered, perhaps in the camera; if only "
                "a region is flagged, that region was. An uncalibrated heuristic.",
            ),
        )


def take_plane(pixels: UInt8Array, *, is_jpeg: bool) -> UInt8Array:
    """The channel that was stored with most detail: the luma of a JPEG, else green.

    Args:
        pixels: (H, W, 3) uint8 RGB.
        is_jpeg: whether they were decoded from a JPEG.

    Returns:
        (H, W) uint8.
    """
    if is_jpeg:
        return np.rint(luma(pixels)).astype(np.uint8)
    return np.ascontiguousarray(pixels[..., 1])


def measure_windows(pixels: UInt8Array, *, is_jpeg: bool) -> tuple[FloatArray, BoolArray, float]:
    """Log odds of each window, one around each cell of 16 pixels.

    Args:
        pixels: (H, W, 3) uint8 RGB.
        is_jpeg: whether they were decoded from a JPEG.

    Returns:
        log odds (h, w) float32; which windows have enough texture (h, w) bool; the ratio of zero to unit
        differences in all texture.
    """
    sums = sum_median_traces(take_plane(pixels, is_jpeg=is_jpeg), cell=CELL)
    total = sums.sum(axis=(0, 1), dtype=np.float64)
    sums = gather_windows(sums, cells=WINDOW // CELL)
    bias, weights = JPEG_WEIGHTS if is_jpeg else LOSSLESS_WEIGHTS
    logits = describe_traces(sums) @ np.array(weights, dtype=np.float32) + np.float32(bias)
    valid = sums[..., 0] >= MIN_SUPPORT * WINDOW**2
    return logits, valid, float((total[1] + 1) / (total[2] + 1))
