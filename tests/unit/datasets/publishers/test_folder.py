import pytest

from imforensics.datasets.base import load_dataset, load_split
from imforensics.errors import DatasetError


def test_folders_with_masks(tmp_path, write_image, write_mask):
    write_image(tmp_path / "authentic" / "a.jpg")
    for name in ("b.jpg", "c.png", "sub/d.png", "e.png"):
        write_image(tmp_path / "tampered" / name)
    for name in ("b.png", "c_gt.png", "d_mask.png"):
        write_mask(tmp_path / "masks" / name)
    dataset = load_dataset("folder", tmp_path)
    assert {s.image_path.name: s.mask_path and s.mask_path.name for s in dataset.samples} == {
        "a.jpg": None,
        "b.jpg": "b.png",
        "c.png": "c_gt.png",
        "d.png": "d_mask.png",
        "e.png": None,
    }
    assert [s.label for s in dataset.samples] == [0, 1, 1, 1, 1]
    assert [d.image_path.name for d in dataset.mask_defects] == ["e.png"]


def test_same_name_in_both_classes_is_one_group(tmp_path, write_image):
    write_image(tmp_path / "authentic" / "x.jpg")
    write_image(tmp_path / "tampered" / "x.png", seed=1)
    first, second = load_dataset("folder", tmp_path).samples
    assert first.group == second.group == "x"
    assert not load_dataset("folder", tmp_path).mask_defects  # no masks folder: none is expected


def test_one_class_folder_missing(tmp_path, write_image):
    write_image(tmp_path / "authentic" / "x.jpg")
    with pytest.raises(DatasetError, match="has no folder tampered"):
        load_dataset("folder", tmp_path)


def test_manifest_with_every_column(tmp_path, write_image, write_mask):
    write_image(tmp_path / "x" / "a.jpg")
    write_image(tmp_path / "b.png")
    write_mask(tmp_path / "m.png")
    manifest = tmp_path / "list.csv"
    manifest.write_text(
        "\ufeffimage,label,mask,group,manipulation,split,host,donor\n"
        "x/a.jpg,authentic,,scene1,,train,a,\n"
        "b.png,1,m.png,scene1,removal,test,a,\n",
        encoding="utf-8",
    )
    dataset = load_dataset("folder", manifest)
    tampered, authentic = dataset.samples
    assert (tampered.image_path.name, tampered.label, tampered.manipulation) == ("b.png", 1, "removal")
    assert (tampered.mask_path, tampered.group, tampered.host) == (tmp_path / "m.png", "scene1", "a")
    assert (authentic.label, authentic.mask_path, authentic.group) == (0, None, "scene1")
    assert load_split(dataset, "test") == (tampered,)
    assert load_split(dataset, "train") == (authentic,)
    with pytest.raises(DatasetError, match=r"split 'val' of folder at .* is empty"):
        load_split(dataset, "val")


def test_manifest_inside_the_folder_and_default_group(tmp_path, write_image):
    write_image(tmp_path / "a.png")
    (tmp_path / "manifest.csv").write_text("image,label\na.png,0\n")
    (sample,) = load_dataset("folder", tmp_path).samples
    assert (sample.group, sample.manipulation) == ("a.png", None)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("image\na.png\n", "has no column label"),
        ("image,label,color\na.png,0,x\n", "unknown column 'color'"),
        ("image,label\nz.png,0\n", "line 2, column image: z.png does not exist"),
        ("image,label\n,0\n", r"line 2, column image: \(empty\)"),
        ("image,label\na.png,2\n", "line 2, column label: '2' is not one of 0, authentic, 1, tampered"),
        ("image,label\na.png,0\na.png,0\n", "line 3, column image: a.png is listed twice"),
        ("image,label,mask\na.png,1,m.png\n", "line 2, column mask: m.png does not exist"),
        (
            "image,label,manipulation\na.png,1,erase\n",
            "line 2, column manipulation: 'erase' is not one of splicing",
        ),
        ("image,label,split\na.png,1,dev\n", "line 2, column split: 'dev' is not one of train, val, test"),
        ("image,label,manipulation\na.png,0,splicing\n", "column label: an authentic image has neither"),
        ("image,label\na.png\n", "line 2: expected 2 cells"),
        ("image,label\na.png,0,7\n", "line 2: expected 2 cells"),
        ("image,label\n", "contains no image"),
        ("", "has no column image"),
    ],
)
def test_manifest_errors_name_line_and_column(tmp_path, write_image, content, message):
    write_image(tmp_path / "a.png")
    (tmp_path / "list.csv").write_text(content)
    with pytest.raises(DatasetError, match=message):
        load_dataset("folder", tmp_path / "list.csv")


def test_manifest_that_is_no_text(tmp_path):
    (tmp_path / "list.csv").write_bytes(b"\xff\xfe\x00image")
    with pytest.raises(DatasetError, match="cannot be read as CSV in UTF-8"):
        load_dataset("folder", tmp_path / "list.csv")
