"""Every command with an output: what a user has is never deleted, and one run at a time writes to it."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path

import click
import pytest
from click.testing import CliRunner, Result

from fixtures.synthetic import make_jpeg
from fixtures.training_runs import skip_without, write_manifest
from imforensics.cli.main import COMMANDS, main
from imforensics.models.training.run import KIND
from imforensics.outputs import DATA_SET, MARKER, claim_folder, write_atomically

FOLDERS = "dataset.root={data}", "dataset.name=folder"
# command -> (kind of output, arguments); {photo}, {photos} and {data} are files that it reads
CALLS: dict[str, tuple[str, tuple[str, ...]]] = {
    "analyze": ("report", ("{photo}", "--set", "methods.ela.quality=90")),
    "scan": ("scan", ("{photos}", "-q", "-j", "1", "--profile", "fast")),
    "synthesize": (
        DATA_SET,
        ("{photos}", "-q", "--size", "64x64", "--count", "1", "-j", "1", "--set", "inpainting=false"),
    ),
    "train-detector": (KIND, tuple(f"--set={text}" for text in FOLDERS)),
    "train-gan": (
        KIND,
        tuple(f"--set={text}" for text in (*FOLDERS, "fit.batch_size=2", "encoder.batch_size=2")),
    ),
    "train-autoencoder": (
        KIND,
        ("--set=data.source=patches", "--set=data.dataset.root={data}", "--set=data.dataset.name=folder"),
    ),
    "train-fusion": (
        KIND,
        (
            "--set=methods=[ela]",
            "--set=twins=[{{name: folder, root: '{data}'}}]",
            "--set=camera_photos=[{{name: folder, root: '{data}'}}]",
        ),
    ),
    "evaluate": (
        "evaluation",
        ("--method", "ela", "--dataset", "folder", "--root", "{data}", "--split", "all", "-q", "-j", "1"),
    ),
    "audit": ("audit", ("{classes}", "-q")),
    "reconstruct": ("reconstruction", ("{photo}", "--bundle", "casia1_residual_autoencoder")),
}
QUICK = ("analyze", "scan", "synthesize", "evaluate", "audit", "reconstruct")
TRAINING = [name for name in CALLS if name.startswith("train-")]


def has_output(name: str) -> bool:
    module, _, attribute = COMMANDS[name][0].partition(":")
    command: click.Command = getattr(import_module(module), attribute or "command")
    return any("-o" in parameter.opts for parameter in command.params)


def test_every_command_with_an_output_is_in_this_test() -> None:
    assert {name for name in COMMANDS if has_output(name)} == {*CALLS, "curves"}, "curves: test_curves.py"


@pytest.fixture(scope="module")
def inputs(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    root = tmp_path_factory.mktemp("inputs")
    (root / "photos").mkdir()
    rows: list[dict[str, str | int]] = []
    for number in range(12):
        name = f"{number}.jpg"
        (root / "photos" / name).write_bytes(make_jpeg(96, 128, seed=number))
        label = ("authentic", "tampered")[number % 2]
        split = ("train", "val", "test")[number // 2 % 3]
        rows.append({"image": f"photos/{name}", "label": number % 2, "group": f"g{number}", "split": split})
        (root / "classes" / label).mkdir(parents=True, exist_ok=True)
        (root / "classes" / label / name).write_bytes(make_jpeg(96, 128, seed=number))
    return {
        "photo": root / "photos" / "0.jpg",
        "photos": root / "photos",
        "data": write_manifest(root, rows),
        "classes": root / "classes",
    }


def call(name: str, output: Path, inputs: dict[str, Path], *more: str) -> Result:
    if name in TRAINING:
        skip_without("tensorflow", "keras", "sklearn")
    arguments = [text.format(**inputs) for text in CALLS[name][1]]
    return CliRunner().invoke(main, [name, *arguments, "-o", str(output), *more])


def contents(folder: Path) -> dict[str, bytes | None]:
    return {
        str(path.relative_to(folder)): path.read_bytes() if path.is_file() else None
        for path in sorted(folder.rglob("*"))
        if path.name != MARKER
    }


def check_refused(result: Result, words: str) -> None:
    assert result.exit_code == 1, result.output
    lines = [line for line in result.stderr.splitlines() if line.startswith("Error: ")]
    assert len(lines) == 1, result.output
    assert words in lines[0]
    assert result.exception is None or isinstance(result.exception, SystemExit)


@pytest.fixture
def users(tmp_path: Path) -> Path:
    """A folder of the user's, with names that commands use as well."""
    for name in ("images/a.jpg", "pictures/b.png", "config.yaml", "metrics.json", "results.jsonl"):
        (tmp_path / "mine" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "mine" / name).write_text("mine")
    return tmp_path / "mine"


