"""Matches of points that agree on one affine map: voting by pairs of neighbours, then refinement."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from imforensics.types import BoolArray, FloatArray

    Matrix = NDArray[np.float64]
    IndexArray = NDArray[np.int64]

PARTNERS = 5  # neighbouring matches that each match is paired with
MIN_BASE = 4.0  # pixels between the points of a pair: below, rounding decides the rotation
MAX_TURN_SCALE = 2.5
MAX_STRETCH = 1.6  # ratio of the singular values of an affine map that a copy can have
ROUNDS = 4
KEPT = 0.8  # of the followers that a refined map must keep: chance ones may go
MAX_MATCHES = 3000
CHUNK = 512


@dataclass(frozen=True, slots=True)
class MatchCluster:
    """Matches that one affine map explains.

    Attributes:
        transform: (2, 3) float64, [x', y'] = transform @ [x, y, 1].
        sources: (N, 2) float32 positions x, y.
        targets: (N, 2) float32 positions they are mapped to, within the tolerance.
    """

    transform: Matrix
    sources: FloatArray
    targets: FloatArray


def cluster_matches(
    sources: FloatArray,
    targets: FloatArray,
    *,
    tolerance: float,
    min_matches: int,
    limit: int,
    mirrored: bool = False,
) -> list[MatchCluster]:
    """Group matches by the affine map that they agree on, largest group first.

    Each match with each of its nearest neighbours gives a similarity; the one that most matches follow is
    refined to an affine map by least squares, its matches are taken out, and so on. Nothing is random.

    Args:
        sources: (M, 2) positions x, y in pixels; each pair in both orders.
        targets: (M, 2) likewise.
        tolerance: in pixels, of a match that follows a map.
        min_matches: smallest group.
        limit: most groups.
        mirrored: similarities that turn the picture over.

    Returns:
        At most `limit` groups; the reverse of each is left out.
    """
    if len(sources) > MAX_MATCHES:
        chosen = np.linspace(0, len(sources) - 1, MAX_MATCHES).astype(np.int64)
        sources, targets = sources[chosen], targets[chosen]
    clusters: list[MatchCluster] = []
    owners, turns, shifts = _guess(sources, targets, mirrored=mirrored)
    left = np.ones(len(sources), dtype=np.bool_)
    for _ in range(3 * limit):
        usable = np.flatnonzero(left[owners])
        if len(clusters) == limit or usable.size == 0:
            break
        points, images = sources[left], targets[left]
        votes = _count_followers(turns[usable], shifts[usable], points, images, tolerance, mirrored)
        best = usable[votes.argmax()]
        if votes.max() < min_matches:
            break
        transform = _to_matrix(turns[best], shifts[best], mirrored=mirrored)
        transform, follow = _refine(transform, sources, targets, left, tolerance)
        follow[follow] = _find_one_way(transform, sources[follow], tolerance)
        left[owners[best]] = False
        if follow.sum() < min_matches or not is_plausible(transform):
            continue
        clusters.append(MatchCluster(transform, sources[follow], targets[follow]))
        reverse = invert_affine(transform)
        left &= ~(_distances(transform, sources, targets) < 2 * tolerance)
        left &= ~(_distances(reverse, sources, targets) < 2 * tolerance)
    return clusters


def _find_one_way(transform: Matrix, sources: FloatArray, tolerance: float) -> BoolArray:
    """Which of the matches of a map lead from one part to the other, not back.

    Half a turn is its own reverse: both orders of every pair follow it. The parts then lie on both sides of
    the centre of the turn, along the principal axis of the points.
    """
    images = apply_affine(transform, sources)
    if not len(sources) or np.abs(apply_affine(transform, images) - sources).max() > 4 * tolerance:
        return np.ones(len(sources), dtype=np.bool_)
    around = sources - (sources + images).mean(axis=0) / 2
    axis = np.linalg.svd(around, full_matrices=False)[2][0]
    return np.asarray(around @ axis > 0)


def is_plausible(transform: Matrix) -> bool:
    """An affine map that a pasted copy can have: moderate scale, little stretch."""
    large, small = np.linalg.svd(transform[:, :2], compute_uv=False)
    scale = float(np.sqrt(large * small))
    return bool(1 / MAX_TURN_SCALE <= scale <= MAX_TURN_SCALE and large <= MAX_STRETCH * small)


def apply_affine(transform: Matrix, points: FloatArray | Matrix) -> Matrix:
    """(N, 2) points x, y through a (2, 3) map."""
    return np.asarray(points @ transform[:, :2].T + transform[:, 2], dtype=np.float64)


def invert_affine(transform: Matrix) -> Matrix:
    """The (2, 3) map back.

    >>> invert_affine(np.array([[2.0, 0, 1], [0, 1, 0]])).tolist()
    [[0.5, 0.0, -0.5], [0.0, 1.0, 0.0]]
    """
    inverse = np.linalg.inv(transform[:, :2])
    return np.column_stack([inverse, 0 - inverse @ transform[:, 2]]) + 0.0


def fit_affine(sources: FloatArray | Matrix, targets: FloatArray | Matrix) -> Matrix:
    """Least squares of targets on sources.

    Args:
        sources: (N, 2), N >= 1; with fewer than three points off a line the map of least norm about them.
        targets: (N, 2).

    Returns:
        (2, 3) float64.
    """
    centre, goal = sources.mean(axis=0, dtype=np.float64), targets.mean(axis=0, dtype=np.float64)
    turn = np.linalg.lstsq(sources - centre, targets - goal, rcond=1e-6)[0].T
    return np.column_stack([turn, goal - turn @ centre])


def _guess(
    sources: FloatArray, targets: FloatArray, *, mirrored: bool
) -> tuple[IndexArray, NDArray[np.complex128], NDArray[np.complex128]]:
    """Similarities z -> turn * z + shift (of the conjugate where mirrored) from pairs of neighbours."""
    points = sources[:, 0] + 1j * sources[:, 1].astype(np.float64)
    images = targets[:, 0] + 1j * targets[:, 1].astype(np.float64)
    points = points.conj() if mirrored else points
    partners = _find_partners(points)
    owners = np.repeat(np.arange(len(points)), partners.shape[1])
    others = partners.reshape(-1)
    base = points[others] - points[owners]
    good = np.abs(base) >= MIN_BASE
    owners, others, base = owners[good], others[good], base[good]
    turns = (images[others] - images[owners]) / base
    size = np.abs(turns)
    good = (size <= MAX_TURN_SCALE) & (size >= 1 / MAX_TURN_SCALE)
    owners, turns = owners[good], turns[good]
    return owners, turns, images[owners] - turns * points[owners]


def _find_partners(points: NDArray[np.complex128]) -> IndexArray:
    """(M, k) indices of the nearest other points that are not too near for a base."""
    count = min(PARTNERS, len(points) - 1)
    found = np.empty((len(points), max(count, 0)), dtype=np.int64)
    if count < 1:
        return found
    for start in range(0, len(points), CHUNK):
        distance = np.abs(points[start : start + CHUNK, None] - points[None])
        distance[distance < MIN_BASE] = np.inf
        nearest = np.argpartition(distance, count - 1, axis=1)[:, :count]
        found[start : start + CHUNK] = np.sort(nearest, axis=1)
    return found


def _count_followers(
    turns: NDArray[np.complex128],
    shifts: NDArray[np.complex128],
    sources: FloatArray,
    targets: FloatArray,
    tolerance: float,
    mirrored: bool,
) -> IndexArray:
    points = (sources[:, 0] + 1j * sources[:, 1]).astype(np.complex64)
    images = (targets[:, 0] + 1j * targets[:, 1]).astype(np.complex64)
    points = points.conj() if mirrored else points
    votes = np.empty(len(turns), dtype=np.int64)
    for start in range(0, len(turns), CHUNK):
        part = slice(start, start + CHUNK)
        off = turns[part, None].astype(np.complex64) * points + shifts[part, None].astype(np.complex64)
        off -= images
        votes[part] = (off.real**2 + off.imag**2 < tolerance * tolerance).sum(axis=1)
    return votes


def _to_matrix(turn: complex, shift: complex, *, mirrored: bool) -> Matrix:
    sign = -1.0 if mirrored else 1.0
    return np.array([[turn.real, -sign * turn.imag, shift.real], [turn.imag, sign * turn.real, shift.imag]])


def _refine(
    transform: Matrix, sources: FloatArray, targets: FloatArray, left: BoolArray, tolerance: float
) -> tuple[Matrix, BoolArray]:
    follow = left & (_distances(transform, sources, targets) < tolerance)
    for _ in range(ROUNDS):
        if follow.sum() < 4:
            break
        better = fit_affine(sources[follow], targets[follow])
        again = left & (_distances(better, sources, targets) < tolerance)
        if not is_plausible(better) or again.sum() < KEPT * follow.sum():
            break
        is_same = bool((again == follow).all())
        transform, follow = better, again
        if is_same:
            break
    return transform, follow


def _distances(transform: Matrix, sources: FloatArray, targets: FloatArray) -> Matrix:
    return np.asarray(np.linalg.norm(apply_affine(transform, sources) - targets, axis=1))
