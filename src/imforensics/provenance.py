"""Which source a result was made by."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

PACKAGE = Path(__file__).parent


def find_commit(*, package: Path = PACKAGE) -> str | None:
    """The commit of the checkout that holds a package, if its files are part of that checkout.

    A package that is installed inside somebody's repository, in a virtual environment for instance, is not
    of that repository: its commit would say nothing about the package. The answer does not depend on the
    variables by which git tells a hook where its repository is.

    Args:
        package: folder of the package, with its `__init__.py`.

    Returns:
        The 40 digits of the commit, followed by "-dirty" where a tracked file of the checkout was changed;
        None where `__init__.py` is not tracked, there is no commit yet, or git is missing.
    """
    environment = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}
    environment["GIT_OPTIONAL_LOCKS"] = "0"

    def run_git(*arguments: str) -> str:
        done = subprocess.run(  # noqa: S603 - fixed commands
            ["git", "-C", str(package), *arguments],  # noqa: S607
            capture_output=True, text=True, check=True, timeout=10, env=environment,
        )  # fmt: skip
        return done.stdout.strip()

    try:
        run_git("ls-files", "--error-unmatch", "__init__.py")
        return run_git("describe", "--always", "--dirty", "--abbrev=40", "--exclude=*")
    except (OSError, subprocess.SubprocessError):
        return None
