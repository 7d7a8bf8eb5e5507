"""Native pairs: the host keeps its size and grid, and both files are delivered alike."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, JpegImagePlugin

from fixtures.textures import make_texture
from imforensics.datasets.rasters import read_rgb
from imforensics.datasets.synthesis.config import MANIPULATIONS, NativeConfig, SaveConfig
from imforensics.datasets.synthesis.native import draw_native_pair, find_native_hosts
from imforensics.datasets.synthesis.pool import PhotoPool, load_pool
from imforensics.errors import DatasetError
from imforensics.preprocessing.deliveries import DELIVERY_NAMES, Delivery

AS_SAVED = Delivery("as_saved")
PLAIN = {
    "megapixels": (0.05, 1),
    "inpainting": False,
    "area": (0.02, 0.2),
    "last_save": SaveConfig(jpeg=0),
    "own_tables": 0,
}


def read(data: bytes) -> np.ndarray:
    return np.asarray(Image.open(io.BytesIO(data)).convert("RGB"), dtype=np.int16)


def native(**values: object) -> NativeConfig:
    return NativeConfig.model_validate({**PLAIN, **values})


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Six JPEG files of three cameras, and a PNG that is no host."""
    folder = tmp_path_factory.mktemp("originals")
    for number in range(6):
        exif = Image.Exif()
        exif[271], exif[272] = "Maker", f"Maker M{number // 2}"
        image = Image.fromarray(make_texture(320, 440, seed=number))
        image.save(folder / f"{number}.jpg", quality=84 + number, subsampling=number % 3, exif=exif)
    Image.fromarray(make_texture(320, 440, seed=9)).save(folder / "9.png")
    return folder


@pytest.fixture(scope="module")
def originals(folder: Path) -> PhotoPool:
    return load_pool(sorted(folder.iterdir()))


@pytest.mark.parametrize("kind", list(MANIPULATIONS))
def test_the_twin_is_the_host_itself_and_only_the_mask_differs(
    originals: PhotoPool, folder: Path, kind: str
) -> None:
    config = native(manipulations={kind: 1}, edges={"hard": 1}, min_change=4)
    for index in range(4):
        pair = draw_native_pair(originals, config, seed=1, index=index, delivery=AS_SAVED)
        host = pair.recipe["host"]
        assert isinstance(host, dict)
        np.testing.assert_array_equal(read(pair.twin), read_rgb(folder / str(host["photo"])))
        differs = (read(pair.tampered) != read(pair.twin)).any(axis=2)
        assert not (differs & ~pair.mask).any()
        assert differs[pair.mask].mean() > (0.35 if kind == "text" else 0.7)
        assert str(host["device"]).startswith("MAKER M")


def test_a_window_is_cut_on_the_grid_of_the_host(originals: PhotoPool, folder: Path) -> None:
    config = native()
    for index in range(6):
        pair = draw_native_pair(originals, config, seed=2, index=index, window=(96, 128), delivery=AS_SAVED)
        host = pair.recipe["host"]
        assert isinstance(host, dict)
        top, left, height, width = np.array(host["part"])
        assert (height, width) == (96, 128)
        assert top % 16 == left % 16 == 0
        whole = read_rgb(folder / str(host["photo"]))
        np.testing.assert_array_equal(read(pair.twin), whole[top : top + height, left : left + width])


@pytest.mark.parametrize("name", DELIVERY_NAMES)
def test_every_delivery_leaves_both_files_alike_and_of_the_window(originals: PhotoPool, name: str) -> None:
    config = native(deliveries={name: 1})
    for index in range(4):
        pair = draw_native_pair(originals, config, seed=3, index=index, window=(96, 128))
        assert read(pair.tampered).shape == read(pair.twin).shape == (96, 128, 3)
        assert pair.mask.shape == (96, 128)
        assert config.min_area <= pair.mask.mean() < 0.6
        change = np.abs(read(pair.tampered) - read(pair.twin)).max(axis=2)
        assert change[pair.mask].mean() > 2 * change[~pair.mask].mean()
        assert pair.recipe["delivery"]["name"] == name  # type: ignore[index, call-overload]
        assert pair.recipe["area"] == pytest.approx(pair.mask.mean(), abs=1e-6)


