"""Each publisher's layout, as a tiny tree."""

import numpy as np
import pytest

from imforensics.datasets.base import load_dataset
from imforensics.datasets.rasters import read_mask
from imforensics.errors import DatasetError


def summarise(dataset):
    """Path below the root to label, manipulation, group and mask name."""
    return {
        s.image_path.relative_to(dataset.root).as_posix(): (
            s.label,
            s.manipulation,
            s.group,
            s.mask_path and s.mask_path.name,
        )
        for s in dataset.samples
    }


@pytest.mark.parametrize("nested", ["", "4cam_splc/"])
def test_columbia(tmp_path, write_image, nested):
    write_image(tmp_path / "4cam_auth" / "canong3_02_sub_01.tif")
    write_image(tmp_path / "4cam_splc" / f"{nested}canong3_canonxt_sub_01.tif")
    write_image(tmp_path / "4cam_splc" / f"{nested}odd.tif")
    colours = np.zeros((16, 24, 3), np.uint8)
    colours[..., 0] = 200
    colours[4:12, 8:16] = (0, 200, 0)
    write_image(tmp_path / "4cam_splc" / "edgemask" / "canong3_canonxt_sub_01_edgemask.jpg", colours)
    dataset = load_dataset("columbia", tmp_path)
    assert summarise(dataset) == {
        "4cam_auth/canong3_02_sub_01.tif": (0, None, "canong3", None),
        f"4cam_splc/{nested}canong3_canonxt_sub_01.tif": (
            1,
            "splicing",
            "canong3+canonxt",
            "canong3_canonxt_sub_01_edgemask.jpg",
        ),
    }
    mask = read_mask(dataset.samples[1].mask_path, encoding=dataset.card.mask_encoding)
    assert mask[6:10, 10:14].all()
    assert not mask[:2].any()
    assert [p.name for p in dataset.unrecognised] == ["odd.tif"]


def test_coverage(tmp_path, write_image, write_mask):
    for name in ("1.tif", "1t.tif", "2t.tif", "x.tif"):
        write_image(tmp_path / "image" / name)
    for name in ("1forged.tif", "1copy.tif", "1paste.tif"):
        write_mask(tmp_path / "mask" / name)
    write_mask(tmp_path / "mask" / "2forged.tif", size=(8, 8))
    dataset = load_dataset("coverage", tmp_path)
    assert summarise(dataset) == {
        "image/1.tif": (0, None, "1", None),
        "image/1t.tif": (1, "copy_move", "1", "1forged.tif"),
        "image/2t.tif": (1, "copy_move", "2", None),
    }
    assert [d.kind for d in dataset.mask_defects] == ["ill_sized"]
    assert [p.name for p in dataset.unrecognised] == ["x.tif"]


def test_comofod(tmp_path, write_image, write_mask):
    for name in ("001_O.png", "001_O_JC1.jpg", "001_F.png", "001_F_JC1.jpg", "001_M.png", "readme.png"):
        write_image(tmp_path / name)
    write_mask(tmp_path / "001_B.png")
    dataset = load_dataset("comofod", tmp_path)
    assert summarise(dataset) == {
        "001_F.png": (1, "copy_move", "001", "001_B.png"),
        "001_F_JC1.jpg": (1, "copy_move", "001", "001_B.png"),
        "001_O.png": (0, None, "001", None),
        "001_O_JC1.jpg": (0, None, "001", None),
    }
    assert [s.host for s in dataset.samples] == ["001", "001_JC1", "001", "001_JC1"]
    assert [p.name for p in dataset.unrecognised] == ["readme.png"]


def test_imd2020(tmp_path, write_image, write_mask):
    for name in ("1a1ogs/1a1ogs_orig.jpg", "1a1ogs/c8tf5mq_0.png", "z28/00065_fake.jpg"):
        write_image(tmp_path / name)
    write_mask(tmp_path / "1a1ogs" / "c8tf5mq_0_mask.png")
    dataset = load_dataset("imd2020", tmp_path)
    assert summarise(dataset) == {
        "1a1ogs/1a1ogs_orig.jpg": (0, None, "1a1ogs", None),
        "1a1ogs/c8tf5mq_0.png": (1, None, "1a1ogs", "c8tf5mq_0_mask.png"),
        "z28/00065_fake.jpg": (1, None, "z28", None),
    }
    assert [d.kind for d in dataset.mask_defects] == ["missing"]


def test_dso1(tmp_path, write_image):
    for name in ("normal-01.png", "splicing-01.png", "other.png"):
        write_image(tmp_path / "DSO-1" / name)
    inverted = np.full((16, 24), 255, np.uint8)
    inverted[:4] = 0
    write_image(tmp_path / "DSO-1-Fake-Images-Masks" / "splicing-01.png", inverted)
    dataset = load_dataset("dso1", tmp_path)
    assert summarise(dataset) == {
        "DSO-1/normal-01.png": (0, None, "normal-01", None),
        "DSO-1/splicing-01.png": (1, "splicing", "splicing-01", "splicing-01.png"),
    }
    mask = read_mask(dataset.samples[1].mask_path, encoding=dataset.card.mask_encoding)
    assert mask.mean() == 0.25


