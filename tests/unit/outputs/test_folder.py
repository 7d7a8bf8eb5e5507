"""Output folders: claimed by one run at a time; nothing is deleted that imforensics did not write."""

from __future__ import annotations

import errno
import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from imforensics.errors import OutputExistsError, OutputInUseError
from imforensics.outputs import (
    ADOPT,
    MARKER,
    claim_folder,
    delete_own,
    manifest,
    part_name,
    refuse_rescanned,
    replacing_file,
    write_atomically,
)
from imforensics.outputs.manifest import Manifest, digest_of
from imforensics.store import LineFile

HOLDER = """
import subprocess, sys, time
from pathlib import Path
from imforensics.outputs import claim_folder, write_atomically
output = claim_folder(Path(sys.argv[1]), "scan")
write_atomically(Path(sys.argv[1]) / "a.txt", "first")
child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])
print(child.pid, flush=True)
time.sleep(60)
"""


def tree(folder: Path) -> dict[str, bytes]:
    """Every file but the marker."""
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file() and path.name != MARKER
    }


@pytest.fixture
def finished(tmp_path: Path) -> Path:
    """The output of a run that has ended."""
    folder = tmp_path / "runs" / "out"
    with claim_folder(folder, "scan"):
        (folder / "below").mkdir()
        write_atomically(folder / "a.txt", "one")
        write_atomically(folder / "a.txt", "two")
        write_atomically(folder / "below" / "b.txt", b"three")
    return folder


