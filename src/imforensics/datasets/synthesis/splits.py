"""Splits of a made data set: photographs first, so that neither host nor donor is in two of them."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

import numpy as np

from imforensics.datasets.synthesis.draws import pick
from imforensics.datasets.synthesis.pool import PhotoPool
from imforensics.errors import DatasetError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from imforensics.datasets.lists import Split

SPLIT_STREAM = 1  # keeps the draw of a pair's split apart from the draws of the pair


def split_pool(
    pool: PhotoPool, shares: Mapping[Split, float], *, seed: int, size: tuple[int, int]
) -> dict[Split, PhotoPool]:
    """Part the photographs of a pool.

    Args:
        pool: all photographs; the real tables go to every part.
        shares: weight of each split; those of weight 0 get none.
        seed: of the order in which photographs are dealt out.
        size: (height, width) of the pictures; every part must hold a host of it.

    Raises:
        DatasetError: a split got no photograph that holds a picture of this size.
    """
    order = sorted(
        range(len(pool)),
        key=lambda number: hashlib.sha256(f"{seed}\0{pool.photos[number].name}".encode()).digest(),
    )
    wanted = {name: share for name, share in shares.items() if share > 0}
    ends = np.cumsum(list(wanted.values())) / sum(wanted.values())
    parts: dict[Split, list[int]] = {name: [] for name in wanted}
    names = list(wanted)
    for rank, number in enumerate(order):
        parts[names[int(np.searchsorted(ends, (rank + 0.5) / len(order), side="right"))]].append(number)
    pools: dict[Split, PhotoPool] = {}
    for name, numbers in parts.items():
        try:
            pools[name] = pool.take(sorted(numbers), share=len(wanted))
            pools[name].find_hosts(size)
        except DatasetError:
            raise DatasetError(
                f"{len(pool)} photographs leave none of {size[0]}x{size[1]} pixels or more for the split "
                f"{name}. Add photographs, ask for a smaller size, or make one split: splits={{train: 1}}"
            ) from None
    return pools


def draw_split(shares: Mapping[Split, float], *, seed: int, index: int) -> Split:
    """The split that a pair belongs to."""
    return pick(np.random.default_rng((seed, index, SPLIT_STREAM)), shares)
