"""Whether the optional extra `train` is installed, asked before a run makes anything."""

from __future__ import annotations

from collections.abc import Iterable
from importlib.util import find_spec

from imforensics.errors import MissingExtraError


def require_training(needed_by: str, modules: Iterable[str]) -> None:
    """Check that the extra `train` is installed, without importing it.

    Args:
        needed_by: the command, for the error.
        modules: top-level names that it will import.

    Raises:
        MissingExtraError: one of them is not there.
    """
    if any(find_spec(name) is None for name in modules):
        raise MissingExtraError("train", needed_by)
