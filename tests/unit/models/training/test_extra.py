"""Without the extra `train`, every training says so before it makes a folder."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from imforensics.errors import DatasetError, MissingExtraError
from imforensics.models.autoencoder import train as train_autoencoder
from imforensics.models.autoencoder.config import TrainAutoencoderConfig
from imforensics.models.classifier import train
from imforensics.models.classifier.config import TrainDetectorConfig
from imforensics.models.gan import train as train_gan
from imforensics.models.gan.config import TrainGanConfig
from imforensics.models.training import extra as training_extra
from imforensics.models.training.extra import require_training
from imforensics.models.training.run import TrainingRun

TRAININGS: dict[str, tuple[Callable[..., object], Any, tuple[str, ...]]] = {
    "train-detector": (train.train_detector, TrainDetectorConfig(), train.REQUIRED),
    "train-autoencoder": (
        train_autoencoder.train_autoencoder,
        TrainAutoencoderConfig(),
        train_autoencoder.REQUIRED,
    ),
    "train-gan": (train_gan.train_gan, TrainGanConfig(), train_gan.REQUIRED),
}


def test_what_is_there_is_enough() -> None:
    require_training("train-made", ("json", "numpy"))
    with pytest.raises(MissingExtraError, match=r"train-made needs the extra 'train'\. Install it: pip"):
        require_training("train-made", ("json", "no_such_package"))


@pytest.mark.parametrize(
    ("command", "missing"), [(name, package) for name in TRAININGS for package in TRAININGS[name][2]]
)
def test_each_missing_package_stops_a_training(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, command: str, missing: str
) -> None:
    run, config, _ = TRAININGS[command]
    monkeypatch.setattr(training_extra, "find_spec", lambda name: None if name == missing else object())
    with pytest.raises(MissingExtraError, match=f"^{command} needs the extra 'train'"):
        run(config, TrainingRun(tmp_path / "run"))
    assert not (tmp_path / "run").exists()


def test_a_batch_must_be_filled_before_a_gan_is_trained(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(training_extra, "find_spec", lambda name: object())
    monkeypatch.setattr(train_gan, "list_authentic", lambda dataset, split: [tmp_path] * 20)
    with pytest.raises(DatasetError, match=r"encoder\.batch_size=32 training images, received 20"):
        train_gan.train_gan(TrainGanConfig(), TrainingRun(tmp_path / "run"))
    assert not (tmp_path / "run").exists()
