"""Importing costs nothing: what `--help` and `analyze` load, and what code in src may import at all."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
import tomllib
from functools import cache
from importlib.metadata import packages_distributions
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

ROOT = Path(__file__).resolve().parents[2]
SRC = ROOT / "src" / "imforensics"
HEAVY = {"tensorflow", "keras", "sklearn", "scipy", "matplotlib.pyplot", "pandas", "cv2"}

FITTING = {SRC / "metrics" / "calibration.py"}  # its folds need the extra "train", and say so without it

RUN_AND_LIST = """
import runpy, sys
sys.argv = ["imforensics", *sys.argv[1:]]
code = 0
try:
    runpy.run_module("imforensics.cli.main", run_name="__main__")
except SystemExit as stop:
    code = stop.code or 0
print("\\nLOADED", *sorted(sys.modules))
sys.exit(code)
"""


def modules_loaded_by(*arguments: str) -> set[str]:
    command = [sys.executable, "-W", "error::ImportWarning", "-c", RUN_AND_LIST, *arguments]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=120)
    assert done.returncode == 0, done.stderr
    return set(done.stdout.rpartition("\nLOADED ")[2].split())


@pytest.fixture
def photo(tmp_path: Path) -> Path:
    path = tmp_path / "photo.jpg"
    noise = np.random.default_rng(1).integers(0, 256, (96, 128, 3), dtype=np.uint8)
    Image.fromarray(noise).save(path, quality=85)
    return path


def test_the_probe_sees_what_is_loaded(photo: Path) -> None:
    assert {"numpy", "PIL.Image", "imforensics.evidence"} <= modules_loaded_by("analyze", str(photo))


def test_help_loads_no_numpy_no_tensorflow_and_nothing_slow() -> None:
    loaded = modules_loaded_by("--help")
    assert (
        loaded & (HEAVY | {"numpy", "PIL", "onnxruntime", "matplotlib", "pydantic", "yaml", "jinja2"})
        == set()
    )
    assert "click" in loaded


def test_analyze_loads_no_training_and_no_plotting(photo: Path) -> None:
    assert modules_loaded_by("analyze", str(photo)) & HEAVY == set()


def test_analyze_with_report_loads_no_training_and_no_plotting(photo: Path, tmp_path: Path) -> None:
    loaded = modules_loaded_by("analyze", str(photo), "-o", str(tmp_path / "out"), "--save-maps")
    assert loaded & HEAVY == set()
    assert (tmp_path / "out" / "report.html").exists()


def test_scan_loads_no_training_and_no_plotting(photo: Path, tmp_path: Path) -> None:
    loaded = modules_loaded_by("scan", str(photo.parent), "-o", str(tmp_path / "results"), "-q")
    assert loaded & HEAVY == set()


@cache
def imported_packages(path: Path) -> frozenset[str]:
    """Top-level names of every absolute import of a file, in functions and TYPE_CHECKING blocks too."""
    names: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names |= {alias.name.partition(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.level == 0 and node.module:
            names.add(node.module.partition(".")[0])
    return frozenset(names - set(sys.stdlib_module_names) - {"imforensics"})


def declared(extra: str | None = None) -> set[str]:
    """Canonical names of the declared dependencies."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    lines = project["dependencies"] if extra is None else project["optional-dependencies"][extra]
    return {canonical(re.split(r"[<>=!~;\[ ]", line)[0]) for line in lines}


def canonical(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def test_src_imports_only_declared_dependencies() -> None:
    distributions = packages_distributions()
    base, train, copy_move = declared(), declared("train"), declared("copy-move")
    problems = []
    for path in sorted(SRC.rglob("*.py")):
        allowed = base | train if path.is_relative_to(SRC / "models") or path in FITTING else base
        if path == SRC / "methods" / "copy_move" / "keypoints.py":
            allowed = base | copy_move
        if path == SRC / "datasets" / "synthesis" / "removal.py":  # and says so where it is missing
            allowed = base | train
        problems += [
            f"{path.relative_to(SRC)} imports {package}"
            for package in sorted(imported_packages(path))
            if not {canonical(name) for name in distributions.get(package, [package])} & allowed
        ]
    assert problems == []


@pytest.mark.parametrize(
    ("package", "home"),
    [
        ("click", "cli"),
        ("keras", "models"),
        ("onnx", "models"),
        ("onnxruntime", "models"),
        ("tensorflow", "models"),
    ],
)
def test_package_is_imported_in_one_place_only(package: str, home: str) -> None:
    importers = {path for path in SRC.rglob("*.py") if package in imported_packages(path)}
    assert [str(p.relative_to(SRC)) for p in sorted(importers) if not p.is_relative_to(SRC / home)] == []


def test_words_know_only_numpy_and_the_standard_library() -> None:
    words = ("types", "errors", "cores", "provenance", "method_table")
    assert set().union(*(imported_packages(SRC / f"{name}.py") for name in words)) <= {"numpy"}


def test_every_base_dependency_is_used() -> None:
    distributions = packages_distributions()
    used = {
        canonical(name)
        for path in SRC.rglob("*.py")
        for package in imported_packages(path)
        for name in distributions.get(package, [])
    }
    assert declared() - used == set()


def test_reported_libraries_are_in_the_base_install() -> None:
    from imforensics.pipeline.analyze import REPORTED_LIBRARIES

    assert {canonical(name) for name in REPORTED_LIBRARIES} - declared() == set()


@pytest.mark.parametrize(
    ("lock", "extras"), [("requirements.lock", []), ("requirements-dev.lock", ["copy-move", "train", "dev"])]
)
def test_lock_holds_every_declared_dependency(lock: str, extras: list[str]) -> None:
    text = (ROOT / lock).read_text(encoding="utf-8")
    locked = {canonical(name) for name in re.findall(r"^([A-Za-z0-9._-]+)==", text, re.MULTILINE)}
    wanted = declared().union(*(declared(extra) for extra in extras))
    assert wanted - locked == set()
