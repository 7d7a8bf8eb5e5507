"""DCT histograms: was the JPEG saved more than once, and which parts do not share its histograms."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial

import numpy as np

from imforensics.evidence.luma import BLOCK
from imforensics.methods.base import Method, MethodOptions, Reference
from imforensics.methods.jpeg.encoder_rounding import Rounding, estimate_rounding
from imforensics.methods.jpeg.luma_coefficients import read_luma_coefficients
from imforensics.preprocessing.blocks import smooth_blocks, spread_blocks, upsample_blocks
from imforensics.preprocessing.coefficient_histograms import (
    FirstDigitLaw,
    Histogram,
    Period,
    count_coefficients,
    count_filled,
    expect_deviation,
    find_period,
    fit_first_digits,
    measure_deviation,
)
from imforensics.preprocessing.logistic import logistic
from imforensics.types import BoolArray, Evidence, Finding, FloatArray, JsonValue, LocalizationMap

LISTED = 9  # frequencies in the observations, lowest first
SIGNIFICANT = -3.0  # log10 of the chance of a period
# Share and number of frequencies with a period from which the text says "more than once"; one period is
# enough where its chance is CLEAR. 4 of 1,181 files saved once, by encoders of five kinds, reach that
# (docs/experiments/encoders.md); nearly all photographs saved at 85, then 95 have a share of 1.
SAVED_TWICE, MIN_PERIODS = 0.1, 2
CLEAR = -5.0  # log10
# Nats by which a typical block follows the image's histograms, below which there is nothing to deviate from:
# 97 % of the tampered images of CASIA v1 train are above 0.25, 63 % of the photographs below.
MIN_SUPPORT = 0.2
SPREAD_OFFSET = 0.5  # nats; with twice the support the variance of a block's log likelihood ratio
MAX_DEVIATION = 4.0  # standard deviations, before averaging: one loud block does not speak for its neighbours
SMOOTHINGS = 6  # means over 3x3 blocks, near to a Gaussian of 2 blocks
MIN_WEIGHT = 0.05  # of analysable blocks around, below which nothing can be said
# Map 0.5 at the best mean F1 of CASIA v1 train, raw and resaved at quality 90 together; score 0.5 where less
# than 2 % of the photographs train and val exceed it.
MAP_HALF_WAY, SCORE_HALF_WAY, SLOPE = 0.3, 1.5, 3.0
THRESHOLD = 0.5
SCORE_QUANTILE = 0.99


@dataclass(frozen=True, slots=True)
class _Facts:
    """What the histograms of the whole image show."""

    histograms: list[Histogram]
    periods: list[Period | None]
    digits: FirstDigitLaw | None
    support: float  # nats by which the median block follows the histograms
    rounding: Rounding

    @property
    def periodic(self) -> tuple[int, int]:
        """Number of frequencies with a period, and of those that can be tested."""
        tested = [period for period in self.periods if period is not None]
        return sum(period.log10_chance < SIGNIFICANT for period in tested), len(tested)

    @property
    def is_saved_twice(self) -> bool:
        found, tested = self.periodic
        is_clear = any(period.log10_chance < CLEAR for period in self.periods if period is not None)
        return found >= SAVED_TWICE * tested and (is_clear or found >= MIN_PERIODS)

    @property
    def is_rounding(self) -> bool:
        """The histograms' shape is that of an encoder that rounds small coefficients to 0."""
        return self.rounding.is_towards_zero and not self.is_saved_twice

    @property
    def has_norm(self) -> bool:
        """Whether there is a history that a part can lack."""
        return self.support >= MIN_SUPPORT and not self.is_rounding


