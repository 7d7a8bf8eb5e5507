"""Pictures cut from the photographs of a pool, with the first save of their past."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from PIL import Image

from imforensics.datasets.synthesis.draws import draw_flag, draw_log_uniform
from imforensics.datasets.synthesis.pool import GRID
from imforensics.datasets.synthesis.saves import draw_save

if TYPE_CHECKING:
    from imforensics.datasets.synthesis.config import AlterationConfig, SaveConfig
    from imforensics.datasets.synthesis.pool import PhotoPool
    from imforensics.types import JsonValue, UInt8Array

MIN_REDUCTION = 1.1  # by less, a photograph is taken as it is
SHIFT = 8  # pixels: room for a grid of another origin
TURNED_SHARE = 0.25  # of pictures whose rows become columns, where the photograph holds both
UPSIDE_DOWN_SHARE = 0.25
FILTERS = (Image.Resampling.LANCZOS, Image.Resampling.BICUBIC, Image.Resampling.BOX)


@dataclass(frozen=True, slots=True, eq=False)
class Picture:
    """A picture as a forger would open it.

    Attributes:
        pixels: (H, W, 3) uint8 RGB, writable.
        facts: where it is from and how it was saved, JSON-ready.
    """

    pixels: UInt8Array
    facts: dict[str, JsonValue]


def draw_picture(
    pool: PhotoPool,
    number: int,
    size: tuple[int, int],
    rng: np.random.Generator,
    *,
    config: AlterationConfig,
    save: SaveConfig,
    off_grid: float,
) -> Picture:
    """Cut a picture from a photograph, turn or mirror it, save it once and open it again.

    Args:
        pool: the photographs.
        number: of the photograph; it must hold `size` upright or turned.
        size: (height, width) wanted.
        rng: source of randomness.
        config: shares of native cuts and so on.
        save: how it is saved.
        off_grid: share of saves on a grid whose origin is not the picture's corner.

    Raises:
        ValueError: the photograph does not hold `size`, upright or turned.
    """
    photo = pool.photos[number]
    fits = [turned for turned in (False, True) if _room(photo.height, photo.width, size, turned=turned) >= 1]
    if not fits:
        raise ValueError(f"Expected a photograph of at least {size}; received {photo.height, photo.width}")
    turned = fits[0] if len(fits) == 1 else draw_flag(rng, TURNED_SHARE)
    first = draw_save(rng, save, pool.real_tables)
    shifted = first.table_set is not None and draw_flag(rng, off_grid)
    grown = (size[0] + SHIFT, size[1] + SHIFT)
    shifted = shifted and _room(photo.height, photo.width, grown, turned=turned) >= 1
    pixels, facts = _cut(pool, number, grown if shifted else size, rng, config=config, turned=turned)
    pixels = first.pass_through(pixels)
    if shifted:
        down, right = (int(value) for value in rng.integers(0, SHIFT, 2))
        pixels = pixels[down : down + size[0], right : right + size[1]]
        facts["grid"] = [-down % 8, -right % 8]
    facts["save"] = first.describe()
    return Picture(np.array(pixels), {"photo": photo.name, **facts})


def _room(height: int, width: int, size: tuple[int, int], *, turned: bool) -> float:
    """How many times the size fits into a photograph."""
    if turned:
        height, width = width, height
    return min(height / size[0], width / size[1])


def _cut(
    pool: PhotoPool,
    number: int,
    size: tuple[int, int],
    rng: np.random.Generator,
    *,
    config: AlterationConfig,
    turned: bool,
) -> tuple[UInt8Array, dict[str, JsonValue]]:
    photo, pixels = pool.photos[number], pool.pixels(number)
    height, width = size[::-1] if turned else size  # of the cut, before it is turned
    most = min(photo.height / height, photo.width / width, config.max_reduction)
    is_native = most < MIN_REDUCTION or draw_flag(rng, config.native)
    flips = [draw_flag(rng, UPSIDE_DOWN_SHARE), draw_flag(rng, 0.5)]
    facts: dict[str, JsonValue] = {}
    if is_native:
        on_grid = photo.is_jpeg and draw_flag(rng, config.on_own_grid)
        if on_grid:  # a mirrored picture keeps the grid only where its far edge lies on it
            flips = [flip and side % GRID == 0 for flip, side in zip(flips, (height, width), strict=True)]
        step = GRID if on_grid else 1
        top = int(rng.integers((photo.height - height) // step + 1)) * step
        left = int(rng.integers((photo.width - width) // step + 1)) * step
        cut = pixels[top : top + height, left : left + width]
        facts |= {"reduction": 1.0, "own_grid": on_grid}
    else:
        factor = draw_log_uniform(rng, MIN_REDUCTION, most)
        window = factor * height, factor * width
        corner = rng.uniform(0, photo.height - window[0]), rng.uniform(0, photo.width - window[1])
        cut = _reduce(pixels, (*corner, *window), (height, width), rng)
        facts |= {"reduction": round(factor, 3)}
    cut = cut[:: -1 if flips[0] else 1, :: -1 if flips[1] else 1]
    return np.ascontiguousarray(cut.swapaxes(0, 1) if turned else cut), facts


def _reduce(
    pixels: UInt8Array,
    window: tuple[float, float, float, float],
    size: tuple[int, int],
    rng: np.random.Generator,
) -> UInt8Array:
    """A window (top, left, height, width) of the picture at a smaller size."""
    first_row, first_column = int(window[0]), int(window[1])
    last_row, last_column = int(np.ceil(window[0] + window[2])), int(np.ceil(window[1] + window[3]))
    part = np.ascontiguousarray(pixels[first_row:last_row, first_column:last_column])
    top, left = window[0] - first_row, window[1] - first_column
    box = (left, top, min(left + window[3], part.shape[1]), min(top + window[2], part.shape[0]))
    resampling = FILTERS[int(rng.integers(len(FILTERS)))]
    return np.asarray(Image.fromarray(part).resize((size[1], size[0]), resampling, box=box))
