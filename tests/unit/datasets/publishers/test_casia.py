import os
from collections import Counter
from pathlib import Path

import pytest

from imforensics.datasets.base import load_dataset
from imforensics.datasets.publishers.casia import CasiaName, parse_casia_name
from imforensics.errors import DatasetError


@pytest.mark.parametrize(
    ("file_name", "expected"),
    [
        ("Au_nat_0059.jpg", CasiaName(None, "nat00059", None)),
        ("Au_nat_00059.bmp", CasiaName(None, "nat00059", None)),
        ("Sp_D_NNN_A_art0072_cha0060_0107.jpg", CasiaName("splicing", "art00072", "cha00060")),
        ("Sp_S_NRD_A_ani0040_ani0054.0257.jpg", CasiaName("copy_move", "ani00040", "ani00054")),
        ("Sp_D_NRN_A_ant0063_nat0065_0443.jpg", CasiaName("splicing", "nat00063", "nat00065")),
        ("Sp_D_NRN_A_sce0011_cha0011_0542.jpg", CasiaName("splicing", "sec00011", "cha00011")),
        ("Tp_S_NNN_N_N_art10015_art10015_20099.jpg", CasiaName("copy_move", "art10015", "art10015")),
        ("Tp_D_CRN_M_N_ani10116_ani00100_11643__1e77da28.jpg", CasiaName("splicing", "ani10116", "ani00100")),
        ("Sp_X_NNN_A_art0072_cha0060_0107.jpg", None),
        ("Thumbs.db", None),
        ("Au_0001.jpg", None),
    ],
)
def test_names(file_name, expected):
    assert parse_casia_name(file_name) == expected


def test_samples_masks_and_groups(casia1_root):
    dataset = load_dataset("casia1", casia1_root)
    samples = {s.image_path.name: s for s in dataset.samples}
    assert list(samples) == sorted(samples)
    spliced = samples["Sp_D_NNN_A_ani0001_nat0002_0101.jpg"]
    assert (spliced.label, spliced.manipulation, spliced.host, spliced.donor) == (
        1,
        "splicing",
        "ani00001",
        "nat00002",
    )
    assert spliced.mask_path == casia1_root / "groundtruth" / "Sp_D_NNN_A_ani0001_nat0002_0101_gt.png"
    copied = samples["Sp_S_NNN_A_pla0003_pla0003.0102.jpg"]
    assert copied.manipulation == "copy_move"
    assert copied.mask_path is not None
    authentic = samples["Au_nat_0002.JPG"]
    assert (authentic.label, authentic.manipulation, authentic.host, authentic.mask_path) == (
        0,
        None,
        "nat00002",
        None,
    )
    # Donor and host join: ani0001, nat0002 and, through the third image, sec0004 are one group.
    assert (
        spliced.group
        == authentic.group
        == samples["Au_ani_0001.jpg"].group
        == samples["Au_sec_0004.jpg"].group
    )
    assert copied.group == samples["Au_pla_0003.jpg"].group != spliced.group
    assert [(d.kind, d.image_path.name) for d in dataset.mask_defects] == [
        ("missing", "Sp_D_NRN_A_sce0004_ani0001_0542.jpg")
    ]


def test_ill_sized_and_unreadable_masks_are_taken_away(casia1_root, write_mask):
    write_mask(casia1_root / "groundtruth" / "Sp_D_NNN_A_ani0001_nat0002_0101_gt.png", size=(24, 16))
    (casia1_root / "groundtruth" / "Sp_S_NNN_A_pla0003_pla0003.0102_gt.png").write_bytes(b"no image")
    dataset = load_dataset("casia1", casia1_root)
    assert all(s.mask_path is None for s in dataset.samples)
    assert [d.kind for d in dataset.mask_defects] == ["ill_sized", "missing", "unreadable"]
    assert "mask is 24×16, image 16×24" in dataset.mask_defects[0].detail


@pytest.mark.parametrize(
    ("tampered", "masks"),
    [
        ("Tp", "CASIA 1.0 groundtruth"),
        ("Modified Tp/Tp", "Gt"),
        ("Tp/Sp", "CASIA 1.0 groundtruth/Sp"),
        ("Tp/CM", "masks"),
    ],
)
def test_layout_variants(casia1_root, tampered, masks):
    before = load_dataset("casia1", casia1_root)
    for old, new in (("Sp", tampered), ("groundtruth", masks)):
        (casia1_root / old).rename(casia1_root / "moved")
        (casia1_root / new).parent.mkdir(parents=True, exist_ok=True)
        (casia1_root / "moved").rename(casia1_root / new)
    after = load_dataset("casia1", casia1_root)
    assert _facts(after) == _facts(before)


