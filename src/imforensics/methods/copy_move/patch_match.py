"""For every patch of a picture the most similar one elsewhere in it: PatchMatch in whole-array steps."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from imforensics.types import FloatArray

    IndexArray = NDArray[np.int32]

SORTED_PASSES = 5  # orders of the patches in which neighbours are taken for likely matches
SORTED_NEIGHBOURS = (-3, -2, -1, 0, 1, 2)
POOL_STEP = 3  # pixels between the candidates of one pass: nearer ones look alike, and are refined anyway
COMPONENTS, BITS = 5, 5  # principal components and bits each that make the key that is sorted by
ROUNDS = 4
JUMPS = (8, 4, 2, 1)  # cells that a match is passed on over, by round
SEARCH_RADII = (3, 1)  # pixels around the present match that are tried


@dataclass(frozen=True, slots=True)
class MatchField:
    """The most similar place found for each cell of a grid.

    Attributes:
        rows: (h,) int32, rows of the grid in pixels.
        columns: (w,) int32, its columns.
        down: (h, w) int32, vertical offset of the match, in pixels.
        across: (h, w) int32, horizontal offset.
        cost: (h, w) float32, squared distance of the features; infinite where nothing was found.
    """

    rows: IndexArray
    columns: IndexArray
    down: IndexArray
    across: IndexArray
    cost: FloatArray


class _Search:
    """State of one search: features, grid, and the best match of each cell so far."""

    def __init__(self, features: FloatArray, margin: int, step: int, min_distance: float) -> None:
        self.height, self.width = features.shape[:2]
        self.flat = features.reshape(-1, features.shape[2])
        self.margin = margin
        self.rows = np.arange(margin, self.height - margin, step, dtype=np.int32)
        self.columns = np.arange(margin, self.width - margin, step, dtype=np.int32)
        self.shape = (len(self.rows), len(self.columns))
        self.y = np.repeat(self.rows, self.shape[1])
        self.x = np.tile(self.columns, self.shape[0])
        self.own = self.flat[self.y.astype(np.int64) * self.width + self.x]
        self.min_squared = int(np.ceil(min_distance * min_distance))
        self.to_y, self.to_x = self.y.copy(), self.x.copy()
        self.cost = np.full(self.y.size, np.inf, dtype=np.float32)

    def try_places(self, y: IndexArray, x: IndexArray) -> None:
        """Take over the places given, one a cell, where they are allowed and nearer in features."""
        down, across = y - self.y, x - self.x
        allowed = (y >= self.margin) & (y < self.height - self.margin)
        allowed &= (x >= self.margin) & (x < self.width - self.margin)
        allowed &= down * down + across * across >= self.min_squared
        allowed &= (y != self.to_y) | (x != self.to_x)
        cells = np.flatnonzero(allowed)
        if cells.size == 0:
            return
        y, x = y[cells], x[cells]
        difference = self.flat[y.astype(np.int64) * self.width + x]
        difference -= self.own[cells]
        cost = np.einsum("ij,ij->i", difference, difference)
        better = cost < self.cost[cells]
        cells = cells[better]
        self.cost[cells], self.to_y[cells], self.to_x[cells] = cost[better], y[better], x[better]


def match_patches(
    features: FloatArray, *, margin: int, step: int, min_distance: float, seed: int = 0
) -> MatchField:
    """Approximate nearest neighbours of the patches on a grid, among all patches of the picture.

    Candidates come from sorting patches along space-filling curves through their principal components; then
    matches are passed on to neighbours, as they are and extrapolated linearly (which follows rotations and
    scalings), and refined by trying places around them.

    Args:
        features: (H, W, K) float32, one description a pixel.
        margin: pixels at the edges that are neither matched nor matched to.
        step: pixels between the cells of the grid.
        min_distance: pixels, of a match from its cell.
        seed: of the curves and of the places tried; the same seed gives the same field.

    Returns:
        The field; its grid is empty for pictures without an inside.

    Reference: C. Barnes et al., PatchMatch, ACM TOG 28(3), 2009, doi 10.1145/1531326.1531330; D. Cozzolino,
        G. Poggi, L. Verdoliva, 2015, doi 10.1109/TIFS.2015.2455334 (linear propagation).
    """
    search = _Search(features, margin, step, min_distance)
    if search.y.size > 1:
        rng = np.random.default_rng(seed)
        keys = _principal_components(search)
        for _ in range(SORTED_PASSES):
            _try_sorted(search, keys, rng)
        for round_ in range(ROUNDS):
            for jump in dict.fromkeys((JUMPS[round_ % len(JUMPS)], 1)):
                _propagate(search, jump)
            for radius in SEARCH_RADII:
                _try_around(search, radius, rng)
    shape = search.shape
    return MatchField(
        search.rows,
        search.columns,
        (search.to_y - search.y).reshape(shape),
        (search.to_x - search.x).reshape(shape),
        search.cost.reshape(shape),
    )


def _principal_components(search: _Search) -> tuple[FloatArray, FloatArray]:
    """Mean and (K, C) basis of the strongest components, scaled to unit spread at most as the data are."""
    mean = search.own.mean(axis=0)
    centred = search.own - mean
    _, vectors = np.linalg.eigh(centred.T @ centred)
    basis = np.ascontiguousarray(vectors[:, ::-1][:, :COMPONENTS])
    largest = np.abs(basis).argmax(axis=0)
    basis *= np.sign(
        basis[largest, np.arange(basis.shape[1])]
    )  # which sign LAPACK gives depends on the machine
    return mean, basis


def _try_sorted(search: _Search, keys: tuple[FloatArray, FloatArray], rng: np.random.Generator) -> None:
    mean, basis = keys
    pool_y, pool_x = (
        np.arange(search.margin + int(rng.integers(POOL_STEP)), size - search.margin, POOL_STEP)
        for size in (search.height, search.width)
    )
    if pool_y.size * pool_x.size < 2:
        return
    places = (pool_y[:, None] * search.width + pool_x[None]).reshape(-1)
    turn = np.linalg.qr(rng.normal(size=(basis.shape[1], basis.shape[1])))[0].astype(np.float32)
    turned = basis @ turn
    own, others = (search.own - mean) @ turned, (search.flat[places] - mean) @ turned
    low, high = np.quantile(others, (0.01, 0.99), axis=0)
    jitter = rng.uniform(-0.5, 0.5, size=low.shape)
    own_key, key = (_interleave(values, low, high, jitter) for values in (own, others))
    order = np.argsort(key, kind="stable")
    at = np.searchsorted(key[order], own_key)
    for shift in SORTED_NEIGHBOURS:
        chosen = places[order[np.clip(at + shift, 0, len(order) - 1)]]
        search.try_places((chosen // search.width).astype(np.int32), (chosen % search.width).astype(np.int32))


def _interleave(
    values: FloatArray, low: NDArray[np.float64], high: NDArray[np.float64], jitter: NDArray[np.float64]
) -> NDArray[np.uint32]:
    """Position along a Z-order curve through a grid over [low, high], moved by `jitter` cells."""
    scale = (2**BITS - 1) / np.maximum(high - low, 1e-6)
    cells = np.clip((values - low) * scale + jitter + 0.5, 0, 2**BITS - 1).astype(np.uint32)
    key = np.zeros(len(values), dtype=np.uint32)
    for bit in range(BITS - 1, -1, -1):
        for component in range(cells.shape[1]):
            key = (key << np.uint32(1)) | ((cells[:, component] >> np.uint32(bit)) & np.uint32(1))
    return key


def _propagate(search: _Search, jump: int) -> None:
    """Offer each cell the match of the cell `jump` before it in each direction, moved along."""
    for axis in (0, 1):
        if search.shape[axis] <= 2 * jump:
            continue
        for sign in (1, -1):
            down = (search.to_y - search.y).reshape(search.shape)
            across = (search.to_x - search.x).reshape(search.shape)
            near = _shifted(down, axis, sign * jump), _shifted(across, axis, sign * jump)
            search.try_places(*_places(search, *near))
            far = _shifted(down, axis, 2 * sign * jump), _shifted(across, axis, 2 * sign * jump)
            search.try_places(*_places(search, 2 * near[0] - far[0], 2 * near[1] - far[1]))


def _places(search: _Search, down: IndexArray, across: IndexArray) -> tuple[IndexArray, IndexArray]:
    return search.y + down.reshape(-1), search.x + across.reshape(-1)


def _shifted(plane: IndexArray, axis: int, by: int) -> IndexArray:
    """The plane moved by whole cells; what moves in from outside has offset 0, which is never allowed."""
    result = np.zeros_like(plane)
    size = plane.shape[axis]
    to = slice(by, None) if by > 0 else slice(None, size + by)
    of = slice(None, size - by) if by > 0 else slice(-by, None)
    if axis == 0:
        result[to] = plane[of]
    else:
        result[:, to] = plane[:, of]
    return result


def _try_around(search: _Search, radius: int, rng: np.random.Generator) -> None:
    y, x = (
        place + rng.integers(-radius, radius + 1, size=place.size, dtype=np.int32)
        for place in (search.to_y, search.to_x)
    )
    search.try_places(y, x)
