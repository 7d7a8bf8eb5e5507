"""The records of an evaluation as columns: a few numbers of each, one table of pixel counts an entry."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, cast

from imforensics.metrics.detection import Confusion
from imforensics.metrics.localization import PooledPixels
from imforensics.pipeline.evaluate.worker import add_histogram
from imforensics.store import Row

Condition = tuple[str, float]


@dataclass(frozen=True, slots=True)
class Case:
    """What is kept of one record.

    Attributes:
        trial: id of the trial.
        label: 0 authentic, 1 tampered.
        group: source; cases of one group are not independent.
        status: of the record.
        score: None where there is none.
        log10_lr: calibrated, None where there is none.
        stated: label stated by the method, None where there is none.
        pair: id of the twin, None outside that protocol.
        manipulation: of a tampered image, where known.
        format: of the picture shown.
        mask_area: share of the image, None without a mask.
        pixel: per-image pixel metrics, None without a map or mask.
    """

    trial: str
    label: int
    group: str
    status: str
    score: float | None
    log10_lr: float | None
    stated: str | None
    pair: str | None
    manipulation: str | None
    format: str | None
    mask_area: float | None
    pixel: Mapping[str, float | None] | None


@dataclass
class Column:
    """One entry's cases under one condition, and the pooled pixel counts of its maps.

    Attributes:
        cases: in the order of the records.
        pooled: pixel counts of the tampered images.
        policy: how the map's threshold was chosen.
        seconds: time spent in the method.
    """

    cases: list[Case] = field(default_factory=list)
    pooled: PooledPixels | None = None
    policy: str | None = None
    seconds: float = 0.0


Columns = dict[tuple[str, Condition], Column]


def collect_columns(records: Iterable[Row]) -> Columns:
    """Sort records by entry and condition; nothing of a record is kept but a `Case`."""
    columns: Columns = {}
    for row in records:
        condition = (str(row["condition"]), float(cast("float", row["strength"])))
        column = columns.setdefault((str(row["entry"]), condition), Column())
        column.cases.append(_case(row))
        column.seconds += cast("float | None", row["seconds"]) or 0.0
        column.policy = column.policy or cast("str | None", row["threshold_policy"])
        if row["histogram"] is not None:
            _add_pooled(column, row)
    return columns


def _case(row: Row) -> Case:
    plain: Any = row
    names = ("trial", "label", "group", "status", "score", "log10_lr", "stated", "pair", "manipulation")
    return Case(*(plain[name] for name in (*names, "format", "mask_area", "pixel")))


def _add_pooled(column: Column, row: Row) -> None:
    plain: Any = row
    if column.pooled is None:
        column.pooled = PooledPixels(plain["threshold"])
    add_histogram(column.pooled.pixels, plain["histogram"])
    counts = {policy: Confusion(*found) for policy, found in plain["counts"].items()}
    column.pooled.add_counts(counts)
