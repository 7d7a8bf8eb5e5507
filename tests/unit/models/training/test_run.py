"""The folder of a run: made once, resumed with the same settings, never overwritten unasked."""

from __future__ import annotations

from pathlib import Path

import pytest

from imforensics.config import load_config
from imforensics.errors import InterruptedRunError, OutputExistsError
from imforensics.models.classifier.config import TrainDetectorConfig
from imforensics.models.localizer.config import TrainLocalizerConfig
from imforensics.models.training.checkpoints import SavedState
from imforensics.models.training.run import TrainingRun, TrainResult
from imforensics.models.training.run_log import RunLog
from imforensics.models.training.run_readings import read_curves_of
from imforensics.outputs import MARKER, part_name, write_atomically

CONFIG = TrainDetectorConfig()
OTHER = load_config(TrainDetectorConfig, overrides=["fit.patience=7"])
LONGER = load_config(TrainDetectorConfig, overrides=["fit.epochs=700"])


@pytest.fixture
def run(tmp_path: Path) -> Path:
    folder = tmp_path / "runs" / "a"
    TrainingRun(folder).open(CONFIG)
    write_atomically(folder / "training_log.csv", "epoch\n")
    return folder


def test_new_folder_holds_the_resolved_config(run: Path) -> None:
    assert load_config(TrainDetectorConfig, run / "config.yaml") == CONFIG


def test_existing_run_is_not_overwritten_unasked(run: Path) -> None:
    with pytest.raises(OutputExistsError, match="--resume"):
        TrainingRun(run).open(CONFIG)
    assert (run / "training_log.csv").exists()


def test_resume_keeps_what_is_there(run: Path) -> None:
    TrainingRun(run, resume=True).open(CONFIG)
    assert (run / "training_log.csv").exists()


def test_resume_with_other_settings_names_the_difference(run: Path) -> None:
    with pytest.raises(InterruptedRunError, match="patience: 7"):
        TrainingRun(run, resume=True).open(OTHER)


def test_resume_may_train_longer(run: Path) -> None:
    TrainingRun(run, resume=True).open(LONGER)
    assert (run / "training_log.csv").exists()
    assert load_config(TrainDetectorConfig, run / "config.yaml") == LONGER


def test_a_run_whose_epochs_are_part_of_each_other_cannot_grow(run: Path) -> None:
    with pytest.raises(InterruptedRunError, match=r"started for another number of epochs.*start_from"):
        TrainingRun(run, resume=True).open(LONGER, may_grow=False)
    assert load_config(TrainDetectorConfig, run / "config.yaml") == CONFIG
    TrainingRun(run, resume=True).open(CONFIG, may_grow=False)
    assert (run / "training_log.csv").exists()
    with pytest.raises(InterruptedRunError, match="patience: 7"):
        TrainingRun(run, resume=True).open(OTHER, may_grow=False)


def test_a_kill_while_the_folder_was_made_does_not_block_it(tmp_path: Path) -> None:
    (tmp_path / part_name(".yaml")).write_text("na")
    TrainingRun(tmp_path).open(CONFIG)
    assert load_config(TrainDetectorConfig, tmp_path / "config.yaml") == CONFIG
    assert {path.name for path in tmp_path.iterdir()} == {MARKER, "config.yaml"}


def test_resume_of_nothing_starts_a_run(tmp_path: Path) -> None:
    TrainingRun(tmp_path / "new", resume=True).open(CONFIG)
    assert (tmp_path / "new" / "config.yaml").exists()


def test_overwrite_starts_anew(run: Path) -> None:
    TrainingRun(run, overwrite=True).open(OTHER)
    assert not (run / "training_log.csv").exists()
    assert load_config(TrainDetectorConfig, run / "config.yaml") == OTHER


@pytest.mark.parametrize("flag", ["resume", "overwrite"])
def test_a_folder_that_is_no_run_is_never_touched(tmp_path: Path, flag: str) -> None:
    precious = tmp_path / "letters.txt"
    precious.write_text("keep")
    with pytest.raises(OutputExistsError, match=r"letters\.txt"):
        TrainingRun(tmp_path, **{flag: True}).open(CONFIG)
    assert precious.read_text() == "keep"


def test_a_folder_that_merely_has_a_configuration_is_no_run(tmp_path: Path) -> None:
    (tmp_path / "config.yaml").write_text("mine")
    for flags in ({}, {"resume": True}, {"overwrite": True}):
        with pytest.raises(OutputExistsError, match=r"config\.yaml"):
            TrainingRun(tmp_path, **flags).open(CONFIG)
    assert [path.name for path in tmp_path.iterdir()] == ["config.yaml"]


def test_a_run_is_not_written_over_the_one_it_starts_from(tmp_path: Path) -> None:
    config = load_config(TrainLocalizerConfig, overrides=[f"start_from={tmp_path}/run"])
    TrainingRun(tmp_path / "run").open(config.model_copy(update={"start_from": None}))
    with pytest.raises(OutputExistsError, match="holds the input"):
        TrainingRun(tmp_path / "run", overwrite=True).open(config)
    assert (tmp_path / "run" / "config.yaml").exists()


def test_a_file_in_the_way(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_text("x")
    with pytest.raises(OutputExistsError, match="is a file"):
        TrainingRun(path).open(CONFIG)


def test_write_atomically_leaves_no_partial_file(tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    write_atomically(path, "one")
    write_atomically(path, b"two")
    assert path.read_bytes() == b"two"
    assert [entry.name for entry in tmp_path.iterdir()] == ["a.txt"]


def test_the_end_of_a_run_is_told_as_json_has_it(tmp_path: Path) -> None:
    reading = read_curves_of(RunLog("made", ()))[0]
    figures = {"test": {"auc": float("nan"), "n": 3}, "errors": [0.5, float("inf")], "epochs": 7}
    result = TrainResult(tmp_path, CONFIG, (reading,), SavedState(best_epoch=2), figures)  # type: ignore[type-var]
    assert result.summarize() == {
        "bundle": str(tmp_path),
        "epochs": 7,
        "best_epoch": 2,
        "curves": "too_short",
        "test": {"auc": None, "n": 3},
        "errors": [0.5, None],
    }
