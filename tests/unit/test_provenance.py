"""The commit that results name: of the checkout that the package is part of, of no other."""

import os
import subprocess
from pathlib import Path

import pytest

from imforensics.provenance import find_commit


def git(folder: Path, *arguments: str) -> str:
    settings = ("-c", "user.name=Test", "-c", "user.email=test@example.org", "-c", "commit.gpgsign=false")
    environment = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}
    done = subprocess.run(
        ["git", *settings, *arguments],
        cwd=folder,
        capture_output=True,
        text=True,
        check=True,
        timeout=30,
        env=environment,
    )
    return done.stdout.strip()


def make_package(folder: Path) -> Path:
    folder.mkdir(parents=True)
    (folder / "__init__.py").write_text('"""A package."""\n', encoding="utf-8")
    return folder


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A repository with one commit that holds src/package."""
    make_package(tmp_path / "checkout" / "src" / "package")
    git(tmp_path / "checkout", "init", "--quiet")
    git(tmp_path / "checkout", "add", "src")
    git(tmp_path / "checkout", "commit", "--quiet", "--message", "One")
    return tmp_path / "checkout"


def test_a_tracked_package_names_its_commit_and_a_change_to_it(checkout: Path) -> None:
    package, head = checkout / "src" / "package", git(checkout, "rev-parse", "HEAD")
    assert find_commit(package=package) == head
    git(checkout, "tag", "--annotate", "--message", "One", "v1")
    assert find_commit(package=package) == head
    (package / "__init__.py").write_text('"""Changed."""\n', encoding="utf-8")
    assert find_commit(package=package) == f"{head}-dirty"


@pytest.mark.parametrize("ignored", [True, False])
def test_a_package_installed_inside_another_repository_names_no_commit(checkout: Path, ignored: bool) -> None:
    if ignored:
        (checkout / ".gitignore").write_text(".venv\n", encoding="utf-8")
    installed = make_package(checkout / ".venv" / "lib" / "site-packages" / "package")
    assert find_commit(package=installed) is None


def test_a_package_outside_every_repository_names_no_commit(tmp_path: Path) -> None:
    assert find_commit(package=make_package(tmp_path / "package")) is None


def test_a_repository_without_a_commit_names_none(tmp_path: Path) -> None:
    package = make_package(tmp_path / "package")
    git(package, "init", "--quiet")
    git(package, "add", "__init__.py")
    assert find_commit(package=package) is None


def test_the_repository_of_a_running_hook_is_not_taken_for_the_package_s(
    checkout: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = make_package(tmp_path / "other")
    monkeypatch.setenv("GIT_DIR", str(checkout / ".git"))
    monkeypatch.setenv("GIT_WORK_TREE", str(checkout))
    assert find_commit(package=other) is None
    assert find_commit(package=checkout / "src" / "package") == git(checkout, "rev-parse", "HEAD")


def test_a_machine_without_git_names_no_commit(checkout: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "")
    assert find_commit(package=checkout / "src" / "package") is None
