"""Segments of a picture: regions whose outline follows its own colours and edges."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from PIL import Image, ImageFilter

from imforensics.preprocessing.components import label_components

if TYPE_CHECKING:
    from imforensics.types import BoolArray, FloatArray, UInt8Array

GROW_SIDE = 64  # pixels, longest side of the reduced picture that a segment is grown on
COMPACTNESS = (
    5.0,
    40.0,
)  # gray levels of colour distance that weigh as much as the radius of the wanted area
SEEDS = 4  # points tried
AREAS = (0.5, 1.7)  # cells below the cost's limit, relative to the wanted ones
STEP = 0.08  # of the wanted cells: the limit is where the cost rises most over so many
SMOOTHING = 2  # pixels, radius of the mean that smooths the outline
MIN_SPREAD = 4.0  # gray levels: a piece of clear sky has no outline to follow
LARGEST_CUT = 0.25  # of an outline that may run along the picture's border


def grow_segment(pixels: UInt8Array, area: float, rng: np.random.Generator) -> BoolArray | None:
    """A connected region of similar colour around a random point of the picture.

    The cost of a pixel is its distance in colour from the seed plus its weighted distance in space. On a
    reduced picture, the cheapest cells that touch the seed make the region, holes filled; its outline is then
    found among the neighbouring pixels at full resolution, at the same cost.

    Args:
        pixels: (H, W, 3) uint8 RGB.
        area: number of pixels wanted; the result has between a third of it and two and a half times as many.
        rng: gives the seed.

    Returns:
        (H, W) bool; None where none of some seeds gives a region of about that area inside the picture.
    """
    height, width = pixels.shape[:2]
    factor = max(1.0, max(height, width) / GROW_SIDE)
    size = max(8, round(height / factor)), max(8, round(width / factor))
    step = height / size[0], width / size[1]
    small = Image.fromarray(pixels).resize((size[1], size[0]), Image.Resampling.BOX)
    reduced = np.asarray(small.filter(ImageFilter.MedianFilter(3)), dtype=np.float32)
    wanted = area / (step[0] * step[1])
    weight = rng.uniform(*COMPACTNESS) / np.sqrt(area / np.pi)
    for _ in range(SEEDS):
        seed = int(rng.uniform(0.2, 0.8) * size[0]), int(rng.uniform(0.2, 0.8) * size[1])
        colour = reduced[seed]
        place = (seed[0] + 0.5) * step[0], (seed[1] + 0.5) * step[1]
        cost = _cost(reduced, colour, place, weight, step)
        limit = _find_limit(cost, wanted)
        region = _fill_holes(_touching(cost <= max(limit, cost[seed]), seed))
        if not wanted / 2 <= region.sum() <= 2 * wanted or _share_at_border(region) > LARGEST_CUT:
            continue
        if reduced[region].std(axis=0).max() < MIN_SPREAD:
            continue
        segment = _refine(pixels, region, _cost(pixels, colour, place, weight, (1.0, 1.0)) <= limit)
        if area / 3 <= segment.sum() <= 2.5 * area:
            return segment
    return None


def _cost(
    pixels: FloatArray | UInt8Array,
    colour: FloatArray,
    place: tuple[float, float],
    weight: float,
    step: tuple[float, float],
) -> FloatArray:
    """(h, w) float32: gray levels of colour distance plus weighted distance from the seed in pixels."""
    rows = (np.arange(pixels.shape[0], dtype=np.float32)[:, np.newaxis] + 0.5) * step[0] - place[0]
    columns = (np.arange(pixels.shape[1], dtype=np.float32) + 0.5) * step[1] - place[1]
    cost = np.float32(weight) * np.sqrt(rows * rows + columns * columns, dtype=np.float32)
    for channel in range(3):
        cost += np.abs(pixels[..., channel] - colour[channel]) / 3
    return np.asarray(cost, dtype=np.float32)


def _find_limit(cost: FloatArray, wanted: float) -> float:
    """The cost at which the region grows least: its outline is an edge there."""
    ordered = np.sort(cost, axis=None)
    step = max(1, round(STEP * wanted))
    first, last = (min(len(ordered) - 1 - step, round(share * wanted)) for share in AREAS)
    rises = ordered[first + step : last + step + 1] - ordered[first : last + 1]
    rank = first + int(np.argmax(rises))
    return float(ordered[rank : rank + step + 1].mean())


def _refine(pixels: UInt8Array, region: BoolArray, is_cheap: BoolArray) -> BoolArray:
    """The region at full resolution: sure inside, cheap pixels near its outline, smoothed."""
    height, width = pixels.shape[:2]
    cover = Image.fromarray(region.astype(np.uint8) * 255)
    fine = np.asarray(cover.resize((width, height), Image.Resampling.BILINEAR))
    wide = np.asarray(cover.filter(ImageFilter.MaxFilter(3)).resize((width, height))) >= 128
    rough = (fine >= 250) | (is_cheap & wide)
    smooth = Image.fromarray(rough.astype(np.uint8) * 255).filter(ImageFilter.BoxBlur(SMOOTHING))
    return np.asarray(np.asarray(smooth) >= 128)


def _touching(mask: BoolArray, seed: tuple[int, int]) -> BoolArray:
    """The connected part of a mask that holds the seed."""
    labels, _ = label_components(mask[np.newaxis])
    return np.asarray(labels[0] == labels[0][seed])


def _fill_holes(mask: BoolArray) -> BoolArray:
    """True for the mask and for what no path of False cells leads to from outside."""
    outside = _touching(np.pad(~mask, 1, constant_values=True), (0, 0))
    return np.asarray(~outside[1:-1, 1:-1])


def _share_at_border(region: BoolArray) -> float:
    """Cells on the border, as a share of the outline of a square of that area."""
    border = region[0].sum() + region[-1].sum() + region[:, 0].sum() + region[:, -1].sum()
    return float(border / (4 * np.sqrt(max(int(region.sum()), 1))))
