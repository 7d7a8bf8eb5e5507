"""Splits of a made data set: photographs first, so that neither host nor donor is in two of them."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

import numpy as np

from imforensics.datasets.synthesis.draws import pick
from imforensics.datasets.synthesis.pool import PhotoPool
from imforensics.errors import DatasetError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from imforensics.datasets.lists import Split

SPLIT_STREAM = 1  # keeps the draw of a pair's split apart from the draws of the pair


def split_pool(
    pool: PhotoPool,
    shares: Mapping[Split, float],
    *,
    seed: int,
    find_hosts: Callable[[PhotoPool], object],
    by_camera: bool = False,
) -> dict[Split, PhotoPool]:
    """Part the photographs of a pool.

    Args:
        pool: all photographs; the real tables go to every part.
        shares: weight of each split; those of weight 0 get none.
        seed: of the order in which photographs are dealt out.
        find_hosts: raises a DatasetError for a part without a host.
        by_camera: photographs of one make and model stay together.

    Raises:
        DatasetError: a split got no photograph that can be a host.
    """
    groups: dict[str, list[int]] = {}
    for number, photo in enumerate(pool.photos):
        groups.setdefault((by_camera and photo.device) or photo.name, []).append(number)
    order = sorted(groups, key=lambda name: hashlib.sha256(f"{seed}\0{name}".encode()).digest())
    wanted = {name: share for name, share in shares.items() if share > 0}
    ends = np.cumsum(list(wanted.values())) / sum(wanted.values())
    parts: dict[Split, list[int]] = {name: [] for name in wanted}
    names, dealt = list(wanted), 0
    for group in order:
        middle = (dealt + len(groups[group]) / 2) / len(pool)
        parts[names[int(np.searchsorted(ends, middle, side="right"))]] += groups[group]
        dealt += len(groups[group])
    pools: dict[Split, PhotoPool] = {}
    for name, numbers in parts.items():
        try:
            pools[name] = pool.take(sorted(numbers), share=len(wanted))
            find_hosts(pools[name])
        except DatasetError as error:
            raise DatasetError(
                f"{len(pool)} photographs leave too few for the split {name}: {error}; "
                "or make one split: splits={train: 1}"
            ) from None
    return pools


def draw_split(shares: Mapping[Split, float], *, seed: int, index: int) -> Split:
    """The split that a pair belongs to."""
    return pick(np.random.default_rng((seed, index, SPLIT_STREAM)), shares)
