"""The docs follow from the code, and links and commands in them exist."""

from __future__ import annotations

import importlib.util
import re
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import pytest

import imforensics
from imforensics.cli.main import COMMANDS
from imforensics.method_table import METHODS, PROFILES

ROOT = Path(__file__).resolve().parents[2]
PAGES = sorted(
    path.relative_to(ROOT)
    for pattern in ("*.md", "docs/**/*.md", "data/**/*.md")
    for path in ROOT.glob(pattern)
)


def load_script(name: str) -> ModuleType:
    spec = importlib.util.spec_from_file_location(name, ROOT / "scripts" / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_generated_pages_are_up_to_date() -> None:
    """In a process of its own: click keeps what an earlier test made of a command's help."""
    command = [sys.executable, ROOT / "scripts" / "make_docs.py", "--check"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, f"{done.stdout}{done.stderr}\nRun: python scripts/make_docs.py"


def test_api_page_shows_what_its_blocks_print() -> None:
    command = [sys.executable, ROOT / "scripts" / "make_api_page.py", "--check"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, f"{done.stdout}{done.stderr}\nRun: python scripts/make_api_page.py"


def test_api_page_names_everything_public() -> None:
    page = (ROOT / "docs" / "api.md").read_text(encoding="utf-8")
    assert [name for name in imforensics.__all__ if name not in page] == []


def test_cli_page_names_every_command() -> None:
    page = (ROOT / "docs" / "cli.md").read_text(encoding="utf-8")
    assert [name for name in COMMANDS if f"## `imforensics {name}`" not in page] == []


def test_every_command_shows_an_example() -> None:
    make_docs = load_script("make_docs")
    leaves = [(path, command) for path, command in make_docs.walk_commands() if len(path) == 2]
    assert leaves
    for path, command in leaves:
        _, heading, examples = make_docs.help_text(command, path).partition("Examples:")
        assert heading, path
        assert " ".join(path) in examples


def test_methods_page_names_every_method() -> None:
    page = (ROOT / "docs" / "methods.md").read_text(encoding="utf-8")
    assert [name for name in METHODS if f"`{name}`" not in page] == []
    assert [name for name in PROFILES["full"] if f"(methods/{name}.md)" not in page] == []


@pytest.mark.parametrize("page", PAGES, ids=str)
def test_relative_links_lead_somewhere(page: Path) -> None:
    text = (ROOT / page).read_text(encoding="utf-8")
    targets = re.findall(r"\]\(([^)#\s]+)(?:#[^)]*)?\)", text)
    local = [target for target in targets if "://" not in target and not target.startswith("mailto:")]
    assert [target for target in local if not (ROOT / page).parent.joinpath(target).exists()] == []


@pytest.mark.parametrize("page", [page for page in PAGES if page.name != "CHANGELOG.md"], ids=str)
def test_scripts_and_experiments_that_a_page_names_exist(page: Path) -> None:
    text = (ROOT / page).read_text(encoding="utf-8")
    now = "\n\n".join(part for part in text.split("\n\n") if " as of " not in " ".join(part.split()))
    scripts = set(re.findall(r"scripts/[\w/]+\.(?:py|sh)", now))
    assert [script for script in scripts if "NAME" not in script and not (ROOT / script).exists()] == []
    names = set(re.findall(r"scripts/experiments/run\.py ([a-z]\w+)", text))
    experiments = {path.stem for path in (ROOT / "scripts" / "experiments").glob("*.yaml")}
    assert names <= experiments


@pytest.mark.parametrize("marker", ["analyze", "test"])
def test_readme_holds_each_command_once(marker: str) -> None:
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    blocks = re.findall(rf"<!-- ci: {marker} -->\n```sh\n(.*?)```", text, flags=re.DOTALL)
    assert len(blocks) == 1
    assert "&&" in blocks[0]


def test_every_decision_is_listed_with_its_title_and_fits_a_page() -> None:
    folder = ROOT / "docs" / "adr"
    listing = (folder / "README.md").read_text(encoding="utf-8")
    records = sorted(folder.glob("0*.md"))
    assert records
    for record in records:
        text = record.read_text(encoding="utf-8")
        number, _, title = text.splitlines()[0].partition(": ")
        assert (number, bool(title)) == (f"# {record.name[:4]}", True)
        assert f"[{record.name[:4]}]({record.name}) | {title} |" in listing
        assert [h for h in ("Status:", "## Context", "## Decision", "## Consequences") if h not in text] == []
        assert len(text.split()) <= 600


def test_locks_name_no_host_and_pin_every_line_by_hash() -> None:
    for name in ("requirements.lock", "requirements-dev.lock"):
        text = (ROOT / name).read_text(encoding="utf-8")
        assert "://" not in text
        pins = text.replace("\\\n", "").splitlines()
        assert len(pins) > 10
        assert [pin for pin in pins if "==" not in pin or "--hash=sha256:" not in pin] == []


def test_base_lock_is_part_of_the_dev_lock() -> None:
    base, dev = (
        set(re.findall(r"^\S+==\S+", (ROOT / name).read_text(encoding="utf-8"), flags=re.MULTILINE))
        for name in ("requirements.lock", "requirements-dev.lock")
    )
    assert base <= dev


def test_sample_is_what_its_script_makes() -> None:
    pytest.importorskip("sklearn", reason="the photograph ships with scikit-learn (dev extra)")
    command = [sys.executable, str(ROOT / "scripts" / "make_sample.py"), "--check"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def test_sample_pair_differs_only_near_the_mask() -> None:
    import numpy as np
    from PIL import Image

    samples = ROOT / "data" / "samples"
    authentic, tampered = (
        np.asarray(Image.open(samples / f"{name}.jpg").convert("RGB"), dtype=np.int16)
        for name in ("authentic", "tampered")
    )
    mask = np.asarray(Image.open(samples / "tampered_mask.png"), dtype=bool)
    assert authentic.shape == tampered.shape == (*mask.shape, 3)
    assert 0.01 < mask.mean() < 0.05
    rows, columns = np.nonzero(mask)
    near = np.zeros_like(mask)
    near[rows.min() - 16 : rows.max() + 17, columns.min() - 16 : columns.max() + 17] = True
    difference = np.abs(authentic - tampered).max(axis=2)
    assert difference[~near].max() == 0
    assert difference[mask].mean() > 20
    assert [p.name for p in samples.iterdir() if p.stat().st_size > 200_000] == []


def test_readme_tour_shows_what_its_script_runs() -> None:
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    commands = [command for _, command in load_script("make_tour").STEPS]
    assert commands
    assert [command for command in commands if f"```console\n$ {command}\n" not in text] == []
