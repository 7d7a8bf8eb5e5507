"""Readings of made curves: each verdict by its stated rule, of fits and of games."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from imforensics.models.training.run_log import NAMING_RULES, RunLog, Series, classify_column, direction_of
from imforensics.models.training.run_pictures import draw_runs
from imforensics.models.training.run_readings import FIT_RULES, GAME_RULES, format_readings, read_curves_of

EPOCHS = np.arange(30)
FALLING = 0.1 + 0.6 * np.exp(-EPOCHS / 5)
LEVELLING = 0.3 + 0.4 * np.exp(-EPOCHS / 3)
FLAT = np.full(30, 0.5)
ZIGZAG = 0.3 + 0.05 * (-1.0) ** EPOCHS


def run_of(name: str = "made", log: str = "training", **columns: np.ndarray) -> RunLog:
    series = []
    for column, values in columns.items():
        quantity, role = classify_column(column)
        direction = direction_of(quantity)
        assert direction is not None
        epochs = tuple(range(1, len(values) + 1))
        series.append(Series(log, column, quantity, role, direction, epochs, tuple(float(v) for v in values)))
    return RunLog(name, tuple(series))


FITS = {
    "converging": {"mse": FALLING, "val_mse": LEVELLING},
    "overfitting": {
        "mse": FALLING,
        "val_mse": np.where(EPOCHS < 8, 0.7 - 0.03 * EPOCHS, 0.46 + 0.02 * (EPOCHS - 8)),
    },
    "underfitting": {"mse": 0.6 - 0.0005 * EPOCHS, "val_mse": np.full(30, 0.6)},
    "still_improving": {"mse": 0.65 - 0.01 * EPOCHS, "val_mse": 0.66 - 0.009 * EPOCHS},
    "oscillating": {"mse": FALLING, "val_mse": ZIGZAG},
    "too_short": {"mse": FALLING[:3], "val_mse": LEVELLING[:3]},
    "no_pair": {"mse": FALLING},
}

BALANCED = {
    "generator": 0.9 + 0.02 * np.sin(EPOCHS),
    "discriminator_real": FLAT,
    "discriminator_fake": FLAT,
}
GAMES = {
    "converging": BALANCED | {"diversity": np.full(3, 0.9)},
    "collapse": BALANCED
    | {
        "generator": 0.7 + 0.2 * EPOCHS,
        "discriminator_real": 0.5 / (1 + EPOCHS),
        "discriminator_fake": 0.5 / (1 + EPOCHS),
    },
    "mode_collapse": BALANCED | {"diversity": np.array([0.8, 0.6, 0.3])},
    "underfitting": {
        "generator": np.full(30, 0.7),
        "discriminator_real": np.full(30, 0.69),
        "discriminator_fake": np.full(30, 0.69),
    },
    "overfitting": BALANCED | {"val_discriminator_real": FLAT + 0.6, "train_discriminator_real": FLAT - 0.2},
    "oscillating": BALANCED | {"generator": 1.0 + 0.5 * (-1.0) ** EPOCHS},
    "still_improving": BALANCED | {"kernel_distance": np.linspace(1, 0.5, 10)},
    "too_short": {name: values[:2] for name, values in BALANCED.items()},
}


@pytest.mark.parametrize("verdict", FITS)
def test_made_fits(verdict: str) -> None:
    (reading,) = read_curves_of(run_of(**FITS[verdict]))
    assert (reading.kind, reading.verdict, reading.rules) == ("fit", verdict, FIT_RULES)


def test_a_detector_that_guesses_has_learned_nothing_however_bad_its_start_was() -> None:
    losses = {"loss": 0.69 + 0.3 * np.exp(-EPOCHS / 3), "val_loss": np.full(30, 0.69)}
    assert read_curves_of(run_of(**losses))[0].verdict != "underfitting", "a loss of what is not said"
    assert read_curves_of(run_of(**losses, accuracy=FLAT))[0].verdict == "underfitting"


@pytest.mark.parametrize("verdict", GAMES)
def test_made_games(verdict: str) -> None:
    (reading,) = read_curves_of(run_of(**GAMES[verdict]))
    assert (reading.kind, reading.verdict, reading.rules) == ("game", verdict, GAME_RULES)


def test_a_quantity_that_is_better_higher_is_read_upside_down() -> None:
    rising = run_of(ssim=1 - FALLING, val_ssim=1 - LEVELLING)
    assert read_curves_of(rising)[0].verdict == "converging"
    worse = run_of(ssim=1 - FALLING, val_ssim=1 - FITS["overfitting"]["val_mse"])
    assert read_curves_of(worse)[0].verdict == "overfitting"


def test_the_reconstruction_error_comes_before_the_loss() -> None:
    run = run_of(loss=FALLING, val_loss=FLAT, mse=FALLING, val_mse=LEVELLING)
    (reading,) = read_curves_of(run)
    assert reading.quantity == "mse"
    assert read_curves_of(run_of(loss=FALLING, val_loss=LEVELLING))[0].quantity == "loss"


def test_a_game_and_its_encoder_have_a_reading_each() -> None:
    game, encoder = run_of(**BALANCED), run_of(log="encoder", **FITS["converging"])
    readings = read_curves_of(RunLog("gan", (*game.series, *encoder.series)))
    assert [(r.log, r.kind) for r in readings] == [("training", "game"), ("encoder", "fit")]


def test_a_discriminator_that_wins_is_no_collapse_while_the_generator_learns() -> None:
    losses = {"generator": np.full(30, 1.5), "discriminator_real": FLAT / 10, "discriminator_fake": FLAT / 10}
    assert read_curves_of(run_of(**losses))[0].verdict == "converging"


def test_a_kernel_distance_that_rises_again_is_no_convergence() -> None:
    astray = BALANCED | {"kernel_distance": np.array([2.0, 1.6, 2.3])}
    assert read_curves_of(run_of(**astray))[0].verdict == "oscillating"


def test_words_hold_the_figures_and_the_rules() -> None:
    readings = read_curves_of(run_of(**FITS["converging"]))
    text = format_readings(readings)
    assert text.startswith("# Learning curves of made, training: converging\n")
    assert "from 0.7 to 0.1018 on training images" in text
    for rule in FIT_RULES:
        assert rule in text
    empty = read_curves_of(RunLog("empty", ()))
    assert empty[0].verdict == "too_short"


def test_runs_are_drawn_over_each_other(tmp_path: Path) -> None:
    path = tmp_path / "curves.png"
    runs = [run_of("one", **FITS["converging"]), run_of("two", ssim=FALLING, mse=LEVELLING)]
    draw_runs(runs, path)
    with Image.open(path) as picture:
        assert picture.format == "PNG"
        assert picture.width > 800, "two panels"
        assert len(picture.convert("RGB").getcolors(1 << 24)) > 10
    with pytest.raises(ValueError, match="at least one finished epoch"):
        draw_runs([RunLog("empty", ())], path)


def test_the_rules_are_documented() -> None:
    text = (Path(__file__).resolve().parents[4] / "docs" / "training.md").read_text(encoding="utf-8")
    missing = [rule for rule in (*NAMING_RULES, *FIT_RULES, *GAME_RULES) if rule not in text]
    assert missing == []
