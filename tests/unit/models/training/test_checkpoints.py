"""Checkpoints: complete or not there; the best network is kept; early stopping counts right."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from imforensics.errors import InterruptedRunError
from imforensics.models.training.checkpoints import (
    EarlyStopping,
    LogRow,
    SavedState,
    load_state,
    newest_checkpoint,
    save_checkpoint,
)
from imforensics.outputs import claim_folder


class Row(LogRow):
    """A log of one column."""

    val_loss: float


class Variable:
    """One number, as a TensorFlow variable holds it."""

    def __init__(self, value: float) -> None:
        self.value = value

    def numpy(self) -> np.ndarray:
        return np.array(self.value)


class DyingVariable(Variable):
    """Is killed in the middle of saving."""

    def numpy(self) -> np.ndarray:
        raise KeyboardInterrupt


def states(losses: list[float], *, patience: int = 3, **settings: float) -> list[SavedState[Row]]:
    stopping = EarlyStopping(
        column="val_loss", group="net", patience=patience, **({"min_delta": 0.0} | settings)
    )
    state, result = SavedState[Row](), []
    for epoch, loss in enumerate(losses, start=1):
        state = state.add(Row(epoch=epoch, val_loss=loss), stopping)
        result.append(state)
    return result


def save(folder: Path, state: SavedState[Row], value: float) -> Path:
    return save_checkpoint(folder, state, {"net": [Variable(value)]}, best="net")


def saved(folder: Path) -> tuple[int, float, float]:
    """Epoch, last and best value of the newest checkpoint."""
    state, newest = load_state(folder, Row)
    assert newest is not None
    values = [float(np.load(newest / name)["net_000"]) for name in ("weights.npz", "best.npz")]
    return state.epoch, values[0], values[1]


def test_early_stopping_counts_epochs_since_the_best() -> None:
    result = states([0.7, 0.6, 0.65, 0.61, 0.6])
    assert [state.best_epoch for state in result] == [1, 2, 2, 2, 2]
    assert [state.stopped for state in result] == [False, False, False, False, True]


def test_a_fall_below_min_delta_is_no_improvement() -> None:
    assert states([0.7, 0.695, 0.68], min_delta=0.01)[-1].best_epoch == 3
    assert states([0.7, 0.695, 0.695], min_delta=0.01)[-1].best_epoch == 1
    shares = states([0.5, 0.4, 0.3999, 0.41], min_delta=0.01, is_share=True, patience=2)
    assert (shares[-1].best_epoch, shares[-1].stopped) == (2, True)


def test_an_epoch_that_is_not_defined_is_never_the_best() -> None:
    result = states([np.nan, 0.5, np.nan])
    assert [state.best_epoch for state in result] == [0, 2, 2]
    assert np.isnan(SavedState[Row].model_validate_json(result[0].model_dump_json()).rows[0].val_loss)


def test_without_early_stopping_the_last_epoch_is_kept() -> None:
    state = SavedState[Row]().add(Row(epoch=1, val_loss=0.1)).add(Row(epoch=2, val_loss=0.2))
    assert (state.epoch, state.best_epoch, state.stopped) == (2, 2, False)


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[Path]:
    """Of the checkpoints, in a claimed run folder."""
    with claim_folder(tmp_path / "run", "training run"):
        yield tmp_path / "run" / "checkpoints"


def test_best_network_is_kept_beside_the_last(folder: Path) -> None:
    for number, state in enumerate(states([0.7, 0.5, 0.6]), start=1):
        save(folder, state, number)
    assert saved(folder) == (3, 3, 2)
    assert [path.name for path in folder.iterdir()] == ["epoch_0003"]


def test_other_files_among_checkpoints_stay_and_end_nothing(folder: Path) -> None:
    first, second, third = states([0.7, 0.5, 0.6])
    save(folder, first, 1)
    (folder / "notes.txt").write_text("mine")
    (folder / "epoch_0009").mkdir()
    (folder / "epoch_0009" / "notes.txt").write_text("mine")
    (folder / "epoch_9999").write_text("mine")
    (folder / "epoch_old").mkdir()
    (folder / "epoch_0001" / "notes.txt").write_text("mine")
    save(folder, second, 2)
    (folder / "epoch_0002" / "weights.npz").write_text("changed")
    save(folder, third, 3)
    assert saved(folder)[0] == 3
    left = {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()}
    assert left == {
        "notes.txt",
        "epoch_0009/notes.txt",
        "epoch_9999",
        "epoch_0001/notes.txt",
        "epoch_0002/weights.npz",
        *(f"epoch_0003/{name}" for name in ("weights.npz", "best.npz", "state.json")),
    }


def test_the_newest_checkpoint_is_that_of_the_highest_number(tmp_path: Path) -> None:
    for name in ("epoch_9999", "epoch_10000"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "state.json").write_text("{}")
    assert newest_checkpoint(tmp_path) == tmp_path / "epoch_10000"


def test_a_kill_while_saving_leaves_the_checkpoint_before(folder: Path) -> None:
    first, second = states([0.7, 0.5])
    save(folder, first, 1)
    with pytest.raises(KeyboardInterrupt):
        save_checkpoint(folder, second, {"net": [DyingVariable(2)]}, best="net")
    assert saved(folder) == (1, 1, 1)
    save(folder, second, 2)
    assert [path.name for path in folder.iterdir()] == ["epoch_0002"]


def test_nothing_there(tmp_path: Path) -> None:
    assert load_state(tmp_path / "absent", Row) == (SavedState[Row](), None)


@pytest.mark.parametrize("text", ["{", "{}", '{"rows": [{"epoch": 1}]}'])
def test_damaged_state_is_told(tmp_path: Path, text: str) -> None:
    (save(tmp_path, states([0.7])[0], 1) / "state.json").write_text(text)
    with pytest.raises(InterruptedRunError, match=r"(?s)epoch_0001 cannot be read.*--overwrite"):
        load_state(tmp_path, Row)
