from pathlib import Path

import numpy as np
from PIL import Image

from imforensics.datasets.mask_check import find_suspect_masks
from imforensics.datasets.twins import Twin
from imforensics.types import Sample


def make_twin(folder: Path, *, mask_left: int) -> Twin:
    """The columns 32 to 64 are altered; the mask begins at `mask_left` and is 32 wide."""
    host = np.full((64, 96, 3), 100, np.uint8)
    tampered = host.copy()
    tampered[16:48, 32:64] = 200
    mask = np.zeros((64, 96), np.uint8)
    mask[16:48, mask_left : mask_left + 32] = 255
    for name, pixels in (("host", host), ("tampered", tampered), ("mask", mask)):
        Image.fromarray(pixels).save(folder / f"{name}.png")
    sample = Sample(folder / "tampered.png", 1, "g", mask_path=folder / "mask.png")
    return Twin(sample, folder / "host.png", 0.8)


def test_a_mask_over_the_change_is_not_suspect(tmp_path: Path) -> None:
    assert list(find_suspect_masks([make_twin(tmp_path, mask_left=32)])) == []


def test_a_mask_beside_the_change_is_suspect_with_its_share(tmp_path: Path) -> None:
    (suspect,) = find_suspect_masks([make_twin(tmp_path, mask_left=56)])
    assert suspect.share_inside == 0.25
    assert suspect.changed_area == 16 / 96
    assert suspect.mask_path == tmp_path / "mask.png"


def test_an_unchanged_pair_and_a_pair_without_a_mask_are_not_accused(tmp_path: Path) -> None:
    twin = make_twin(tmp_path, mask_left=56)
    same = Twin(twin.tampered, twin.tampered.image_path, 1.0)
    bare = Twin(Sample(twin.tampered.image_path, 1, "g"), twin.host_path, 0.8)
    assert list(find_suspect_masks([same, bare])) == []