@contextmanager
def holder(folder: Path) -> Iterator[subprocess.Popen[str]]:
    """Another process that has claimed a folder, and has a child."""
    command = [sys.executable, "-c", HOLDER, str(folder)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        child = int(process.stdout.readline())
        try:
            yield process
        finally:
            process.kill()
            os.kill(child, signal.SIGKILL)


def test_a_finished_output_can_be_taken_up_and_cleared(finished: Path) -> None:
    with claim_folder(finished, "scan") as output:
        assert not output.is_empty
        output.clear()
        assert output.is_empty
    assert {path.name for path in finished.iterdir()} == {MARKER}


@pytest.mark.parametrize("name", ["notes.txt", "below/notes.txt", "pictures/mine.png"])
def test_files_that_were_added_are_named_and_nothing_is_touched(finished: Path, name: str) -> None:
    (finished / name).parent.mkdir(exist_ok=True)
    (finished / name).write_text("mine")
    before = tree(finished)
    with claim_folder(finished, "scan") as output, pytest.raises(OutputExistsError, match=name):
        output.clear()
    assert tree(finished) == before


def test_a_file_that_was_changed_is_named_and_nothing_is_touched(finished: Path) -> None:
    (finished / "below" / "b.txt").write_text("3hree")
    before = tree(finished)
    with claim_folder(finished, "scan") as output, pytest.raises(OutputExistsError, match=r"b\.txt.*changed"):
        output.clear()
    with claim_folder(finished, "scan"), pytest.raises(OutputExistsError, match=r"b\.txt.*changed"):
        write_atomically(finished / "below" / "b.txt", "new")
    assert tree(finished) == before


def test_a_changed_file_at_the_top_is_told_before_a_run_goes_on(finished: Path) -> None:
    (finished / "a.txt").write_text("my words")
    with pytest.raises(OutputExistsError, match=r"a\.txt was changed"):
        claim_folder(finished, "scan")
    assert (finished / "a.txt").read_text() == "my words"


def test_a_file_of_others_is_not_replaced(finished: Path) -> None:
    (finished / "index.html").write_text("mine")
    with (
        claim_folder(finished, "scan"),
        pytest.raises(OutputExistsError, match=r"index\.html was not written"),
    ):
        write_atomically(finished / "index.html", "ours")
    assert (finished / "index.html").read_text() == "mine"


def test_links_and_empty_folders_of_others_stay(finished: Path, tmp_path: Path) -> None:
    (tmp_path / "photos").mkdir()
    (tmp_path / "photos" / "x.jpg").write_text("mine")
    (finished / "empty").mkdir()
    (finished / "link").symlink_to(tmp_path / "photos")
    with claim_folder(finished, "scan") as output:
        with pytest.raises(OutputExistsError, match="link"):
            output.clear()
        (finished / "link").unlink()
        (tmp_path / "mine.txt").write_text("two")
        (finished / "a.txt").unlink()
        (finished / "a.txt").symlink_to(tmp_path / "mine.txt")
        with pytest.raises(OutputExistsError, match=r"a\.txt"):
            output.clear()
        (finished / "a.txt").unlink()
        output.clear()
    assert (finished / "empty").is_dir()
    assert (tmp_path / "photos" / "x.jpg").exists()


@pytest.mark.parametrize("content", [{"images/a.jpg": b"x"}, {"config.yaml": b"x"}, {MARKER: b"", "a": b"x"}])
def test_a_folder_that_was_never_claimed_is_left_alone(tmp_path: Path, content: dict[str, bytes]) -> None:
    for name, data in content.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes(data)
    with pytest.raises(OutputExistsError, match="which imforensics did not write"):
        claim_folder(tmp_path, "scan")
    assert {str(p.relative_to(tmp_path)) for p in tmp_path.rglob("*") if p.is_file()} == set(content)


def test_output_of_a_version_without_markers_is_taken_over_when_told(tmp_path: Path) -> None:
    (tmp_path / "old.txt").write_text("old")
    (tmp_path / ADOPT).touch()
    with claim_folder(tmp_path, "scan") as output:
        assert not (tmp_path / ADOPT).exists()
        output.clear()
    assert tree(tmp_path) == {}


def test_the_output_of_another_command_is_refused(finished: Path) -> None:
    with pytest.raises(OutputExistsError, match=r"another command \(scan\)"):
        claim_folder(finished, "evaluation")


def test_a_file_in_the_way(tmp_path: Path) -> None:
    (tmp_path / "out").write_text("mine")
    with pytest.raises(OutputExistsError, match="is a file"):
        claim_folder(tmp_path / "out", "scan")


@pytest.mark.parametrize("out", ["photos", ".", "photos/trip", "link"])
def test_no_input_lies_in_an_output_folder(tmp_path: Path, out: str, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "photos" / "trip").mkdir(parents=True)
    photo = tmp_path / "photos" / "trip" / "x.jpg"
    photo.write_text("mine")
    (tmp_path / "link").symlink_to(tmp_path / "photos")
    monkeypatch.chdir(tmp_path)
    for given in (photo, photo.relative_to(tmp_path), Path("photos/trip")):
        with pytest.raises(OutputExistsError, match="holds the input"):
            claim_folder(Path(out), "scan", inputs=[given])
    claim_folder(Path("results"), "scan", inputs=[photo]).close()


def test_an_output_where_files_are_read_is_refused(tmp_path: Path) -> None:
    with pytest.raises(OutputExistsError, match="which is read"):
        refuse_rescanned(tmp_path / "authentic" / "out", [tmp_path / "tampered", tmp_path / "authentic"])
    refuse_rescanned(tmp_path / "out", [tmp_path / "authentic"])


@pytest.mark.parametrize("exists", [True, False])
def test_a_run_that_comes_to_nothing_leaves_nothing(tmp_path: Path, exists: bool) -> None:
    folder = tmp_path / "new" / "out"
    if exists:
        folder.mkdir(parents=True)
    with pytest.raises(RuntimeError), claim_folder(folder, "scan"):
        raise RuntimeError
    assert list(tmp_path.rglob("*")) == ([tmp_path / "new", folder] if exists else [])


def test_two_runs_at_a_time_are_refused_and_a_killed_one_holds_nothing(tmp_path: Path) -> None:
    folder = tmp_path / "out"
    with holder(folder) as process:
        with pytest.raises(OutputInUseError, match=rf"process {process.pid} on .+ began at 20"):
            claim_folder(folder, "scan")
        assert tree(folder) == {"a.txt": b"first"}
        lines = (folder / MARKER).read_bytes()
        (folder / MARKER).write_bytes(lines.replace(b'"ticks": "', b'"ticks": "1'))
        with pytest.raises(OutputInUseError):  # whatever the marker says: it is locked
            claim_folder(folder, "scan")
        process.kill()
        process.wait()
        claim_folder(folder, "scan").close()  # though its child lives on


def test_without_locks_a_process_is_known_by_its_number_and_start(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(manifest, "fcntl", None)
    folder = tmp_path / "out"
    with holder(folder) as process:
        with pytest.raises(OutputInUseError, match=f"process {process.pid} on"):
            claim_folder(folder, "scan")
        lines = (
            (folder / MARKER).read_text().replace('"ticks": "', '"ticks": "1')
        )  # its number was used again
        (folder / MARKER).write_text(lines)
        claim_folder(folder, "scan").close()


def test_a_process_may_claim_again_and_inside(tmp_path: Path) -> None:
    with claim_folder(tmp_path / "run", "training run") as outer:
        claim_folder(tmp_path / "run", "training run").close()
        with claim_folder(tmp_path / "run" / "scores", "evaluation") as inner:
            write_atomically(tmp_path / "run" / "scores" / "x.json", "{}")
        assert not (tmp_path / "run" / "scores" / MARKER).exists()
        write_atomically(tmp_path / "run" / "y.json", "{}")
        inner.clear()
        assert list(tree(tmp_path / "run")) == ["y.json"]
        outer.clear()
    assert tree(tmp_path / "run") == {}


WORKER = """
import sys
from pathlib import Path
from imforensics.outputs import claim_folder, join_folder
folder = Path(sys.argv[1])
join_folder(folder)
with claim_folder(folder / "reports" / "1", "report") as output, output.replace_all(last="z") as part:
    (part / "z").write_text("z")
"""


def test_a_worker_writes_for_the_run_that_holds_the_folder(tmp_path: Path) -> None:
    with claim_folder(tmp_path / "out", "scan") as output:
        subprocess.run([sys.executable, "-c", WORKER, str(tmp_path / "out")], check=True)
        assert tree(tmp_path / "out") == {"reports/1/z": b"z"}
        output.clear()
    assert tree(tmp_path / "out") == {}


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
