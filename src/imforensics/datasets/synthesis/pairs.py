"""Pairs for training: a forgery with its exact mask, and its authentic twin through the identical chain."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from PIL import Image

from imforensics.datasets.synthesis.draws import draw_flag, pick
from imforensics.datasets.synthesis.hosts import draw_picture
from imforensics.datasets.synthesis.manipulations import draw_forgery
from imforensics.datasets.synthesis.saves import draw_save
from imforensics.errors import DatasetError

if TYPE_CHECKING:
    from imforensics.datasets.synthesis.config import AlterationConfig, SynthesisConfig
    from imforensics.datasets.synthesis.forgery import Forgery
    from imforensics.datasets.synthesis.pool import PhotoPool
    from imforensics.datasets.synthesis.saves import Save
    from imforensics.types import BoolArray, JsonValue, Manipulation, UInt8Array

ATTEMPTS = 40  # hosts and alterations tried until one is large and visible enough
FILTERS = (Image.Resampling.LANCZOS, Image.Resampling.BICUBIC, Image.Resampling.BILINEAR)


@dataclass(frozen=True, slots=True, eq=False)
class ForgedPair:
    """A made forgery and the same picture without the alteration.

    Attributes:
        tampered: bytes of the forgery's file.
        twin: bytes of the authentic file, which went through the same saves.
        mask: (H, W) bool of the size of both files, True = tampered.
        suffix: of both files: ".jpg" or ".png".
        recipe: how the pair was made, JSON-ready.
    """

    tampered: bytes
    twin: bytes
    mask: BoolArray
    suffix: str
    recipe: dict[str, JsonValue]


@dataclass(frozen=True, slots=True, eq=False)
class FinalChain:
    """What a picture goes through after the alteration.

    Attributes:
        size: (height, width) of the file.
        middle: the save before the last one; None for none.
        resampling: filter of the resize, where the picture has another size.
        last: the last save.
    """

    size: tuple[int, int]
    middle: Save | None
    resampling: Image.Resampling
    last: Save

    def run(self, pixels: UInt8Array) -> bytes:
        """The file's bytes."""
        if self.middle is not None:
            pixels = self.middle.pass_through(pixels)
        if pixels.shape[:2] != self.size:
            resized = Image.fromarray(pixels).resize((self.size[1], self.size[0]), self.resampling)
            pixels = np.asarray(resized)
        return self.last.encode(pixels)

    def move_mask(self, mask: BoolArray) -> BoolArray:
        """The mask in the file, (H, W) bool: at least half of the pixel's area was altered."""
        if mask.shape == self.size:
            return mask
        cover = Image.fromarray(mask.astype(np.uint8) * 255)
        resized = cover.resize((self.size[1], self.size[0]), Image.Resampling.BOX)
        return np.asarray(np.asarray(resized) >= 128)


def draw_pair(
    pool: PhotoPool, config: SynthesisConfig, *, seed: int, index: int, size: tuple[int, int]
) -> ForgedPair:
    """One forgery from a pool of photographs, with its twin.

    A host is cut from a photograph and saved for the first time, altered in one place, and perhaps saved
    again and resized; then it is saved for the last time. The twin is the same host without the alteration.
    The same arguments and the same pool give the same bytes with one version of the encoder.

    Args:
        pool: authentic photographs.
        config: what is drawn from.
        seed: of the whole set, at least 0.
        index: of the pair within the set, at least 0.
        size: (height, width) of both files; at least 64 each.

    Returns:
        The pair; its mask covers at least `config.min_area` of the picture.

    Raises:
        DatasetError: no photograph holds that size, or none of many attempts gave a visible alteration.
        MissingExtraError: inpainting is asked for and OpenCV is not installed.
        ValueError: a side of `size` is below 64.
    """
    if min(size) < 64:
        raise ValueError(f"Expected a size of at least 64x64; received {size[0]}x{size[1]}")
    rng = np.random.default_rng((seed, index))
    kind = pick(rng, config.manipulations)
    for attempt in range(ATTEMPTS):
        pair = _try_pair(pool, config, rng, kind, size)
        if pair is not None:
            pair.recipe.update(seed=seed, index=index, attempts=attempt + 1)
            return pair
    raise no_visible_pair(kind, config, seed=seed, index=index)


def no_visible_pair(kind: Manipulation, config: AlterationConfig, *, seed: int, index: int) -> DatasetError:
    """The error where none of ATTEMPTS at a pair was large and visible enough."""
    return DatasetError(
        f"None of {ATTEMPTS} attempts at {kind} (seed {seed}, index {index}) changed {config.min_area:.2%} "
        f"of the picture by {config.min_change:g} gray levels. Add photographs with content, or lower "
        "min_change"
    )


def _try_pair(
    pool: PhotoPool,
    config: SynthesisConfig,
    rng: np.random.Generator,
    kind: Manipulation,
    size: tuple[int, int],
) -> ForgedPair | None:
    numbers = pool.find_hosts(size)
    number = numbers[int(rng.integers(len(numbers)))]
    canvas = _draw_canvas(pool, number, config, rng, size)
    host = draw_picture(
        pool, number, canvas, rng, config=config, save=config.first_save, off_grid=config.off_grid
    )
    forgery = draw_forgery(kind, host.pixels, pool, number, rng, config=config)
    if forgery is None or not is_visible(forgery, host.pixels, config):
        return None
    chain = FinalChain(
        size,
        draw_save(rng, config.last_save, pool.real_tables) if draw_flag(rng, config.middle_save) else None,
        FILTERS[int(rng.integers(len(FILTERS)))],
        draw_save(rng, config.last_save, pool.real_tables),
    )
    mask = chain.move_mask(forgery.target_mask)
    recipe: dict[str, JsonValue] = {
        "manipulation": kind,
        "alteration": dict(forgery.facts),
        "area": round(float(mask.mean()), 5),
        "host": host.facts,
        "middle_save": chain.middle.describe() if chain.middle is not None else None,
        "resize": round(size[0] / canvas[0], 4),
        "last_save": chain.last.describe(),
    }
    return ForgedPair(chain.run(forgery.pixels), chain.run(host.pixels), mask, chain.last.suffix, recipe)


def _draw_canvas(
    pool: PhotoPool, number: int, config: SynthesisConfig, rng: np.random.Generator, size: tuple[int, int]
) -> tuple[int, int]:
    """Size of the picture before the resize that gives it its last size; that one where there is none."""
    if not draw_flag(rng, config.resized):
        return size
    photo = pool.photos[number]
    sides = (photo.height, photo.width)
    room = max(min(sides[0] / size[0], sides[1] / size[1]), min(sides[1] / size[0], sides[0] / size[1]))
    low, high = config.resize
    scale = rng.uniform(max(low, 1 / room), max(high, 1 / room))
    height, width = (max(64, int(side / scale)) for side in size)
    return height, width


def is_visible(forgery: Forgery, before: UInt8Array, config: AlterationConfig) -> bool:
    """True where an alteration is as large and as strong as configured."""
    mask = forgery.target_mask
    if mask.mean() < config.min_area * 1.02:  # a resize of the mask may lose a little
        return False
    change = np.abs(forgery.pixels[mask].astype(np.int16) - before[mask])
    return bool(change.mean() >= config.min_change)
