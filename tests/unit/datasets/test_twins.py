import os
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from imforensics.datasets.base import load_dataset, load_split
from imforensics.datasets.lists import read_list
from imforensics.datasets.twins import MINIMUM_SHARE, find_twins, load_twins, share_unchanged
from imforensics.errors import DatasetError


@pytest.fixture
def pasted_root(tmp_path, write_image):
    """CASIA v1 with a forgery of ani0001 under every kind of name."""
    root = tmp_path / "CASIA1"
    for number, stem in enumerate(["ani_0001", "ani_0002"]):
        write_image(root / "Au" / f"Au_{stem}.jpg", seed=number)
    write_image(root / "Au" / "Au_ani_0003.jpg", size=(24, 16), seed=3)
    (root / "Au" / "Au_ani_0004.jpg").write_bytes((root / "Au" / "Au_ani_0001.jpg").read_bytes())
    forged = np.array(Image.open(root / "Au" / "Au_ani_0001.jpg"))
    forged[2:8, 3:11] = 255 - forged[2:8, 3:11]
    for ids, number in (
        ("ani0001_ani0002", "0001"),
        ("ani0002_ani0001", "0002"),
        ("ani0002_ani0002", "0003"),
        ("ani0003_ani0003", "0004"),
        ("ani0090_ani0091", "0005"),
        ("ani0001_ani0004", "0006"),
    ):
        write_image(root / "Sp" / f"Sp_D_NNN_A_{ids}_{number}.jpg", forged)
    return root


def test_host_is_found_by_pixels_whichever_id_comes_first(pasted_root):
    search = find_twins(load_dataset("casia1", pasted_root))
    assert [(t.tampered.image_path.stem[-4:], t.host_path.name) for t in search.pairs] == [
        ("0001", "Au_ani_0001.jpg"),
        ("0002", "Au_ani_0001.jpg"),
    ]
    assert all(0.7 < t.share_unchanged < 0.95 for t in search.pairs)


def test_dropped_pairs_say_why(pasted_root):
    search = find_twins(load_dataset("casia1", pasted_root))
    reasons = {p.tampered.image_path.stem[-4:]: p.reason for p in search.dropped}
    assert reasons.keys() == {"0003", "0004", "0005", "0006"}
    assert "Au_ani_0002.jpg shares only" in reasons["0003"]
    assert reasons["0004"] == "size differs from Au_ani_0003.jpg"
    assert reasons["0005"] == "no authentic image has the id ani00090 or ani00091"
    assert "match alike" in reasons["0006"]


def test_mask_that_contradicts_the_host_drops_the_pair(pasted_root, write_mask):
    stem = "Sp_D_NNN_A_ani0001_ani0002_0001"
    write_mask(pasted_root / "groundtruth" / f"{stem}_gt.png", box=(2, 8, 3, 11))
    assert stem in {t.tampered.image_path.stem for t in find_twins(load_dataset("casia1", pasted_root)).pairs}
    write_mask(pasted_root / "groundtruth" / f"{stem}_gt.png", box=(0, 16, 12, 24))
    search = find_twins(load_dataset("casia1", pasted_root))
    (reason,) = [p.reason for p in search.dropped if p.tampered.image_path.stem == stem]
    assert "of the pixels outside the mask" in reason


def test_share_unchanged_is_by_the_worst_channel():
    host = np.zeros((2, 2, 3), np.uint8)
    pixels = host.copy()
    pixels[0, 0, 1] = 25
    pixels[1, 1] = 24
    assert share_unchanged(pixels, host) == 0.75
    assert share_unchanged(np.full((2, 2, 3), 255, np.uint8), host) == 0.0


def test_load_twins_reads_the_committed_list(tmp_path, monkeypatch, pasted_root):
    dataset = load_dataset("casia1", pasted_root)
    rows = [
        {
            "tampered": "Sp/Sp_D_NNN_A_ani0002_ani0001_0002.jpg",
            "host": "Au/AU_ANI_0001.jpg",
            "share_unchanged": "0.8125",
        }
    ]
    monkeypatch.setattr("imforensics.datasets.twins.read_list", lambda _: rows)
    (twin,) = load_twins(dataset, dataset.samples)
    assert twin.tampered.image_path.name == "Sp_D_NNN_A_ani0002_ani0001_0002.jpg"
    assert twin.host_path.name == "Au_ani_0001.jpg"
    assert twin.share_unchanged == 0.8125
    rows[0]["host"] = "Au/Au_ani_0077.jpg"
    with pytest.raises(DatasetError, match=r"lacks Au/Au_ani_0077.jpg, the host of"):
        load_twins(dataset, dataset.samples)


def test_set_without_committed_twins(tmp_path, write_image):
    write_image(tmp_path / "image" / "1.tif")
    dataset = load_dataset("coverage", tmp_path)
    with pytest.raises(DatasetError, match=r"no committed twins. Search them with find_twins"):
        load_twins(dataset, dataset.samples)


def test_find_twins_works_for_other_sets(tmp_path, write_image):
    host = write_image(tmp_path / "image" / "7.tif", seed=7)
    pixels = np.array(Image.open(host))
    pixels[:4] = 255 - pixels[:4]
    write_image(tmp_path / "image" / "7t.tif", pixels)
    (twin,) = find_twins(load_dataset("coverage", tmp_path)).pairs
    assert twin.host_path == host
    assert twin.share_unchanged == pytest.approx(0.75, abs=0.06)


@pytest.mark.parametrize(("name", "count"), [("casia1", 920), ("casia2", 125)])
def test_committed_twins(name, count):
    rows = read_list(f"{name}_twins.csv")
    assert len(rows) == count
    assert min(float(row["share_unchanged"]) for row in rows) >= MINIMUM_SHARE


@pytest.mark.data
def test_real_twins_stay_in_their_split():
    if not (Path(os.environ.get("IMFORENSICS_DATA", "absent")) / "CASIA1").is_dir():
        pytest.skip("CASIA1 not below IMFORENSICS_DATA")
    dataset = load_dataset("casia1")
    for split, count in (("train", 648), ("val", 136), ("test", 136)):
        samples = load_split(dataset, split)
        twins = load_twins(dataset, samples)
        assert len(twins) == count
        assert {t.host_path for t in twins} <= {s.image_path for s in samples}
