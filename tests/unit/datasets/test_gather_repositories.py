import csv
import hashlib
import io
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

SCRIPTS = Path(__file__).parents[3] / "scripts"
FILES = {"a b/one (1).jpg": 1, "two.jpg": 2, "other.jpg": 3}


@pytest.fixture
def script(monkeypatch):
    monkeypatch.syspath_prepend(str(SCRIPTS))  # scripts import each other by plain name
    import gather_photographs

    yield gather_photographs
    for name in ("gather_photographs", "lossless_crop", "package_archives", "photograph_lists"):
        del sys.modules[name]
    del sys.modules["repository_files"]


@pytest.fixture
def repository(tmp_path):
    """A repository `owner/name` with one commit; the list names two of its three files, and one it lacks."""
    folder = tmp_path / "hub" / "owner" / "name"
    folder.mkdir(parents=True)
    git = ["git", "-C", str(folder), "-c", "user.name=made", "-c", "user.email=made@example.org"]
    subprocess.run([*git, "init", "--quiet"], check=True)
    for option in ("uploadpack.allowFilter", "uploadpack.allowAnySHA1InWant"):  # as GitHub has it
        subprocess.run([*git, "config", option, "true"], check=True)
    digests = {}
    for path, seed in FILES.items():
        pixels = np.random.default_rng(seed).integers(0, 256, (48, 64, 3), dtype=np.uint8)
        data = io.BytesIO()
        Image.fromarray(pixels).save(data, "JPEG")
        (folder / path).parent.mkdir(exist_ok=True)
        (folder / path).write_bytes(data.getvalue())
        digests[path] = hashlib.sha256(data.getvalue()).hexdigest()
    subprocess.run([*git, "add", "."], check=True)
    subprocess.run([*git, "commit", "--quiet", "-m", "made"], check=True)
    head = subprocess.run([*git, "rev-parse", "HEAD"], check=True, capture_output=True, text=True)
    with (tmp_path / "list.csv").open("w", newline="") as lines:
        writer = csv.writer(lines)
        writer.writerow(("repository", "commit", "path", "sha256", "device", "split"))
        for path, digest in {**digests, "lost.jpg": "0" * 64}.items():
            if path != "other.jpg":
                writer.writerow(("owner/name", head.stdout.strip(), path, digest, "Maker M1", "train"))
    return digests


@pytest.mark.parametrize("is_local", [True, False], ids=["clones", "download"])
def test_only_the_files_named_are_taken(script, repository, tmp_path, monkeypatch, is_local):
    monkeypatch.setattr("repository_files.GITHUB", f"file://{tmp_path}/hub")
    wanted = script.read_list(tmp_path / "list.csv")
    clones = tmp_path / "hub" if is_local else None
    problems = script.gather(wanted, tmp_path / "out", whole=True, clones=clones)
    assert problems == [f"owner/name: the version fetched lacks owner_{'0' * 12}.jpg"]
    rows = script.open_output(tmp_path / "out", whole=True)
    taken = [repository["a b/one (1).jpg"], repository["two.jpg"]]
    assert {row["original_sha256"] for row in rows.values()} == set(taken)
    assert {row["camera"] for row in rows.values()} == {"Maker M1"}
    for row in rows.values():
        data = (tmp_path / "out" / row["file"]).read_bytes()
        assert hashlib.sha256(data).hexdigest() == row["original_sha256"]


def test_what_is_excluded_is_neither_read_nor_written(script, repository, tmp_path):
    (tmp_path / "reserved").write_text(f"{repository['two.jpg'].upper()}  two.jpg\n\n{'0' * 64}\n")
    refused = script.read_digests(tmp_path / "reserved")
    wanted = script.read_list(tmp_path / "list.csv", refused=refused)
    assert [w.path for found in wanted.values() for w in found] == ["a b/one (1).jpg"]
    (tmp_path / "reserved").write_text("two.jpg\n")
    with pytest.raises(
        script.GatherError, match=r"expected a SHA-256 digest on each line, received 'two\.jpg'"
    ):
        script.read_digests(tmp_path / "reserved")


def test_a_second_call_goes_on_after_an_interruption(script, repository, tmp_path, monkeypatch):
    wanted = script.read_list(tmp_path / "list.csv")
    write, written = script.write_photograph, []

    def interrupt(data, photograph, output, *, whole):
        if written:
            raise KeyboardInterrupt
        written.append(photograph.file)
        return write(data, photograph, output, whole=whole)

    monkeypatch.setattr(script, "write_photograph", interrupt)
    with pytest.raises(KeyboardInterrupt):
        script.gather(wanted, tmp_path / "out", whole=True, clones=tmp_path / "hub")
    assert list(script.open_output(tmp_path / "out", whole=True)) == written
    monkeypatch.setattr(script, "write_photograph", write)
    script.gather(wanted, tmp_path / "out", whole=True, clones=tmp_path / "hub")
    assert len(script.open_output(tmp_path / "out", whole=True)) == 2


def test_a_missing_clone_is_named(script, tmp_path):
    package = script.Package("git", "owner/name", "0" * 40, "")
    wanted = {package: [script.Wanted("0" * 64, "owner", "one.jpg")]}
    problems = script.gather(wanted, tmp_path / "out", whole=True, clones=tmp_path)
    assert problems == [f"owner/name: {tmp_path} has no clone of owner/name. Clone it there as name"]


def test_the_committed_list_names_each_original_once_and_each_device_in_one_split():
    with (SCRIPTS / "originals.csv").open(encoding="utf-8", newline="") as lines:
        rows = list(csv.DictReader(lines))
    assert len({row["sha256"] for row in rows}) == len(rows) == 172
    assert len({(row["device"], row["split"]) for row in rows}) == len({row["device"] for row in rows})
    assert {row["phone"] for row in rows} == {"yes", "no"}
    with (SCRIPTS / "colour_charts.csv").open(encoding="utf-8", newline="") as lines:
        charts = list(csv.DictReader(lines))
    assert len({row["sha256"] for row in charts}) == len(charts) == 231
    assert len({row["device"] for row in charts}) == 37
    assert len({row["device"] for row in rows + charts}) == 142
