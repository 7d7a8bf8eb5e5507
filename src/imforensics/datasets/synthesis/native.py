"""Pairs at their hosts' own size and on their own JPEG grid: an original, altered, saved and delivered."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from imforensics.datasets.synthesis.draws import draw_flag, draw_log_uniform, pick
from imforensics.datasets.synthesis.forgery import Forgery
from imforensics.datasets.synthesis.manipulations import draw_forgery
from imforensics.datasets.synthesis.pairs import ATTEMPTS, ForgedPair, is_visible, no_visible_pair
from imforensics.datasets.synthesis.pool import GRID
from imforensics.datasets.synthesis.saves import Save, draw_save
from imforensics.errors import DatasetError
from imforensics.preprocessing.deliveries import (
    PERIOD,
    Delivery,
    deliver,
    deliver_mask,
    draw_delivery,
    fit_delivery,
)

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from imforensics.datasets.synthesis.config import NativeConfig
    from imforensics.datasets.synthesis.pool import Photo, PhotoPool
    from imforensics.types import JsonValue, Manipulation, UInt8Array

WORKING_STREAM = 2  # keeps the draw of the working set apart from the draws of the pairs
SURROUNDINGS = (4.0, 12.0)  # side of the part that an alteration is made in, in roots of its area
MIN_SURROUNDINGS = 192  # pixels


def draw_native_pair(
    pool: PhotoPool,
    config: NativeConfig,
    *,
    seed: int,
    index: int,
    window: tuple[int, int] | None = None,
    delivery: Delivery | None = None,
) -> ForgedPair:
    """One forgery as people make them, with its twin: a camera's file, opened, altered, saved, delivered.

    The host is a JPEG file of the pool at its own size, or a part of it on its own grid, as a lossless crop
    would leave it. It is opened, altered in one place and saved; then both files are delivered in the same
    way. The same arguments and the same pool give the same bytes with one version of the encoders.

    Args:
        pool: authentic photographs, made without `max_side`.
        config: what is drawn from.
        seed: of the whole set, at least 0.
        index: of the pair within the set, at least 0. With a window, pairs of neighbouring indices share a
            working set of photographs, so that each is decoded once for many pairs.
        window: (height, width) of both files after the delivery; None takes hosts whole.
        delivery: of the pair; None draws one.

    Returns:
        The pair; its mask covers at least `config.min_area` of the picture.

    Raises:
        DatasetError: no JPEG of the pool has the size, or none of many attempts gave a visible alteration.
        MissingExtraError: inpainting is asked for and OpenCV is not installed.
        ValueError: a side of `window` is below 64.
    """
    if window is not None and min(window) < 64:
        raise ValueError(f"Expected a window of at least 64x64; received {window[0]}x{window[1]}")
    hosts = find_native_hosts(pool, config, window)
    numbers = None
    if window is not None:
        numbers = _draw_working_set(pool, hosts, config, seed=seed, block=index // config.working_pairs)
        hosts = tuple(number for number in numbers if number in set(hosts))
    shares = _share_by_camera(pool, hosts)
    rng = np.random.default_rng((seed, index))
    kind = pick(rng, config.manipulations)
    for attempt in range(ATTEMPTS):
        number = int(rng.choice(hosts, p=shares))
        way = draw_delivery(rng, config.deliveries, scales=config.delivery_scales)
        pair = _try_pair(pool, number, config, rng, kind, delivery or way, window, numbers)
        if pair is not None:
            pair.recipe.update(seed=seed, index=index, attempts=attempt + 1)
            return pair
    raise no_visible_pair(kind, config, seed=seed, index=index)


def find_native_hosts(
    pool: PhotoPool, config: NativeConfig, window: tuple[int, int] | None = None
) -> tuple[int, ...]:
    """Numbers of the JPEG files that may be hosts, and hold a window with room for a crop.

    Raises:
        DatasetError: there is none.
    """
    low, high = (1e6 * limit for limit in config.megapixels)
    sides = (0, 0) if window is None else (window[0] + PERIOD, window[1] + PERIOD)
    hosts = tuple(
        number
        for number, photo in enumerate(pool.photos)
        if photo.is_jpeg
        and low <= photo.height * photo.width <= high
        and photo.height >= sides[0]
        and photo.width >= sides[1]
    )
    if not hosts:
        raise DatasetError(
            f"None of the {len(pool)} photographs is a JPEG of {config.megapixels[0]:g} to "
            f"{config.megapixels[1]:g} megapixels and at least {sides[0]}x{sides[1]} pixels. "
            "Add camera originals, or change megapixels"
        )
    return hosts


def deliver_pair(pair: ForgedPair, delivery: Delivery) -> ForgedPair:
    """Both files of a pair after one delivery, the mask and the recipe with them.

    Raises:
        ValueError: the delivery's crop leaves nothing.
    """
    mask = deliver_mask(pair.mask, delivery)
    return ForgedPair(
        deliver(pair.tampered, delivery),
        deliver(pair.twin, delivery),
        mask,
        delivery.suffix(pair.suffix),
        pair.recipe
        | {
            "area": round(float(mask.mean()), 6),
            "delivery": {"name": delivery.name, "steps": delivery.description},
        },
    )


def _share_by_camera(pool: PhotoPool, hosts: tuple[int, ...]) -> NDArray[np.float64]:
    """Probability of each host: a camera with n of them is drawn like the root of n cameras with one."""
    counts = Counter(pool.photos[number].device for number in hosts)
    weights = np.array(
        [1 if not (device := pool.photos[number].device) else counts[device] ** -0.5 for number in hosts]
    )
    return np.asarray(weights / weights.sum())


def _draw_working_set(
    pool: PhotoPool, hosts: tuple[int, ...], config: NativeConfig, *, seed: int, block: int
) -> tuple[int, ...]:
    """Hosts for a block of pairs, about half of them beside another photograph of the same camera."""
    rng = np.random.default_rng((seed, block, WORKING_STREAM))
    chosen: dict[int, None] = {}
    order = rng.choice(hosts, size=len(hosts), replace=False, p=_share_by_camera(pool, hosts))
    for number in order.tolist():
        alike = [
            other
            for other in hosts
            if other != number and pool.photos[number].device == pool.photos[other].device != ""
        ]
        chosen |= dict.fromkeys([number, *([alike[int(rng.integers(len(alike)))]] if alike else [])])
        if len(chosen) >= config.working_set:
            break
    return tuple(chosen)


def _try_pair(
    pool: PhotoPool,
    number: int,
    config: NativeConfig,
    rng: np.random.Generator,
    kind: Manipulation,
    delivery: Delivery,
    window: tuple[int, int] | None,
    donors: tuple[int, ...] | None,
) -> ForgedPair | None:
    photo = pool.photos[number]
    size = (photo.height, photo.width)
    if window is not None:
        delivery, size = fit_delivery(delivery, size, window)
    top, left = (
        GRID * int(rng.integers((side - part) // GRID + 1))
        for side, part in zip((photo.height, photo.width), size, strict=True)
    )
    host = pool.pixels(number)[top : top + size[0], left : left + size[1]]
    forgery = _alter_part(kind, host, pool, number, rng, config, donors)
    if forgery is None or not is_visible(forgery, host, config):
        return None
    save = _draw_last_save(photo, pool, rng, config)
    recipe: dict[str, JsonValue] = {
        "manipulation": kind,
        "alteration": dict(forgery.facts),
        "host": {
            "photo": photo.name,
            "device": photo.device,
            "part": [photo.top + top, photo.left + left, *size],
        },
        "last_save": save.describe(),
    }
    saved = ForgedPair(
        save.encode(forgery.pixels), save.encode(host), forgery.target_mask, save.suffix, recipe
    )
    pair = deliver_pair(saved, delivery)
    return pair if pair.mask.mean() >= config.min_area else None


def _alter_part(
    kind: Manipulation,
    host: UInt8Array,
    pool: PhotoPool,
    number: int,
    rng: np.random.Generator,
    config: NativeConfig,
    donors: tuple[int, ...] | None,
) -> Forgery | None:
    """Alter a host within a part that is some times as large as the alteration: the rest need not be read."""
    wanted = draw_log_uniform(rng, *config.area) * host.shape[0] * host.shape[1]
    side = max(MIN_SURROUNDINGS, draw_log_uniform(rng, *SURROUNDINGS) * np.sqrt(wanted))
    sides = tuple(min(limit, int(side)) for limit in host.shape[:2])
    top, left = (int(rng.integers(limit - part + 1)) for limit, part in zip(host.shape, sides, strict=False))
    where = slice(top, top + sides[0]), slice(left, left + sides[1])
    part = np.ascontiguousarray(host[where])
    area = min(0.5, wanted / (sides[0] * sides[1]))
    found = draw_forgery(kind, part, pool, number, rng, config=config, area=area, donors=donors)
    if found is None:
        return None
    pixels, mask = host.copy(), np.zeros(host.shape[:2], dtype=np.bool_)
    pixels[where], mask[where] = found.pixels, found.target_mask
    return replace(found, pixels=pixels, target_mask=mask, source_mask=None, transform=None)


def _draw_last_save(photo: Photo, pool: PhotoPool, rng: np.random.Generator, config: NativeConfig) -> Save:
    own = photo.table_set
    if own is not None and own.subsampling is not None and draw_flag(rng, config.own_tables):
        return Save(own, own.subsampling)
    return draw_save(rng, config.last_save, pool.real_tables)
