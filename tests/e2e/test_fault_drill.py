"""A short fault drill; `python scripts/fault_drill.py` is the whole one."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

DRILL = Path(__file__).parents[2] / "scripts" / "fault_drill.py"
FAULTS = ("SIGKILL", "SIGTERM", "full disk", "read-only", "two at once")


@pytest.mark.skipif(os.name != "posix", reason="signals and file systems are POSIX")
@pytest.mark.parametrize("command", ["audit", pytest.param("scan", marks=pytest.mark.slow)])
def test_what_is_left_after_a_fault_is_whole_and_goes_on(command: str) -> None:
    options = ["--photos", "12", "--tries", "1", "--faults", *FAULTS]
    done = subprocess.run(
        [sys.executable, str(DRILL), command, *options], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert f"| {command} | 1 of 1 | 1 of 1 | " in done.stdout
