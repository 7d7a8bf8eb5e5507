"""Output folders after a kill, a full disk and a change by their user."""

from __future__ import annotations

import errno
import json
import os
from pathlib import Path

import pytest

from imforensics.errors import OutputExistsError
from imforensics.outputs import (
    MARKER,
    claim_folder,
    delete_own,
    part_name,
    replacing_file,
    write_atomically,
)
from imforensics.outputs.manifest import Manifest, digest_of
from imforensics.store import LineFile


def tree(folder: Path) -> dict[str, bytes]:
    """Every file but the marker."""
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file() and path.name != MARKER
    }


def test_a_kill_between_a_digest_and_its_file_locks_nobody_out(finished: Path) -> None:
    with claim_folder(finished, "scan"):
        (finished / part_name(".txt")).write_text("new")
        found = Manifest(finished / MARKER)
        found.record(finished / "a.txt", *digest_of(finished / "below" / "b.txt"))
        found.record(finished / "never.txt", *digest_of(finished / "below" / "b.txt"))
    with claim_folder(finished, "scan") as output:
        assert set(tree(finished)) == {"a.txt", "below/b.txt"}
        write_atomically(finished / "a.txt", "next")
        output.clear()


def test_a_line_of_the_marker_that_was_cut_off_costs_no_other(finished: Path) -> None:
    with claim_folder(finished, "scan"):
        with (finished / MARKER).open("ab") as file:
            file.write(b'\n{"path": "a.t')
        write_atomically(finished / "c.txt", "c")
    with claim_folder(finished, "scan") as output:
        output.clear()
    assert tree(finished) == {}


def test_an_interrupted_clearing_is_finished_by_the_next_run(finished: Path) -> None:
    Manifest(finished / MARKER).begin_clearing(finished)
    (finished / "a.txt").unlink()
    (finished / "mine.txt").write_text("mine")
    claim_folder(finished, "scan").close()
    assert tree(finished) == {"mine.txt": b"mine"}


def test_a_growing_file_is_ours_after_a_kill_and_not_after_a_change(tmp_path: Path) -> None:
    folder, path = tmp_path / "out", tmp_path / "out" / "rows.jsonl"
    with claim_folder(folder, "scan"):
        lines = LineFile(path)
        lines.append('{"a": 1}')
        lines._file.close()  # type: ignore[union-attr]  # as a kill leaves it
    with claim_folder(folder, "scan") as output:
        assert output.check() == [path]
        lines = LineFile(path)
        lines.append('{"a": 2}')
        lines.close()
    path.write_text(path.read_text() + '{"a": 3}\n')
    with claim_folder(folder, "scan") as output:  # going on appends to it: nothing is lost
        with pytest.raises(OutputExistsError, match=r"rows\.jsonl was changed"):
            output.clear()
        LineFile(path).rewrite(['{"a": 3}'])
        output.clear()
    path.write_text("mine")
    with claim_folder(folder, "scan") as output, pytest.raises(OutputExistsError, match=r"rows\.jsonl"):
        output.clear()


def test_a_report_that_fails_leaves_the_earlier_one(tmp_path: Path) -> None:
    folder = tmp_path / "out"
    for text in ("one", "two"):
        with claim_folder(folder, "report") as output, output.replace_all(last="z") as part:
            (part / "images").mkdir()
            for name in ("images/a.png", "z"):
                (part / name).write_text(text)
    with pytest.raises(OSError, match="out"), claim_folder(folder, "report") as output:  # noqa: PT012, SIM117
        with output.replace_all(last="z") as part:
            (part / "z").write_text("three")
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
    assert tree(folder) == {"images/a.png": b"two", "z": b"two"}


def test_a_full_disk_leaves_the_earlier_file(finished: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before = tree(finished)
    with claim_folder(finished, "scan"):
        with monkeypatch.context() as patch:
            patch.setattr(os, "write", lambda _, data: len(data) - 5)
            with pytest.raises(OSError, match="No space left"):
                write_atomically(finished / "a.txt", "new")
        assert tree(finished) == before
        write_atomically(finished / "a.txt", "new")


def test_a_claimed_current_folder_owns_nothing_outside(
    finished: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(finished)
    with claim_folder(Path(), "scan") as output:
        write_atomically(Path("../letter.txt"), "one")
        write_atomically(Path("../letter.txt"), "two")
        write_atomically(Path("below/../c.txt"), "c")
        output.clear()
    assert (finished.parent / "letter.txt").read_text() == "two"
    assert tree(finished) == {}


def test_only_our_own_is_deleted_from_a_folder(finished: Path) -> None:
    (finished / "below" / "mine.txt").write_text("mine")
    with claim_folder(finished, "scan"):
        delete_own(finished / "below")
        delete_own(finished / "a.txt")
    assert tree(finished) == {"below/mine.txt": b"mine"}
    delete_own(finished.parent)  # nobody claimed it
    assert tree(finished) == {"below/mine.txt": b"mine"}


def test_every_line_of_the_marker_is_json(finished: Path) -> None:
    lines = [json.loads(line) for line in (finished / MARKER).read_text().splitlines() if line]
    assert lines[0] == {"imforensics_output": 1, "kind": "scan"}
    assert [line["path"] for line in lines if "path" in line] == ["a.txt", "a.txt", "below/b.txt"]


def test_an_error_names_the_file_that_was_to_be_written(finished: Path) -> None:
    with claim_folder(finished, "scan"):
        for error in (OSError(errno.ENOSPC, "full"), OSError("encoder error -2 when writing image file")):
            with pytest.raises(OSError, match=r"(full|encoder error).*a\.txt") as caught:  # noqa: PT012, SIM117
                with replacing_file(finished / "a.txt") as part:
                    part.write_text("half")
                    raise error
            assert caught.value.filename == str(finished / "a.txt")
    assert (finished / "a.txt").read_text() == "two"
