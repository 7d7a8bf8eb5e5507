import csv
import hashlib
import importlib.util
import io
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

SCRIPT = Path(__file__).parents[3] / "scripts" / "gather_photographs.py"


@pytest.fixture(scope="module")
def script():
    spec = importlib.util.spec_from_file_location("gather_photographs", SCRIPT)
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module  # dataclasses look their module up
    spec.loader.exec_module(module)
    yield module
    del sys.modules[spec.name]


def save_jpeg(width, height, **options):
    pixels = np.random.default_rng(0).integers(0, 256, (height, width, 3), dtype=np.uint8)
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, "JPEG", quality=90, **options)
    return buffer.getvalue()


@pytest.mark.parametrize("subsampling", ["4:4:4", "4:2:2", "4:2:0"])
def test_crops_are_cut_without_loss(script, subsampling, tmp_path):
    data = save_jpeg(1000, 800, subsampling=subsampling)
    sha256 = hashlib.sha256(data).hexdigest()
    wanted = script.Wanted(sha256, "made")
    row = script.write_photograph(data, wanted, tmp_path, whole=False)
    left, top = int(row["crop_x"]), int(row["crop_y"])
    with Image.open(tmp_path / wanted.file) as crop, Image.open(io.BytesIO(data)) as whole:
        assert crop.size == (768, 768)
        again = np.asarray(whole.crop((left, top, left + 768, top + 768)))
        inner = (slice(16, -16), slice(16, -16))  # at the rim, chroma is interpolated with what was cut off
        np.testing.assert_array_equal(np.asarray(crop)[inner], again[inner])
    assert (row["original_width"], row["original_height"], row["editor"]) == ("1000", "800", "")


def test_small_and_whole_files_are_kept_byte_by_byte(script, tmp_path):
    for size, whole in (((300, 200), False), ((1000, 800), True)):
        data = save_jpeg(*size)
        wanted = script.Wanted(hashlib.sha256(data).hexdigest(), "made")
        row = script.write_photograph(data, wanted, tmp_path, whole=whole)
        assert (tmp_path / wanted.file).read_bytes() == data
        assert row["crop_x"] == row["crop_y"] == "0"


def test_editors_are_named(script):
    exif = Image.Exif()
    exif[0x0131] = "GIMP 2.10.22"
    camera = Image.Exif()
    camera[0x0131] = "Ver.1.0"
    photoshop = b"\xff\xd8\xff\xee\x00\x0eAdobe\x00d\x00\x00\x00\x00\x01" + save_jpeg(64, 64)[2:]
    for data, wanted in (
        (save_jpeg(64, 64, exif=exif), "GIMP"),
        (save_jpeg(64, 64, exif=camera), ""),
        (save_jpeg(64, 64), ""),
        (photoshop, "Photoshop, by its markers"),
    ):
        with Image.open(io.BytesIO(data)) as image:
            assert script.name_editor(image) == wanted


def test_the_list_names_each_photograph_once():
    with SCRIPT.with_name("photographs.csv").open(encoding="utf-8", newline="") as lines:
        rows = list(csv.DictReader(lines))
    assert len({row["sha256"] for row in rows}) == len(rows) == 180
    assert {row["kind"] for row in rows} == {"deb", "source", "pypi", "npm"}


def test_a_folder_of_something_else_is_left_alone(script, tmp_path):
    (tmp_path / "mine.txt").write_text("mine")
    with pytest.raises(script.GatherError, match="holds something else"):
        script.open_output(tmp_path, whole=False)
