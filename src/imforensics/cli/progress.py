"""Progress on standard error: rate and time left, for a person at a terminal."""

from __future__ import annotations

from typing import TYPE_CHECKING, NoReturn

if TYPE_CHECKING:
    from tqdm import tqdm


def open_bar(what: str, *, total: int, done: int, unit: str, quiet: bool) -> tqdm[NoReturn]:
    """A bar that is shown at a terminal only, and not with --quiet.

    Args:
        what: words before it.
        total: number of things to do in all.
        done: number of them that an earlier run has done.
        unit: one thing.
        quiet: show nothing.
    """
    from tqdm import tqdm

    return tqdm(total=total, initial=done, unit=unit, desc=what, disable=True if quiet else None)
