"""Non-aligned double quantization: traces of an earlier JPEG saving on another 8x8 grid."""

from __future__ import annotations

import numpy as np

from imforensics.evidence.luma import BLOCK
from imforensics.methods.base import Method, Reference
from imforensics.methods.jpeg.earlier_grid import (
    EarlierGrid,
    block_evidence,
    expected_strengths,
    find_earlier_grid,
)
from imforensics.methods.jpeg.grid_periodicity import MIN_SIDE, measure_periodicity
from imforensics.methods.jpeg.luma_coefficients import read_baseline_luma
from imforensics.preprocessing.blocks import gaussian_blocks
from imforensics.preprocessing.logistic import logistic
from imforensics.preprocessing.noise import luma
from imforensics.types import Evidence, Finding, FloatArray, JsonValue, LocalizationMap

SIGMA = 2.0  # blocks; of the Gaussian over neighbours
# Blocks under the Gaussian that count as independent: half of the 4 pi sigma^2 that it averages.
EFFECTIVE_BLOCKS = 2 * np.pi * SIGMA**2
MIN_INFORMATION = 0.5  # nats expected of all of them, below which nothing can be said
MAX_EVIDENCE = 6.0  # nats of one block, before averaging
THRESHOLD = 0.5
# Share of the blocks that tell from which on the earlier grid is the image's, not a part's; the smaller one
# holds where it is clearest in the image as a whole.
WHOLE_SHARE, WHOLE_WINDOW_SHARE = 0.5, 0.35
# Nats of evidence at which the map reads 0.5: texture that the rounding hits harder speaks against the
# earlier grid by a few nats; chosen on forgeries made from photos train.
MARGIN = 3.0
REGION_HALF_WAY = 6.0  # -log10 of the number of false alarms at which the score of a part reads 0.5
LACKING_QUANTILE = 0.95  # of the blocks that tell
LACKING_HALF_WAY = 10.0  # nats for "not on the earlier grid" at which the score reads 0.5


class NonalignedDoubleQuantization(Method):
    """Blocks that were quantized before on another grid, where the rest was not, or the reverse.

    The most significant offset and table are searched over the image and windows in it; each block of that
    grid is then tested by likelihood ratio, averaged over neighbouring blocks with a Gaussian, and the map
    is the posterior, with a margin: of having been through the earlier saving where the minority was, of
    lacking it where the majority was.
    """

    name = "nonaligned_double_quantization"
    family = "jpeg"
    requires = frozenset({"jpeg"})
    question = "Was this JPEG, or a part of it, previously JPEG-compressed on a different block grid?"
    idea = (
        "A JPEG that is cropped or moved and then compressed again keeps the lattice of its first "
        "quantization on its first 8x8 grid. The other grids are searched for the lattices of known "
        "quantization tables. If only a region has such a lattice, it came from another JPEG or was moved "
        "within this one; if almost the whole image has it, the image was cropped and recompressed, and "
        "regions without it stand out."
    )
    limitations = (
        "The last compression must be about as fine as the earlier one, or finer, and the earlier grid must "
        "not have been scaled or rotated. Content moved by multiples of 8 pixels, or by multiples of 4 along "
        "either axis with 0 or 4 along the other, is missed; so are earlier tables that differ strongly from "
        "those of the IJG and Photoshop encoders. A whole image on a different grid is harmless: it was "
        "cropped; its smooth or busy parts can then be flagged as lacking the grid. A collage, or a picture "
        "inserted for legitimate reasons, leaves the same trace as a forgery."
    )
    experimental = (
        "Pixel AUC .507 on the tampered images of CASIA v1 val, raw (`imforensics evaluate --method "
        "nonaligned_double_quantization --dataset casia1 --split val`): hardly any of its pasted regions has "
        "the trace, since most were scaled, rotated or never compressed on a different grid"
    )
    reference = Reference(
        "T. Bianchi, A. Piva, Image forgery localization via block-grained analysis of JPEG artifacts, IEEE "
        "Transactions on Information Forensics and Security 7(3), 2012",
        doi="10.1109/TIFS.2012.2187516",
    )

    def analyze(self, evidence: Evidence) -> Finding:
        """Find an earlier grid, and mark the blocks that have it or lack it."""
        first = read_baseline_luma(evidence, min_side=MIN_SIDE)
        if isinstance(first, str):
            return self._decline(first)
        plane = luma(evidence.pixels)
        plane -= np.float32(128)
        if not plane.std() > 0:
            return self._decline("The image is flat: there are no coefficients to look at.")
        strengths = expected_strengths(first.quantized, first.table)
        grid = find_earlier_grid(measure_periodicity(plane), strengths)
        if not grid.is_found:
            return self._report_nothing(grid, plane.shape)
        return self._report(grid, *_average(*block_evidence(plane, grid, strengths)), plane.shape)

    def _report_nothing(self, grid: EarlierGrid, shape: tuple[int, ...]) -> Finding:
        values = np.zeros(shape, dtype=np.float32)
        return Finding(
            self.name,
            self.family,
            "ok",
            score=0.0,
            map=LocalizationMap(values),
            mask_source=values >= THRESHOLD,
            threshold=THRESHOLD,
            threshold_policy="f1_fixed",
            observations={"is_found": False, "log10_nfa": round(grid.log10_nfa, 2)},
            notes=(
                "No earlier compression on another grid was found: the best candidate is expected "
                f"{10**grid.log10_nfa:.2g} times by chance. The map is 0 everywhere, which is no evidence of "
                "authenticity.",
            ),
        )

    def _report(
        self, grid: EarlierGrid, evidence: FloatArray, information: FloatArray, shape: tuple[int, ...]
    ) -> Finding:
        support = information >= MIN_INFORMATION
        has_it = evidence > 0
        share = float(has_it[support].mean()) if support.any() else 0.0
        is_whole = share >= (WHOLE_WINDOW_SHARE if grid.window == (0, 0, *shape) else WHOLE_SHARE)
        marks = np.where(support, logistic((-evidence if is_whole else evidence) - MARGIN), np.float32(0))
        values = _spread(marks, shape, grid.offset)
        score = _score_lacking(evidence[support]) if is_whole else _score_region(grid)
        return Finding(
            self.name,
            self.family,
            "ok",
            score=score,
            map=LocalizationMap(values, _spread(support.astype(np.float32), shape, grid.offset) > 0),
            mask_source=values >= THRESHOLD,
            threshold=THRESHOLD,
            threshold_policy="f1_fixed",
            observations=_describe(grid, share, is_whole),
            notes=_notes(grid, share, is_whole),
        )


