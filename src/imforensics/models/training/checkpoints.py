"""Checkpoints: everything a fit needs to go on after a kill, replaced as a whole at the end of each epoch."""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Generic, TypeVar

from pydantic import BaseModel, ConfigDict, ValidationError

from imforensics.models.training.variables import unreadable_checkpoint
from imforensics.outputs import delete_own, name_file, part_name, record_files

if TYPE_CHECKING:
    import keras

STATE_FILE = "state.json"
MODEL_FILE = "model.keras"
BEST_FILE = "best.keras"
_EPOCH = re.compile(r"epoch_\d{4,}")


class LogRow(BaseModel):
    """One line of a training log; the fields of a subclass are its columns."""

    model_config = ConfigDict(frozen=True)

    epoch: int


class EpochRow(LogRow):
    """One line of the detector's log; losses are mean binary cross-entropies in nats."""

    loss: float
    accuracy: float
    val_loss: float
    val_accuracy: float
    seconds: float
    images_per_second: float


class SavedState(BaseModel):
    """How far a fit of any kind is.

    Attributes:
        rows: one per finished epoch, counted from 1.
        best_epoch: the epoch whose network is kept so far, 0 before the first.
        stopped: True when early stopping has ended the fit.
    """

    model_config = ConfigDict(frozen=True)

    rows: tuple[LogRow, ...] = ()
    best_epoch: int = 0
    stopped: bool = False

    @property
    def epoch(self) -> int:
        """Number of finished epochs."""
        return len(self.rows)


StateT = TypeVar("StateT", bound=SavedState)


class FitState(SavedState):
    """How far a detector's fit is; `best_epoch` has the lowest validation loss."""

    rows: tuple[EpochRow, ...] = ()

    def add_epoch(self, row: EpochRow, *, patience: int, min_delta: float) -> FitState:
        """The state after one epoch more; early stopping counts the epochs since the best one."""
        best = self.rows[self.best_epoch - 1].val_loss if self.best_epoch else float("inf")
        best_epoch = row.epoch if row.val_loss < best - min_delta else self.best_epoch
        return FitState(
            rows=(*self.rows, row), best_epoch=best_epoch, stopped=row.epoch - best_epoch >= patience
        )


@dataclass(frozen=True, slots=True)
class SavedFit(Generic[StateT]):
    """A saved fit: its state, the model with its optimizer, and the best model so far."""

    state: StateT
    model_path: Path
    best_path: Path


Checkpoint = SavedFit[FitState]


def save_checkpoint(folder: Path, state: StateT, model: keras.Model) -> SavedFit[StateT]:
    """Save a fit after an epoch.

    The files are written into a new folder that takes its final name in one step when all are on disk;
    the checkpoint before is deleted after that. A kill at any moment leaves one complete checkpoint.

    Args:
        folder: of all checkpoints of the run.
        state: with the finished epoch in it.
        model: compiled; weights, optimizer state and random states are saved.

    Returns:
        The new checkpoint.
    """
    previous = load_saved_fit(folder, type(state))

    def fill(partial: Path) -> None:
        model.save(partial / MODEL_FILE)
        if state.best_epoch == state.epoch or previous is None:
            shutil.copyfile(partial / MODEL_FILE, partial / BEST_FILE)
        else:
            shutil.copyfile(previous.best_path, partial / BEST_FILE)
        (partial / STATE_FILE).write_text(state.model_dump_json(), encoding="utf-8")

    final = replace_checkpoint(folder, state.epoch, fill)
    return SavedFit(state, final / MODEL_FILE, final / BEST_FILE)


def replace_checkpoint(folder: Path, epoch: int, fill: Callable[[Path], None]) -> Path:
    """Write a checkpoint as a whole and, in a claimed run folder, delete the one before it.

    Args:
        folder: of all checkpoints of the fit.
        epoch: the last finished one.
        fill: writes the files into the folder it is given; it may read the checkpoint before.

    Returns:
        The folder of the new checkpoint.
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


def newest_checkpoint(folder: Path) -> Path | None:
    """The folder of the newest complete checkpoint, None where there is none; other files do not count."""
    complete = [path for path in folder.glob("epoch_*") if _EPOCH.fullmatch(path.name) and _is_complete(path)]
    return max(complete, key=lambda path: int(path.name.removeprefix("epoch_")), default=None)


def load_checkpoint(folder: Path) -> Checkpoint | None:
    """The newest complete checkpoint of a detector's fit, see `load_saved_fit`."""
    return load_saved_fit(folder, FitState)


def load_saved_fit(folder: Path, state_type: type[StateT]) -> SavedFit[StateT] | None:
    """The newest complete checkpoint, None where there is none.

    Args:
        folder: of all checkpoints of the run.
        state_type: what its state is read as.

    Raises:
        InterruptedRunError: a checkpoint is there and cannot be read.
    """
    newest = newest_checkpoint(folder)
    if newest is None:
        return None
    return SavedFit(read_state(newest, state_type), newest / MODEL_FILE, newest / BEST_FILE)


def read_state(checkpoint: Path, state_type: type[StateT]) -> StateT:
    """How far the fit of a checkpoint is.

    Raises:
        InterruptedRunError: it cannot be read.
    """
    try:
        return state_type.model_validate_json((checkpoint / STATE_FILE).read_text(encoding="utf-8"))
    except (OSError, ValidationError) as error:
        raise unreadable_checkpoint(checkpoint, error) from error


def _is_complete(checkpoint: Path) -> bool:
    return (checkpoint / STATE_FILE).is_file()


def _flush(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