@pytest.mark.parametrize("parent", ["", "data-images/"])
def test_korus(tmp_path, write_image, parent):
    for name in ("Canon_60D/pristine/DPP0012", "Canon_60D/tampered-realistic/DPP0012"):
        write_image(tmp_path / f"{parent}{name}.TIF")
    for name in ("Nikon_D90/pristine/r3661", "Nikon_D90/tampered-realistic/r3661t"):
        write_image(tmp_path / f"{parent}{name}.TIF")
    levels = np.zeros((16, 24), np.uint8)
    levels[:4], levels[4:8] = 128, 255
    write_image(tmp_path / f"{parent}Canon_60D/ground-truth/DPP0012.PNG", levels)
    dataset = load_dataset("korus", tmp_path)
    assert list(summarise(dataset).values()) == [
        (0, None, "Canon_60D/DPP0012", None),
        (1, None, "Canon_60D/DPP0012", "DPP0012.PNG"),
        (0, None, "Nikon_D90/r3661", None),
        (1, None, "Nikon_D90/r3661", None),
    ]
    assert read_mask(dataset.samples[1].mask_path, encoding=dataset.card.mask_encoding).mean() == 0.5


def test_micc_f220(tmp_path, write_image):
    for name in ("CRW_4853_scale.jpg", "CRW_4853tamp132.jpg", "nikon_7_scale.jpg", "extra.jpg"):
        write_image(tmp_path / "MICC-F220" / name)
    listing = tmp_path / "MICC-F220" / "groundtruthDB_220.txt"
    listing.write_text("CRW_4853tamp132.jpg \t1\nCRW_4853_scale.jpg 0\n\nnikon_7_scale.jpg 0\n")
    dataset = load_dataset("micc_f220", tmp_path)
    assert list(summarise(dataset).values()) == [
        (0, None, "CRW_4853", None),
        (1, "copy_move", "CRW_4853", None),
        (0, None, "nikon_7", None),
    ]
    assert not dataset.mask_defects  # the set publishes no masks
    assert [p.name for p in dataset.unrecognised] == ["extra.jpg"]
    listing.write_text("CRW_4853tamp132.jpg yes\n")
    with pytest.raises(DatasetError, match="line 1: expected `name 0` or `name 1`"):
        load_dataset("micc_f220", tmp_path)
    listing.write_text("absent.jpg 1\n")
    with pytest.raises(DatasetError, match=r"names absent.jpg, which does not exist"):
        load_dataset("micc_f220", tmp_path)


def test_grip(tmp_path, write_image, write_mask):
    write_image(tmp_path / "forged_images" / "TP_C01_001_copy.png")
    write_mask(tmp_path / "forged_images" / "TP_C01_001_gt.png")
    write_image(tmp_path / "genuine_images" / "TP_C01_001.png")
    write_image(tmp_path / "noise" / "TP_C01_001_copy.png")
    dataset = load_dataset("grip", tmp_path)
    assert summarise(dataset) == {
        "forged_images/TP_C01_001_copy.png": (1, "copy_move", "TP_C01_001", "TP_C01_001_gt.png"),
        "genuine_images/TP_C01_001.png": (0, None, "TP_C01_001", None),
    }


def test_nist16(tmp_path, write_image, write_mask):
    for name in ("1", "2", "3"):
        write_image(tmp_path / "probe" / f"NC2016_{name}.jpg")
    write_mask(tmp_path / "reference" / "manipulation" / "mask" / "NC2016_9.png")
    table = tmp_path / "reference" / "manipulation" / "NC2016-manipulation-ref.csv"
    columns = "ProbeFileName|ProbeMaskFileName|IsTarget|BaseFileName"
    flags = "IsManipulationTypeRemoval|IsManipulationTypeSplice|IsManipulationTypeCopyClone"
    table.write_text(
        f"{columns}|{flags}\n"
        "probe/NC2016_1.jpg|reference/manipulation/mask/NC2016_9.png|Y|world/NC2016_5.jpg|Y|N|N\n"
        "probe/NC2016_2.jpg|reference/manipulation/mask/absent.png|Y|world/NC2016_5.jpg|N|Y|Y\n"
        "probe/NC2016_3.jpg||N||N|N|N\n"
    )
    dataset = load_dataset("nist16", tmp_path)
    assert summarise(dataset) == {
        "probe/NC2016_1.jpg": (1, "removal", "NC2016_5", "NC2016_9.png"),
        "probe/NC2016_2.jpg": (1, None, "NC2016_5", None),
        "probe/NC2016_3.jpg": (0, None, "NC2016_3", None),
    }
    assert dataset.card.mask_encoding == "black"
    table.write_text("ProbeFileName|IsTarget\n")
    with pytest.raises(DatasetError, match="lacks the column ProbeMaskFileName"):
        load_dataset("nist16", tmp_path)
    table.write_text(f"{columns}\nprobe/NC2016_8.jpg||N|\n")
    with pytest.raises(DatasetError, match=r"names probe/NC2016_8.jpg, which does not exist"):
        load_dataset("nist16", tmp_path)
