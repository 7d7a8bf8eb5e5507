from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from imforensics.datasets.near_duplicates import difference_hash, find_near_duplicates
from imforensics.errors import DatasetError


def scene(seed: int) -> Image.Image:
    coarse = np.random.default_rng(seed).integers(0, 256, (9, 12, 3), dtype=np.uint8)
    return Image.fromarray(coarse).resize((240, 180), Image.Resampling.BICUBIC)


def test_saving_again_and_resizing_keep_the_hash_near_and_other_scenes_far(tmp_path: Path) -> None:
    scene(0).save(tmp_path / "a.jpg", quality=95)
    scene(0).save(tmp_path / "b.jpg", quality=60)
    scene(0).resize((120, 90)).save(tmp_path / "c.png")
    scene(1).save(tmp_path / "d.jpg")
    hashes = np.stack([difference_hash(tmp_path / name) for name in ("a.jpg", "b.jpg", "c.png", "d.jpg")])
    assert hashes.shape == (4, 4)
    assert hashes.dtype == np.uint64
    assert find_near_duplicates(hashes).tolist() == [[0, 1], [0, 2], [1, 2]]


def test_pairs_equal_a_slow_count_over_every_chunk() -> None:
    rng = np.random.default_rng(5)
    base = rng.integers(0, 2**63, (700, 4), dtype=np.uint64)
    base[650] = base[3] ^ np.uint64(0b11)
    base[20] = base[19]
    slow = [
        [i, j]
        for i in range(700)
        for j in range(i + 1, 700)
        if sum(int(a ^ b).bit_count() for a, b in zip(base[i].tolist(), base[j].tolist(), strict=True)) <= 10
    ]
    assert slow == [[3, 650], [19, 20]]
    assert find_near_duplicates(base, max_distance=10).tolist() == slow


def test_every_pair_is_found_at_the_largest_distance() -> None:
    hashes = np.random.default_rng(0).integers(0, 2**63, (5, 4), dtype=np.uint64)
    assert len(find_near_duplicates(hashes, max_distance=256)) == 10


def test_none_and_one_have_no_pairs() -> None:
    assert find_near_duplicates(np.empty((0, 4), np.uint64)).shape == (0, 2)
    assert find_near_duplicates(np.zeros((1, 4), np.uint64)).shape == (0, 2)


def test_a_file_that_is_no_image_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "a.png").write_bytes(b"")
    with pytest.raises(DatasetError):
        difference_hash(tmp_path / "a.png")
