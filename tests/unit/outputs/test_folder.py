"""Output folders: claimed by one run at a time; nothing is deleted that imforensics did not write."""

from __future__ import annotations

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
    manifest,
    refuse_rescanned,
    write_atomically,
)

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


def test_an_output_inside_another_is_named_and_kept(finished: Path) -> None:
    code = """if True:
        import sys
        from pathlib import Path
        from imforensics.outputs import claim_folder, write_atomically
        claim_folder(Path(sys.argv[1]), "audit")
        write_atomically(Path(sys.argv[1]) / "b.txt", "b")
    """
    subprocess.run([sys.executable, "-c", code, str(finished / "inner")], check=True, timeout=60)
    before = tree(finished)
    with claim_folder(finished, "scan") as output:
        with pytest.raises(OutputExistsError, match=r"inner is the output of another run \(audit\)"):
            output.clear()
        with pytest.raises(OutputExistsError, match="inner is the output"), output.replace_all(last="a.txt"):
            pass
    assert tree(finished) == before


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


def test_an_empty_folder_of_the_users_does_not_cost_an_earlier_report(tmp_path: Path) -> None:
    target = tmp_path / "report"
    for text in ("first", "second"):
        with claim_folder(target, "report") as output, output.replace_all(last="z") as part:
            (part / "images").mkdir()
            (part / "images" / "a").write_text(text)
            (part / "z").write_text(text)
        (target / "images" / "mine").mkdir(exist_ok=True)
    assert (target / "z").read_text() == (target / "images" / "a").read_text() == "second"
    assert (target / "images" / "mine").is_dir()
