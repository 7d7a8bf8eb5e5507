"""What standard error shows beside errors: rate and time left, and how many errors were defects of ours."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, NoReturn, TextIO

import click

from imforensics.errors import count_defects

if TYPE_CHECKING:
    from tqdm import tqdm

    from imforensics.models.training.progress import Progress


def error_stream() -> TextIO:
    """Standard error by a descriptor of its own: what is shown there while files are read is not taken for
    what a library has to say of them (see `imforensics.evidence.library_output`).
    """
    try:
        descriptor = os.dup(sys.stderr.fileno())
    except (AttributeError, OSError, ValueError):  # none, or no file
        return sys.stderr
    return open(descriptor, "w", encoding=sys.stderr.encoding, errors="backslashreplace")  # noqa: PTH123


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

    disable = True if quiet else None
    return tqdm(total=total, initial=done, unit=unit, desc=what, disable=disable, file=error_stream())


def show_defects(texts: Iterable[object]) -> None:
    """Say at the end how many errors were defects of ours; nothing where none was."""
    count = count_defects(texts)
    if count:
        defects = "defect" if count == 1 else "defects"
        click.echo(f"{count} {defects} of imforensics met: please report what the errors say", err=True)


_bars: list[tqdm[Any]] = []


def close_bars() -> None:
    """End the line of a bar that an error has stopped."""
    while _bars:
        _bars.pop().close()


def training_progress(*, quiet: bool) -> Progress:
    """What a long training tells its stages to: progress bars on standard error, nothing with --quiet."""
    from tqdm import tqdm

    from imforensics.models.training.progress import Progress

    if quiet:
        return Progress()

    stream = error_stream()

    class BarProgress(Progress):
        """Progress bars on standard error."""

        bar: tqdm[Any] | None = None

        def start(self, stage: str, *, total: int, done: int = 0, unit: str = "images") -> None:
            self.bar = tqdm(
                desc=stage, total=total, initial=done, unit=f" {unit}", file=stream, mininterval=0.5
            )
            _bars[:] = [self.bar]

        def advance(self, count: int = 1) -> None:
            if self.bar is not None:
                self.bar.update(count)

        def describe(self, text: str) -> None:
            if self.bar is not None:
                self.bar.set_postfix_str(text, refresh=False)

        def finish(self) -> None:
            if self.bar is not None:
                self.bar.close()

        def say(self, text: str) -> None:
            tqdm.write(text, file=stream)

    return BarProgress()