class DctHistograms(Method):
    """Periods and first digits of the image's DCT histograms; blocks that do not share their peaks.

    For each block, the log ratio of the histograms off and on the grid is summed over 35 frequencies, set
    against what is usual for blocks with as many coefficients that are not 0, in units of its expected
    spread, and averaged over blocks around. Map and score are logistic functions of it, 0.5 at 0.3 and, for
    its 99 % quantile, at 1.5.
    """

    name = "dct_histograms"
    family = "jpeg"
    requires = frozenset({"jpeg"})
    reads_inferred_jpeg = True
    question = "Was this JPEG saved more than once, and do some parts not share the traces of that?"
    idea = (
        "Saved once, a JPEG has smooth histograms of DCT coefficients, and first digits that follow a known "
        "law. Each further saving leaves regular peaks and gaps. They are measured against the histograms of "
        "the same picture on a moved grid, and each part is asked how well it follows the image's peaks. "
        "Nothing is assumed of the earlier savings, so that several of them may be there. Missing "
        "coefficients of 1 alone are no such trace: some encoders round them to 0."
    )
    limitations = (
        "It shows a part that deviates from the image's compression history, and reads the same trace as "
        "double_quantization: the two do not confirm each other. A picture cropped or resized before its "
        "last saving shows nothing, nor does a last saving much coarser than those before. Screens, text and "
        "flat graphics have peaks of their own. Larger tampered parts become the norm themselves. Where the "
        "last encoder rounded small coefficients to 0, the trace counts only if larger ones show it."
    )
    reference = Reference(
        "S. Ye, Q. Sun, E.-C. Chang, Detecting digital image forgeries by measuring inconsistencies of "
        "blocking artifact, IEEE International Conference on Multimedia and Expo, 2007",
        doi="10.1109/ICME.2007.4284574",
    )

    class Options(MethodOptions):
        """The DCT histograms method has no options."""

    options: Options

    def analyze(self, evidence: Evidence) -> Finding:
        """Describe the histograms of the image, and mark the blocks that do not follow them."""
        luma = read_luma_coefficients(evidence)
        if isinstance(luma, str):
            return self._decline(luma)
        histograms = count_coefficients(luma.quantized, luma.table)
        periods = [find_period(histogram) for histogram in histograms]
        digits = fit_first_digits(np.sum([histogram.first_digits for histogram in histograms], axis=0))
        deviations = measure_deviation(luma.quantized, histograms)
        usual = expect_deviation(deviations, count_filled(luma.quantized), luma.usable)
        support = -float(np.median(deviations[luma.usable]))
        facts = _Facts(histograms, periods, digits, support, estimate_rounding(histograms))
        return self._report(facts, deviations, usual, luma.usable, (evidence.height, evidence.width))

    def _report(
        self,
        facts: _Facts,
        deviations: FloatArray,
        usual: FloatArray,
        usable: BoolArray,
        shape: tuple[int, int],
    ) -> Finding:
        has_norm = facts.has_norm
        weights = _smooth(usable.astype(np.float32))
        deviations = _standardize(deviations, usual, usable, weights)
        peak = float(np.quantile(deviations[usable], SCORE_QUANTILE)) if has_norm else 0.0
        marks = logistic(SLOPE * (deviations - MAP_HALF_WAY)) if has_norm else np.zeros_like(deviations)
        map_ = LocalizationMap(
            partial(upsample_blocks, marks, shape, block=BLOCK),
            partial(spread_blocks, weights >= MIN_WEIGHT, shape, block=BLOCK),
        )
        return Finding(
            self.name,
            self.family,
            "ok",
            score=float(logistic(SLOPE * (np.float32(peak) - SCORE_HALF_WAY))) if has_norm else 0.0,
            map=map_,
            mask_source=partial(map_.reach, THRESHOLD),
            threshold=THRESHOLD,
            threshold_policy="f1_fixed",
            observations=_describe(facts) | {"deviation_q99": round(peak, 4)},
            notes=_notes(facts),
        )


def _standardize(
    deviations: FloatArray, usual: FloatArray, usable: BoolArray, weights: FloatArray
) -> FloatArray:
    """Standard deviations by which each block and its surroundings deviate more than usual."""
    spread = np.sqrt(np.float32(SPREAD_OFFSET) + 2 * np.maximum(-usual, np.float32(0)))
    limited = np.clip((deviations - usual) / spread, -MAX_DEVIATION, MAX_DEVIATION)
    averages = _smooth(np.where(usable, limited, np.float32(0)))
    return np.asarray(averages / np.maximum(weights, np.float32(MIN_WEIGHT)), dtype=np.float32)


def _smooth(values: FloatArray) -> FloatArray:
    for _ in range(SMOOTHINGS):
        values = smooth_blocks(values)
    return values


def _describe(facts: _Facts) -> dict[str, JsonValue]:
    """The facts of the whole image, and those of the lowest frequencies."""
    digits, (found, tested) = facts.digits, facts.periodic
    rows: list[JsonValue] = []
    for histogram, period in zip(facts.histograms[:LISTED], facts.periods, strict=False):
        law = fit_first_digits(histogram.first_digits)
        rows.append(
            {
                "frequency": list(histogram.frequency),
                "period": None if period is None else round(period.length, 3),
                "period_log10_chance": None if period is None else round(period.log10_chance, 2),
                "first_digit_divergence": None if law is None else round(law.divergence, 5),
            }
        )
    return {
        "support": round(facts.support, 4),
        "saved_twice_score": round(found / tested, 4) if tested else None,
        "is_saved_twice": facts.is_saved_twice,
        "frequencies_tested": tested,
        "kept_ones": round(facts.rounding.kept_ones, 3),
        "is_encoder_rounding": facts.is_rounding,
        "first_digit_s": None if digits is None else round(digits.s, 3),
        "first_digit_q": None if digits is None else round(digits.q, 3),
        "first_digit_divergence": None if digits is None else round(digits.divergence, 5),
        "frequencies": rows,
    }


def _notes(facts: _Facts) -> tuple[str, ...]:
    found, tested = facts.periodic
    if not tested:
        first = "Too few coefficients are not 0: no histogram is long enough to show a period."
    else:
        word = "was saved more than once on this grid" if facts.is_saved_twice else "shows one saving only"
        first = f"{found} of {tested} histograms that can be tested have a period: the image {word}."
    if facts.is_rounding:
        return (
            first,
            f"{1 - facts.rounding.kept_ones:.0%} of the coefficients of 1 are missing, at all frequencies "
            "alike: the encoder rounded small coefficients to 0, as jpegli, mozjpeg and some hardware do in "
            "a single saving. That is no history that a part could lack: the map is 0 all over, which is no "
            "sign of authenticity.",
        )
    if not facts.has_norm:
        return (
            first,
            "The histograms have too little shape for a part to deviate from: the map is 0 all over, which "
            "is no sign of authenticity.",
        )
    return (
        first,
        "Map: how much less than usual for its content a part follows the image's histograms, 0.5 at "
        f"{MAP_HALF_WAY:g} expected standard deviations; a heuristic without calibration.",
    )