def test_a_last_save_may_have_the_tables_of_the_host(originals: PhotoPool) -> None:
    pair = draw_native_pair(originals, native(own_tables=1), seed=4, index=0, delivery=AS_SAVED)
    host = pair.recipe["host"]
    assert isinstance(host, dict)
    own = originals.photos[int(str(host["photo"])[0])].table_set
    with Image.open(io.BytesIO(pair.tampered)) as image:
        assert isinstance(image, JpegImagePlugin.JpegImageFile)
        tables = [np.reshape(image.quantization[number], (8, 8)) for number in (0, 1)]
        sampling = JpegImagePlugin.get_sampling(image)
    assert own is not None
    np.testing.assert_array_equal(tables, own.tables)
    assert ("4:4:4", "4:2:2", "4:2:0")[sampling] == own.subsampling


@pytest.mark.parametrize("share", [0, 1])
def test_donors_may_be_of_the_same_camera(originals: PhotoPool, share: int) -> None:
    config = native(manipulations={"splicing": 1}, same_camera=share)
    devices = {photo.name: photo.device for photo in originals.photos}
    same = []
    for index in range(12):
        recipe = draw_native_pair(originals, config, seed=5, index=index, delivery=AS_SAVED).recipe
        donor, host = recipe["alteration"]["donor"]["photo"], recipe["host"]["photo"]  # type: ignore[index, call-overload]
        assert donor != host
        same.append(devices[str(donor)] == devices[str(host)])
    assert np.mean(same) == 1 if share else np.mean(same) < 0.7


def test_same_arguments_same_bytes_and_neighbours_share_a_working_set(
    originals: PhotoPool, folder: Path
) -> None:
    config = native(working_set=2, working_pairs=4)
    pairs = [draw_native_pair(originals, config, seed=6, index=index, window=(96, 96)) for index in range(8)]
    fresh = load_pool(sorted(folder.iterdir()), cache_bytes=1)
    again = draw_native_pair(fresh, config, seed=6, index=7, window=(96, 96))
    assert (again.tampered, again.twin, again.recipe) == (pairs[7].tampered, pairs[7].twin, pairs[7].recipe)
    hosts = [{pair.recipe["host"]["photo"] for pair in part} for part in (pairs[:4], pairs[4:])]  # type: ignore[index, call-overload]
    assert all(len(names) <= 2 for names in hosts)


def test_regenerated_content_has_lost_the_grain(originals: PhotoPool) -> None:
    config = native(manipulations={"removal": 1}, regenerated=1, area=(0.05, 0.1))
    for index in range(4):
        pair = draw_native_pair(originals, config, seed=7, index=index, delivery=AS_SAVED)
        assert pair.recipe["alteration"]["kind"] == "regenerated"  # type: ignore[index, call-overload]
        steps = [np.abs(np.diff(read(data), axis=1))[pair.mask[:, 1:]] for data in (pair.tampered, pair.twin)]
        assert steps[0].mean() < 0.9 * steps[1].mean()


def test_what_cannot_be_a_host_is_said(originals: PhotoPool) -> None:
    assert find_native_hosts(originals, native()) == (0, 1, 2, 3, 4, 5)
    with pytest.raises(DatasetError, match=r"is a JPEG of 1 to 64 megapixels .* change megapixels"):
        draw_native_pair(originals, NativeConfig(), seed=0, index=0)
    with pytest.raises(DatasetError, match="at least 416x416"):
        find_native_hosts(originals, native(), (400, 400))
    with pytest.raises(ValueError, match="window of at least 64x64"):
        draw_native_pair(originals, native(), seed=0, index=0, window=(32, 64))
