"""Regions that were compressed on another JPEG grid, kept only where chance does not explain them.

The test is a-contrario: were votes random, each block would be for a given grid with probability 1/64. The
number of false alarms (NFA) of a region is the number of tests times the chance of as many votes; below 1,
less than one region as dense is expected in a whole image without a grid.

Reference:
    T. Nikoukhah et al., Image Processing On Line 11, 2021, doi:10.5201/ipol.2021.390, sections 3.2 and 3.3
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from imforensics.methods.jpeg.grid_votes import BLOCK, GRIDS
from imforensics.preprocessing.components import label_components, sum_components

if TYPE_CHECKING:
    from collections.abc import Iterable

    from numpy.typing import NDArray

    from imforensics.types import BoolArray, UInt8Array

_SIDE = 8  # grids along a side; the same number as BLOCK, but of origins
_MAX_TERMS = 20_000  # of a binomial tail: where k is above the mean, terms fall faster than this


@dataclass(frozen=True, slots=True)
class GridRegion:
    """Connected blocks of one grid that got votes.

    Attributes:
        grid: number of the grid, 8 x row of its origin + column.
        top: first row, in pixels.
        left: first column, in pixels.
        blocks: (rows, columns) bool, blocks of 8x8 pixels from (top, left) that belong to the region.
        votes: number of votes.
        log10_nfa: log10 of the number of false alarms, below 0 where significant.
    """

    grid: int
    top: int
    left: int
    blocks: BoolArray
    votes: int
    log10_nfa: float


def log10_tests(shape: tuple[int, int]) -> float:
    """log10 of the number of tests: pairs of grids times rectangles, (64 H W)^2 as in the paper.

    >>> round(log10_tests((100, 1000)), 4)
    13.6124
    """
    return 2 * math.log10(GRIDS * shape[0] * shape[1])


def log10_nfa(votes: int, blocks: int, shape: tuple[int, int]) -> float:
    """log10 of the number of false alarms of one grid's votes in a part of an image.

    Votes of the pixels of a block depend on each other, so that 64 count as one.

    Args:
        votes: number of pixels that voted for the grid.
        blocks: number of 8x8 blocks looked at.
        shape: (H, W) of the whole image.

    Returns:
        At most `log10_tests(shape)`; below 0 less than one such part is expected by chance.

    >>> log10_nfa(0, 10, (100, 1000)) == log10_tests((100, 1000))
    True
    """
    return log10_tests(shape) + log10_binomial_tail(votes // (BLOCK * BLOCK), blocks, 1 / GRIDS)


def log10_binomial_tail(successes: int, trials: int, chance: float) -> float:
    """log10 of the probability of at least `successes` in independent `trials`.

    Exact above the mean; at the mean and below, where the tail is about a half or more, 0 is given.

    Args:
        successes: from 0 to `trials`.
        trials: at least 0.
        chance: of a success, in (0, 1).

    Raises:
        ValueError: more successes than trials.

    >>> round(10 ** log10_binomial_tail(2, 2, 0.25), 6)
    0.0625
    """
    if not 0 <= successes <= trials:
        raise ValueError(f"Expected 0 to {trials} successes; received {successes}.")
    if successes <= trials * chance:
        return 0.0
    rest = trials - successes
    first = math.lgamma(trials + 1) - math.lgamma(successes + 1) - math.lgamma(rest + 1)
    first += successes * math.log(chance) + rest * math.log1p(-chance)
    further = np.arange(min(rest, _MAX_TERMS))
    ratios = (rest - further) / (successes + 1 + further) * (chance / (1 - chance))
    return float((first + math.log1p(np.cumprod(ratios).sum())) / math.log(10))


def find_regions(blocks: UInt8Array, grids: Iterable[int]) -> list[GridRegion]:
    """Significant regions of the grids named; touching blocks that got votes for one grid make a region.

    The paper joins pixels up to 12 apart; here blocks of the grid that touch at sides or corners, or with
    one block between them, are joined: at the density that a test can detect, votes are about 8 apart.

    Args:
        blocks: (H, W) uint8, votes by block, see `gather_blocks`.
        grids: numbers of the grids to look for.

    Returns:
        Regions with log10_nfa < 0, most significant first.
    """
    numbers = sorted(grids)
    parts = [numbers[first : first + _SIDE] for first in range(0, len(numbers), _SIDE)]
    regions = [region for part in parts for region in _find_in_grids(blocks, part)]
    return sorted(regions, key=lambda region: region.log10_nfa)


def _find_in_grids(blocks: UInt8Array, numbers: list[int]) -> list[GridRegion]:
    """Significant regions of some grids, in the order of grids and first blocks."""
    shape = (blocks.shape[0], blocks.shape[1])
    stack = np.zeros((len(numbers), -(-shape[0] // BLOCK), -(-shape[1] // BLOCK)), dtype=np.uint8)
    for plane, grid in zip(stack, numbers, strict=True):
        part = blocks[grid // _SIDE :: BLOCK, grid % _SIDE :: BLOCK]
        plane[: part.shape[0], : part.shape[1]] = part
    has_votes = stack > 0
    # Joined to 2x2 blocks, cells touch exactly where the cells themselves are at most 2 apart.
    grown = np.pad(has_votes, ((0, 0), (0, 1), (0, 1)))
    grown[:, 1:] |= grown[:, :-1].copy()
    grown[:, :, 1:] |= grown[:, :, :-1].copy()
    if not (sum_components(grown, np.pad(stack, ((0, 0), (0, 1), (0, 1)))) >= _least_votes(shape)).any():
        return []
    labels, count = label_components(grown)
    labels = np.where(has_votes, labels[:, :-1, :-1], 0)
    votes = np.bincount(labels[has_votes], weights=stack[has_votes], minlength=count + 1)
    enough = votes >= _least_votes(shape)
    regions = []
    for label, (plane, rows, columns) in _boxes(labels, np.flatnonzero(enough)):
        inside = labels[plane, rows, columns] == label
        significance = log10_nfa(int(votes[label]), inside.size, shape)
        if significance < 0:
            grid = numbers[plane]
            top, left = grid // _SIDE + BLOCK * rows.start, grid % _SIDE + BLOCK * columns.start
            regions.append(GridRegion(grid, top, left, inside, int(votes[label]), significance))
    return regions


def close_blocks(blocks: BoolArray) -> BoolArray:
    """Morphological closing by 3x3: blocks whose neighbours on both sides belong to a region join it.

    >>> close_blocks(np.array([[True, False, True, False]]))
    array([[ True,  True,  True, False]])
    """
    grown = np.pad(blocks, 2)
    for axis in (0, 1):
        grown = grown | np.roll(grown, 1, axis) | np.roll(grown, -1, axis)
    for axis in (0, 1):
        grown = grown & np.roll(grown, 1, axis) & np.roll(grown, -1, axis)
    return grown[2:-2, 2:-2]


def _least_votes(shape: tuple[int, int]) -> int:
    """Votes below which no region is significant: all of k blocks for one grid have the chance 64^-k."""
    return math.ceil(BLOCK * BLOCK * log10_tests(shape) / math.log10(GRIDS))


def _boxes(labels: NDArray[np.int32], wanted: NDArray[np.intp]) -> list[tuple[int, tuple[int, slice, slice]]]:
    """Plane, rows and columns of the smallest box around each wanted component."""
    is_wanted = np.zeros(int(labels.max(initial=0)) + 1, dtype=np.bool_)
    is_wanted[wanted] = True
    planes, rows, columns = np.nonzero(is_wanted[labels])
    found = labels[planes, rows, columns]
    order = np.argsort(found, kind="stable")
    boxes = []
    for members in np.split(order, np.flatnonzero(np.diff(found[order])) + 1) if order.size else []:
        box = (_span(rows[members]), _span(columns[members]))
        boxes.append((int(found[members[0]]), (int(planes[members[0]]), *box)))
    return boxes


def _span(indices: NDArray[np.intp]) -> slice:
    return slice(int(indices.min()), int(indices.max()) + 1)
