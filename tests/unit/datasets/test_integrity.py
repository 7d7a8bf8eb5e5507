import json
import os
from pathlib import Path

import numpy as np
import pytest

from imforensics.datasets.base import load_dataset
from imforensics.datasets.integrity import check_integrity


def test_clean_set_has_only_what_is_known_of_it(casia1_root):
    report = check_integrity(load_dataset("casia1", casia1_root))
    assert (report.authentic_count, report.tampered_count) == (4, 3)
    assert not report.is_complete
    assert [d.image_path.stem for d in report.missing_masks] == ["Sp_D_NRN_A_sce0004_ani0001_0542"]
    assert not report.ill_sized_masks
    assert not report.unreadable_masks
    assert not report.empty_masks
    assert not report.full_masks
    assert not report.unreadable_images
    assert not report.duplicates


def test_mask_defects(casia1_root, write_mask, write_image):
    first = casia1_root / "groundtruth" / "Sp_D_NNN_A_ani0001_nat0002_0101_gt.png"
    second = casia1_root / "groundtruth" / "Sp_S_NNN_A_pla0003_pla0003.0102_gt.png"
    write_mask(first, box=(0, 0, 0, 0))
    write_mask(second, box=(0, 16, 0, 24))
    report = check_integrity(load_dataset("casia1", casia1_root))
    assert (report.empty_masks, report.full_masks) == ((first,), (second,))
    write_mask(first, size=(8, 8))
    write_image(second, np.random.default_rng(0).integers(0, 256, (16, 24), dtype=np.uint8))
    second.write_bytes(second.read_bytes()[:200])  # the header gives a size, the pixels are cut off
    report = check_integrity(load_dataset("casia1", casia1_root))
    assert [d.mask_path for d in report.ill_sized_masks] == [first]
    assert [d.mask_path for d in report.unreadable_masks] == [second]


def test_unreadable_image(casia1_root, write_image):
    path = casia1_root / "Au" / "Au_ani_0001.jpg"
    write_image(path, size=(64, 64))
    path.write_bytes(path.read_bytes()[:500])
    report = check_integrity(load_dataset("casia1", casia1_root))
    assert list(report.unreadable_images) == [path]


def test_duplicates_across_classes_sets_and_splits(casia1_root, tmp_path, write_image):
    twin = (casia1_root / "Au" / "Au_ani_0001.jpg").read_bytes()
    (casia1_root / "Sp" / "Sp_D_NNN_A_sec0004_pla0003_0999.jpg").write_bytes(twin)
    other_root = tmp_path / "other"
    for name in ("authentic/copy.jpg", "authentic/alone.jpg", "authentic/alone_too.jpg", "tampered/t.jpg"):
        write_image(other_root / name, seed=77)
    (other_root / "authentic" / "copy.jpg").write_bytes(twin)
    write_image(other_root / "tampered" / "t.jpg", seed=78)
    report = check_integrity(
        load_dataset("casia1", casia1_root), against=[load_dataset("folder", other_root)]
    )
    (found,) = report.duplicates  # the pair within `other` alone is not this set's concern
    assert [f.path.name for f in found.files] == [
        "Au_ani_0001.jpg",
        "Sp_D_NNN_A_sec0004_pla0003_0999.jpg",
        "copy.jpg",
    ]
    assert found.is_across_classes
    assert found.is_across_sets
    assert not found.is_across_splits  # only Au_ani_0001 is in a committed list


def test_duplicates_across_declared_splits(tmp_path, write_image):
    write_image(tmp_path / "a.png")
    write_image(tmp_path / "b.png")
    (tmp_path / "manifest.csv").write_text("image,label,split\na.png,0,train\nb.png,0,test\n")
    (found,) = check_integrity(load_dataset("folder", tmp_path)).duplicates
    assert found.is_across_splits
    assert not found.is_across_classes
    assert not found.is_across_sets


def test_report_is_json_ready(casia1_root):
    report = check_integrity(load_dataset("casia1", casia1_root))
    content = json.loads(json.dumps(report.to_json()))
    assert content["tampered_count"] == 3
    assert content["missing_masks"][0].endswith("Sp_D_NRN_A_sce0004_ani0001_0542.jpg")


@pytest.mark.slow
@pytest.mark.data
def test_real_sets():
    base = Path(os.environ.get("IMFORENSICS_DATA", "absent"))
    if not (base / "CASIA1").is_dir() or not (base / "CASIA2").is_dir():
        pytest.skip("CASIA1 and CASIA2 not below IMFORENSICS_DATA")
    report = check_integrity(load_dataset("casia1"), against=[load_dataset("casia2")])
    assert report.is_complete
    assert [d.image_path.stem for d in report.missing_masks] == ["Sp_D_NRN_A_sce0011_cha0011_0542"]
    assert not report.unreadable_images
    assert len(report.duplicates) == 109
    assert all(
        d.is_across_sets and not d.is_across_splits and not d.is_across_classes for d in report.duplicates
    )
