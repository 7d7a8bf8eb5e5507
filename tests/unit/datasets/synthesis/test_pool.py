"""The pool: what a header tells, what is left out, and what is kept in memory."""

from __future__ import annotations

import pickle
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from fixtures.textures import make_texture
from imforensics.datasets.synthesis.pool import PhotoPool, load_pool
from imforensics.datasets.synthesis.splits import draw_split, split_pool
from imforensics.errors import DatasetError
from imforensics.evidence.quantization import ijg_tables


def test_real_tables_are_those_of_the_files(pool: PhotoPool) -> None:
    assert len(pool) == 4
    found = [(known.name, known.subsampling) for known in pool.real_tables]
    assert found == [("file 0.jpg", "4:4:4"), ("file 1.jpg", "4:2:2"), ("file 2.jpg", "4:2:0")]
    for known, quality in zip(pool.real_tables, (85, 89, 93), strict=True):
        np.testing.assert_array_equal(known.tables, ijg_tables(quality))


def test_what_cannot_be_used_is_named(tmp_path: Path) -> None:
    Image.fromarray(make_texture(100, 120)).save(tmp_path / "good.jpg")
    Image.fromarray(make_texture(40, 120)).save(tmp_path / "low.jpg")
    Image.new("RGB", (200, 200), "gray").save(tmp_path / "plain.png")
    (tmp_path / "text.jpg").write_text("no image")
    pool = load_pool(sorted(tmp_path.iterdir()))
    assert [photo.name for photo in pool.photos] == ["good.jpg"]
    assert [path.name for path in pool.too_small] == ["low.jpg", "plain.png"]
    assert [path.name for path in pool.unreadable] == ["text.jpg"]
    with pytest.raises(DatasetError, match=r"received none \(1 unreadable, 0 too small\)"):
        load_pool([tmp_path / "text.jpg"])


@pytest.mark.parametrize("name", ["bars.png", "bars.jpg", "bars.tif"])
def test_bars_of_one_colour_are_left_out_on_the_grid(tmp_path: Path, name: str) -> None:
    pixels = np.full((300, 400, 3), (123, 115, 104), dtype=np.uint8)
    pixels[50:210, :330] = make_texture(160, 330)
    turned = Image.Exif()
    turned[0x0112] = 6  # Pillow turns a TIFF; a pool holds the pixels as stored
    Image.fromarray(pixels).save(tmp_path / name, exif=turned)
    (photo,) = load_pool([tmp_path / name]).photos
    assert (photo.top, photo.left) == (64, 0)  # the first multiple of 16 within the picture
    assert 0 <= 210 - (photo.top + photo.height) < 24
    assert 0 <= 330 - photo.width < 24
    assert (photo.top + photo.height) % 16 == photo.width % 16 == 0


def test_of_large_photographs_the_middle_is_used_on_its_grid(tmp_path: Path) -> None:
    pixels = make_texture(333, 500)
    Image.fromarray(pixels).save(tmp_path / "photo.png")
    pool = load_pool([tmp_path / "photo.png"], max_side=200)
    np.testing.assert_array_equal(pool.pixels(0), pixels[64:264, 144:344])


def test_memory_is_bounded_and_nothing_decoded_goes_to_another_process(photo_folder: Path) -> None:
    bounded = load_pool(sorted(photo_folder.iterdir()), cache_bytes=800_000)
    first = bounded.pixels(0)
    assert bounded.pixels(0) is first
    for number in range(4):
        bounded.pixels(number)
    assert bounded.pixels(0) is not first
    np.testing.assert_array_equal(bounded.pixels(0), first)
    sent = pickle.dumps(bounded)
    assert len(sent) < 20_000
    np.testing.assert_array_equal(pickle.loads(sent).pixels(0), first)  # noqa: S301 - our own bytes


def test_hosts_fit_upright_or_turned(pool: PhotoPool) -> None:
    assert pool.find_hosts((300, 400)) == (0, 1, 3)
    assert pool.find_hosts((256, 384)) == (0, 1, 2, 3)
    with pytest.raises(DatasetError, match=r"None of the 4 photographs holds 350x441"):
        pool.find_hosts((350, 441))


def holds_hosts(pool: PhotoPool) -> tuple[int, ...]:
    return pool.find_hosts((128, 128))


def test_no_photograph_is_in_two_splits(pool: PhotoPool) -> None:
    shares = {"train": 0.5, "val": 0.25, "test": 0.25}
    pools = split_pool(pool, shares, seed=3, find_hosts=holds_hosts)
    names = [photo.name for part in pools.values() for photo in part.photos]
    assert sorted(names) == sorted(photo.name for photo in pool.photos)
    assert [len(part) for part in pools.values()] == [2, 1, 1]
    drawn = [draw_split(shares, seed=3, index=index) for index in range(400)]
    assert drawn.count("train") == pytest.approx(200, abs=40)
    with pytest.raises(DatasetError, match=r"for the split val. .*splits=\{train: 1\}"):
        split_pool(
            pool.take([0, 1]), {"train": 0.9, "val": 0.05, "test": 0.05}, seed=0, find_hosts=holds_hosts
        )
