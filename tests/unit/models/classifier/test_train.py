"""What is refused before any training starts."""

from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner

from imforensics.cli.main import main
from imforensics.config import load_config
from imforensics.errors import DatasetError
from imforensics.models.classifier import train
from imforensics.models.classifier.config import TrainDetectorConfig
from imforensics.models.classifier.data import load_training_data
from imforensics.models.training import extra as training_extra


def run(*arguments: str | Path) -> tuple[int, str]:
    result = CliRunner().invoke(main, ["train-detector", *map(str, arguments)])
    return result.exit_code, result.stderr


@pytest.mark.parametrize("missing", train.REQUIRED)
def test_a_missing_extra_is_one_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, missing: str) -> None:
    monkeypatch.setattr(training_extra, "find_spec", lambda name: None if name == missing else object())
    code, text = run("-o", tmp_path / "run")
    assert code == 1
    assert text.count("\n") == 1
    assert "train-detector needs the extra 'train'" in text
    assert "pip install" in text
    assert not (tmp_path / "run").exists()


def test_resume_and_overwrite_exclude_each_other(tmp_path: Path) -> None:
    code, text = run("-o", tmp_path / "run", "--resume", "--overwrite")
    assert code == 2
    assert "use only one of them" in text


def test_a_wrong_key_names_the_nearest(tmp_path: Path) -> None:
    code, text = run("-o", tmp_path / "run", "--set", "fit.epoch=3")
    assert code == 2
    assert "did you mean epochs?" in text


def test_a_missing_data_set_makes_no_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(training_extra, "find_spec", lambda name: object())
    code, text = run("-o", tmp_path / "run", "--set", f"dataset.root={tmp_path / 'absent'}")
    assert code == 1
    assert "absent" in text
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize("name", ["train_detector_paper", "train_detector_twin"])
def test_shipped_configurations_are_valid(name: str) -> None:
    path = Path(__file__).parents[4] / "configs" / f"{name}.yaml"
    config = load_config(TrainDetectorConfig, path)
    assert config.name.startswith("casia1_ela_cnn_")
    assert (config.input.height, config.input.width) == (128, 128)


def write_set(folder: Path, splits: list[str], *, groups: int) -> list[str]:
    """Settings that name a set of files that are never read, authentic and tampered in turn."""
    rows = ["image,label,group,split"]
    for number, split in enumerate(splits):
        (folder / f"{number}.jpg").write_bytes(b"never read")
        rows.append(f"{number}.jpg,{number % 2},{number // 2 % groups},{split}")
    path = folder / "manifest.csv"
    path.write_text("\n".join(rows))
    return ["dataset.name=folder", f"dataset.root={path}"]


def test_a_validation_split_of_one_source_is_refused_before_training(tmp_path: Path) -> None:
    settings = write_set(tmp_path, ["val"] * 6 + ["train", "test"], groups=1)
    with pytest.raises(DatasetError, match="authentic images of 1 sources"):
        load_training_data(load_config(TrainDetectorConfig, overrides=settings))


def test_twins_of_a_set_without_any_are_refused(tmp_path: Path) -> None:
    settings = write_set(tmp_path, ["val"] * 4 + ["train", "test"], groups=4)
    with pytest.raises(DatasetError, match="no committed twins"):
        load_training_data(load_config(TrainDetectorConfig, overrides=[*settings, "pairs=twin"]))
    data = load_training_data(load_config(TrainDetectorConfig, overrides=settings))
    assert data.twins_missing is not None
    assert {split: len(part) for split, part in data.examples["raw"].items()} == {
        "train": 1,
        "val": 4,
        "test": 1,
    }
