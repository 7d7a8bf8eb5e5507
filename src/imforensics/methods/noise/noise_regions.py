"""Regions in which quiet blocks are over-represented, kept only where chance does not explain them.

The test is a-contrario: were noise even, each smooth block would be quiet with probability one half, wherever
it lies. The number of false alarms (NFA) of a region is the number of tests times the chance of as many quiet
blocks; below 1, less than one such region is expected in a whole image of even noise.

Reference:
    M. Gardella et al., Image Processing On Line 14 (2024), doi:10.5201/ipol.2024.462
"""

from __future__ import annotations

import heapq
import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from imforensics.methods.jpeg.grid_regions import log10_binomial_tail
from imforensics.methods.noise.low_noise import QUIET_SHARE

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from imforensics.types import BoolArray

    FloatGrid = NDArray[np.float64]

# The number of polyominoes of R cells grows as 0.316915 x 4.062570^R / R: I. Jensen, A. J. Guttmann, Journal
# of Physics A 33 (2000), doi:10.1088/0305-4470/33/29/102
_POLYOMINO_FACTOR, _POLYOMINO_BASE = 0.316915, 4.062570


@dataclass(frozen=True, slots=True)
class NoiseRegion:
    """Connected cells with more quiet blocks than chance explains.

    Attributes:
        cells: (rows, columns) bool, of the grid of cells.
        smooth: independent smooth blocks in it.
        quiet: how many of them are quiet.
        log10_nfa: log10 of the number of false alarms.
    """

    cells: BoolArray
    smooth: int
    quiet: int
    log10_nfa: float


def log10_nfa(quiet: float, smooth: float, *, cells: int, grid_cells: int) -> float:
    """log10 of the number of false alarms of a region.

    Tests are half the pairs of cells, as centre and extent, times the polyominoes of the region's size.

    Args:
        quiet: independent quiet blocks in the region, rounded down.
        smooth: independent smooth blocks in it, rounded up.
        cells: cells in the region, at least 1.
        grid_cells: cells in the grid.

    Returns:
        Below 0 where less than one such region is expected by chance.

    >>> log10_nfa(0, 10, cells=1, grid_cells=100) > 0
    True
    """
    shapes = math.log10(_POLYOMINO_FACTOR / cells) + cells * math.log10(_POLYOMINO_BASE)
    tests = math.log10(0.5) + 2 * math.log10(grid_cells) + shapes
    return tests + _log10_tail(quiet, smooth)


def find_noise_regions(smooth: FloatGrid, quiet: FloatGrid, *, max_log10_nfa: float) -> list[NoiseRegion]:
    """Grow regions from the cells with the most surplus of quiet blocks, and keep the significant ones.

    A region takes in the cell next to it, at a side, with the largest share of quiet blocks, as long as that
    lowers its number of false alarms. No cell belongs to two regions.

    Args:
        smooth: (rows, columns) float, independent smooth blocks of each cell.
        quiet: (rows, columns) float, how many of them are quiet, at most `smooth`.
        max_log10_nfa: log10 of the number of false alarms that a region must stay below.

    Returns:
        Regions, most significant first.
    """
    share = np.divide(quiet, smooth, out=np.zeros_like(smooth), where=smooth > 0)
    free = share > QUIET_SHARE
    surplus = (quiet - QUIET_SHARE * smooth) / np.sqrt(np.maximum(smooth, 1))
    regions = []
    for seed in np.argsort(-surplus, axis=None, kind="stable"):
        start = (int(seed) // share.shape[1], int(seed) % share.shape[1])
        if not free[start]:
            continue
        region = _grow(start, smooth, quiet, share, free)
        free &= ~region.cells
        if region.log10_nfa < max_log10_nfa:
            regions.append(region)
    return sorted(regions, key=lambda region: region.log10_nfa)


def _grow(
    start: tuple[int, int], smooth: FloatGrid, quiet: FloatGrid, share: FloatGrid, free: BoolArray
) -> NoiseRegion:
    """Add neighbours, the quietest first, while the number of false alarms falls."""
    cells = np.zeros(smooth.shape, dtype=np.bool_)
    cells[start] = True
    n, k = float(smooth[start]), float(quiet[start])
    least, count = log10_nfa(k, n, cells=1, grid_cells=smooth.size), 1
    seen = cells.copy()
    border: list[tuple[float, tuple[int, int]]] = []
    _push(border, start, share, free, seen)
    while border:
        _, place = heapq.heappop(border)
        bid = log10_nfa(k + quiet[place], n + smooth[place], cells=count + 1, grid_cells=smooth.size)
        if bid >= least:
            continue
        cells[place] = True
        n, k, least, count = n + float(smooth[place]), k + float(quiet[place]), bid, count + 1
        _push(border, place, share, free, seen)
    return NoiseRegion(cells, math.ceil(n), math.floor(k), least)


def _push(
    border: list[tuple[float, tuple[int, int]]],
    place: tuple[int, int],
    share: FloatGrid,
    free: BoolArray,
    seen: BoolArray,
) -> None:
    row, column = place
    for near in ((row - 1, column), (row + 1, column), (row, column - 1), (row, column + 1)):
        inside = 0 <= near[0] < free.shape[0] and 0 <= near[1] < free.shape[1]
        if inside and free[near] and not seen[near]:
            seen[near] = True
            heapq.heappush(border, (-float(share[near]), near))


def _log10_tail(quiet: float, smooth: float) -> float:
    trials = math.ceil(smooth)
    return log10_binomial_tail(min(math.floor(quiet), trials), trials, QUIET_SHARE)
