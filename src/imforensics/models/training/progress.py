"""How long work tells how far it is; the command line draws it, the default is silent."""

from __future__ import annotations


class Progress:
    """Receives what a long piece of work reports; this base class says nothing."""

    def start(self, stage: str, *, total: int, done: int = 0, unit: str = "images") -> None:
        """A stage of `total` units begins, of which `done` were done in an earlier run."""

    def advance(self, count: int = 1) -> None:
        """So many units more are done."""

    def describe(self, text: str) -> None:
        """What the present stage is at, in a few words."""

    def finish(self) -> None:
        """The stage is over."""

    def say(self, text: str) -> None:
        """One line for the person who waits."""
