"""Parts of a match field that one affine map explains."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from imforensics.methods.copy_move.match_clusters import apply_affine, fit_affine, is_plausible
from imforensics.preprocessing.components import label_components

if TYPE_CHECKING:
    from imforensics.methods.copy_move.patch_match import MatchField
    from imforensics.types import BoolArray, FloatArray

    Matrix = NDArray[np.float64]

MEDIAN_RADIUS = 2  # cells
FIT_RADIUS = 3  # cells
MAX_FIT_ERROR = 1.5  # pixels squared, mean over the window, of both offsets together
FOLLOW = 2.0  # pixels within which a cell follows the map of its part
TRIMS = 4
MAX_POINTS = 400  # of a part that are handed on


@dataclass(frozen=True, slots=True)
class FieldRegion:
    """A part of the field and the map that explains it.

    Attributes:
        transform: (2, 3) float64, [x', y'] = transform @ [x, y, 1], pixels.
        points: (N, 2) float64, x and y of cells that follow it.
        cells: number of cells that follow it.
    """

    transform: Matrix
    points: Matrix
    cells: int


def find_field_regions(field: MatchField, *, min_cells: int, limit: int) -> list[FieldRegion]:
    """Connected parts in which the offsets are an affine function of the place, largest first.

    Offsets are median-filtered; a cell is kept where an affine function fits the offsets of the 7x7 cells
    around it (dense linear fitting). Each connected part then gets one map by trimmed least squares, and
    where half of it follows another one, a second.

    Args:
        field: as `match_patches` gave it.
        min_cells: smallest part.
        limit: most parts.

    Returns:
        The parts; natural smooth areas give some too: verify them.

    Reference: D. Cozzolino, G. Poggi, L. Verdoliva, 2015, doi 10.1109/TIFS.2015.2455334, section V.
    """
    height, width = field.cost.shape
    if min(height, width) < 2 * FIT_RADIUS + 1:
        return []
    down, across = (_median_filter(plane, MEDIAN_RADIUS) for plane in (field.down, field.across))
    fits = fit_errors(down) + fit_errors(across) <= MAX_FIT_ERROR
    fits &= np.isfinite(field.cost)
    labels, count = label_components(fits[np.newaxis])
    areas = np.bincount(labels.reshape(-1), minlength=count + 1)
    areas[0] = 0
    regions: list[FieldRegion] = []
    for label in np.argsort(-areas, kind="stable")[:limit]:
        if areas[label] < min_cells:
            break
        rows, columns = np.nonzero(labels[0] == label)
        points = np.stack([field.columns[columns], field.rows[rows]], axis=1).astype(np.float64)
        images = points + np.stack([across[rows, columns], down[rows, columns]], axis=1)
        regions += _split(points, images, min_cells)
    return sorted(regions, key=lambda region: -region.cells)[:limit]


def fit_errors(plane: FloatArray) -> FloatArray:
    """Mean squared error of the best plane a + b x + c y through each window of 7x7 cells.

    Args:
        plane: (h, w) float32, at least 7x7.

    Returns:
        (h, w) float32; infinite within 3 cells of the edge.

    >>> rows, columns = np.mgrid[0:9, 0:9].astype(np.float32)
    >>> float(fit_errors(2 * rows - columns)[4, 4])
    0.0
    """
    radius, size = FIT_RADIUS, 2 * FIT_RADIUS + 1
    offsets = np.arange(-radius, radius + 1, dtype=np.float64)
    flat, slope = np.ones(size), offsets
    values = plane.astype(np.float64)
    mean = _correlate(values, flat, flat) / size**2
    square = _correlate(values * values, flat, flat) / size**2
    spread = (offsets**2).mean()  # of either coordinate over the window
    along_x = _correlate(values, flat, slope) / size**2
    along_y = _correlate(values, slope, flat) / size**2
    inner = square - mean**2 - (along_x**2 + along_y**2) / spread
    result = np.full(plane.shape, np.inf, dtype=np.float32)
    result[radius : plane.shape[0] - radius, radius : plane.shape[1] - radius] = np.maximum(inner, 0)
    return result


def _correlate(values: Matrix, down: Matrix, across: Matrix) -> Matrix:
    """Separable correlation, only where the window is inside."""
    height, width = values.shape
    size = len(down)
    rows = np.sum([w * values[k : height - size + 1 + k] for k, w in enumerate(down)], axis=0)
    sums = np.sum([w * rows[:, k : width - size + 1 + k] for k, w in enumerate(across)], axis=0)
    return np.asarray(sums, dtype=np.float64)


def _median_filter(plane: NDArray[np.int32], radius: int) -> FloatArray:
    size = 2 * radius + 1
    padded = np.pad(plane, radius, mode="edge").astype(np.int16)
    windows = np.lib.stride_tricks.sliding_window_view(padded, (size, size))
    result = np.empty(plane.shape, dtype=np.float32)
    strip = 64  # rows at a time: the windows are copied to be sorted
    for top in range(0, plane.shape[0], strip):
        part = windows[top : top + strip].reshape(-1, plane.shape[1], size * size)
        result[top : top + strip] = np.partition(part, size * size // 2, axis=-1)[..., size * size // 2]
    return result


def _split(points: Matrix, images: Matrix, min_cells: int) -> list[FieldRegion]:
    """The map that most of a part follows, and that of what is left where that is large enough."""
    regions: list[FieldRegion] = []
    left = np.ones(len(points), dtype=np.bool_)
    for _ in range(3):
        if left.sum() < min_cells:
            break
        transform, follow = _fit_trimmed(points, images, left)
        if follow.sum() < min_cells:
            break
        if is_plausible(transform):
            chosen = points[follow]
            step = max(1, len(chosen) // MAX_POINTS)
            regions.append(FieldRegion(transform, chosen[::step], int(follow.sum())))
        left &= ~follow
    return regions


def _fit_trimmed(points: Matrix, images: Matrix, left: BoolArray) -> tuple[Matrix, BoolArray]:
    follow = left
    transform = fit_affine(points[left], images[left])
    for _ in range(TRIMS):
        distance = np.linalg.norm(apply_affine(transform, points) - images, axis=1)
        limit = max(FOLLOW, float(np.median(distance[follow])))
        follow = left & (distance <= limit)
        transform = fit_affine(points[follow], images[follow])
    distance = np.linalg.norm(apply_affine(transform, points) - images, axis=1)
    return transform, left & (distance <= FOLLOW)
