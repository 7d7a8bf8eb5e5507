"""Ctrl-C ends `scan` and `analyze` without a traceback; what was done stays, and a scan goes on from it."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from fixtures.synthetic import make_jpeg

pytestmark = pytest.mark.skipif(os.name != "posix", reason="sends a signal to a process group")
COMMAND = [sys.executable, "-m", "imforensics.cli.main"]


@pytest.fixture
def photos(tmp_path: Path) -> list[Path]:
    (tmp_path / "in").mkdir()
    paths = [tmp_path / "in" / f"{number:02}.jpg" for number in range(14)]
    for number, path in enumerate(paths):
        path.write_bytes(make_jpeg(160, 240, seed=number))
    return paths


@pytest.fixture(autouse=True)
def _heed_interrupts() -> Iterator[None]:
    """Commands inherit that Ctrl-C is ignored, as it is in jobs that a shell put into the background."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


def interrupt(arguments: list[object], is_time: Callable[[], bool]) -> tuple[int, str]:
    """Exit code and standard error of a command that gets Ctrl-C, as a terminal sends it, at that time."""
    process = subprocess.Popen(
        [*COMMAND, *map(str, arguments)],
        start_new_session=True,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    )
    deadline = time.monotonic() + 60
    while not is_time() and time.monotonic() < deadline:
        time.sleep(0.01)
    os.killpg(process.pid, signal.SIGINT)
    _, errors = process.communicate(timeout=60)
    return process.returncode, errors


def test_an_interrupted_scan_keeps_its_rows_and_goes_on(photos: list[Path], tmp_path: Path) -> None:
    results = tmp_path / "out" / "results.jsonl"
    arguments = ["scan", tmp_path / "in", "-o", tmp_path / "out", "-j", 2, "-q"]
    code, errors = interrupt(arguments, lambda: results.exists() and results.read_bytes().count(b"\n") >= 2)
    assert code == 1
    assert errors.strip() == "Aborted!"
    done = [json.loads(line) for line in results.read_text(encoding="utf-8").splitlines()]
    assert 2 <= len(done) < len(photos)
    again = subprocess.run([*COMMAND, *map(str, arguments)], capture_output=True, text=True, check=True)
    assert f"({len(done)} done before)" in again.stdout
    assert len(results.read_text(encoding="utf-8").splitlines()) == len(photos)


def test_an_interrupted_start_is_quiet(photos: list[Path], tmp_path: Path) -> None:
    folder = tmp_path / "out"
    code, errors = interrupt(["scan", tmp_path / "in", "-o", folder, "-j", 2, "-q"], folder.exists)
    assert code == 1
    assert errors.strip() == "Aborted!"


def test_an_interrupted_analysis_keeps_its_reports(photos: list[Path], tmp_path: Path) -> None:
    folder = tmp_path / "out"
    code, errors = interrupt(
        ["analyze", *photos, "-o", folder], lambda: len(list(folder.glob("*/manifest.json"))) >= 1
    )
    assert code == 1
    assert errors.strip() == "Aborted!"
    whole = [path for path in folder.iterdir() if not path.name.startswith(".")]
    assert 1 <= len(whole) < len(photos)
    assert all((path / "manifest.json").exists() for path in whole)
