"""Noisesniffer: regions with too many of the image's quietest blocks, tested a-contrario."""

from __future__ import annotations

from typing import TypeVar

import numpy as np
from pydantic import Field

from imforensics.methods.base import Method, MethodOptions, Reference, describe_too_small
from imforensics.methods.noise.low_noise import count_quiet_blocks
from imforensics.methods.noise.noise_regions import NoiseRegion, find_noise_regions
from imforensics.types import (
    Artifact,
    BoolArray,
    Evidence,
    Finding,
    FloatArray,
    JsonValue,
    LocalizationMap,
    UInt8Array,
)

ArrayT = TypeVar("ArrayT", FloatArray, BoolArray, UInt8Array)
MIN_SIDE = 48
THRESHOLD = 0.5  # of the map, where the number of false alarms is 10^LOG10_NFA
# Stricter than 1: brightness does not explain all of the noise in real photos. Chosen on photos train and
# val, of which 2.4 % have a region at NFA 1 and 0.6 % at 0.01.
LOG10_NFA = -2.0
NFA_POWER = 0.1  # a NFA of 10^-12 reads 0.91, one of 10^8 reads 0.09
MAX_LOG10_NFA = 100.0  # regions without any significance are mapped too, near 0
MAX_LISTED = 10


class Noisesniffer(Method):
    """Over-representation of low noise, cell by cell.

    The map is 1 / (1 + (100 NFA)^0.1), NFA the number of false alarms of the region that a cell belongs to,
    and 0 in cells of no region; the score is its largest value. Both read 0.5 at NFA 0.01.
    """

    name = "noisesniffer"
    family = "noise"
    question = "Are there regions with less noise than equally bright and smooth areas elsewhere?"
    idea = (
        "Noise depends on brightness. Small blocks are sorted by brightness, and for each brightness the "
        "smoothest blocks are selected; their variation is mostly noise. In an untouched image the less "
        "noisy half of them is spread evenly among the rest. A region with far more of this half than chance "
        "allows was smoothed, or comes from another image. The chance level is computed as a number of false "
        "alarms: at 0.01, one such region is expected in a hundred images of uniform noise."
    )
    limitations = (
        "It detects only less noisy regions and needs enough smooth areas inside and outside of them: small "
        "and busy images show nothing, and a region that contains most of the smooth areas of its brightness "
        "serves as its own reference and is missed. Sky, blur and defocus have little noise for harmless "
        "reasons and can be flagged, more so in large images, and phones smooth some parts of a picture more "
        "than others. JPEG compression at low quality removes the noise that is compared."
    )
    reference = Reference(
        "M. Gardella, P. Muse, M. Colom, J.-M. Morel, Image Forgery Detection Based on Noise Inspection: "
        "Analysis and Refinement of the Noisesniffer Method, Image Processing On Line 14, 2024. First in: "
        "Noisesniffer: a Fully Automatic Image Forgery Detector Based on Noise Analysis, IWBF, 2021 "
        "(doi:10.1109/IWBF50991.2021.9465095)",
        doi="10.5201/ipol.2024.462",
    )
    experimental = (
        "At its threshold it flags nothing in the tampered images of CASIA v1 val, and its map is no better "
        "than chance there: pixel AUC 0.51, 0.50 after recompression at quality 90 (imforensics evaluate "
        "--method noisesniffer --dataset casia1 --split val)."
    )

    class Options(MethodOptions):
        """Options of Noisesniffer.

        Attributes:
            cell: side of a cell in pixels; regions are made of cells.
        """

        cell: int = Field(48, ge=16, le=512)

    options: Options

    def analyze(self, evidence: Evidence) -> Finding:
        """Count smooth and quiet blocks in each cell and grow regions of low noise."""
        if min(evidence.height, evidence.width) < MIN_SIDE:
            return self._decline(describe_too_small(evidence, MIN_SIDE))
        smooth, quiet = count_quiet_blocks(evidence.pixels, cell=self.options.cell)
        if not smooth.any():
            return self._decline("Flat, clipped or without noise all over: there is no noise to compare.")
        regions = find_noise_regions(
            smooth.astype(np.float64), quiet.astype(np.float64), max_log10_nfa=MAX_LOG10_NFA
        )
        return self._report(smooth, quiet, regions, (evidence.height, evidence.width))

    def _report(
        self, smooth: FloatArray, quiet: FloatArray, regions: list[NoiseRegion], shape: tuple[int, int]
    ) -> Finding:
        cell = self.options.cell
        marks = np.zeros(smooth.shape, dtype=np.float32)
        for region in regions:
            marks[region.cells] = _squash(region.log10_nfa)
        found = [region for region in regions if region.log10_nfa <= LOG10_NFA]
        values = _spread(marks, shape, cell)
        caption = (
            f"Share of quiet blocks among the smooth ones of each cell of {cell} pixels, black 0, white 1; "
            "an even image has one half everywhere, cells without smooth blocks are black"
        )
        share = np.divide(quiet, smooth, out=np.zeros_like(smooth), where=smooth > 0)
        observations: dict[str, JsonValue] = {
            "independent_blocks": round(float(smooth.sum()), 1),
            "lowest_log10_nfa": round(regions[0].log10_nfa, 2) if regions else None,
            "region_count": len(found),
            "regions": [_describe(region, shape, cell) for region in found[:MAX_LISTED]],
        }
        return Finding(
            self.name,
            self.family,
            "ok",
            score=float(marks.max()),
            map=LocalizationMap(values, _spread(smooth > 0, shape, cell)),
            mask_source=values >= THRESHOLD,
            threshold=THRESHOLD,
            threshold_policy="nfa_0.01",
            artifacts={"quiet": Artifact(_spread((share * 255).astype(np.uint8), shape, cell), caption)},
            observations=observations,
            notes=_notes(regions, found),
        )


def _notes(regions: list[NoiseRegion], found: list[NoiseRegion]) -> tuple[str, ...]:
    scale = "Map: 1 / (1 + (100 NFA)^0.1), 0.5 at one false alarm in a hundred images."
    if found:
        many = "1 region has" if len(found) == 1 else f"{len(found)} regions have"
        first = (
            f"{many} more quiet blocks than chance explains: log10 of the number of false alarms is "
            f"{found[0].log10_nfa:.1f} at the strongest. Blur, sky and in-camera smoothing do this too."
        )
        return (first, scale)
    best = f"; the strongest has log10 NFA {regions[0].log10_nfa:.1f}" if regions else ""
    return (f"No region has more quiet blocks than chance explains{best}.", scale)


def _describe(region: NoiseRegion, shape: tuple[int, int], cell: int) -> dict[str, JsonValue]:
    rows, columns = (np.flatnonzero(region.cells.any(axis=axis)) for axis in (1, 0))
    return {
        "log10_nfa": round(region.log10_nfa, 2),
        "cells": int(region.cells.sum()),
        "quiet_share": round(region.quiet / region.smooth, 3),
        "box": [
            int(rows[0]) * cell,
            int(columns[0]) * cell,
            min(int(rows[-1] + 1) * cell, shape[0]),
            min(int(columns[-1] + 1) * cell, shape[1]),
        ],
    }


def _squash(log10_nfa: float) -> float:
    return float(1 / (1 + 10 ** (NFA_POWER * max(log10_nfa - LOG10_NFA, -1000.0))))


def _spread(values: ArrayT, shape: tuple[int, int], cell: int) -> ArrayT:
    """Each pixel takes the value of its cell."""
    return np.repeat(np.repeat(values, cell, axis=1)[:, : shape[1]], cell, axis=0)[: shape[0]]
