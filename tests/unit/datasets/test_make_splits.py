import os
import subprocess
import sys
from importlib import resources
from pathlib import Path

import pytest

SCRIPT = Path(__file__).parents[3] / "scripts" / "make_splits.py"


@pytest.mark.data
def test_script_makes_the_committed_lists_again(tmp_path):
    base = Path(os.environ.get("IMFORENSICS_DATA", "absent"))
    if not all((base / name).is_dir() for name in ("CASIA1", "CASIA2", "photos", "photos_web")):
        pytest.skip("CASIA1, CASIA2, photos and photos_web not below IMFORENSICS_DATA")
    elsewhere = tmp_path / "data"
    elsewhere.symlink_to(base.resolve())  # the lists must not depend on where the sets lie
    subprocess.run(
        [sys.executable, SCRIPT, "--twins", "--output", tmp_path / "lists"],
        check=True,
        env={**os.environ, "IMFORENSICS_DATA": str(elsewhere)},
    )
    committed = resources.files("imforensics.datasets") / "splits"
    made = {path.name: path.read_text() for path in (tmp_path / "lists").iterdir()}
    assert made == {path.name: path.read_text() for path in committed.iterdir()}