@pytest.mark.parametrize("name", CALLS)
@pytest.mark.parametrize("kept", [("images/a.jpg",), ("pictures/b.png",), ("config.yaml",), None])
def test_a_folder_of_the_users_is_left_alone(
    name: str, kept: tuple[str, ...] | None, users: Path, inputs: dict[str, Path]
) -> None:
    for path in [path for path in users.rglob("*") if path.is_file()]:
        if kept is not None and str(path.relative_to(users)) not in kept:
            path.unlink()
    for empty in [path for path in users.iterdir() if path.is_dir() and not list(path.iterdir())]:
        empty.rmdir()
    before = contents(users)
    for more in ((), ("--overwrite",)):
        check_refused(call(name, users, inputs, *more), "which imforensics did not write")
        assert contents(users) == before
        assert not (users / MARKER).exists()


@pytest.mark.parametrize("name", CALLS)
@pytest.mark.parametrize("added", ["notes.txt", "images/mine.png", "pictures/mine.png", "bundle/mine.txt"])
def test_overwrite_refuses_what_a_user_added(
    name: str, added: str, tmp_path: Path, inputs: dict[str, Path]
) -> None:
    output = tmp_path / "out"
    with claim_folder(output, CALLS[name][0]):
        write_atomically(output / "ours.txt", "ours")
    (output / added).parent.mkdir(exist_ok=True)
    (output / added).write_text("mine")
    before = contents(output)
    check_refused(call(name, output, inputs, "--overwrite"), f"{added} was not written by imforensics")
    assert contents(output) == before


@pytest.mark.parametrize("name", CALLS)
def test_the_output_of_another_command_stays(name: str, tmp_path: Path, inputs: dict[str, Path]) -> None:
    with claim_folder(tmp_path / "out", "something else"):
        write_atomically(tmp_path / "out" / "theirs.txt", "theirs")
    check_refused(call(name, tmp_path / "out", inputs, "--overwrite"), "another command (something else)")
    assert contents(tmp_path / "out") == {"theirs.txt": b"theirs"}


HOLDER = """
import sys, time
from pathlib import Path
from imforensics.outputs import claim_folder
output = claim_folder(Path(sys.argv[1]), sys.argv[2])
print("held", flush=True)
time.sleep(300)
"""


@pytest.fixture
def held(tmp_path: Path) -> Iterator[dict[str, int]]:
    """Kind of output to the process that has claimed the folder of that name."""
    processes = {}
    for kind in {kind for kind, _ in CALLS.values()}:
        command = [sys.executable, "-c", HOLDER, str(tmp_path / kind), kind]
        process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        assert process.stdout is not None
        assert process.stdout.readline() == "held\n"
        process.stdout.close()
        processes[kind] = process
    yield {kind: process.pid for kind, process in processes.items()}
    for process in processes.values():
        process.kill()
        process.wait()


def test_a_folder_that_another_run_writes_to_is_refused(
    held: dict[str, int], tmp_path: Path, inputs: dict[str, Path]
) -> None:
    for name, (kind, _) in CALLS.items():
        for more in ((), ("--overwrite",)):
            result = call(name, tmp_path / kind, inputs, *more)
            check_refused(result, f"is being written to by process {held[kind]} on")


@pytest.mark.parametrize("name", QUICK)
def test_own_output_is_replaced_until_a_user_changes_it(
    name: str, tmp_path: Path, inputs: dict[str, Path]
) -> None:
    output = tmp_path / "out"
    assert call(name, output, inputs).exit_code == 0
    first = set(contents(output))
    again = call(name, output, inputs, "--overwrite")
    assert again.exit_code == 0, again.output
    assert set(contents(output)) == first, "nothing unfinished is left"
    for changed in [path for path in output.rglob("*") if path.is_file() and path.name != MARKER]:
        content = changed.read_bytes()
        changed.write_bytes(content + b"x")
        before = contents(output)
        check_refused(call(name, output, inputs, "--overwrite"), f"{changed.name} was changed after")
        assert contents(output) == before
        changed.write_bytes(content)


@pytest.mark.parametrize("name", QUICK)
@pytest.mark.parametrize("place", ["photos", ".", "classes", "classes/tampered"])
def test_an_output_folder_never_holds_an_input(name: str, place: str, inputs: dict[str, Path]) -> None:
    before = contents(inputs["data"].parent)
    for more in ((), ("--overwrite",)):
        result = call(name, inputs["data"].parent / place, inputs, *more)
        assert result.exit_code == 1
        assert result.output.count("Error: ") == 1
    if place == ".":
        assert "holds the input" in result.output or "in the output folder" in result.output
    assert contents(inputs["data"].parent) == before


def test_a_scan_passes_over_outputs_below_its_folders(tmp_path: Path, inputs: dict[str, Path]) -> None:
    photos = tmp_path / "photos"
    photos.mkdir()
    (photos / "0.jpg").write_bytes(inputs["photo"].read_bytes())
    own = {**inputs, "photos": photos, "photo": photos / "0.jpg"}
    for _ in range(2):
        assert call("scan", photos / "results", own).exit_code == 0
        assert len((photos / "results" / "results.jsonl").read_text().splitlines()) == 1
    assert call("analyze", photos / "report", own).exit_code == 0
    elsewhere = call("scan", tmp_path / "other", own)
    assert "1 files: " in elsewhere.stdout
    assert f"{photos / 'results'} left out: written by imforensics" in elsewhere.stderr
    assert f"{photos / 'report'} left out: written by imforensics" in elsewhere.stderr
