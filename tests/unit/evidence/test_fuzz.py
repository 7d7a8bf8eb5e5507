"""The fuzzer: the same cases each time, every kind of fault seen, and the readers stand a short run."""

from __future__ import annotations

import random
import subprocess
import sys
from itertools import islice
from pathlib import Path

import pytest

SCRIPTS = Path(__file__).resolve().parents[3] / "scripts"
START = f"import sys; sys.path.insert(0, {str(SCRIPTS)!r}); import fuzz\n"
PLANTED = {
    "exception": "if b'Canon' in content: raise KeyError('planted')",
    "memory": "if b'Canon' in content: bytearray(10**12)",
    "slow": "while b'Canon' in content: pass",
    "death": "if b'Canon' in content: __import__('os').abort()",
}


@pytest.fixture(scope="module")
def seeds(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Start files without the signed ones, which differ each time."""
    folder = tmp_path_factory.mktemp("fuzz") / "seeds"
    code = "fuzz._write_seeds(fuzz.Path(sys.argv[1]), {name: content for name, content in "
    _python(code + "fuzz.make_seeds().items() if not name.startswith('signed')})", folder)
    return folder


def _python(code: str, *arguments: object) -> str:
    """What code prints that runs in a process of its own: the fuzzer forks, and sets limits."""
    command = [sys.executable, "-c", START + code, *map(str, arguments)]
    return subprocess.run(command, check=True, capture_output=True, text=True, timeout=120).stdout


@pytest.mark.slow
def test_readers_answer_a_short_run(seeds: Path, tmp_path: Path) -> None:
    command = [sys.executable, SCRIPTS / "fuzz.py", tmp_path / "out", "--seeds", seeds]
    command += ["--cases", "300", "--seed", "2"]
    done = subprocess.run(command, check=False, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.startswith("300 cases: ")
    assert "read" in done.stdout
    assert "refused" in done.stdout


def test_folder_with_files_is_refused(seeds: Path) -> None:
    command = [sys.executable, SCRIPTS / "fuzz.py", seeds]
    done = subprocess.run(command, check=False, capture_output=True, text=True, timeout=120)
    assert done.returncode == 2
    assert "holds files" in done.stderr


def test_fault_in_a_reader_is_caught(seeds: Path, tmp_path: Path) -> None:
    code = """
from imforensics.evidence import metadata
real = metadata.read_exif
def read_exif(block):
    if b"GIMP" not in block: raise ZeroDivisionError("planted")
    return real(block)
metadata.read_exif, fuzz.MINIMISING_SECONDS = read_exif, 2.0
arguments = [sys.argv[1], "--seeds", sys.argv[2], "--cases", "400", "--seed", "2"]
print(fuzz.fuzz(fuzz.parse_arguments(arguments)))
"""
    printed = _python(code, tmp_path / "out", seeds)
    assert printed.endswith("ZeroDivisionError in metadata.py _read_exif\n1\n")
    (trace,) = (tmp_path / "out").glob("*.txt")
    assert "ZeroDivisionError: planted" in trace.read_text()
    (kept,) = (tmp_path / "out").glob("*.minimised.bin")
    assert kept.stat().st_size < kept.with_name(kept.name.replace(".minimised", "")).stat().st_size


@pytest.mark.parametrize("kind", PLANTED)
def test_every_kind_of_fault_is_seen_and_the_run_goes_on(kind: str, tmp_path: Path) -> None:
    (tmp_path / "seeds").mkdir()
    (tmp_path / "seeds" / "camera").write_bytes(bytes(range(200)) + b"Canon" + bytes(100))
    code = f"""
def examine(content):
    {PLANTED[kind]}
    return "read"
limits = ["--seconds", "0.2", "--megabytes", "500", "--cases", "8"]
arguments = [sys.argv[1] + "/out", "--seeds", sys.argv[1] + "/seeds", *limits]
print(fuzz.fuzz(fuzz.parse_arguments(arguments), examiner=examine))
"""
    printed = _python(code, tmp_path)
    assert printed.splitlines()[-1] == "1"
    assert "\n8 cases: " in printed
    (kept,) = (tmp_path / "out").glob("001_*[0-9].bin")
    assert f"_{'exception' if kind == 'memory' else kind}_" in kept.name
    assert b"Canon" in kept.read_bytes()
    minimised = list((tmp_path / "out").glob("*.minimised.bin"))
    assert [path.read_bytes() for path in minimised] == ([] if kind == "slow" else [b"Canon"])


def test_cases_depend_on_the_seed_and_their_number_alone(
    seeds: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.syspath_prepend(str(SCRIPTS))
    import fuzz

    files = fuzz._load_seeds(seeds)
    cases = list(islice(fuzz.make_cases(files, seed=4, first=0), 40))
    assert cases == list(islice(fuzz.make_cases(files, seed=4, first=0), 40))
    assert cases[30:] == list(islice(fuzz.make_cases(files, seed=4, first=30), 10))
    assert cases != list(islice(fuzz.make_cases(files, seed=5, first=0), 40))
    assert sum(content != files[name] for _, name, content in cases) > 30


def test_containers_are_put_together_as_they_were(seeds: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(SCRIPTS))
    import fuzz_containers
    import fuzz_mutations

    names = ("rich.jpg", "chunks.png", "rich.webp", "rich.heic", "rich.avif")
    for content in ((seeds / name).read_bytes() for name in names):
        container = fuzz_containers.find_container(content)
        parts = list(container.split(content))
        assert container.join(parts) == content
        assert sum(bool(kind) for kind, _ in parts) >= 3
    for mutation in fuzz_mutations.CONTENT_MUTATIONS:
        assert isinstance(mutation(b"", b"", random.Random(1)), bytes)
