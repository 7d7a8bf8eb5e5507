"""Folders of trained things that ship with the package, found by name; others by path."""

from __future__ import annotations

import os
from importlib import resources
from pathlib import Path

from imforensics.errors import BundleError


def list_shipped(file_name: str) -> tuple[str, ...]:
    """Names of the shipped folders that hold a file of this name, sorted."""
    root = _root()
    if not root.is_dir():
        return ()
    return tuple(sorted(path.name for path in root.iterdir() if (path / file_name).is_file()))


def find_folder(path_or_name: Path | str, *, file_name: str, what: str) -> Path:
    """The folder that a path or a name means.

    Args:
        path_or_name: name of a shipped folder, or a path: a Path, or a string with a path separator.
        file_name: that the shipped folder holds.
        what: it is, in words, for the error.

    Returns:
        The folder; a path is taken as it is.

    Raises:
        BundleError: nothing of that name ships.
    """
    if isinstance(path_or_name, Path):
        return path_or_name
    separators = {os.sep, os.altsep or os.sep, "/"}
    if any(separator in path_or_name for separator in separators):
        return Path(path_or_name)
    names = list_shipped(file_name)
    if path_or_name not in names:
        raise BundleError(
            f"No {what} named {path_or_name!r} ships with imforensics "
            f"(there are: {', '.join(names) or 'none'}). "
            f"For a folder of your own write a path, such as ./{path_or_name}"
        )
    return _root() / path_or_name


def _root() -> Path:
    return Path(str(resources.files("imforensics"))) / "bundles"
