"""Masks against pixels: does a mask lie where the tampered image differs from its host?"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from imforensics.datasets.rasters import read_mask, read_rgb

if TYPE_CHECKING:
    from imforensics.datasets.base import MaskEncoding
    from imforensics.datasets.twins import Twin
    from imforensics.types import BoolArray

BLOCK = 8
CHANGED_DIFFERENCE = 32  # grey levels in one channel: above what one more JPEG generation does to most pixels
CHANGED_SHARE = 0.3  # of a block's pixels, so that a lone edge pixel marks nothing
# Of the changed blocks, at least this share lies inside a mask that fits. On CASIA v1, 6 of 919 masks hold
# less, among them the one that users of the set call suspect (0.52).
MINIMUM_INSIDE = 0.6


@dataclass(frozen=True, slots=True)
class SuspectMask:
    """A mask that leaves out most of what was changed.

    Attributes:
        mask_path: the mask.
        share_inside: share of the changed 8x8 blocks that lie in the mask, [0, 1].
        changed_area: share of the image's blocks that were changed, [0, 1].
    """

    mask_path: Path
    share_inside: float
    changed_area: float


def find_suspect_masks(twins: Iterable[Twin], *, encoding: MaskEncoding = "white") -> Iterator[SuspectMask]:
    """Compare each tampered image with its host, and what differs with the mask.

    Args:
        twins: tampered images with their hosts; those without a mask are passed over.
        encoding: which mask pixels are tampered.

    Yields:
        Every mask that holds less than MINIMUM_INSIDE of the changed blocks.

    Raises:
        DatasetError: an image or a mask cannot be read.
    """
    for twin in twins:
        mask_path = twin.tampered.mask_path
        if mask_path is None:
            continue
        pixels, host = read_rgb(twin.tampered.image_path), read_rgb(twin.host_path)
        difference = np.abs(pixels.astype(np.int16) - host).max(axis=2) > CHANGED_DIFFERENCE
        changed = _block_share(difference) > CHANGED_SHARE
        inside = _block_share(read_mask(mask_path, encoding=encoding)) > 0.5
        share = float((changed & inside).sum() / changed.sum()) if changed.any() else 1.0
        if share < MINIMUM_INSIDE:
            yield SuspectMask(mask_path, share, float(changed.mean()))


def _block_share(flags: BoolArray) -> np.ndarray:
    rows, columns = flags.shape[0] // BLOCK, flags.shape[1] // BLOCK
    whole = flags[: rows * BLOCK, : columns * BLOCK]
    return np.asarray(whole.reshape(rows, BLOCK, columns, BLOCK).mean(axis=(1, 3)))
