import csv
import os
import subprocess
import sys
from importlib import resources
from pathlib import Path

import pytest

from imforensics.datasets.base import load_dataset
from imforensics.datasets.lists import file_key, read_split_list
from imforensics.errors import DatasetError

SCRIPT = Path(__file__).parents[3] / "scripts" / "make_splits.py"


@pytest.mark.slow
@pytest.mark.data
@pytest.mark.parametrize(
    "sets", [("casia", "photos", "photos_web"), ("photos_packages",), ("originals",)], ids=" and ".join
)
def test_script_makes_the_committed_lists_again(sets, tmp_path):
    base = Path(os.environ.get("IMFORENSICS_DATA", "absent"))
    folders = [folder for name in sets for folder in (("CASIA1", "CASIA2") if name == "casia" else (name,))]
    if missing := [folder for folder in folders if not (base / folder).is_dir()]:
        pytest.skip(f"{', '.join(missing)} not below IMFORENSICS_DATA")
    elsewhere = tmp_path / "data"
    elsewhere.symlink_to(base.resolve())  # the lists must not depend on where the sets lie
    subprocess.run(
        [sys.executable, SCRIPT, "--twins", "--sets", *sets, "--output", tmp_path / "lists"],
        check=True,
        env={**os.environ, "IMFORENSICS_DATA": str(elsewhere)},
    )
    committed = resources.files("imforensics.datasets") / "splits"
    made = {path.name: path.read_text() for path in (tmp_path / "lists").iterdir()}
    assert made
    assert made == {name: (committed / name).read_text() for name in made}


@pytest.mark.data
def test_originals_keep_the_split_that_photos_gives_them():
    """A crop of `photos` and its whole, and all photographs of one camera model, stand in one split."""
    try:
        photos = load_dataset("photos")
    except DatasetError:
        pytest.skip("photos not below IMFORENSICS_DATA")
    splits = read_split_list("photos")
    with (photos.root / "manifest.csv").open(encoding="utf-8", newline="") as lines:
        crops = list(csv.DictReader(lines))
    known = {crop["original_sha256"]: splits[file_key(crop["file"])] for crop in crops}
    cameras = {crop["camera"].strip("\0 "): splits[file_key(crop["file"])] for crop in crops}
    with SCRIPT.with_name("originals.csv").open(encoding="utf-8", newline="") as lines:
        originals = list(csv.DictReader(lines))
    same = [row for row in originals if row["sha256"] in known]
    assert len(same) > 50
    assert [row["path"] for row in same if known[row["sha256"]] != row["split"]] == []
    by_model = {model: split for model, split in cameras.items() if model}
    wrong = [
        row["path"]
        for row in originals
        for model, split in by_model.items()
        if f" {row['device']}".endswith(f" {model}") and row["split"] != split
    ]
    assert wrong == []
