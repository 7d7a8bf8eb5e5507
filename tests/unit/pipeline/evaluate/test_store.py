import json
from pathlib import Path

import pytest

from imforensics.errors import InterruptedRunError
from imforensics.pipeline.evaluate.store import RecordStore


def row(trial: str, entry: str = "ela", digest: str = "d", **more: object) -> dict:
    return {"trial": trial, "entry": entry, "digest": digest, **more}


def test_records_come_back_and_hold_only_with_their_digest(tmp_path: Path) -> None:
    store = RecordStore(tmp_path / "new" / "records.jsonl")
    store.append(row("a"))
    store.append(row("a", "noise"))
    store.close()
    again = RecordStore(store.path)
    assert len(again) == 2
    assert again.has(("a", "ela"), "d")
    assert not again.has(("a", "ela"), "other")
    assert not again.has(("b", "ela"), "d")
    assert [r["entry"] for r in again.records()] == ["ela", "noise"]


def test_a_later_record_replaces_the_earlier_one(tmp_path: Path) -> None:
    store = RecordStore(tmp_path / "r")
    store.append(row("a", digest="1", score=0.1))
    store.append(row("b"))
    store.append(row("a", digest="2", score=0.2))
    assert [(r["trial"], r.get("score")) for r in store.records()] == [("b", None), ("a", 0.2)]
    assert store.has(("a", "ela"), "2")
    assert len(store) == 2
    store.close()


@pytest.mark.parametrize(
    ("tail", "kept"),
    [
        (b'{"trial": "b", "en', ["a"]),
        (b'{"trial": "b", "entry": "e", "digest": "d"}', ["a", "b"]),
        (b"x" * 200_000, ["a"]),
    ],
)
def test_a_line_cut_off_by_a_kill_is_dropped_and_a_whole_one_kept(
    tmp_path: Path, tail: bytes, kept: list[str]
) -> None:
    path = tmp_path / "r"
    path.write_bytes(json.dumps(row("a")).encode() + b"\n" + tail)
    store = RecordStore(path)
    assert len(store) == len(kept)
    store.append(row("c"))
    store.close()
    assert [json.loads(line)["trial"] for line in path.read_bytes().splitlines()] == [*kept, "c"]


def test_a_file_with_nothing_but_a_cut_off_line_starts_afresh(tmp_path: Path) -> None:
    path = tmp_path / "r"
    path.write_bytes(b'{"trial": "a"')
    store = RecordStore(path)
    store.append(row("b"))
    store.close()
    assert [r["trial"] for r in RecordStore(path).records()] == ["b"]


def test_a_damaged_line_in_the_middle_is_an_error_that_names_it(tmp_path: Path) -> None:
    path = tmp_path / "r"
    path.write_text(json.dumps(row("a")) + "\nno json\n" + json.dumps(row("b")) + "\n")
    with pytest.raises(InterruptedRunError, match="line 2"):
        RecordStore(path)


def test_nan_is_never_written(tmp_path: Path) -> None:
    store = RecordStore(tmp_path / "r")
    with pytest.raises(ValueError, match="JSON"):
        store.append(row("a", score=float("nan")))
    store.close()
