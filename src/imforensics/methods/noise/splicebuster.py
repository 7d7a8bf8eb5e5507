"""Splicebuster: places whose noise residual follows other statistics than the rest of the image."""

from __future__ import annotations

from functools import partial

import numpy as np
from pydantic import Field

from imforensics.methods.base import Method, MethodOptions, Reference, describe_too_small
from imforensics.methods.noise.cooccurrence import CLASSES, count_cooccurrences
from imforensics.methods.noise.outliers import fit_gaussian, project_principal
from imforensics.preprocessing.blocks import find_analysable_blocks, spread_blocks, upsample_blocks
from imforensics.preprocessing.logistic import logistic
from imforensics.preprocessing.noise import luma
from imforensics.preprocessing.windows import gather_windows
from imforensics.types import BoolArray, Evidence, Finding, FloatArray, LocalizationMap, UInt8Array

BRIGHTEST, DARKEST = 250, 5  # luma beyond is cut off by the sensor or a decoder
STRIDES = (8, 16, 32)  # pixels; the smallest with at most MAX_WINDOWS windows
MAX_WINDOWS = 60_000
MAX_FITTED = 20_000  # windows that the fit sees, evenly drawn: more do not change it
MIN_SUPPORT = 0.5  # share of a window's co-occurrences that must be usable
MIN_DISJOINT = 8  # windows side by side in the usable area
WINDOWS_A_COMPONENT = 4  # disjoint windows to each component of the fit
MIN_COMPONENTS = 3
# Standard deviations at which map and score read 0.5, chosen on photos train and val: 1 % of the windows of
# authentic photographs lie beyond the first, the score of 2 % of them beyond the second.
MAP_HALF_WAY = 10.0
SCORE_HALF_WAY = 76.0
STEEPNESS = 1.5
SCORE_QUANTILE = 0.99  # of the windows


class Splicebuster(Method):
    """Mahalanobis distance of local co-occurrence histograms from those of the majority.

    z = sqrt(2 D) - sqrt(2 d - 1), normal where the d components are (R. A. Fisher's approximation of
    chi-squared), with D the squared distance. The map is 1 / (1 + exp(1.5 (asinh(10) - asinh(z)))); the score
    is the same curve, moved to 76, of the 99 % quantile of z.
    """

    name = "splicebuster"
    family = "noise"
    question = "Are there regions whose fine noise structure differs from that of the rest of the image?"
    idea = (
        "Third-order differences of the luma, quantized to three symbols, keep noise and processing traces "
        "and little of the scene. Groups of four symbols are counted in sliding windows; the principal "
        "components of the square-rooted histograms are fitted with one Gaussian for the majority and a "
        "constant density for outliers. The map shows the distance of each window from the Gaussian."
    )
    limitations = (
        "Texture, defocus and sky have their own residuals: an untouched picture with several materials "
        "shows them as outliers, and more so if it is small. The map shows where a picture is inhomogeneous; "
        "the score does not show whether it was altered. The majority is assumed to be untouched, so a large "
        "insertion inverts the map. A window of 64 pixels misses small insertions, and strong JPEG "
        "compression removes the trace."
    )
    reference = Reference(
        "D. Cozzolino, G. Poggi, L. Verdoliva, Splicebuster: a new blind image splicing detector, IEEE "
        "International Workshop on Information Forensics and Security, 2015",
        doi="10.1109/WIFS.2015.7368565",
    )

    class Options(MethodOptions):
        """Options of the Splicebuster method.

        Attributes:
            window: side of a window in pixels; larger ones measure better and place worse.
            components: principal components at most; small pictures are fitted with fewer.
        """

        window: int = Field(64, ge=32, le=512, multiple_of=32)
        components: int = Field(25, ge=3, le=50)

    options: Options

    def analyze(self, evidence: Evidence) -> Finding:
        """Fit the majority of the windows and measure how far each is from it."""
        shape = (evidence.height, evidence.width)
        window = self.options.window
        if min(shape) < window:
            return self._decline(describe_too_small(evidence, window))
        stride = _choose_stride(shape)
        features, valid = _describe_windows(evidence.pixels, stride=stride, window=window)
        disjoint = float(valid.sum()) * stride**2 / window**2
        if disjoint < MIN_DISJOINT:
            return self._decline(
                f"The usable part, neither flat nor saturated, holds {disjoint:.1f} windows of {window} "
                f"pixels side by side; at least {MIN_DISJOINT} are needed to tell what is usual."
            )
        return self._report(features, valid, stride, disjoint, shape)

    def _report(
        self, features: FloatArray, valid: BoolArray, stride: int, disjoint: float, shape: tuple[int, int]
    ) -> Finding:
        wanted = max(MIN_COMPONENTS, min(self.options.components, int(disjoint / WINDOWS_A_COMPONENT)))
        components = project_principal(features, components=wanted)
        deviations, share = _measure(components)
        marks = np.zeros(valid.shape, dtype=np.float32)
        marks[valid] = _squash(deviations, MAP_HALF_WAY)
        peak = np.quantile(deviations, [SCORE_QUANTILE])
        return Finding(
            self.name,
            self.family,
            "ok",
            score=float(_squash(peak, SCORE_HALF_WAY)[0]),
            map=LocalizationMap(
                partial(upsample_blocks, marks, shape, block=stride),
                partial(spread_blocks, valid, shape, block=stride),
            ),
            observations={
                "windows": len(features),
                "stride": stride,
                "components": components.shape[1],
                "majority_share": round(share, 4),
                "largest_deviation": round(float(deviations.max()), 3),
                "usable_share": round(float(valid.mean()), 4),
            },
            notes=(
                f"{len(features)} windows of {self.options.window} pixels, every {stride}; "
                f"{components.shape[1]} components; {share:.0%} of the windows belong to the majority.",
                f"Map: 0.5 where a window is {MAP_HALF_WAY:g} standard deviations further from the Gaussian "
                "than usual. An uncalibrated heuristic: different materials and focus stand out too.",
            ),
        )


