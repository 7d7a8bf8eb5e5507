"""JPEG grid: parts that were compressed on another 8x8 grid than the rest, or on none."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

import numpy as np

from imforensics.methods.base import Method, MethodOptions, Reference, describe_too_small
from imforensics.methods.jpeg.grid_regions import GridRegion, close_blocks, find_regions, log10_nfa
from imforensics.methods.jpeg.grid_votes import (
    BLOCK,
    GRIDS,
    NO_VOTE,
    gather_blocks,
    vote_for_grids,
)
from imforensics.preprocessing.blocks import block_means, smooth_blocks, spread_blocks
from imforensics.preprocessing.jpeg import MAX_SIDE, resave_jpeg
from imforensics.preprocessing.noise import luma
from imforensics.types import BoolArray, Evidence, Finding, FloatArray, JsonValue, LocalizationMap, UInt8Array

if TYPE_CHECKING:
    from collections.abc import Iterator

MIN_SIDE = 32
# The copy that shows where a grid could be seen; the paper takes 99. Chosen, with MAX_MAIN_SHARE and
# SMOOTHINGS, on pasted parts and the photographs train and val, where the paper's rule raises alarms in every
# second one.
RESAVE_QUALITY = 98
RESAVE_MEAN_DIVISOR = 2.4  # of that quality's luminance table
MAX_MAIN_SHARE = 0.05  # of the votes around, where the image's grid counts as missing; 1/64 by chance
SMOOTHINGS = 3  # means over 3x3 blocks that "around" stands for
THRESHOLD = 0.5  # of the map; reached where the number of false alarms is below 1
HALF_WAY = 10.0  # -log10 of the number of false alarms at which the score reads 0.5
MIN_VOTERS = 0.05  # share of voting pixels around a block, below which nothing can be said
BAND_ROWS = 64  # of pixels at a time: some 100 kB
BAND_BLOCKS = 16  # rows of blocks that vote again at a time
LISTED = 10  # regions in the observations


class JpegGrid(Method):
    """Regions whose pixels vote for another grid than the image's, with their number of false alarms (NFA).

    With s = -log10 NFA, a significant region has the map value 0.5 + 0.5 s / (s + 10), everything else 0; the
    score is s / (s + 10) of the most significant region.
    """

    name = "jpeg_grid"
    family = "jpeg"
    question = (
        "Was the image, or a part of it, compressed on a different 8x8 JPEG grid than the rest, or on none?"
    )
    idea = (
        "JPEG sets many DCT coefficients of its 8x8 blocks to zero, and most zeros appear when the blocks "
        "are cut on the grid used for compression. Each pixel votes for the one of the 64 grids whose block "
        "around it has the most zeros. The grid with the most votes is the image's; connected blocks that "
        "vote for a different grid, or that could show the image's grid but do not, are reported if chance "
        "does not explain them."
    )
    limitations = (
        "Later compression at equal or lower quality replaces earlier grids with its own, and resizing or "
        "strong filtering removes all grids. One pasted region in 64 falls on the image's grid by chance. An "
        "image cropped after compression has a shifted grid everywhere, which is harmless. Inserted logos, "
        "frames and collages of JPEGs are flagged correctly, but are not forgeries. Flat areas do not vote."
    )
    reference = Reference(
        "T. Nikoukhah, J. Anger, M. Colom, J.-M. Morel, R. Grompone von Gioi, ZERO: a local JPEG grid origin "
        "detector based on the number of DCT zeros and its applications in image forensics, Image Processing "
        "On Line 11, 2021",
        doi="10.5201/ipol.2021.390",
    )

    class Options(MethodOptions):
        """Options of the JPEG grid method.

        Attributes:
            missing: look for parts without the image's grid too, by a second vote on a resaved copy.
        """

        missing: bool = True

    options: Options

    def analyze(self, evidence: Evidence) -> Finding:
        """Let the pixels vote, find the image's grid, and mark the regions that deviate from it."""
        shape = (evidence.height, evidence.width)
        if min(shape) < MIN_SIDE:
            return self._decline(describe_too_small(evidence, MIN_SIDE))
        plane = _round_luma(evidence.pixels)
        votes = vote_for_grids(plane)
        if not votes.counts.any():
            return self._decline("Flat or even all over: no pixel prefers one grid to the others.")
        best = int(votes.counts.argmax())
        significance = log10_nfa(int(votes.counts[best]), shape[0] * shape[1] // GRIDS, shape)
        main = best if significance < 0 else None
        regions = find_regions(gather_blocks(votes.grids), set(range(GRIDS)) - {main})
        voters = _smooth(votes.grids != NO_VOTE)
        if main is not None and self.options.missing and _can_miss(evidence, main):
            missing = self._find_missing(plane, votes.grids, voters, main)
        else:
            missing = None
        observations: dict[str, JsonValue] = {
            "main_grid": None if main is None else _origin(main),
            "main_log10_nfa": round(significance, 2),
            "main_vote_share": round(float(votes.counts[best] / votes.counts.sum()), 4),
            "is_grid_moved": bool(main),
            "voting_share": round(float(votes.counts.sum() / plane.size), 4),
        }
        return self._report(shape, voters >= MIN_VOTERS, main, regions, missing, observations)

    def _find_missing(
        self, plane: UInt8Array, grids: UInt8Array, voters: FloatArray, main: int
    ) -> list[GridRegion]:
        """Regions without the main grid although a saving on grid (0, 0) would leave its trace there.

        The paper tests all pixels that do not vote for the main grid. They are not where chance has put them:
        texture and ties scatter them over authentic photographs too. Here only those count around which
        hardly any vote is for the main grid. The second vote is held there alone.
        """
        is_absent = _smooth(grids == main) <= MAX_MAIN_SHARE * voters
        again = np.full(plane.shape, NO_VOTE, dtype=np.uint8)
        for part, absent in _cut_around(is_absent):
            votes = _vote_again(plane, *part)
            wanted = spread_blocks(absent, votes.shape, block=BLOCK) & (votes == 0) & (grids[part] != main)
            again[part][wanted] = 0
        return find_regions(gather_blocks(again), [0]) if (again == 0).any() else []

    def _report(
        self,
        shape: tuple[int, int],
        can_tell: BoolArray,
        main: int | None,
        foreign: list[GridRegion],
        missing: list[GridRegion] | None,
        observations: dict[str, JsonValue],
    ) -> Finding:
        found = (missing or []) + foreign
        map_ = LocalizationMap(
            partial(_paint, found, shape), partial(spread_blocks, can_tell, shape, block=BLOCK)
        )
        least = min((region.log10_nfa for region in found), default=0.0)
        observations |= {
            "foreign_region_count": len(foreign),
            "foreign_regions": [_describe(region) for region in foreign[:LISTED]],
            "missing_region_count": None if missing is None else len(missing),
            "missing_regions": [_describe(region) for region in (missing or [])[:LISTED]],
        }
        return Finding(
            self.name,
            self.family,
            "ok",
            score=_squash(least),
            map=map_,
            mask_source=partial(map_.reach, THRESHOLD),
            threshold=THRESHOLD,
            threshold_policy="nfa_1",
            observations=observations,
            notes=_notes(main, foreign, missing),
        )


def _round_luma(pixels: UInt8Array) -> UInt8Array:
    """(H, W) uint8, the luma in whole gray levels."""
    plane = np.empty(pixels.shape[:2], dtype=np.uint8)
    for top in range(0, len(plane), BAND_ROWS):
        band = slice(top, top + BAND_ROWS)
        plane[band] = np.rint(luma(pixels[band]))
    return plane


def _can_miss(evidence: Evidence, main: int) -> bool:
    """Whether a second vote can tell where the main grid is missing.

    Not in a JPEG on its own grid with a table as fine as that of the copy, which is no harder a test than the
    picture itself has been through; nor where the copy cannot be made.
    """
    if max(evidence.height, evidence.width) > MAX_SIDE:
        return False
    if evidence.jpeg is None or main != 0:
        return True
    return float(evidence.jpeg.quantization_tables[0].mean()) > RESAVE_MEAN_DIVISOR


def _notes(main: int | None, foreign: list[GridRegion], missing: list[GridRegion] | None) -> tuple[str, ...]:
    if main is None:
        first = "No JPEG grid was found over the image as a whole: no part can lack it."
    elif main:
        row, column = divmod(main, BLOCK)
        first = (
            f"The image's grid starts at row {row}, column {column}: it was cropped, or joined from other "
            "pictures, after a JPEG saving."
        )
    else:
        first = "The image's grid starts at its first pixel, as in a JPEG that was not cropped since."
    notes = [first]
    if foreign or missing:
        notes.append(
            f"{len(foreign)} region(s) with another grid, {len(missing or [])} without the image's grid."
        )
    else:
        notes.append("No region with another grid was found; that is no evidence of authenticity.")
    if missing is None and main is not None:
        notes.append(
            "Regions without the image's grid were not searched for: the compression is too fine to show "
            "them, the image is too large to be recompressed, or the option is off."
        )
    notes.append(
        "Map: at least 0.5 where the number of false alarms is below 1; a fixed function of it elsewhere."
    )
    return tuple(notes)


def _smooth(marks: BoolArray) -> FloatArray:
    """Share of marked pixels around each block."""
    share = block_means(marks.view(np.uint8), block=BLOCK)
    for _ in range(SMOOTHINGS):
        share = smooth_blocks(share)
    return share


def _cut_around(is_absent: BoolArray) -> Iterator[tuple[tuple[slice, slice], BoolArray]]:
    """Rows and columns of pixels, in bands, that hold all blocks marked; and which blocks there are."""
    for first in range(0, len(is_absent), BAND_BLOCKS):
        rows = slice(first, first + BAND_BLOCKS)
        marked = np.flatnonzero(is_absent[rows].any(axis=0))
        if marked.size:
            columns = slice(int(marked[0]), int(marked[-1]) + 1)
            part = (slice(side.start * BLOCK, side.stop * BLOCK) for side in (rows, columns))
            yield (next(part), next(part)), is_absent[rows, columns]


def _vote_again(plane: UInt8Array, rows: slice, columns: slice) -> UInt8Array:
    """Votes of a part of the plane, saved again with the pixels around that share blocks with it."""
    top, left = max(rows.start - BLOCK, 0), max(columns.start - BLOCK, 0)
    around = plane[top : rows.stop + BLOCK, left : columns.stop + BLOCK]
    resaved = np.ascontiguousarray(resave_jpeg(around, quality=RESAVE_QUALITY)[..., 0])
    votes = vote_for_grids(resaved).grids
    return votes[rows.start - top : rows.stop - top, columns.start - left : columns.stop - left]


def _paint(regions: list[GridRegion], shape: tuple[int, int]) -> FloatArray:
    """The map: raised on the blocks of each region and the gaps between them."""
    values = np.zeros(shape, dtype=np.float32)
    for region in regions:
        inside = np.repeat(np.repeat(close_blocks(region.blocks), BLOCK, axis=0), BLOCK, axis=1)
        part = values[region.top : region.top + inside.shape[0], region.left : region.left + inside.shape[1]]
        value = np.float32(THRESHOLD + (1 - THRESHOLD) * _squash(region.log10_nfa))
        np.maximum(part, value, out=part, where=inside[: part.shape[0], : part.shape[1]])
    return values


def _squash(significance: float) -> float:
    """s / (s + HALF_WAY) for s = -log10 NFA."""
    return max(0.0, -significance) / (max(0.0, -significance) + HALF_WAY)


def _origin(grid: int) -> dict[str, JsonValue]:
    return {"row": grid // BLOCK, "column": grid % BLOCK}


def _describe(region: GridRegion) -> dict[str, JsonValue]:
    return {
        "grid": _origin(region.grid),
        "top": region.top,
        "left": region.left,
        "height": region.blocks.shape[0] * BLOCK,
        "width": region.blocks.shape[1] * BLOCK,
        "votes": region.votes,
        "log10_nfa": round(region.log10_nfa, 2),
    }
