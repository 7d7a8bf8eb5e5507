"""Double quantization: parts that were not through an earlier JPEG saving that the rest was through."""

from __future__ import annotations

from functools import partial

import numpy as np

from imforensics.evidence.luma import BLOCK
from imforensics.methods.base import Method, MethodOptions, Reference
from imforensics.methods.jpeg.luma_coefficients import LumaCoefficients, read_luma_coefficients
from imforensics.preprocessing.blocks import gaussian_blocks, spread_blocks
from imforensics.preprocessing.first_quantization import (
    FirstQuantization,
    find_first_quantization,
    undo_last_saving,
)
from imforensics.preprocessing.logistic import logistic
from imforensics.types import (
    OUTSIDE_KEY,
    BoolArray,
    Evidence,
    Finding,
    FloatArray,
    JsonValue,
    LocalizationMap,
)

SIGMA = 2.0  # blocks; of the Gaussian that neighbours are averaged with, chosen on CASIA v1 train and val
MAX_BLOCK_EVIDENCE = 20.0  # nats, before averaging: one loud block does not speak for its neighbours
MIN_SUPPORT = 0.05  # weight of analysable blocks in reach below which nothing can be said
# Mean evidence a block, in nats, at which map and score read 0.5; chosen on CASIA v1 train and val, that of
# the score on photos train and val too. asinh: neighbouring blocks and frequencies are not independent, so
# that large sums of evidence overstate; a logistic regression on asinh gives a slope of 0.9.
MAP_HALF_WAY = 0.2
SCORE_HALF_WAY = 5.0
SCORE_QUANTILE = 0.99  # of the blocks: one odd block is no region
THRESHOLD = 0.5  # the best mean F1 of the raw tampered images of CASIA v1 train and val
# The saving of the whole image is looked under where it is seen well and all over: even the blocks with the
# least support for it support it.
UNDO_MIN_GAIN = 1.0  # nats a block
UNDO_QUANTILE, UNDO_MAX_EVIDENCE = 0.97, -1.0
UNDO_MAX_PEAK = 5.0
ROUNDING_NOTE = (
    "The counts of 0 and 1 are not those of plain rounding, but larger coefficients show no clear peaks and "
    "gaps. Encoders that decide case by case whether to keep a small coefficient, such as jpegli and "
    "mozjpeg, leave this in a single saving."
)


class DoubleQuantization(Method):
    """Blocks without the traces of an earlier quantization that the rest of the image shows.

    The evidence of all frequencies is added in each block, averaged over neighbouring blocks with a Gaussian,
    and mapped to [0, 1] by a fixed curve. The score is the same curve, moved, of the 99 % quantile.
    """

    name = "double_quantization"
    family = "jpeg"
    requires = frozenset({"jpeg"})
    reads_inferred_jpeg = True
    question = "Was a part of this JPEG not through the earlier JPEG saving that the rest was through?"
    idea = (
        "Saving a JPEG twice on the same 8x8 grid leaves gaps and peaks in the histograms of its DCT "
        "coefficients. A part pasted from elsewhere and saved only once with the rest, or off the grid, "
        "lacks them. The first quantization table is found by likelihood over all frequencies, each block is "
        "tested against it, and where the whole image was merely saved again, the saving before is looked at "
        "too. Only peaks and gaps beyond the coefficients of 1 count as a find: how many of those are kept "
        "depends on the encoder."
    )
    limitations = (
        "It needs two savings on one grid: a picture that was cropped, resized or never JPEG before the edit "
        "shows nothing, nor does a last saving much coarser than the first. Which part is the pasted one is "
        "taken from the sign: a pasted part that is itself double compressed on the grid, in a host that is "
        "not, is missed. Smooth and saturated areas say little. Local edits of harmless kinds, such as text "
        "or a retouched spot, leave the same trace."
    )
    reference = Reference(
        "T. Bianchi, A. Piva, Image forgery localization via block-grained analysis of JPEG artifacts, IEEE "
        "Transactions on Information Forensics and Security 7(3), 2012",
        doi="10.1109/TIFS.2012.2187516",
    )

    class Options(MethodOptions):
        """Options of the double quantization method.

        Attributes:
            undo: look under a saving of the whole image at the one before.
        """

        undo: bool = True

    options: Options

    def analyze(self, evidence: Evidence) -> Finding:
        """Find the earlier quantization, and mark the blocks that lack it."""
        luma = read_luma_coefficients(evidence)
        if isinstance(luma, str):
            return self._decline(luma)
        return self._report(*self._look(luma), luma.usable, evidence.pixels.shape[:2])

    def _look(self, luma: LumaCoefficients) -> tuple[list[FirstQuantization], FloatArray]:
        """What is found under the last saving, and under the one before; mean evidence of each block."""
        passes = [find_first_quantization(luma.quantized, luma.table)]
        means = _average(passes[0].evidence, luma.usable)
        if not self.options.undo or not _is_even(passes[0], means[luma.usable]):
            return passes, means
        restored = undo_last_saving(luma.quantized, luma.table, passes[0])
        if restored is not None:
            passes.append(find_first_quantization(restored[0], restored[1], frequencies=restored[2]))
            if passes[1].is_found:
                means = np.maximum(means, _average(passes[1].evidence, luma.usable))
        return passes, means

    def _report(
        self, passes: list[FirstQuantization], means: FloatArray, usable: BoolArray, shape: tuple[int, int]
    ) -> Finding:
        is_found = passes[0].is_found
        support = gaussian_blocks(usable.astype(np.float32), sigma=SIGMA) >= MIN_SUPPORT
        marks = _squash(means, MAP_HALF_WAY) if is_found else np.zeros_like(means)
        map_ = LocalizationMap(
            partial(spread_blocks, marks, shape, block=BLOCK),
            partial(spread_blocks, support, shape, block=BLOCK),
        )
        observations: dict[str, JsonValue] = {"is_double_quantized": is_found}
        for prefix, found in zip(("", "earlier_"), passes, strict=False):
            observations |= {prefix + key: value for key, value in _describe(found).items()}
        if not is_found:
            observations[OUTSIDE_KEY] = ["no earlier quantization was found, so that no part can lack it"]
        if is_found and support.any():
            observations["double_quantized_share"] = round(float((marks[support] < THRESHOLD).mean()), 4)
        peak = np.asarray(np.quantile(means[usable], SCORE_QUANTILE), dtype=np.float32)
        return Finding(
            self.name,
            self.family,
            "ok",
            score=float(_squash(peak, SCORE_HALF_WAY)) if is_found else 0.0,
            map=map_,
            mask_source=partial(map_.reach, THRESHOLD),
            threshold=THRESHOLD,
            threshold_policy="f1_fixed",
            observations=observations,
            notes=_notes(passes),
        )