def _choose_stride(shape: tuple[int, int]) -> int:
    """The smallest stride with at most MAX_WINDOWS windows, or the largest there is."""
    for stride in STRIDES:
        if -(-shape[0] // stride) * -(-shape[1] // stride) <= MAX_WINDOWS:
            return stride
    return STRIDES[-1]


def _describe_windows(pixels: UInt8Array, *, stride: int, window: int) -> tuple[FloatArray, BoolArray]:
    """Square roots of the frequencies in each valid window, (n, 50), and which windows are valid, (h, w)."""
    image = luma(pixels)
    counts = count_cooccurrences(image, (image > DARKEST) & (image < BRIGHTEST), cell=stride)
    counts *= find_analysable_blocks(pixels, block=stride)[..., None]
    sums = gather_windows(counts, cells=window // stride)
    halves = sums[..., :CLASSES], sums[..., CLASSES:]
    totals = [half.sum(axis=-1) for half in halves]
    valid = np.minimum(*totals) >= MIN_SUPPORT * 2 * window**2
    features = [
        np.sqrt(half[valid] / total[valid][:, None]) for half, total in zip(halves, totals, strict=True)
    ]
    return np.concatenate(features, axis=1), valid


def _measure(components: FloatArray) -> tuple[FloatArray, float]:
    """Standard deviations that each window is further out than usual, and the share of the majority."""
    count, dimensions = components.shape
    if dimensions == 0:  # all windows alike
        return np.zeros(count, dtype=np.float32), 1.0
    fit = fit_gaussian(components[:: -(-count // MAX_FITTED)])
    distances = fit.squared_distances(components)
    deviations = np.sqrt(2 * distances) - np.sqrt(2 * dimensions - 1)
    return deviations.astype(np.float32), fit.share


def _squash(deviations: FloatArray, half_way: float) -> FloatArray:
    """Logistic function of asinh(z), 0.5 at `half_way`: outliers lie far apart and must stay apart."""
    return logistic(np.float32(STEEPNESS) * (np.arcsinh(deviations) - np.arcsinh(np.float32(half_way))))
