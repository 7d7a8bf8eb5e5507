"""A photograph that messengers deliver again may lose its ratio; it must not change sides."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

SCRIPT = Path(__file__).parents[2] / "scripts" / "measure_redelivery.py"


@pytest.mark.slow
def test_no_photograph_changes_sides_when_it_is_delivered_again(tmp_path: Path) -> None:
    table = Path(os.environ.get("IMFORENSICS_DATA", "")) / "redelivery.csv"
    if not table.is_file():
        pytest.skip("needs redelivery.csv and its files below the folder that IMFORENSICS_DATA names")
    command = [sys.executable, SCRIPT, table, "--splits", "test", "--records", tmp_path / "records"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    assert found["files"] > 0
    assert found["flips"] == []
