"""Irregular, object-like shapes for the masks of made forgeries."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from imforensics.types import BoolArray

HARMONICS = 7  # of the outline: lobes and bays, no fringe
ROUGHNESS = 0.55  # of the first harmonic, relative to the radius; the k-th has ROUGHNESS / k
MIN_RADIUS = 0.25  # of the mean radius: the outline never passes the centre


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
    orders = np.arange(1, HARMONICS + 1)
    amplitudes = rng.normal(0, ROUGHNESS, HARMONICS) / orders / np.sqrt(2)
    phases = rng.uniform(0, 2 * np.pi, HARMONICS)

    def radius_at(angle: np.ndarray) -> np.ndarray:
        waves = amplitudes * np.cos(angle[..., np.newaxis] * orders + phases)
        return np.asarray(np.maximum(1 + waves.sum(axis=-1), MIN_RADIUS))

    circle = np.linspace(0, 2 * np.pi, 720, endpoint=False)
    size = np.sqrt(area / (np.pi * np.mean(radius_at(circle) ** 2)))
    reach = int(np.ceil(size * radius_at(circle).max())) + 1
    rows, columns = np.mgrid[-reach : reach + 1, -reach : reach + 1].astype(np.float64)
    blob = np.hypot(rows, columns) <= size * radius_at(np.arctan2(rows, columns))
    used_rows, used_columns = np.flatnonzero(blob.any(axis=1)), np.flatnonzero(blob.any(axis=0))
    return np.asarray(blob[used_rows[0] : used_rows[-1] + 1, used_columns[0] : used_columns[-1] + 1])
