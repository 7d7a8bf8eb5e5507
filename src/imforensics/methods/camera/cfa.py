"""CFA: parts without the traces of demosaicing that the rest of the image shows."""

from __future__ import annotations

import numpy as np

from imforensics.methods.base import Method, Reference
from imforensics.methods.camera.cfa_lattice import lattice_evidence
from imforensics.preprocessing.blocks import (
    find_analysable_blocks,
    gaussian_blocks,
    spread_blocks,
    upsample_blocks,
)
from imforensics.preprocessing.logistic import logistic
from imforensics.preprocessing.noise import MAD_OF_NORMAL
from imforensics.types import OUTSIDE_KEY, BoolArray, Evidence, Finding, FloatArray, LocalizationMap

BLOCK = 8
MIN_BLOCKS = 64
MIN_TRACE = 0.1  # |median L|: 16 of 169 photographs (train, val) reach it, all others lie near 0
MIN_EXPECTED = 0.15  # L that a block's own variance lets expect; below, it cannot be told from none
LEVELS = 6  # bins of ln(variance), of equal numbers of blocks, in which L is expected alike
LEAST_SHARE = 0.5  # of what less varied blocks have: L hardly falls with variance where the trace is there
SIGMA = 2.0  # blocks; of the Gaussian that neighbours are averaged with
INDEPENDENT = 8.0  # blocks in the window of that Gaussian, as far as they are independent
MAX_BLOCK_EVIDENCE = 4.0  # nats, before averaging: one loud block does not speak for its neighbours
SCORE_QUANTILE = 0.99
SCORE_HALF_WAY = 1.0  # nats a block; no photograph of train and val that has the traces reaches it


class ColourFilterArray(Method):
    """Blocks whose two green lattices are alike, in an image where they differ.

    Each block's L (see `lattice_evidence`) is compared with what blocks of like variance have in this image:
    ln p(L | no trace) - ln p(L | trace), both normal with the spread of the image's own blocks, averaged over
    neighbours. The map is its logistic function; the score that of the 99 % quantile, moved.
    """

    name = "cfa"
    family = "camera"
    question = "Are there regions without the demosaicing traces found in the rest of the image?"
    idea = (
        "A camera measures green at every second pixel only and interpolates the others, which makes these "
        "more predictable from their neighbours. A region pasted from elsewhere, resized, blurred or painted "
        "loses this difference between the two lattices, or has it reversed. The reference is what the "
        "image's own blocks of similar contrast show."
    )
    limitations = (
        "It needs camera pixels at native resolution: resizing destroys the traces, and so does JPEG much "
        "below quality 95; cameras that sharpen or denoise strongly leave none. It therefore does not work "
        "for nine out of ten photographs. Smooth and saturated areas cannot be judged; a region from another "
        "photograph on the same lattice is missed; fine regular texture is misleading."
    )
    reference = Reference(
        "P. Ferrara, T. Bianchi, A. De Rosa, A. Piva, Image forgery localization via fine-grained analysis "
        "of CFA artifacts, IEEE Transactions on Information Forensics and Security 7(5), 2012",
        doi="10.1109/TIFS.2012.2202227",
    )

    def analyze(self, evidence: Evidence) -> Finding:
        """Look for the trace in the whole image, then for blocks without it."""
        shape = (evidence.height, evidence.width)
        lattice, variance = lattice_evidence(evidence.pixels[..., 1], block=BLOCK)
        valid = find_analysable_blocks(evidence.pixels, block=BLOCK)[: lattice.shape[0], : lattice.shape[1]]
        count = int(valid.sum())
        if count < MIN_BLOCKS:
            note = f"Only {count} blocks of 8x8 pixels can be analysed; at least {MIN_BLOCKS} are needed."
            return self._decline(note)
        trace = float(np.median(lattice[valid]))
        if abs(trace) < MIN_TRACE:
            return self._report_none(trace, valid, shape)
        expected, spread = _expect(lattice * np.sign(trace), variance, valid)
        told = valid & (expected >= MIN_EXPECTED)
        if told.sum() < MIN_BLOCKS:
            return self._report_none(trace, valid, shape)
        ratio = (expected**2 - 2 * expected * lattice * np.sign(trace)) / (2 * spread**2)
        means, support = _average(np.clip(ratio, -MAX_BLOCK_EVIDENCE, MAX_BLOCK_EVIDENCE), told)
        return self._report(trace, means, support, told, shape)

    def _report_none(self, trace: float, valid: BoolArray, shape: tuple[int, int]) -> Finding:
        return Finding(
            self.name,
            self.family,
            "ok",
            score=0.0,
            map=LocalizationMap(np.zeros(shape, dtype=np.float32), _spread(valid, shape)),
            observations={
                "has_cfa_traces": False,
                "lattice_difference": round(trace, 4),
                OUTSIDE_KEY: ["no demosaicing traces were found, so that no part can lack them"],
            },
            notes=(
                "The two green lattices do not differ: this image has no demosaicing traces that a region "
                "could lack. The map is 0 everywhere, which is no evidence of authenticity.",
            ),
        )

    def _report(
        self, trace: float, means: FloatArray, support: BoolArray, told: BoolArray, shape: tuple[int, int]
    ) -> Finding:
        marks = np.where(support, logistic(INDEPENDENT * means), np.float32(0))
        peak = float(np.quantile(means[support], SCORE_QUANTILE))
        lattice = "even" if trace > 0 else "odd"
        return Finding(
            self.name,
            self.family,
            "ok",
            score=float(logistic(np.float32(INDEPENDENT * (peak - SCORE_HALF_WAY)))),
            map=LocalizationMap(_upsample(marks, shape), _spread(support, shape)),
            observations={
                "has_cfa_traces": True,
                "lattice_difference": round(trace, 4),
                "acquired_green": f"row + column {lattice}",
                "told_share": round(float(told.mean()), 4),
            },
            notes=(
                f"Green was measured where row + column is {lattice}: ln(variance) of the prediction errors "
                f"differs by {abs(trace):.2f}.",
                "Map: even prior odds that a block lacks the trace, 0.5 half-way between what is expected "
                "and none; a heuristic without calibration.",
            ),
        )


