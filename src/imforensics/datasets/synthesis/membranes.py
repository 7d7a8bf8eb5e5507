"""Smooth surfaces over a hole: what gradient-domain blending adds, and what a smooth fill is."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from imforensics.types import BoolArray, FloatArray

RELAXATIONS = 4  # sweeps a level: about 1 % of the range from the exact solution


def fill_membrane(values: FloatArray, hole: BoolArray) -> FloatArray:
    """Continue values smoothly into a hole: about the solution of Laplace's equation (a stretched membrane).

    Args:
        values: (h, w, C) float32; what is in the hole is not read.
        hole: (h, w) bool, True where values are wanted; some cell must be False.

    Returns:
        (h, w, C) float32: `values` outside the hole, the membrane inside it.

    Raises:
        ValueError: nothing is known.

    Reference:
        Perez, P., Gangnet, M., Blake, A.: Poisson Image Editing. ACM TOG 22(3), 2003, doi
        10.1145/882262.882269, equation 2; solved coarse to fine by averaging known cells and relaxing.

    >>> plane = np.full((8, 8, 1), 3, np.float32)
    >>> hole = np.zeros((8, 8), bool); hole[2:6, 2:6] = True
    >>> float(abs(fill_membrane(plane, hole) - 3).max())
    0.0
    """
    if hole.all():
        raise ValueError("Expected a hole with something known around it; received nothing known")
    filled = values.copy()
    if not hole.any():
        return filled
    known = (~hole).astype(np.float32)[..., np.newaxis]
    filled[hole] = _pull(values, known)[hole]
    _relax(filled, hole)
    return filled


def _pull(values: FloatArray, known: FloatArray) -> FloatArray:
    """Values everywhere: the known ones, elsewhere those of the half as fine level."""
    if known.all() or min(values.shape[:2]) <= 1:
        return np.asarray(values * known + (1 - known) * _mean(values, known))
    height, width = values.shape[:2]
    pad = ((0, height % 2), (0, width % 2), (0, 0))
    weights = np.pad(known, pad)
    sums = _quads(np.pad(values * known, pad))
    counts = _quads(weights)
    coarse = np.divide(sums, counts, out=np.zeros_like(sums), where=counts > 0)
    coarse_known = (counts > 0).astype(np.float32)
    below = _pull(coarse, coarse_known)
    hole = coarse_known[..., 0] == 0
    if hole.any():
        _relax(below, hole)
    fine = np.repeat(np.repeat(below, 2, axis=0), 2, axis=1)[:height, :width]
    return np.asarray(values * known + (1 - known) * fine)


def _quads(array: FloatArray) -> FloatArray:
    return np.asarray(array[::2, ::2] + array[1::2, ::2] + array[::2, 1::2] + array[1::2, 1::2])


def _mean(values: FloatArray, known: FloatArray) -> FloatArray:
    return np.asarray((values * known).sum(axis=(0, 1)) / max(float(known.sum()), 1.0))


def _relax(values: FloatArray, hole: BoolArray) -> None:
    """Move each cell of the hole to the mean of its four neighbours, some times, in place."""
    where = hole[..., np.newaxis]
    for _ in range(RELAXATIONS):
        around = np.pad(values, ((1, 1), (1, 1), (0, 0)), mode="edge")
        mean = (around[:-2, 1:-1] + around[2:, 1:-1] + around[1:-1, :-2] + around[1:-1, 2:]) / 4
        np.copyto(values, mean, where=where)
