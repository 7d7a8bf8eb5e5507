"""Files of public GitHub repositories at a commit, by path; nothing else of a repository is read.

Used by gather_photographs.py and derive_ai_edit_masks.py.
"""

from __future__ import annotations

import subprocess
from collections.abc import Iterator, Sequence
from pathlib import Path

from package_archives import GatherError, run

GITHUB = "https://github.com"


def read_files(
    repository: str, commit: str, paths: Sequence[str], scratch: Path, *, clones: Path | None = None
) -> Iterator[bytes]:
    """The content of each file, in the order of `paths`; files that are not there are passed over.

    Args:
        repository: owner/name.
        commit: its full id.
        paths: within the repository.
        scratch: folder for what has to be downloaded.
        clones: folder of clones to read from; None downloads the files from GitHub.

    Raises:
        GatherError: git is missing or failed, or `clones` has no clone of the repository.
    """
    folder = clone(repository, commit, scratch) if clones is None else find_clone(clones, repository)
    for path in paths:
        command = ["git", "-C", str(folder), "cat-file", "blob", f"{commit}:{path}"]
        done = subprocess.run(command, capture_output=True, check=False)
        if done.returncode == 0:
            yield done.stdout


def clone(repository: str, commit: str, scratch: Path) -> Path:
    """Fetch the folders of one commit without its files: git fetches each of those when it is read.

    Raises:
        GatherError: git is missing, or the commit cannot be had.
    """
    folder = scratch / repository.replace("/", "+")
    run(["git", "init", "--quiet", "--bare", str(folder)], scratch)
    run(["git", "remote", "add", "origin", f"{GITHUB}/{repository}"], folder)
    run(["git", "fetch", "--quiet", "--depth=1", "--filter=blob:none", "origin", commit], folder)
    return folder


def find_clone(clones: Path, repository: str) -> Path:
    """The clone of a repository in a folder: owner/name, owner+name or name, with or without `.git`.

    Raises:
        GatherError: there is none.
    """
    name = repository.rpartition("/")[2]
    for each in (repository, repository.replace("/", "+"), name):
        for folder in (clones / each, clones / f"{each}.git"):
            if folder.is_dir():
                return folder
    raise GatherError(f"{clones} has no clone of {repository}. Clone it there as {name}")
