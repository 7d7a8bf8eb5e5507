"""Progress on standard error: rate and time left, for a person at a terminal."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any, NoReturn

if TYPE_CHECKING:
    from tqdm import tqdm

    from imforensics.models.progress import Progress


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


_bars: list[tqdm[Any]] = []


def close_bars() -> None:
    """End the line of a bar that an error has stopped."""
    while _bars:
        _bars.pop().close()


def training_progress(*, quiet: bool) -> Progress:
    """What a long training tells its stages to: progress bars on standard error, nothing with --quiet."""
    from tqdm import tqdm

    from imforensics.models.progress import Progress

    if quiet:
        return Progress()

    class BarProgress(Progress):
        """Progress bars on standard error."""

        bar: tqdm[Any] | None = None

        def start(self, stage: str, *, total: int, done: int = 0, unit: str = "images") -> None:
            self.bar = tqdm(
                desc=stage, total=total, initial=done, unit=f" {unit}", file=sys.stderr, mininterval=0.5
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
            tqdm.write(text, file=sys.stderr)

    return BarProgress()
