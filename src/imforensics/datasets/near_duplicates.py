"""Near-duplicates by perceptual hash: the same picture saved again, resized or locally altered."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from imforensics.errors import DatasetError
from imforensics.evidence.library_output import caught_output

HASH_SIDE = 16
MAX_DISTANCE = 10  # bits of 256 that may differ: survives re-saving and resizing, and edits of a few percent
ROWS_AT_A_TIME = 512

HashArray = NDArray[np.uint64]


def difference_hash(path: Path) -> HashArray:
    """Perceptual hash of a picture: is each cell brighter than the cell on its left, on a 16 x 17 reduction?

    Returns:
        (4,) uint64: 256 bits.

    Raises:
        DatasetError: the file cannot be read as an image.

    Reference:
        Krawetz, N.: Kind of Like That (dHash). The Hacker Factor Blog, 2013.
    """
    try:
        with caught_output(), Image.open(path) as image:
            image.draft("L", (HASH_SIDE * 8, HASH_SIDE * 8))
            small = image.convert("L").resize((HASH_SIDE + 1, HASH_SIDE), Image.Resampling.BOX)
    except Exception as error:  # decoders raise of every kind on damaged input
        raise DatasetError(f"{path} cannot be read as an image: {error}") from None
    cells = np.asarray(small, dtype=np.int16)
    return np.packbits(cells[:, 1:] > cells[:, :-1]).view(np.uint64)


def find_near_duplicates(hashes: HashArray, *, max_distance: int = MAX_DISTANCE) -> NDArray[np.int64]:
    """All pairs whose hashes differ in at most `max_distance` bits.

    Args:
        hashes: (N, 4) uint64.
        max_distance: number of bits.

    Returns:
        (M, 2) int64 indices, first < second, sorted.
    """
    found: list[NDArray[np.int64]] = [np.empty((0, 2), np.int64)]
    for start in range(0, len(hashes), ROWS_AT_A_TIME):
        rows = hashes[start : start + ROWS_AT_A_TIME]
        distance = np.zeros((len(rows), len(hashes) - start), np.uint16)
        for word in range(hashes.shape[1]):
            distance += np.bitwise_count(rows[:, None, word] ^ hashes[None, start:, word])
        first, second = np.nonzero(distance <= max_distance)
        keep = second > first
        found.append(np.column_stack([first[keep], second[keep]]) + start)
    return np.concatenate(found)