def test_set_inside_another_folder_and_without_masks(casia1_root, tmp_path):
    for mask in (casia1_root / "groundtruth").iterdir():
        mask.unlink()
    (casia1_root / "groundtruth").rmdir()
    dataset = load_dataset("casia1", tmp_path)
    assert len(dataset.samples) == 7
    assert len(dataset.mask_defects) == 3


def test_two_sets_below_one_root_are_refused(casia1_root, tmp_path, write_image):
    write_image(tmp_path / "CASIA2" / "Au" / "Au_ani_00001.jpg")
    with pytest.raises(DatasetError, match="has 2 candidates"):
        load_dataset("casia1", tmp_path)


def test_two_masks_of_one_name_are_refused(casia1_root, write_mask):
    write_mask(casia1_root / "Gt" / "Sp_D_NNN_A_ani0001_nat0002_0101_gt.png")
    with pytest.raises(DatasetError, match=r"have the same name. Keep one of them"):
        load_dataset("casia1", casia1_root)


def test_unrecognised_names_are_listed_and_companions_ignored(casia1_root, write_image):
    odd = write_image(casia1_root / "Au" / "holiday.jpg")
    (casia1_root / "Au" / "._Au_ani_0001.jpg").write_bytes(b"")
    dataset = load_dataset("casia1", casia1_root)
    assert dataset.unrecognised == (odd,)
    assert len(dataset.samples) == 7


def test_pseudo_masks_only_when_asked_for(tmp_path, write_image, write_mask):
    plain, suffixed = "Tp_D_CNN_M_N_ani00001_ani00002_10001", "Tp_D_CNN_M_N_ani00001_ani00003_10002__1e77da28"
    bad, official = "Tp_D_CNN_M_N_ani00001_ani00004_10003", "Tp_S_NNN_S_N_ani00001_ani00001_10004"
    write_image(tmp_path / "Au" / "Au_ani_00001.jpg")
    for stem in (plain, suffixed, bad, official):
        write_image(tmp_path / "Tp" / f"{stem}.tif")
    write_mask(tmp_path / "CASIA 2 Groundtruth" / f"{official}_gt.png")
    for stem, size in ((plain, (16, 24)), (suffixed, (16, 24)), (bad, (8, 8)), (official, (16, 24))):
        write_mask(tmp_path / "groundtruth_derived" / f"{stem}_gt.png", size=size)
    plainly = load_dataset("casia2", tmp_path)
    assert [s.image_path.stem for s in plainly.samples if s.mask_path] == [official]
    assert not plainly.pseudo_masks
    derived = load_dataset("casia2", tmp_path, pseudo_masks=True)
    assert {p.name for p in derived.pseudo_masks} == {f"{plain}_gt.png", f"{suffixed}_gt.png"}
    assert [d.image_path.stem for d in derived.mask_defects] == [bad]
    chosen = {s.image_path.stem: s.mask_path for s in derived.samples}
    assert chosen[official].parent.name == "CASIA 2 Groundtruth"
    assert chosen[plain].parent.name == "groundtruth_derived"


def test_mask_without_the_download_suffix_is_found(tmp_path, write_image, write_mask):
    write_image(tmp_path / "Au" / "Au_ani_00001.jpg")
    write_image(tmp_path / "Tp" / "Tp_D_CNN_M_N_ani00001_ani00003_10002__1e77da28.tif")
    mask = write_mask(tmp_path / "groundtruth" / "Tp_D_CNN_M_N_ani00001_ani00003_10002_gt.png")
    assert load_dataset("casia2", tmp_path).samples[1].mask_path == mask


@pytest.mark.data
def test_real_casia1_is_complete():
    if not (Path(os.environ.get("IMFORENSICS_DATA", "absent")) / "CASIA1").is_dir():
        pytest.skip("CASIA1 not below IMFORENSICS_DATA")
    dataset = load_dataset("casia1")
    assert Counter(s.manipulation for s in dataset.samples) == {None: 800, "splicing": 451, "copy_move": 470}
    assert sum(s.mask_path is not None for s in dataset.samples) == 920
    assert [d.image_path.stem for d in dataset.mask_defects] == ["Sp_D_NRN_A_sce0011_cha0011_0542"]
    assert dataset.unrecognised == ()


def _facts(dataset):
    return [
        (s.image_path.name, s.label, s.group, s.manipulation, s.mask_path and s.mask_path.name)
        for s in sorted(dataset.samples, key=lambda s: s.image_path.name)
    ]
