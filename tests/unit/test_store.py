import errno
import json
import os
from pathlib import Path

import pytest

from imforensics.errors import InterruptedRunError
from imforensics.store import ScanStore


def test_rows_survive_reopening_in_order_of_their_files(tmp_path: Path) -> None:
    store = ScanStore(tmp_path / "results")
    store.append({"file": "b", "status": "ok"})
    store.append({"file": "a", "status": "error"})
    store.close()
    assert [row["file"] for row in ScanStore(tmp_path / "results").rows()] == ["a", "b"]


@pytest.mark.parametrize("rewritten", [True, False])
@pytest.mark.parametrize(
    ("tail", "kept"), [('{"file": "b", "sta', ["a"]), ('{"file": "b"}', ["a", "b"]), ("x" * 200_000, ["a"])]
)
def test_a_last_line_without_its_newline_costs_no_other(
    tmp_path: Path, tail: str, kept: list[str], rewritten: bool
) -> None:
    store = ScanStore(tmp_path)
    store.append({"file": "a"})
    store.close()
    with store.path.open("a") as file:
        file.write(tail)
    reopened = ScanStore(tmp_path)
    assert [row["file"] for row in reopened.rows()] == kept
    if rewritten:
        reopened.forget([])
    reopened.append({"file": "c"})
    reopened.close()
    assert [json.loads(line)["file"] for line in store.path.read_text().splitlines()] == [*kept, "c"]
    assert len(ScanStore(tmp_path)) == len(kept) + 1


def test_a_row_that_does_not_fit_on_the_disk_is_taken_back(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = ScanStore(tmp_path)
    store.append({"file": "a"})

    def fail(_: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", fail)
        with pytest.raises(OSError, match=r"No space left.*results\.jsonl"):
            store.append({"file": "b"})
    assert store.find("b") is None
    store.append({"file": "c"})
    store.close()
    assert [row["file"] for row in ScanStore(tmp_path).rows()] == ["a", "c"]


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
    store.close()
    assert [row["label"] for row in ScanStore(tmp_path).rows()] == ["tampered"]


def test_names_that_are_not_utf8_are_told_apart_by_their_bytes(tmp_path: Path) -> None:
    store = ScanStore(tmp_path)
    store.append({"file": "\\xff", "file_hex": "ff"})
    store.append({"file": "\\xff"})
    store.close()
    assert len(ScanStore(tmp_path)) == 2
