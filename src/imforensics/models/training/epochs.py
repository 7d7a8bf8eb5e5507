"""The loop that every fit is: epoch by epoch, each checkpointed and logged; resumed where it was stopped."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Generic

from imforensics.models.training.checkpoints import (
    BEST_FILE,
    CHECKPOINT_FOLDER,
    WEIGHTS_FILE,
    EarlyStopping,
    RowT,
    SavedState,
    load_state,
    save_checkpoint,
)
from imforensics.models.training.progress import Progress
from imforensics.models.training.training_log import LOG_FILE, TENSORBOARD_FOLDER, TensorBoardLog, write_log
from imforensics.models.training.variables import Groups, load_arrays


@dataclass(frozen=True, slots=True, kw_only=True)
class Fit(Generic[RowT]):
    """A fit that goes on from its last checkpoint where there is one.

    Attributes:
        row_type: of the log.
        groups: name to variables; all that an epoch changes.
        epochs: upper limit.
        stopping: which epoch is kept; None keeps the last.
        total: units of an epoch, for the progress display.
        unit: what they are.
        part: name of the fit where a run has several.
        log_file: name of its log.
    """

    row_type: type[RowT]
    groups: Groups
    epochs: int
    stopping: EarlyStopping | None = None
    total: int
    unit: str = "images"
    part: str = ""
    log_file: str = LOG_FILE

    def run(
        self, run_folder: Path, fit_epoch: Callable[[int], RowT], *, progress: Progress
    ) -> SavedState[RowT]:
        """Fit to the end.

        An epoch has to be a function of the variables and its number: a fit that was stopped then ends as one
        that was not.

        Args:
            run_folder: checkpoints, log and TensorBoard events go there.
            fit_epoch: fits the epoch of a number, counted from 1, and tells `progress` of each unit.
            progress: told of epochs.

        Returns:
            How the fit went; the variables of the group of `stopping` have the values of the best epoch.

        Raises:
            InterruptedRunError: the checkpoint there cannot be read, or is of another network.
        """
        folder, stopping = run_folder / CHECKPOINT_FOLDER / self.part, self.stopping
        state, newest = load_state(folder, self.row_type)
        if newest is not None:
            load_arrays(newest / WEIGHTS_FILE, self.groups)
        self._write_log(run_folder, state)
        events = TensorBoardLog(
            run_folder / TENSORBOARD_FOLDER / self.part if self.part else run_folder, state.rows
        )
        total = self.total
        progress.start(
            self.part or "fit", total=total * self.epochs, done=total * state.epoch, unit=self.unit
        )
        while not (state.stopped or state.epoch >= self.epochs):
            progress.describe(f"epoch {state.epoch + 1}/{self.epochs}")
            row = fit_epoch(state.epoch + 1)
            state = state.add(row, stopping)
            newest = save_checkpoint(folder, state, self.groups, best=stopping.group if stopping else None)
            self._write_log(run_folder, state)
            events.add(row)
        progress.finish()
        events.close()
        if stopping is not None and newest is not None:
            load_arrays(newest / BEST_FILE, {stopping.group: self.groups[stopping.group]})
        return state

    def _write_log(self, run_folder: Path, state: SavedState[RowT]) -> None:
        write_log(run_folder, state.rows, row_type=self.row_type, file_name=self.log_file)


def step_callback(progress: Progress, *, batch_size: int = 1, total: int | None = None) -> Any:
    """A Keras callback that tells `progress` of each step of an epoch.

    Args:
        progress: told.
        batch_size: units a step.
        total: units of the epoch, where its last step has fewer.
    """
    import keras

    def advance(batch: int, logs: Any = None) -> None:  # noqa: ARG001 - the names are Keras's
        left = batch_size if total is None else total - batch * batch_size
        progress.advance(min(batch_size, left))

    return keras.callbacks.LambdaCallback(on_train_batch_end=advance)
