"""Checkpoints: complete or not there; the best model is kept; early stopping counts right."""

from __future__ import annotations

from pathlib import Path

import pytest

from imforensics.errors import InterruptedRunError
from imforensics.models.checkpoints import EpochRow, FitState, load_checkpoint, save_checkpoint


class FakeModel:
    """Saves its own text, as a Keras model saves its weights."""

    def __init__(self, text: str) -> None:
        self.text = text

    def save(self, path: Path) -> None:
        path.write_text(self.text)


class DyingModel:
    """Is killed in the middle of saving."""

    def save(self, path: Path) -> None:
        path.write_text("half")
        raise KeyboardInterrupt


def row(epoch: int, val_loss: float) -> EpochRow:
    return EpochRow(
        epoch=epoch,
        loss=0.5,
        accuracy=0.5,
        val_loss=val_loss,
        val_accuracy=0.5,
        seconds=1,
        images_per_second=1,
    )


def states(losses: list[float], *, patience: int = 3, min_delta: float = 0.0) -> list[FitState]:
    state, result = FitState(), []
    for epoch, loss in enumerate(losses, start=1):
        state = state.add_epoch(row(epoch, loss), patience=patience, min_delta=min_delta)
        result.append(state)
    return result


def test_early_stopping_counts_epochs_since_the_best() -> None:
    result = states([0.7, 0.6, 0.65, 0.61, 0.6])
    assert [state.best_epoch for state in result] == [1, 2, 2, 2, 2]
    assert [state.stopped for state in result] == [False, False, False, False, True]


def test_a_fall_below_min_delta_is_no_improvement() -> None:
    assert states([0.7, 0.695, 0.68], min_delta=0.01)[-1].best_epoch == 3
    assert states([0.7, 0.695, 0.695], min_delta=0.01)[-1].best_epoch == 1


def test_best_model_is_kept_beside_the_last(tmp_path: Path) -> None:
    for number, state in enumerate(states([0.7, 0.5, 0.6]), start=1):
        save_checkpoint(tmp_path, state, FakeModel(f"epoch {number}"))  # type: ignore[arg-type]
    checkpoint = load_checkpoint(tmp_path)
    assert checkpoint is not None
    assert checkpoint.model_path.read_text() == "epoch 3"
    assert checkpoint.best_path.read_text() == "epoch 2"
    assert checkpoint.state.epoch == 3
    assert [path.name for path in tmp_path.iterdir()] == ["epoch_0003"]


def test_a_kill_while_saving_leaves_the_checkpoint_before(tmp_path: Path) -> None:
    first, second = states([0.7, 0.5])
    save_checkpoint(tmp_path, first, FakeModel("epoch 1"))  # type: ignore[arg-type]
    with pytest.raises(KeyboardInterrupt):
        save_checkpoint(tmp_path, second, DyingModel())  # type: ignore[arg-type]
    checkpoint = load_checkpoint(tmp_path)
    assert checkpoint is not None
    assert (checkpoint.state.epoch, checkpoint.model_path.read_text()) == (1, "epoch 1")
    save_checkpoint(tmp_path, second, FakeModel("epoch 2"))  # type: ignore[arg-type]
    assert [path.name for path in tmp_path.iterdir()] == ["epoch_0002"]


def test_nothing_there(tmp_path: Path) -> None:
    assert load_checkpoint(tmp_path / "absent") is None


def test_damaged_state_is_told(tmp_path: Path) -> None:
    checkpoint = save_checkpoint(tmp_path, states([0.7])[0], FakeModel("x"))  # type: ignore[arg-type]
    (checkpoint.model_path.parent / "state.json").write_text("{")
    with pytest.raises(InterruptedRunError, match="--overwrite"):
        load_checkpoint(tmp_path)
