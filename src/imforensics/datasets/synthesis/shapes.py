"""Irregular, object-like shapes for the masks of synthetic forgeries."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from PIL import Image, ImageDraw

from imforensics.datasets.synthesis.draws import draw_log_uniform, pick

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from numpy.typing import NDArray

    from imforensics.types import BoolArray

    Points = NDArray[np.float64]

HARMONICS = 7  # of the outline: lobes and bays, no fringe
ROUGHNESS = 0.55  # of the first harmonic, relative to the radius; the k-th has ROUGHNESS / k
MIN_RADIUS = 0.25  # of the mean radius: the outline never passes the centre
SHAPE_KINDS = {"lobed": 0.5, "polygon": 0.2, "ellipse": 0.15, "box": 0.15}


def draw_blob(area: int, rng: np.random.Generator) -> BoolArray:
    """A star-shaped blob with a random outline r(phi) = 1 + sum of c_k cos(k phi + p_k).

    Args:
        area: number of pixels wanted; the result has within about 5 % of it from 200 pixels on.
        rng: where the outline comes from.

    Returns:
        (h, w) bool, as small as the blob allows.

    Raises:
        ValueError: an area below 16 pixels.

    >>> abs(int(draw_blob(900, np.random.default_rng(1)).sum()) - 900) < 45
    True
    """
    if area < 16:
        raise ValueError(f"Expected an area of at least 16 pixels; received {area}")
    radius_at = _draw_outline(rng)
    circle = np.linspace(0, 2 * np.pi, 720, endpoint=False)
    size = np.sqrt(area / (np.pi * np.mean(radius_at(circle) ** 2)))
    reach = int(np.ceil(size * radius_at(circle).max())) + 1
    rows, columns = np.mgrid[-reach : reach + 1, -reach : reach + 1].astype(np.float64)
    blob = np.hypot(rows, columns) <= size * radius_at(np.arctan2(rows, columns))
    used_rows, used_columns = np.flatnonzero(blob.any(axis=1)), np.flatnonzero(blob.any(axis=0))
    return np.asarray(blob[used_rows[0] : used_rows[-1] + 1, used_columns[0] : used_columns[-1] + 1])


def draw_shape(
    area: float,
    rng: np.random.Generator,
    *,
    limits: tuple[int, int],
    kinds: Mapping[str, float] = SHAPE_KINDS,
) -> tuple[BoolArray, str]:
    """A random shape: a lobed outline, a polygon, an ellipse or an upright box, of any aspect and turn.

    Args:
        area: number of pixels wanted; the result has within about 10 % of it unless `limits` cut it.
        rng: where kind and outline come from.
        limits: largest height and width; a larger shape is reduced to fit.
        kinds: weights of "lobed", "polygon", "ellipse" and "box".

    Returns:
        (h, w) bool, as small as the shape allows; and its kind.

    >>> shape, kind = draw_shape(900, np.random.default_rng(1), limits=(200, 200))
    >>> abs(int(shape.sum()) - 900) < 100
    True
    """
    kind = pick(rng, kinds)
    points = _OUTLINES[kind](rng)
    points[:, 0] *= draw_log_uniform(rng, 0.5, 2.0)
    if kind != "box":
        turn = rng.uniform(0, 2 * np.pi)
        points = points @ np.array([[np.cos(turn), -np.sin(turn)], [np.sin(turn), np.cos(turn)]])
    points *= np.sqrt(area / _polygon_area(points))
    points -= points.min(axis=0)
    reach = points.max(axis=0) + 1
    points *= min(1.0, (limits[1] - 1) / reach[0], (limits[0] - 1) / reach[1])
    width, height = (int(np.ceil(side)) + 1 for side in points.max(axis=0))
    canvas = Image.new("L", (width, height))
    ImageDraw.Draw(canvas).polygon([(x, y) for x, y in points.tolist()], fill=1)
    return trim(np.asarray(canvas) > 0), kind


def trim(mask: BoolArray) -> BoolArray:
    """The part of a mask between its outermost True rows and columns.

    Raises:
        ValueError: no pixel is True.
    """
    rows, columns = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
    if not len(rows):
        raise ValueError("Expected a mask with a True pixel; received none")
    return np.asarray(mask[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1])


def _draw_outline(rng: np.random.Generator) -> Callable[[Points], Points]:
    """Radius over angle of a lobed outline, of a mean radius of about 1."""
    orders = np.arange(1, HARMONICS + 1)
    amplitudes = rng.normal(0, ROUGHNESS, HARMONICS) / orders / np.sqrt(2)
    phases = rng.uniform(0, 2 * np.pi, HARMONICS)

    def radius_at(angles: Points) -> Points:
        waves = amplitudes * np.cos(angles[..., np.newaxis] * orders + phases)
        return np.asarray(np.maximum(1 + waves.sum(axis=-1), MIN_RADIUS))

    return radius_at


def _lobed(rng: np.random.Generator) -> Points:
    angles = np.linspace(0, 2 * np.pi, 96, endpoint=False)
    return _at(angles, _draw_outline(rng)(angles))


def _polygon(rng: np.random.Generator) -> Points:
    corners = int(rng.integers(3, 10))
    angles = (np.arange(corners) + rng.uniform(-0.35, 0.35, corners)) * 2 * np.pi / corners
    return _at(angles, rng.uniform(0.55, 1.2, corners))


def _ellipse(rng: np.random.Generator) -> Points:  # noqa: ARG001 - one signature for all outlines
    angles = np.linspace(0, 2 * np.pi, 72, endpoint=False)
    return _at(angles, np.ones(72))


def _box(rng: np.random.Generator) -> Points:  # noqa: ARG001 - one signature for all outlines
    return np.array([[-1.0, -1.0], [1.0, -1.0], [1.0, 1.0], [-1.0, 1.0]])


_OUTLINES = {"lobed": _lobed, "polygon": _polygon, "ellipse": _ellipse, "box": _box}


def _at(angles: Points, radii: Points) -> Points:
    """(N, 2) corners (x, y)."""
    return np.column_stack([radii * np.cos(angles), radii * np.sin(angles)])


def _polygon_area(points: Points) -> float:
    x, y = points.T
    return float(abs(np.dot(x, np.roll(y, -1)) - np.dot(y, np.roll(x, -1))) / 2)
