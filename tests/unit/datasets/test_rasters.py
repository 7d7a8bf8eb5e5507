import hashlib
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from imforensics.datasets.header_facts import read_header_facts
from imforensics.datasets.near_duplicates import difference_hash
from imforensics.datasets.rasters import hash_file, list_images, read_mask, read_rgb, read_size
from imforensics.errors import DatasetError
from imforensics.evidence import read_evidence


def test_size_is_height_then_width(tmp_path, write_image):
    assert read_size(write_image(tmp_path / "a.png", size=(16, 24))) == (16, 24)


def test_orientation_is_not_applied(tmp_path):
    exif = Image.Exif()
    exif[0x0112] = 6
    Image.new("RGB", (24, 16)).save(tmp_path / "a.jpg", exif=exif)
    assert read_size(tmp_path / "a.jpg") == (16, 24)
    assert read_rgb(tmp_path / "a.jpg").shape == (16, 24, 3)


@pytest.mark.parametrize("orientation", range(1, 10))
def test_a_turned_tiff_is_read_as_the_methods_see_it(tmp_path, orientation):
    pixels = np.random.default_rng(3).integers(0, 256, (16, 24, 3), dtype=np.uint8)
    exif = Image.Exif()
    exif[0x0112] = orientation
    path = tmp_path / "a.tif"
    Image.fromarray(pixels).save(path, exif=exif)
    np.testing.assert_array_equal(read_evidence(path).pixels, pixels)
    np.testing.assert_array_equal(read_rgb(path), pixels)
    assert read_size(path) == (16, 24)
    Image.fromarray(pixels[..., 0]).save(path, exif=exif)
    np.testing.assert_array_equal(read_mask(path), pixels[..., 0] >= 128)


@pytest.mark.parametrize("mode", ["1", "L", "P", "RGB", "RGBA"])
def test_white_masks_of_every_mode(tmp_path, mode):
    expected = np.zeros((8, 6), bool)
    expected[1:4, 2:5] = True
    Image.fromarray(np.where(expected, 255, 0).astype(np.uint8)).convert(mode).save(tmp_path / "m.png")
    np.testing.assert_array_equal(read_mask(tmp_path / "m.png"), expected)


@pytest.mark.parametrize(
    ("encoding", "expected"),
    [
        ("white", [False, False, True]),
        ("black", [True, True, False]),
        ("grey", [False, True, True]),
    ],
)
def test_grey_levels(tmp_path, write_image, encoding, expected):
    path = write_image(tmp_path / "m.png", np.array([[0, 100, 255]], np.uint8))
    assert read_mask(path, encoding=encoding).tolist() == [expected]


def test_green_encoding(tmp_path, write_image):
    pixels = np.array([[[200, 0, 0], [0, 200, 0], [255, 20, 10], [20, 255, 30]]], np.uint8)
    assert read_mask(write_image(tmp_path / "m.png", pixels), encoding="green").tolist() == [
        [False, True, False, True]
    ]


def test_broken_and_missing_files(tmp_path, write_image):
    broken = tmp_path / "a.jpg"
    broken.write_bytes(write_image(tmp_path / "b.jpg", size=(64, 64)).read_bytes()[:400])
    for read in (read_rgb, read_mask):
        with pytest.raises(DatasetError, match=r"a.jpg cannot be"):
            read(broken)
    with pytest.raises(DatasetError, match="cannot be read as an image"):
        read_size(tmp_path / "absent.png")
    with pytest.raises(DatasetError, match="cannot be read"):
        hash_file(tmp_path / "absent.png")


def test_hash_is_sha256(tmp_path):
    (tmp_path / "a").write_bytes(b"abc")
    assert hash_file(tmp_path / "a") == hashlib.sha256(b"abc").hexdigest()


def test_listing_is_sorted_and_takes_images_only(tmp_path, write_image):
    for name in ("b.jpg", "a.TIF", "sub/c.png"):
        write_image(tmp_path / name)
    (tmp_path / "notes.txt").write_text("x")
    (tmp_path / "._a.jpg").write_text("x")
    (tmp_path / "folder.jpg").mkdir()
    assert [p.name for p in list_images(tmp_path)] == ["a.TIF", "b.jpg"]
    assert [p.name for p in list_images(tmp_path, recursive=True)] == ["a.TIF", "b.jpg", "c.png"]


def test_what_the_decoder_writes_stays_off_standard_error(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    noise = np.random.default_rng(0).integers(0, 256, (64, 96), dtype=np.uint8)
    path = tmp_path / "fax.tif"
    Image.fromarray(noise).convert("1").save(path, compression="group4")
    content = bytearray(path.read_bytes())
    content[300:340] = bytes(byte ^ 0x5A for byte in content[300:340])
    path.write_bytes(content)
    assert read_rgb(path).shape == (64, 96, 3)
    assert difference_hash(path).shape == (4,)
    assert read_header_facts(path).size == (64, 96)
    assert capfd.readouterr().err == ""
