"""Readings of made learning curves."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from imforensics.models.classifier.curves import RULES, draw_curves, format_reading, read_curves
from imforensics.models.training.checkpoints import EpochRow


def rows_of(train: Sequence[float], validation: Sequence[float]) -> list[EpochRow]:
    return [
        EpochRow(
            epoch=number,
            loss=loss,
            accuracy=0.8,
            val_loss=val_loss,
            val_accuracy=0.7,
            seconds=1.0,
            images_per_second=100.0,
        )
        for number, (loss, val_loss) in enumerate(zip(train, validation, strict=True), start=1)
    ]


EPOCHS = np.arange(30)
FALLING = 0.1 + 0.6 * np.exp(-EPOCHS / 5)
LEVELLING = 0.3 + 0.4 * np.exp(-EPOCHS / 3)

CASES = {
    "converging": (FALLING, LEVELLING),
    "overfitting": (FALLING, np.where(EPOCHS < 8, 0.7 - 0.03 * EPOCHS, 0.46 + 0.02 * (EPOCHS - 8))),
    "underfitting": (0.69 - 0.0005 * EPOCHS, np.full(30, 0.69)),
    "still_improving": (0.65 - 0.01 * EPOCHS, 0.66 - 0.009 * EPOCHS),
    "too_short": (FALLING[:3], LEVELLING[:3]),
}


@pytest.mark.parametrize("verdict", CASES)
def test_made_curves(verdict: str) -> None:
    train, validation = CASES[verdict]
    reading = read_curves(rows_of(train.tolist(), validation.tolist()))
    assert reading.verdict == verdict
    assert reading.kept_epoch == int(np.argmin(validation)) + 1
    assert reading.rules == RULES


def test_rising_validation_loss_with_rising_training_loss_is_no_overfitting() -> None:
    train = np.where(EPOCHS < 10, 0.5 - 0.02 * EPOCHS, 0.45)
    validation = np.where(EPOCHS < 10, 0.6 - 0.02 * EPOCHS, 0.6)
    assert read_curves(rows_of(train.tolist(), validation.tolist())).verdict != "overfitting"


def test_words_hold_the_figures() -> None:
    reading = read_curves(rows_of(FALLING.tolist(), LEVELLING.tolist()))
    text = format_reading(reading)
    assert text.startswith("# Learning curves: converging\n")
    assert "from 0.700 to 0.102" in text
    assert "epoch 30" in text
    for rule in RULES:
        assert rule in text


def test_the_epoch_told_as_kept_is_the_one_kept() -> None:
    reading = read_curves(rows_of(FALLING.tolist(), LEVELLING.tolist()), kept=7)
    assert reading.kept_epoch == 7
    assert any(sentence.startswith("The network of epoch 7 is kept") for sentence in reading.sentences)


def test_no_rows() -> None:
    reading = read_curves([])
    assert (reading.verdict, reading.kept_epoch) == ("too_short", 0)


def test_picture(tmp_path: Path) -> None:
    path = tmp_path / "curves.png"
    draw_curves(rows_of(FALLING.tolist(), LEVELLING.tolist()), path, title="made", kept=3)
    with Image.open(path) as picture:
        assert picture.format == "PNG"
        assert picture.width > 600
        assert len(picture.convert("RGB").getcolors(1 << 24)) > 10
