"""`imforensics scan` as a user runs it: a process, a folder, files on disk."""

import csv
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

SCAN = [sys.executable, "-m", "imforensics.cli.main", "scan"]
VOLATILE = ("seconds", "started_at")


def make_photos(folder: Path, count: int) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    rng = np.random.default_rng(7)
    for number in range(count):
        coarse = rng.integers(0, 256, (12, 16, 3), dtype=np.uint8)
        picture = Image.fromarray(coarse).resize((160, 120), Image.Resampling.BICUBIC)
        picture.save(folder / f"photo_{number:03}.jpg", quality=70 + number % 25)


def run_scan(*arguments: object, code: int = 0) -> subprocess.CompletedProcess[str]:
    command = [*SCAN, *map(str, arguments)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=180, check=False)
    assert done.returncode == code, done.stderr
    return done


def stored_rows(folder: Path) -> dict[str, dict]:
    rows = [json.loads(line) for line in (folder / "results.jsonl").read_text().splitlines()]
    assert len({row["file"] for row in rows}) == len(rows), "a file has two rows"
    return {row["file"]: {k: v for k, v in row.items() if k not in VOLATILE} for row in rows}


def test_every_file_is_a_row_and_the_views_hold_them_all(tmp_path: Path) -> None:
    make_photos(tmp_path / "in" / "below", 3)
    (tmp_path / "in" / "notes.jpg").write_text("not an image")
    done = run_scan(tmp_path / "in", "-o", tmp_path / "out", "--reports", "all", code=1)
    assert "4 files" in done.stdout
    rows = stored_rows(tmp_path / "out")
    assert len(rows) == 4
    bad = rows[str(tmp_path / "in" / "notes.jpg")]
    assert bad["status"] == "error"
    assert bad["error"]
    with (tmp_path / "out" / "summary.csv").open(newline="", encoding="utf-8") as file:
        assert len(list(csv.DictReader(file))) == 4
    page = (tmp_path / "out" / "index.html").read_text(encoding="utf-8")
    assert page.count("photo_") >= 3
    for row in rows.values():
        assert (row["report"] is None) == (row["status"] == "error")
        if row["report"]:
            assert (tmp_path / "out" / row["report"]).stat().st_size > 1000


def test_a_second_run_analyzes_nothing_and_changes_no_row(tmp_path: Path) -> None:
    make_photos(tmp_path / "in", 3)
    run_scan(tmp_path / "in", "-o", tmp_path / "out")
    before = (tmp_path / "out" / "results.jsonl").read_bytes()
    done = run_scan(tmp_path / "in", "-o", tmp_path / "out")
    assert "(3 done before)" in done.stdout
    assert (tmp_path / "out" / "results.jsonl").read_bytes() == before


@pytest.mark.slow
def test_changed_content_or_configuration_is_analyzed_again(tmp_path: Path) -> None:
    make_photos(tmp_path / "in", 3)
    run_scan(tmp_path / "in", "-o", tmp_path / "out")
    (tmp_path / "in" / "photo_001.jpg").write_bytes((tmp_path / "in" / "photo_002.jpg").read_bytes())
    assert "(2 done before)" in run_scan(tmp_path / "in", "-o", tmp_path / "out").stdout
    again = run_scan(tmp_path / "in", "-o", tmp_path / "out", "--set", "methods.ela.quality=80")
    assert "done before" not in again.stdout
    assert len(stored_rows(tmp_path / "out")) == 3


