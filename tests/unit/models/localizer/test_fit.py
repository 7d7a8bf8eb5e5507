"""The localizer's fit: stopped and resumed to the same rows and weights, or started from another run."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
import pytest

from fixtures.localizer_data import open_plain_feed, tiny_config, write_photographs
from imforensics.errors import InterruptedRunError
from imforensics.models.localizer import fit as localizer_fit
from imforensics.models.localizer.fit import (
    LocalizerRow,
    fit_localizer,
    load_averaged,
    make_validation_batches,
)
from imforensics.models.localizer.learning import Learner
from imforensics.models.training.checkpoints import STATE_FILE, WEIGHTS_FILE, SavedState
from imforensics.models.training.progress import Progress
from imforensics.models.training.variables import save_arrays

pytestmark = [
    pytest.mark.train,
    # TensorFlow 2.21 variables do not take numpy 2's copy keyword; Keras saves them all the same
    pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning"),
]
QUICK = ("network.streams=[traces]", "fit.epochs=2")  # building and tracing networks takes the time
TIMINGS = {"seconds", "images_per_second"}


@pytest.fixture(autouse=True, scope="module")
def libraries() -> None:
    for name in ("tensorflow", "keras", "sklearn"):
        pytest.importorskip(name)


@pytest.fixture(autouse=True)
def _in_this_process(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(localizer_fit, "open_feed", open_plain_feed)


@pytest.fixture(scope="module")
def manifest(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_photographs(tmp_path_factory.mktemp("photographs"))


class StoppedError(Exception):
    """Raised in the place of a kill."""


class Stop(Progress):
    """Stops the run when it says that an epoch is over: its checkpoint is not written yet."""

    def __init__(self, epoch: int) -> None:
        self._epoch = epoch

    def say(self, text: str) -> None:
        if text.startswith(f"epoch {self._epoch:3d}"):
            raise StoppedError


def comparable(state: SavedState[LocalizerRow]) -> list[dict[str, float]]:
    return [row.model_dump(exclude=TIMINGS) for row in state.rows]


@pytest.mark.slow
def test_a_stopped_fit_goes_on_to_the_same_rows_and_weights(manifest: Path, tmp_path: Path) -> None:
    config = tiny_config(manifest, *QUICK)
    for name in ("straight", "stopped"):
        (tmp_path / name).mkdir()
    straight, state, held_out = fit_localizer(config, tmp_path / "straight")
    with pytest.raises(StoppedError):
        fit_localizer(config, tmp_path / "stopped", progress=Stop(2))
    with (tmp_path / "stopped" / "training_log.csv").open(newline="") as lines:
        assert [row["epoch"] for row in csv.DictReader(lines)] == ["1"]
    resumed, again, same = fit_localizer(config, tmp_path / "stopped")
    assert [row.epoch for row in state.rows] == [1, 2]
    np.testing.assert_equal(comparable(again), comparable(state))  # NaN equals NaN
    for name, group in straight.groups.items():
        for one, other in zip(group, resumed.groups[name], strict=True):
            np.testing.assert_array_equal(one.numpy(), other.numpy(), err_msg=name)
    assert len(held_out) == len(same) == 2, "4 validation pairs, 2 a batch"
    for one_batch, other_batch in zip(held_out, same, strict=True):
        np.testing.assert_array_equal(one_batch.pixels, other_batch.pixels)
    assert state.rows[-1].loss != state.rows[0].loss
    assert all(row.loss == pytest.approx(_sum_of_parts(row), rel=1e-4) for row in state.rows)


def _sum_of_parts(row: LocalizerRow) -> float:
    return row.map_loss + row.dice_loss + row.score_loss + row.reliability_loss


@pytest.mark.slow
def test_a_run_starts_from_the_averaged_weights_of_another(manifest: Path, tmp_path: Path) -> None:
    for name in ("first", "tuned", "larger"):
        (tmp_path / name).mkdir()
    run = tmp_path / "first"
    first, _, _ = fit_localizer(tiny_config(manifest, "fit.epochs=1"), run)
    config = tiny_config(manifest, f"start_from={run}", "fit.epochs=1", "fit.learning_rate=1e-9")
    kept = load_averaged(config, run).averaged.whole
    for weight, average in zip(kept.trainable_variables, first.averages, strict=True):
        np.testing.assert_array_equal(weight.numpy(), average.numpy())
    learner, state, _ = fit_localizer(config, tmp_path / "tuned")
    assert state.epoch == 1
    for weight, before in zip(learner.model.trainable_variables, kept.trainable_variables, strict=True):
        np.testing.assert_allclose(weight.numpy(), before.numpy(), atol=1e-5)
    assert int(learner.model.optimizer.iterations.numpy()) == 2, "the optimizer is its own"
    larger = tiny_config(manifest, f"start_from={run}", "network.channels=8")
    with pytest.raises(InterruptedRunError, match="cannot be read"):
        fit_localizer(larger, tmp_path / "larger")


def test_a_run_without_a_checkpoint_cannot_be_started_from(manifest: Path, tmp_path: Path) -> None:
    with pytest.raises(InterruptedRunError, match="holds no checkpoint"):
        load_averaged(tiny_config(manifest), tmp_path)


def test_a_run_of_another_precision_can_be_started_from(manifest: Path, tmp_path: Path) -> None:
    """Its optimizer has other variables; the weights are the same."""
    other = Learner(tiny_config(manifest, *QUICK, "fit.precision=mixed_float16"))
    assert len(other.groups["optimizer"]) > len(Learner(tiny_config(manifest, *QUICK)).groups["optimizer"])
    for average in other.averages:
        average.assign(average + 1)
    checkpoint = tmp_path / "checkpoints" / "epoch_0001"
    checkpoint.mkdir(parents=True)
    save_arrays(checkpoint / WEIGHTS_FILE, other.groups)
    (checkpoint / STATE_FILE).write_text("{}")
    kept = load_averaged(tiny_config(manifest, *QUICK), tmp_path).averaged.whole
    for weight, average in zip(kept.trainable_variables, other.averages, strict=True):
        np.testing.assert_array_equal(weight.numpy(), average.numpy())


def test_validation_pictures_do_not_depend_on_the_training(manifest: Path) -> None:
    one = make_validation_batches(tiny_config(manifest), Progress())
    other = make_validation_batches(tiny_config(manifest, "data.untouched=1", "fit.steps=9"), Progress())
    for first, second in zip(one, other, strict=True):
        np.testing.assert_array_equal(first.traces, second.traces)


def test_photographs_that_cannot_be_read_are_named(tmp_path: Path) -> None:
    manifest = write_photographs(tmp_path)
    (tmp_path / "photo_6.jpg").write_bytes(b"no image")
    said: list[str] = []
    progress = Progress()
    progress.say = said.append  # type: ignore[method-assign]
    make_validation_batches(tiny_config(manifest), progress)
    assert said == ["1 validation photographs cannot be read and are left out: photo_6.jpg"]