def _expect(lattice: FloatArray, variance: FloatArray, valid: BoolArray) -> tuple[FloatArray, FloatArray]:
    """What L the image's own blocks of like variance have, and its robust spread, for every block.

    A pasted part that fills a bin of its own must not set its own yardstick: hence LEAST_SHARE.
    """
    edges = np.quantile(variance[valid], np.linspace(0, 1, LEVELS + 1)[1:-1])
    bins = np.searchsorted(edges, variance)
    expected, spread = np.zeros_like(lattice), np.ones_like(lattice)
    highest = 0.0
    for index in range(LEVELS):
        inside = bins == index
        values = lattice[inside & valid]
        if values.size:
            median = float(np.median(values))
            highest = max(highest, median)
            expected[inside] = max(median, LEAST_SHARE * highest)
            spread[inside] = max(float(np.median(np.abs(values - median))) / MAD_OF_NORMAL, MIN_TRACE)
    return expected, spread


def _average(values: FloatArray, told: BoolArray) -> tuple[FloatArray, BoolArray]:
    """Gaussian mean over blocks that can be told, and where there are enough of them."""
    weight = gaussian_blocks(told.astype(np.float32), sigma=SIGMA)
    total = gaussian_blocks(np.where(told, values, np.float32(0)), sigma=SIGMA)
    support = weight >= 0.25
    return np.divide(total, weight, out=np.zeros_like(total), where=support), support


def _upsample(marks: FloatArray, shape: tuple[int, int]) -> FloatArray:
    """To the size of the image; blocks that its edge cuts take what is beside them."""
    rows, columns = (-(-side // BLOCK) for side in shape)
    padded = np.pad(marks, ((0, rows - marks.shape[0]), (0, columns - marks.shape[1])), mode="edge")
    return upsample_blocks(padded, shape, block=BLOCK)


def _spread(valid: BoolArray, shape: tuple[int, int]) -> BoolArray:
    rows, columns = (-(-side // BLOCK) for side in shape)
    padded = np.pad(valid, ((0, rows - valid.shape[0]), (0, columns - valid.shape[1])))
    return spread_blocks(padded, shape, block=BLOCK)
