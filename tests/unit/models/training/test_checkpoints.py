"""Checkpoints: complete or not there; the best model is kept; early stopping counts right."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from imforensics.errors import InterruptedRunError
from imforensics.models.training.checkpoints import (
    EpochRow,
    FitState,
    load_checkpoint,
    newest_checkpoint,
    save_checkpoint,
)
from imforensics.outputs import claim_folder


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


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[Path]:
    """Of the checkpoints, in a claimed run folder."""
    with claim_folder(tmp_path / "run", "training run"):
        yield tmp_path / "run" / "checkpoints"


def test_best_model_is_kept_beside_the_last(folder: Path) -> None:
    for number, state in enumerate(states([0.7, 0.5, 0.6]), start=1):
        save_checkpoint(folder, state, FakeModel(f"epoch {number}"))  # type: ignore[arg-type]
    checkpoint = load_checkpoint(folder)
    assert checkpoint is not None
    assert checkpoint.model_path.read_text() == "epoch 3"
    assert checkpoint.best_path.read_text() == "epoch 2"
    assert checkpoint.state.epoch == 3
    assert [path.name for path in folder.iterdir()] == ["epoch_0003"]


def test_other_files_among_checkpoints_stay_and_end_nothing(folder: Path) -> None:
    first, second, third = states([0.7, 0.5, 0.6])
    save_checkpoint(folder, first, FakeModel("epoch 1"))  # type: ignore[arg-type]
    (folder / "notes.txt").write_text("mine")
    (folder / "epoch_0009").mkdir()
    (folder / "epoch_0009" / "notes.txt").write_text("mine")
    (folder / "epoch_9999").write_text("mine")
    (folder / "epoch_old").mkdir()
    (folder / "epoch_0001" / "notes.txt").write_text("mine")
    save_checkpoint(folder, second, FakeModel("epoch 2"))  # type: ignore[arg-type]
    (folder / "epoch_0002" / "model.keras").write_text("changed")
    save_checkpoint(folder, third, FakeModel("epoch 3"))  # type: ignore[arg-type]
    checkpoint = load_checkpoint(folder)
    assert checkpoint is not None
    assert checkpoint.state.epoch == 3
    left = {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()}
    assert left == {
        "notes.txt",
        "epoch_0009/notes.txt",
        "epoch_9999",
        "epoch_0001/notes.txt",
        "epoch_0002/model.keras",
        *(f"epoch_0003/{name}" for name in ("model.keras", "best.keras", "state.json")),
    }


def test_the_newest_checkpoint_is_that_of_the_highest_number(tmp_path: Path) -> None:
    for name in ("epoch_9999", "epoch_10000"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "state.json").write_text("{}")
    assert newest_checkpoint(tmp_path) == tmp_path / "epoch_10000"


def test_a_kill_while_saving_leaves_the_checkpoint_before(folder: Path) -> None:
    first, second = states([0.7, 0.5])
    save_checkpoint(folder, first, FakeModel("epoch 1"))  # type: ignore[arg-type]
    with pytest.raises(KeyboardInterrupt):
        save_checkpoint(folder, second, DyingModel())  # type: ignore[arg-type]
    checkpoint = load_checkpoint(folder)
    assert checkpoint is not None
    assert (checkpoint.state.epoch, checkpoint.model_path.read_text()) == (1, "epoch 1")
    save_checkpoint(folder, second, FakeModel("epoch 2"))  # type: ignore[arg-type]
    assert [path.name for path in folder.iterdir()] == ["epoch_0002"]


def test_nothing_there(tmp_path: Path) -> None:
    assert load_checkpoint(tmp_path / "absent") is None


def test_damaged_state_is_told(tmp_path: Path) -> None:
    checkpoint = save_checkpoint(tmp_path, states([0.7])[0], FakeModel("x"))  # type: ignore[arg-type]
    (checkpoint.model_path.parent / "state.json").write_text("{")
    with pytest.raises(InterruptedRunError, match="--overwrite"):
        load_checkpoint(tmp_path)