@pytest.mark.slow
@pytest.mark.skipif(os.name != "posix", reason="kills a process group")
def test_a_killed_scan_goes_on_to_the_same_rows(tmp_path: Path) -> None:
    make_photos(tmp_path / "in", 40)
    run_scan(tmp_path / "in", "-o", tmp_path / "whole")
    command = [*SCAN, str(tmp_path / "in"), "-o", str(tmp_path / "killed")]
    process = subprocess.Popen(
        command, start_new_session=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    results = tmp_path / "killed" / "results.jsonl"
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        if results.exists() and results.read_bytes().count(b"\n") >= 3:
            break
        time.sleep(0.01)
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    stopped_at = results.read_bytes().count(b"\n")
    assert 3 <= stopped_at < 40
    done = run_scan(tmp_path / "in", "-o", tmp_path / "killed")
    assert "done before" in done.stdout
    assert stored_rows(tmp_path / "killed") == stored_rows(tmp_path / "whole")


def test_rows_go_to_standard_output_without_a_folder(tmp_path: Path) -> None:
    make_photos(tmp_path / "in", 2)
    rows = [json.loads(line) for line in run_scan(tmp_path / "in").stdout.splitlines()]
    assert {Path(row["file"]).name for row in rows} == {"photo_000.jpg", "photo_001.jpg"}
    assert {row["label"] for row in rows} <= {"authentic", "tampered", "inconclusive"}


def test_a_list_of_files_from_standard_input(tmp_path: Path) -> None:
    make_photos(tmp_path / "in", 2)
    listing = "\n".join(str(path) for path in sorted((tmp_path / "in").iterdir()))
    done = subprocess.run(
        [*SCAN, "--files-from", "-"], input=listing, capture_output=True, text=True, check=True
    )
    assert len(done.stdout.splitlines()) == 2


def test_fail_above_gives_exit_code_three_only_when_a_probability_reaches_it(tmp_path: Path) -> None:
    make_photos(tmp_path / "in", 2)
    rows = [json.loads(line) for line in run_scan(tmp_path / "in").stdout.splitlines()]
    for row in rows:
        assert row["score"] == row["probability"]
        assert (row["no_probability"] is None) == (row["probability"] is not None)
    highest = max((row["probability"] for row in rows if row["probability"] is not None), default=None)
    run_scan(tmp_path / "in", "--fail-above", "0.0", code=0 if highest is None else 3)
    run_scan(tmp_path / "in", "--fail-above", "0.96", "--fail-on-marked", "100", code=0)


def test_an_alarm_that_can_never_be_raised_is_refused(tmp_path: Path) -> None:
    make_photos(tmp_path / "in", 1)
    assert "can never raise an alarm" in run_scan(tmp_path / "in", "--fail-above", "1.0", code=2).stderr
    settings = ("--set", "methods={ela: {}}", "--set", "fusion=null")
    refused = run_scan(tmp_path / "in", *settings, "--fail-on-marked", "1", code=2)
    assert "none of the methods has a calibrated probability" in refused.stderr


def test_wrong_usage_is_exit_code_two(tmp_path: Path) -> None:
    run_scan(code=2)
    make_photos(tmp_path / "in", 1)
    assert "did you mean ela?" in run_scan(tmp_path / "in", "--set", "methods.ele.quality=3", code=2).stderr


def test_a_folder_that_is_missing_or_empty_is_exit_code_one(tmp_path: Path) -> None:
    assert "does not exist" in run_scan(tmp_path / "none", code=1).stderr
    (tmp_path / "empty").mkdir()
    assert "no images to scan" in run_scan(tmp_path / "empty", code=1).stderr


@pytest.mark.slow
def test_results_of_other_folders_stay(tmp_path: Path) -> None:
    make_photos(tmp_path / "a", 1)
    make_photos(tmp_path / "b", 1)
    run_scan(tmp_path / "a", "-o", tmp_path / "out")
    run_scan(tmp_path / "b", "-o", tmp_path / "out")
    assert len(stored_rows(tmp_path / "out")) == 2


@pytest.mark.slow
def test_two_hundred_broken_and_odd_files_are_two_hundred_rows(tmp_path: Path) -> None:
    script = Path(__file__).parents[2] / "scripts" / "make_odd_files.py"
    subprocess.run([sys.executable, script, tmp_path / "odd"], check=True, capture_output=True)
    done = run_scan(tmp_path / "odd", "-o", tmp_path / "out", code=1)
    assert done.stdout.startswith("200 files: ")
    rows = [json.loads(line) for line in (tmp_path / "out" / "results.jsonl").read_text().splitlines()]
    assert len({row.get("file_hex") or row["file"] for row in rows}) == len(rows) == 200
    assert all(bool(row["error"]) == (row["status"] == "error") for row in rows)
    assert not any("worker process died" in (row["error"] or "") for row in rows)
    assert not any("took longer" in (row["error"] or "") for row in rows)
    assert sum(row["status"] == "ok" for row in rows) > 50
    assert not [f for row in rows for f in row["findings"] if f["status"] == "failed"]


def test_files_that_are_no_images_are_left_out_of_folders_but_not_when_named(tmp_path: Path) -> None:
    make_photos(tmp_path / "in", 1)
    (tmp_path / "in" / "photo_000.jpg").rename(tmp_path / "in" / "photo")
    (tmp_path / "in" / "notes.txt").write_text("not an image")
    done = run_scan(tmp_path / "in")
    assert [Path(json.loads(line)["file"]).name for line in done.stdout.splitlines()] == ["photo"]
    assert "1 files left out" in done.stderr
    run_scan(tmp_path / "in" / "notes.txt", code=1)


def test_what_libraries_write_stays_off_standard_error(tmp_path: Path) -> None:
    make_photos(tmp_path / "in", 1)
    picture = Image.fromarray(np.random.default_rng(0).integers(0, 256, (64, 96), dtype=np.uint8)).convert(
        "1"
    )
    for number in range(3):
        path = tmp_path / "in" / f"fax_{number}.tif"
        picture.save(path, compression="group4")
        content = bytearray(path.read_bytes())
        content[300:340] = bytes(byte ^ 0x5A for byte in content[300:340])  # libtiff finds a bad code word
        path.write_bytes(content)
    done = run_scan(tmp_path / "in", "-q", "--reports", "all", "-o", tmp_path / "out")
    assert done.stderr == ""
    reports = [json.loads(path.read_text()) for path in (tmp_path / "out").rglob("report.json")]
    notes = [note for report in reports for note in report["evidence"]["notes"]]
    assert len([note for note in notes if "Fax4Decode" in note]) >= 3


def test_defects_cost_their_rows_and_are_counted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    make_photos(tmp_path / "in", 3)
    (tmp_path / "sitecustomize.py").write_text(
        "import imforensics.report.figures as figures\n"
        "def fail(pixels, **options):\n"
        "    raise KeyError('odd')\n"
        "figures.encode_preview = fail\n"
    )
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([str(tmp_path), os.environ.get("PYTHONPATH", "")]))
    done = run_scan(tmp_path / "in", "-q", "-o", tmp_path / "out", code=1)
    assert "3 defects of imforensics met" in done.stderr
    assert all("unexpected KeyError" in str(row["error"]) for row in stored_rows(tmp_path / "out").values())