def _is_even(found: FirstQuantization, means: FloatArray) -> bool:
    """Whether the earlier saving is seen well in all parts of the image."""
    if not found.is_found or found.gain < UNDO_MIN_GAIN:
        return False
    least = float(np.quantile(means, UNDO_QUANTILE))
    return least < UNDO_MAX_EVIDENCE and float(means.max()) < UNDO_MAX_PEAK


def _describe(found: FirstQuantization) -> dict[str, JsonValue]:
    """The facts of one pass; where the table is not known, its divisors of the frequencies in use."""
    facts: dict[str, JsonValue] = {
        "first_table": found.table_name,
        "likelihood_gain": round(found.gain, 4),
        "frequencies_used": int(found.used.sum()),
        "lattice_gain": round(found.lattice_gain, 1),
        "is_encoder_rounding": found.is_rounding,
    }
    if found.is_found and found.table_name is None:
        divisors = np.where(found.used, found.divisors, 0)
        facts["first_divisors"] = [[int(value) for value in row] for row in divisors]
    return facts


def _notes(passes: list[FirstQuantization]) -> tuple[str, ...]:
    if not passes[0].is_found:
        nothing = (
            "No earlier quantization on this grid was found: there is nothing that a part could lack. The "
            "map is 0 all over, which is no sign of authenticity."
        )
        return (nothing, ROUNDING_NOTE) if passes[0].is_rounding else (nothing,)
    name = passes[0].table_name or "an unknown table"
    notes = [
        f"The image was quantized before its last saving, with {name}; likelihood gain "
        f"{passes[0].gain:.2f} nats a block.",
        f"Map: even prior odds that a block lacks it, 0.5 at a mean evidence of {MAP_HALF_WAY:g} nats; a "
        "heuristic without calibration.",
    ]
    if len(passes) > 1:
        seen = passes[1].table_name or "an unknown table"
        under = f"{seen} was found" if passes[1].is_found else "no further quantization was found"
        notes.append(f"That saving covers the whole image. Under it, {under}.")
    return tuple(notes)


def _squash(means: FloatArray, half_way: float) -> FloatArray:
    """1 / (1 + exp(asinh(half way) - asinh(z))): 0.5 at `half_way`."""
    return logistic(np.arcsinh(means) - np.arcsinh(np.float32(half_way)))


def _average(evidence: FloatArray, usable: BoolArray) -> FloatArray:
    within = np.clip(evidence, -MAX_BLOCK_EVIDENCE, MAX_BLOCK_EVIDENCE)
    return gaussian_blocks(np.where(usable, within, np.float32(0)), sigma=SIGMA)
