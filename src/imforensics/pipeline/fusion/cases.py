"""From the records of an evaluation to what a fusion is fitted on: one row of scores a picture."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from imforensics.datasets.twins import has_ijg_tables
from imforensics.metrics.evidence_classes import CLASS_NAMES, name_classes
from imforensics.metrics.fusion_model import FusionModel
from imforensics.store import Row

Float64Array = NDArray[np.float64]
READABLE = frozenset({"ok", "not_applicable", "failed"})


@dataclass(frozen=True, slots=True)
class FusionCase:
    """One picture and what the methods said of it.

    Attributes:
        trial: id of the trial.
        label: 0 authentic, 1 tampered.
        group: source; cases of one group are not independent.
        pair: id of the twin, None outside that protocol.
        is_exact: saved with the IJG's tables, as our encoder writes them.
        is_jpeg: the picture shown was a JPEG.
        height: of the picture, in pixels.
        width: of the picture, in pixels.
        scores: method → score in [0, 1]; None without one.
        classes: of evidence that it belongs to, the narrowest first.
        is_graphic: a drawing or a graphic, which nothing is stated on.
        failed: methods that broke on it.
        marks: what the map of each method would mark, see `describe_marks`; methods without a map are not in.
    """

    trial: str
    label: int
    group: str
    pair: str | None
    is_exact: bool
    is_jpeg: bool
    height: int
    width: int
    scores: Mapping[str, float | None]
    classes: tuple[str, ...] = CLASS_NAMES[:1]
    is_graphic: bool = False
    failed: tuple[str, ...] = ()
    marks: Mapping[str, Any] = field(default_factory=dict)


def collect_cases(
    records: Iterable[Row], methods: Sequence[str], *, masked: Collection[str] = ()
) -> tuple[tuple[FusionCase, ...], Counter[str]]:
    """One case for each picture that at least one method scored.

    Args:
        records: of one evaluation; its entries are the methods.
        methods: those that the fusion uses.
        masked: methods whose scores are taken as missing, because they know the pictures from their training.

    Returns:
        The cases in the order of the records, and reason → number of pictures left out.
    """
    by_trial: dict[str, dict[str, Row]] = {}
    for row in records:
        by_trial.setdefault(str(row["trial"]), {})[str(row["entry"])] = row
    cases, left_out = [], Counter[str]()
    for rows in by_trial.values():
        missing = [name for name in methods if name not in rows]
        if missing:
            left_out[f"no record of {missing[0]}"] += 1
            continue
        first: Any = rows[methods[0]]
        if first["status"] not in READABLE:
            left_out["not readable, or not to be saved for the protocol"] += 1
            continue
        scores = {name: None if name in masked else _usable_score(rows[name]) for name in methods}
        if all(score is None for score in scores.values()):
            left_out["no method gave a usable score"] += 1
            continue
        cases.append(_case(first, rows, scores))
    return tuple(cases), left_out


def pair_made(cases: Iterable[FusionCase], hosts: Mapping[str, str | None]) -> tuple[FusionCase, ...]:
    """The cases of a set that `synthesize` made, paired by the id that both halves have as their host.

    Args:
        cases: of the set, as the files are.
        hosts: trial → the sample's `host`.
    """
    return tuple(replace(case, pair=hosts[case.trial], is_exact=True) for case in cases)


def mask_inexact(cases: Iterable[FusionCase], methods: Collection[str]) -> tuple[FusionCase, ...]:
    """The cases with the scores of some methods taken as missing where another encoder than ours wrote."""
    return tuple(
        case
        if case.is_exact
        else replace(case, scores={k: None if k in methods else v for k, v in case.scores.items()})
        for case in cases
    )


def keep_pairs(
    cases: Sequence[FusionCase], *, exact_only: bool
) -> tuple[tuple[FusionCase, ...], Counter[str]]:
    """The cases whose other half is there too, and with `exact_only` whose tables are the IJG's.

    Returns:
        The cases kept, and reason → number of cases left out.
    """
    halves = Counter(case.pair for case in cases)
    left_out = Counter[str]()
    kept = []
    for case in cases:
        if case.pair is None or halves[case.pair] != 2:
            left_out["the other half of the pair is missing"] += 1
        elif exact_only and not case.is_exact:
            left_out["the tampered file was written by another encoder than ours"] += 1
        else:
            kept.append(case)
    return tuple(kept), left_out


def keep_scored(
    cases: Sequence[FusionCase], required: Collection[str]
) -> tuple[tuple[FusionCase, ...], Counter[str]]:
    """The cases with a usable score of every required method, and reason → number of cases left out."""
    left_out = Counter[str]()
    kept = []
    for case in cases:
        missing = [name for name in required if case.scores[name] is None]
        if missing:
            left_out[f"no usable score of {missing[0]}"] += 1
        else:
            kept.append(case)
    return tuple(kept), left_out


def keep_valid(
    cases: Sequence[FusionCase], model: FusionModel
) -> tuple[tuple[FusionCase, ...], Counter[str]]:
    """The cases that a fusion is valid for, and reason → number of cases left out."""
    scored, left_out = keep_scored(cases, model.required)
    kept = []
    for case in scored:
        if case.is_graphic:
            left_out["a drawing or a graphic"] += 1
        elif model.calibration.describe_mismatch(height=case.height, width=case.width, is_jpeg=case.is_jpeg):
            left_out["outside the conditions of the calibration"] += 1
        else:
            kept.append(case)
    return tuple(kept), left_out


def score_table(cases: Sequence[FusionCase], methods: Sequence[str]) -> dict[str, Float64Array]:
    """Method → (N,) scores, NaN where there is none."""
    return {
        name: np.array(
            [np.nan if (score := case.scores[name]) is None else score for case in cases], dtype=np.float64
        )
        for name in methods
    }


def _usable_score(row: Any) -> float | None:
    return row["score"] if row["status"] == "ok" and row["is_usable"] else None


def _case(first: Any, rows: Mapping[str, Any], scores: Mapping[str, float | None]) -> FusionCase:
    tables = [np.array(table, np.uint16).reshape(8, 8) for table in first["settings"][1]]
    size = {"height": first["height"], "width": first["width"]}
    return FusionCase(
        trial=first["trial"],
        label=first["label"],
        group=first["group"],
        pair=first["pair"],
        is_exact=has_ijg_tables(first["settings"][1]),
        is_jpeg=first["format"] == "JPEG",
        **size,
        scores=scores,
        classes=name_classes(**size, history=first["history"], luma_table=tables[0] if tables else None),
        is_graphic=first["graphic"],
        failed=tuple(name for name, row in rows.items() if row["status"] == "failed"),
        marks={name: row["marks"] for name, row in rows.items() if row.get("marks")},
    )
