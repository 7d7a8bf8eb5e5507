import json
from pathlib import Path

import pytest

from imforensics.errors import InterruptedRunError
from imforensics.store import ScanStore


def test_rows_survive_reopening_in_order_of_their_files(tmp_path: Path) -> None:
    store = ScanStore(tmp_path / "results")
    store.append({"file": "b", "status": "ok"})
    store.append({"file": "a", "status": "error"})
    assert [row["file"] for row in ScanStore(tmp_path / "results").rows()] == ["a", "b"]


def test_a_cut_off_last_line_is_dropped_and_the_next_row_starts_a_line(tmp_path: Path) -> None:
    store = ScanStore(tmp_path)
    store.append({"file": "a"})
    with store.path.open("a") as file:
        file.write('{"file": "b", "sta')
    reopened = ScanStore(tmp_path)
    assert [row["file"] for row in reopened.rows()] == ["a"]
    reopened.forget([])
    reopened.append({"file": "c"})
    assert [json.loads(line)["file"] for line in store.path.read_text().splitlines()] == ["a", "c"]


def test_a_damaged_line_in_the_middle_is_an_error_that_names_it(tmp_path: Path) -> None:
    (tmp_path / "results.jsonl").write_text('{"file": "a"}\nnot json\n{"file": "b"}\n')
    with pytest.raises(InterruptedRunError, match="line 2"):
        ScanStore(tmp_path)


def test_forget_removes_rows_from_disk(tmp_path: Path) -> None:
    store = ScanStore(tmp_path)
    store.append({"file": "a"})
    store.append({"file": "b"})
    store.forget(["a"])
    assert store.find("a") is None
    assert [row["file"] for row in ScanStore(tmp_path).rows()] == ["b"]


def test_a_later_row_of_a_file_replaces_the_earlier(tmp_path: Path) -> None:
    store = ScanStore(tmp_path)
    store.append({"file": "a", "label": "authentic"})
    store.append({"file": "a", "label": "tampered"})
    assert [row["label"] for row in ScanStore(tmp_path).rows()] == ["tampered"]


def test_names_that_are_not_utf8_are_told_apart_by_their_bytes(tmp_path: Path) -> None:
    store = ScanStore(tmp_path)
    store.append({"file": "\\xff", "file_hex": "ff"})
    store.append({"file": "\\xff"})
    assert len(ScanStore(tmp_path)) == 2
