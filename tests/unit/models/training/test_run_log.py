"""Which column of a training log is what."""

from __future__ import annotations

from pathlib import Path

import pytest

from imforensics.errors import InterruptedRunError
from imforensics.models.classifier.fit import ClassifierRow
from imforensics.models.training.run_log import classify_column, direction_of, read_run
from imforensics.models.training.training_log import write_log


@pytest.mark.parametrize(
    ("column", "quantity", "role"),
    [
        ("loss", "loss", "training"),
        ("val_loss", "loss", "validation"),
        ("encoder_val_mse", "encoder_mse", "validation"),
        ("encoder_mse", "encoder_mse", "training"),
        ("train_discriminator_real", "discriminator_real", "training, evaluated"),
        ("val_discriminator_real", "discriminator_real", "validation"),
        ("interval_loss", "interval_loss", "training"),
    ],
)
def test_names_tell_quantity_and_images(column: str, quantity: str, role: str) -> None:
    assert classify_column(column) == (quantity, role)


@pytest.mark.parametrize(
    ("quantity", "direction"),
    [
        ("loss", "lower"),
        ("encoder_mse", "lower"),
        ("kernel_distance", "lower"),
        ("ssim", "higher"),
        ("accuracy", "higher"),
        ("diversity", "higher"),
        ("generator", "game"),
        ("generator_loss", "game"),
        ("discriminator_fake_loss", "game"),
        ("total", "game"),
        ("seconds", None),
        ("images_per_second", None),
        ("learning_rate", None),
    ],
)
def test_names_tell_the_direction(quantity: str, direction: str | None) -> None:
    assert direction_of(quantity) == direction


def test_a_detectors_log_is_read(tmp_path: Path) -> None:
    rows = [
        ClassifierRow(
            epoch=epoch,
            loss=0.7 - epoch / 10,
            accuracy=0.5,
            val_loss=0.69,
            val_accuracy=0.6,
            seconds=1.5,
            images_per_second=80,
        )
        for epoch in (1, 2)
    ]
    write_log(tmp_path, rows, row_type=ClassifierRow)
    run = read_run(tmp_path)
    assert run.name == tmp_path.name
    assert [s.column for s in run.series] == ["loss", "accuracy", "val_loss", "val_accuracy"]
    found = run.find("accuracy", "validation")
    assert found is not None
    assert found.values == (0.6, 0.6)
    assert run.find("accuracy", "training, evaluated") is None


def test_every_log_of_a_run_is_read_and_empty_cells_are_left_out(tmp_path: Path) -> None:
    (tmp_path / "training_log.csv").write_text("epoch,generator,kid\n1,0.9,\n2,0.8,0.5\n3,nan,\n")
    (tmp_path / "encoder_log.csv").write_text("epoch,mse,val_mse\n1,0.2,0.3\n")
    run = read_run(tmp_path)
    assert [(s.log, s.column, s.epochs) for s in run.series] == [
        ("training", "generator", (1, 2)),
        ("training", "kid", (2,)),
        ("encoder", "mse", (1,)),
        ("encoder", "val_mse", (1,)),
    ]
    only = read_run(tmp_path / "encoder_log.csv")
    assert (only.name, {s.log for s in only.series}) == (tmp_path.name, {"encoder"})


def test_what_is_no_log_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InterruptedRunError, match=r"holds no training_log\.csv"):
        read_run(tmp_path)
    log = tmp_path / "training_log.csv"
    for text in ("epoch,loss\n1,abc\n", "step,loss\n1,0.5\n", "epoch,loss\n1\n"):
        log.write_text(text)
        if text.endswith("\n1\n"):
            assert read_run(tmp_path).series == ()
        else:
            with pytest.raises(InterruptedRunError, match="cannot be read as a training log"):
                read_run(tmp_path)
    log.write_bytes(b"\xff\xfe\x00")
    with pytest.raises(InterruptedRunError, match="cannot be read"):
        read_run(tmp_path)
