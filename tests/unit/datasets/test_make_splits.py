import os
import subprocess
import sys
from importlib import resources
from pathlib import Path

import pytest

SCRIPT = Path(__file__).parents[3] / "scripts" / "make_splits.py"


@pytest.mark.slow
@pytest.mark.data
@pytest.mark.parametrize("sets", [("casia", "photos", "photos_web"), ("photos_packages",)], ids=" and ".join)
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
