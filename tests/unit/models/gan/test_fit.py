"""Both fits on made images: resumed without a jump, stopped early, alarmed by sameness."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from imforensics.config import load_config
from imforensics.models.gan.config import TrainGanConfig
from imforensics.models.gan.encoder import EncoderRow, fit_encoder
from imforensics.models.gan.fit import GanRow, fit_gan, has_collapsed, predict

pytestmark = [
    pytest.mark.train,
    # TensorFlow 2.21 variables do not take numpy 2's copy keyword; Keras saves them all the same
    pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning"),
]
CONFIG = load_config(
    TrainGanConfig,
    overrides=[
        "images.size=16",
        "networks.latent=5",
        "networks.generator_filters=[8, 8, 4]",
        "networks.discriminator_filters=[4, 8]",
        "networks.encoder_filters=[4, 8]",
        "fit.epochs=4",
        "fit.batch_size=8",
        "fit.sample_every=2",
        "fit.samples=8",
        "encoder.epochs=4",
        "encoder.batch_size=8",
    ],
)
TIMINGS = {"seconds", "steps_per_second", "images_per_second"}


@pytest.fixture(autouse=True, scope="module")
def libraries() -> None:
    for name in ("tensorflow", "keras"):
        pytest.importorskip(name)


def pictures(count: int, seed: int) -> list[NDArray[np.uint8]]:
    """Two-coloured pictures of several sizes."""
    rng = np.random.default_rng(seed)
    result = []
    for index in range(count):
        image = np.empty((20 + index % 3, 26, 3), np.uint8)
        image[:, :13], image[:, 13:] = rng.integers(0, 256, (2, 3))
        result.append(image)
    return result


def shortened(gan: int, encoder: int) -> TrainGanConfig:
    return CONFIG.model_copy(
        update={
            "fit": CONFIG.fit.model_copy(update={"epochs": gan}),
            "encoder": CONFIG.encoder.model_copy(update={"epochs": encoder}),
        }
    )


def losses(rows: tuple[GanRow, ...] | tuple[EncoderRow, ...]) -> list[dict[str, float]]:
    return [row.model_dump(exclude=TIMINGS) for row in rows]


@pytest.mark.slow
def test_resumed_fits_have_the_same_rows_and_weights(tmp_path: Path) -> None:
    train, validation = pictures(17, 1), pictures(6, 2)
    whole, parts = tmp_path / "whole", tmp_path / "parts"
    whole.mkdir()
    parts.mkdir()
    straight, rows, reference = fit_gan(CONFIG, train, validation, whole)
    fit_gan(shortened(2, 0 + 1), train, validation, parts)
    resumed, again, _ = fit_gan(CONFIG, train, validation, parts)
    assert losses(again.rows) == losses(rows.rows)
    for name, group in straight.groups.items():
        for one, other in zip(group, resumed.groups[name], strict=True):
            np.testing.assert_array_equal(one.numpy(), other.numpy(), err_msg=one.path)
    assert (whole / "training_log.csv").read_text().count("\n") == 5
    names = ["epoch_0000.png", "epoch_0002.png", "epoch_0004.png"]
    assert sorted(path.name for path in (parts / "samples").iterdir()) == names
    for name in names:
        np.testing.assert_array_equal(
            *(np.asarray(Image.open(run / "samples" / name)) for run in (whole, parts))
        )

    encoder, fitted = fit_encoder(CONFIG, straight, train, reference, whole)
    fit_encoder(shortened(4, 2), resumed, train, reference, parts)
    other_encoder, other_fitted = fit_encoder(CONFIG, resumed, train, reference, parts)
    assert losses(other_fitted.rows) == losses(fitted.rows)
    np.testing.assert_array_equal(
        predict(encoder, reference.validation), predict(other_encoder, reference.validation)
    )
    with (parts / "encoder_log.csv").open(newline="") as lines:
        logged = list(csv.DictReader(lines))
    assert [row["epoch"] for row in logged] == ["1", "2", "3", "4"]

    kept = fitted.rows[fitted.best_epoch - 1]
    remade = predict(straight.averaged, predict(encoder, reference.validation))
    assert float(np.mean((remade - reference.validation) ** 2)) == pytest.approx(kept.val_mse, rel=1e-4)


def gan_row(diversity: float | None) -> GanRow:
    return GanRow(
        epoch=1,
        generator=1,
        discriminator_real=1,
        discriminator_fake=1,
        total=3,
        val_discriminator_real=1,
        train_discriminator_real=1,
        diversity=diversity,
        seconds=1,
        steps_per_second=1,
    )


def test_collapse_alarm() -> None:
    assert [has_collapsed(gan_row(value), CONFIG) for value in (None, 0.2, 0.49, 0.51, 1.3)] == [
        False,
        True,
        True,
        False,
        False,
    ]
