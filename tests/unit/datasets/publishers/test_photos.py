import pytest

from imforensics.datasets.base import load_dataset
from imforensics.errors import DatasetError

HEADER = "file,collection,camera\n"


def test_groups_are_cameras_or_else_collections(tmp_path, write_image):
    for letter in "abcd":
        write_image(tmp_path / f"{letter}.jpg")
    (tmp_path / "manifest.csv").write_text(
        HEADER + "a.jpg,phones,iPhone 4\nb.jpg,walls,iPhone 4\0\0x\nc.jpg,walls,\n", encoding="utf-8"
    )
    dataset = load_dataset("photos", tmp_path)
    assert [s.group for s in dataset.samples] == ["camera iPhone 4", "camera iPhone 4", "collection walls"]
    assert all(s.label == 0 and s.mask_path is None for s in dataset.samples)
    assert [p.name for p in dataset.unrecognised] == ["d.jpg"]


def test_manifest_problems(tmp_path, write_image):
    (tmp_path / "manifest.csv").write_text("file,camera\n")
    with pytest.raises(DatasetError, match="lacks the column collection"):
        load_dataset("photos", tmp_path)
    (tmp_path / "manifest.csv").write_text(HEADER + "a.jpg,x,y\n")
    with pytest.raises(DatasetError, match=r"line 2, column file: a.jpg does not exist"):
        load_dataset("photos", tmp_path)


def test_photographs_that_an_editor_wrote_are_a_set_of_their_own(tmp_path, write_image):
    for letter in "abc":
        write_image(tmp_path / f"{letter}.jpg")
    manifest = tmp_path / "manifest.csv"
    manifest.write_text("file,collection,camera,editor\na.jpg,x,y,\nb.jpg,x,y,GIMP\n", encoding="utf-8")
    for name, file in (("photos_packages", "a.jpg"), ("photos_edited", "b.jpg")):
        dataset = load_dataset(name, tmp_path)
        assert (dataset.name, dataset.card.name) == (name, name)
        assert [s.image_path.name for s in dataset.samples] == [file]
        assert [p.name for p in dataset.unrecognised] == ["c.jpg"]
    manifest.write_text(HEADER + "a.jpg,x,y\n", encoding="utf-8")
    with pytest.raises(DatasetError, match="lacks the column editor"):
        load_dataset("photos_edited", tmp_path)


def test_web_photographs(tmp_path, write_image):
    for name in ("ADE_val_00000014.jpg", "bsds_100075.jpg", "cat.jpg"):
        write_image(tmp_path / name)
    dataset = load_dataset("photos_web", tmp_path)
    assert [s.group for s in dataset.samples] == ["ADE_val_00000014", "bsds_100075"]
    assert [p.name for p in dataset.unrecognised] == ["cat.jpg"]