def _average(evidence: FloatArray, information: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Evidence and information of the blocks around each block that count as independent, in nats."""
    within = np.clip(evidence, -MAX_EVIDENCE, MAX_EVIDENCE)
    weight = np.float32(EFFECTIVE_BLOCKS)
    return gaussian_blocks(within, sigma=SIGMA) * weight, gaussian_blocks(information, sigma=SIGMA) * weight


def _score_region(grid: EarlierGrid) -> float:
    """How sure it is that a part has an earlier grid: 0.5 at 10^-REGION_HALF_WAY false alarms."""
    return _ratio(-grid.log10_nfa, REGION_HALF_WAY)


def _score_lacking(evidence: FloatArray) -> float:
    """How clearly a twentieth of the image, at least, lacks the earlier grid that the rest has."""
    return _ratio(float(np.quantile(-evidence, LACKING_QUANTILE)), LACKING_HALF_WAY)


def _ratio(value: float, half_way: float) -> float:
    """x / (x + h), 0 up to 0."""
    return max(value, 0.0) / (max(value, 0.0) + half_way)


def _spread(blocks: FloatArray, shape: tuple[int, ...], offset: tuple[int, int]) -> FloatArray:
    """Each pixel takes the value of its block on the earlier grid, 0 where no whole block is."""
    top, left = offset
    whole = blocks.repeat(BLOCK, axis=0).repeat(BLOCK, axis=1)
    result = np.zeros(shape, dtype=np.float32)
    result[top : top + whole.shape[0], left : left + whole.shape[1]] = whole
    return result


def _describe(grid: EarlierGrid, share: float, is_whole: bool) -> dict[str, JsonValue]:
    return {
        "is_found": True,
        "log10_nfa": round(grid.log10_nfa, 2),
        "offset": list(grid.offset),
        "first_table": grid.table_name,
        "clearest_window": list(grid.window),
        "earlier_grid_share": round(share, 4),
        "is_whole_image": is_whole,
    }


def _notes(grid: EarlierGrid, share: float, is_whole: bool) -> tuple[str, ...]:
    found = (
        f"An earlier JPEG saving shows on a grid that begins at row {grid.offset[0]}, column "
        f"{grid.offset[1]}, quantized with about {grid.table_name}; so clear a trace is expected "
        f"10^{grid.log10_nfa:.0f} times by chance."
    )
    if is_whole:
        return (
            found,
            f"{share:.0%} of the blocks that tell have it: the whole was a JPEG, was cropped or moved, and "
            "saved again, which is harmless by itself. Marked is what lacks it.",
        )
    if share > 0:
        return (found, f"{share:.0%} of the blocks that tell have it and are marked; the rest was not there.")
    return (found, "No single place shows it clearly enough to be marked.")
