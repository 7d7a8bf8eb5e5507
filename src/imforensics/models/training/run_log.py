"""The logs of a training run of any kind as series: which column is what is told by its name."""

from __future__ import annotations

import csv
import math
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from imforensics.errors import InterruptedRunError
from imforensics.models.training.training_log import LOG_FILE

Role = Literal["training", "training, evaluated", "validation"]
Direction = Literal["lower", "higher", "game"]

NAMING_RULES = (
    "A run's logs are training_log.csv and every other *_log.csv of its folder, one line an epoch.",
    "epoch is the axis; seconds, steps and names that end in _per_second are not drawn.",
    "val_X, and X_val_Y, is X (X_Y) on validation images; train_X is X evaluated on training images after "
    "the epoch; any other name is a quantity on training images while it was learned.",
    "Names that end in loss, mse, error or distance are better lower; in ssim, psnr, accuracy, auc, f1 or "
    "diversity, higher.",
    "generator, discriminator and total (with generator_loss and the like) are losses of a game: neither "
    "direction is better.",
)
GAME = ("generator", "discriminator", "total")
LOWER = ("loss", "mse", "error", "distance", "kid", "fid")
HIGHER = ("ssim", "psnr", "accuracy", "auc", "f1", "diversity")
_NOT_DRAWN = ("seconds", "steps", "step")


@dataclass(frozen=True, slots=True)
class Series:
    """One column of a log; epochs without a value are left out.

    Attributes:
        log: name of the log without "_log.csv": "training", "encoder".
        column: as in the log.
        quantity: what is measured, whatever images it is measured on.
        role: on which images.
        direction: which way is better.
        epochs: of each value.
        values: finite numbers.
    """

    log: str
    column: str
    quantity: str
    role: Role
    direction: Direction
    epochs: tuple[int, ...]
    values: tuple[float, ...]


@dataclass(frozen=True, slots=True)
class RunLog:
    """All series of a run.

    Attributes:
        name: of the run's folder.
        series: log by log, in the order of the columns.
    """

    name: str
    series: tuple[Series, ...]

    def find(self, quantity: str, role: Role = "training", *, log: str | None = None) -> Series | None:
        """The series of a quantity, None where there is none with a value."""
        for series in self.series:
            if (series.quantity, series.role) == (quantity, role) and log in (None, series.log):
                return series
        return None


def read_run(path: Path) -> RunLog:
    """Read the logs of a run.

    Args:
        path: folder of a run, or one log.

    Raises:
        InterruptedRunError: there is no log, or one cannot be read.
    """
    if path.is_file():
        return RunLog(path.parent.resolve().name, tuple(_read_log(path)))
    first = path / LOG_FILE
    if not first.is_file():
        raise InterruptedRunError(
            f"{path} holds no {LOG_FILE}. Name the folder of a training run, or its log"
        )
    others = sorted(other for other in path.glob("*_log.csv") if other != first)
    series = [one for log in (first, *others) for one in _read_log(log)]
    return RunLog(path.resolve().name, tuple(series))


def classify_column(column: str) -> tuple[str, Role]:
    """Quantity and role of a column by NAMING_RULES.

    >>> classify_column("encoder_val_mse"), classify_column("train_loss")
    (('encoder_mse', 'validation'), ('loss', 'training, evaluated'))
    """
    if column.startswith("val_"):
        return column.removeprefix("val_"), "validation"
    if "_val_" in column:
        return column.replace("_val_", "_", 1), "validation"
    if column.startswith("train_"):
        return column.removeprefix("train_"), "training, evaluated"
    return column, "training"


def direction_of(quantity: str) -> Direction | None:
    """Which way a quantity is better by NAMING_RULES; None for one that is not drawn.

    >>> direction_of("encoder_ssim"), direction_of("generator_loss"), direction_of("seconds")
    ('higher', 'game', None)
    """
    words = quantity.split("_")
    if quantity in _NOT_DRAWN or quantity.endswith("_per_second"):
        return None
    if words[0] in GAME:
        return "game"
    if words[-1] in HIGHER:
        return "higher"
    return "lower" if words[-1] in LOWER else None


def _read_log(path: Path) -> Iterator[Series]:
    try:
        with path.open(newline="", encoding="utf-8") as lines:
            rows = list(csv.DictReader(lines))
        name = path.name.removesuffix(".csv").removesuffix("_log")
        for column in rows[0] if rows else ():
            quantity, role = classify_column(column)
            direction = direction_of(quantity)
            if direction is None or column == "epoch":
                continue
            found = [(int(row["epoch"]), float(row[column])) for row in rows if row[column]]
            finite = [(epoch, value) for epoch, value in found if math.isfinite(value)]
            if finite:
                epochs, values = zip(*finite, strict=True)
                yield Series(name, column, quantity, role, direction, epochs, values)
    except (OSError, UnicodeDecodeError, csv.Error, KeyError, TypeError, ValueError) as error:
        raise InterruptedRunError(
            f"{path} cannot be read as a training log: {error}. Expected a CSV table with a column epoch"
        ) from None
