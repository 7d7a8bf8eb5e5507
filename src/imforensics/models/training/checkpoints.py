"""Checkpoints: everything a fit needs to go on after a kill, replaced as a whole at the end of each epoch."""

from __future__ import annotations

import math
import os
import re
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Generic, Self, TypeVar

from pydantic import BaseModel, ConfigDict

from imforensics.models.training.variables import Groups, save_arrays, unreadable_checkpoint
from imforensics.outputs import delete_own, name_file, part_name, record_files

CHECKPOINT_FOLDER = "checkpoints"
STATE_FILE = "state.json"
WEIGHTS_FILE = "weights.npz"
BEST_FILE = "best.npz"
_EPOCH = re.compile(r"epoch_\d{4,}")


class LogRow(BaseModel):
    """One line of a training log; the fields of a subclass are its columns.

    Attributes:
        epoch: counted from 1.
    """

    model_config = ConfigDict(frozen=True, ser_json_inf_nan="constants")

    epoch: int


RowT = TypeVar("RowT", bound=LogRow)


@dataclass(frozen=True, slots=True, kw_only=True)
class EarlyStopping:
    """Which epoch's network is kept, and when a fit ends early.

    Attributes:
        column: of the log; lower is better.
        group: of the variables that are kept of the best epoch.
        patience: epochs without a better one before stopping.
        min_delta: smallest decrease that counts as better.
        is_share: `min_delta` is a share of the best value so far.
    """

    column: str
    group: str
    patience: int
    min_delta: float
    is_share: bool = False

    def is_better(self, row: LogRow, lowest: float) -> bool:
        """Whether an epoch is better than one of the lowest value so far."""
        wanted = lowest * (1 - self.min_delta) if self.is_share else lowest - self.min_delta
        return bool(getattr(row, self.column) < wanted)


class SavedState(BaseModel, Generic[RowT]):
    """How far a fit of any kind is.

    Attributes:
        rows: one per finished epoch.
        best_epoch: the epoch whose network is kept so far, 0 before the first.
        stopped: True when early stopping has ended the fit.
    """

    model_config = ConfigDict(frozen=True, ser_json_inf_nan="constants")

    rows: tuple[RowT, ...] = ()
    best_epoch: int = 0
    stopped: bool = False

    @property
    def epoch(self) -> int:
        """Number of finished epochs."""
        return len(self.rows)

    def add(self, row: RowT, stopping: EarlyStopping | None = None) -> Self:
        """The state after one epoch more; without early stopping the last epoch is the one that is kept."""
        if stopping is None:
            return type(self)(rows=(*self.rows, row), best_epoch=row.epoch)
        best = self.best_epoch
        lowest = getattr(self.rows[best - 1], stopping.column) if best else math.inf
        best = row.epoch if stopping.is_better(row, lowest) else best
        is_over = row.epoch - best >= stopping.patience
        return type(self)(rows=(*self.rows, row), best_epoch=best, stopped=is_over)


def save_checkpoint(
    folder: Path, state: SavedState[RowT], groups: Groups, *, best: str | None = None
) -> Path:
    """Save a fit after an epoch.

    Args:
        folder: of all checkpoints of the fit.
        state: with the finished epoch in it.
        groups: name to variables; all that an epoch changes.
        best: the group whose values of the best epoch are kept beside the last ones; None keeps none.

    Returns:
        The folder of the checkpoint.
    """
    previous = newest_checkpoint(folder)

    def fill(partial: Path) -> None:
        save_arrays(partial / WEIGHTS_FILE, groups)
        if best is not None and (previous is None or state.best_epoch == state.epoch):
            save_arrays(partial / BEST_FILE, {best: groups[best]})
        elif best is not None and previous is not None:
            shutil.copyfile(previous / BEST_FILE, partial / BEST_FILE)
        (partial / STATE_FILE).write_text(state.model_dump_json(), encoding="utf-8")

    return _replace_checkpoint(folder, state.epoch, fill)


def load_state(folder: Path, row_type: type[RowT]) -> tuple[SavedState[RowT], Path | None]:
    """The newest checkpoint's state and folder; an empty state and None where there is none.

    Args:
        folder: of all checkpoints of the fit.
        row_type: of its log.

    Raises:
        InterruptedRunError: a checkpoint is there and cannot be read.
    """
    state_type = SavedState[row_type]  # type: ignore[valid-type]  # a type made while running
    newest = newest_checkpoint(folder)
    if newest is None:
        return state_type(), None
    try:
        state = state_type.model_validate_json((newest / STATE_FILE).read_text(encoding="utf-8"))
        if not state.rows:
            raise ValueError("it holds no epoch")
    except (OSError, ValueError) as error:
        raise unreadable_checkpoint(newest, error) from error
    return state, newest


def newest_checkpoint(folder: Path) -> Path | None:
    """The folder of the newest complete checkpoint, None where there is none; other files do not count."""
    complete = [path for path in folder.glob("epoch_*") if _EPOCH.fullmatch(path.name) and _is_complete(path)]
    return max(complete, key=lambda path: int(path.name.removeprefix("epoch_")), default=None)


def _replace_checkpoint(folder: Path, epoch: int, fill: Callable[[Path], None]) -> Path:
    """Write a checkpoint as a whole and, in a claimed run folder, delete the one before it.

    The files are written into a new folder that takes its final name in one step when all are on disk; the
    checkpoint before is deleted after that. A kill at any moment leaves one complete checkpoint.
    """
    final = folder / f"epoch_{epoch:04d}"
    partial = folder / part_name()
    partial.mkdir(parents=True)
    try:
        fill(partial)
        for file in partial.iterdir():
            _flush(file)
        record_files(partial, place=final)
        delete_own(final)
        partial.rename(final)
    except OSError as error:
        raise name_file(error, final) from None
    finally:
        shutil.rmtree(partial, ignore_errors=True)
    _flush(folder)
    for old in folder.iterdir():
        if old != final and _EPOCH.fullmatch(old.name):
            delete_own(old)
    return final


def _is_complete(checkpoint: Path) -> bool:
    return (checkpoint / STATE_FILE).is_file()


def _flush(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
