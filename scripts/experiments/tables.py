"""Tables of evaluations and of records: figures with intervals, alarms, curves."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any

import numpy as np

from experiment import Evaluated, Found
from imforensics.metrics.detection import detection_metrics
from imforensics.metrics.intervals import detection_intervals, mean_interval
from imforensics.metrics.label_thresholds import clopper_pearson_upper
from imforensics.report.evaluation_markdown import results_tables
from imforensics.report.evaluation_words import BASELINE, CENTRE, NONE, decimal, with_interval
from imforensics.report.markdown import Table

COLUMNS = {
    "pixel AUC": ("localization", "auc_mean"),
    "F1 fixed": ("localization", "f1_fixed_mean"),
    "F1 at 0.5": ("localization", "f1_half_mean"),
    "F1 best": ("localization", "f1_best_mean"),
    "F1 of every pixel": ("localization", "f1_all_mean"),
    "image AUC": ("detection", "auc"),
}
LABELS = ("tampered", "authentic", "inconclusive")


def results(evaluated: Sequence[Evaluated], _: Sequence[str]) -> Iterator[Table]:
    """The whole of each evaluation, as its own results.md has it."""
    for each in evaluated:
        yield from results_tables(each.document)


def figures(evaluated: Sequence[Evaluated], columns: Sequence[str]) -> Iterator[Table]:
    """A row for each set, protocol and entry; the baselines first. Curves are left to `robustness`."""
    rows: dict[tuple[str, str], list[list[str]]] = {}
    for each in without_curves(evaluated):
        where = (each.run.dataset, each.protocol)
        if where not in rows:
            rows[where] = list(_baseline_rows(each, columns))
        for title, found in each.methods.items():
            counts = found["counts"]
            n = f"{counts['scored_tampered']} / {counts['scored_authentic']}"
            rows[where].append([title, n, *figure_cells(found, columns)])
    yield Table(
        "Figures",
        ("data", "protocol", "method", "tampered / authentic", *columns),
        [[*where, *row] for where, found in rows.items() for row in found],
        text=[
            "Pixel metrics: means over tampered images with a mask. F1 fixed is at the method's stored "
            "threshold, F1 best at the best threshold of each image, an oracle that uses the ground truth."
        ],
        words=3,
    )


def figure_cells(found: Found, columns: Sequence[str]) -> list[str]:
    """Figures of one entry, or of one point of a curve, with intervals."""
    cells = []
    for block, metric in (COLUMNS[column] for column in columns):
        part = found.get(block) or {"metrics": {}, "intervals": {}}
        cells.append(with_interval(part["metrics"].get(metric), part["intervals"].get(metric)))
    return cells


def _baseline_rows(each: Evaluated, columns: Sequence[str]) -> Iterator[list[str]]:
    document = each.document
    for title, block, name in ((BASELINE, "detection", "shortcut"), (CENTRE, "localization", "centre_prior")):
        if document[name] is not None:
            yield [title, str(document[name]["n"]), *figure_cells({block: document[name]}, columns)]


def alarms(evaluated: Sequence[Evaluated], _: Sequence[str]) -> Iterator[Table]:
    """What each entry says of authentic and of tampered pictures, counted."""
    rows = [
        [each.run.dataset, each.protocol, name, title, *_alarm_cells(cases, found)]
        for each in without_curves(evaluated)
        for title, found in each.methods.items()
        for label, name in enumerate(("authentic", "tampered"))
        if (cases := [row for row in each.rows_of(title) if row["label"] == label])
    ]
    counted = ("score of 0.5 or more", *(f"labelled {label}" for label in LABELS), "flagged", "over 1 %")
    yield Table(
        "Alarms",
        ("data", "protocol", "class", "method", "n", *counted, "mean area flagged"),
        rows,
        text=[
            "Pictures counted; in brackets the one-sided 95 % upper bound of the rate (Clopper and Pearson), "
            "which takes them as independent. Flagged: with any pixel at or above the method's stored "
            "threshold; over 1 %: more than that share of the pixels."
        ],
        words=4,
    )


def _alarm_cells(cases: Sequence[Found], found: Found) -> Iterator[str]:
    yield str(len(cases))
    yield share(case["score"] >= 0.5 for case in cases if case["score"] is not None)
    stated = [case["stated"] for case in cases]
    for label in LABELS:
        yield share(each == label for each in stated) if any(stated) else NONE
    pixels = [case["pixel"] for case in cases if case["label"] == 0 and case["pixel"]]
    areas = [area for pixel in pixels if (area := pixel.get("false_alarm_area_fixed")) is not None]
    yield share(area > 0 for area in areas)
    yield share(area > 0.01 for area in areas)
    yield figure_of(found["localization"], "false_alarm_area_fixed_mean") if areas else NONE


def robustness(evaluated: Sequence[Evaluated], columns: Sequence[str]) -> Iterator[Table]:
    """A row for each point of each curve."""
    rows = [
        [title, point["condition"], f"{point['strength']:g}", *figure_cells(point, columns)]
        for title, points in curves_of(evaluated).items()
        for point in points
    ]
    if rows:
        yield Table("After one more chain", ("method", "chain", "strength", *columns), rows, words=2)


def without_curves(evaluated: Sequence[Evaluated]) -> list[Evaluated]:
    """The evaluations that show each picture once."""
    return [each for each in evaluated if each.document["robustness"] is None]


def curves_of(evaluated: Sequence[Evaluated]) -> dict[str, list[Found]]:
    """Title to the points of its curves, over all evaluations that have them."""
    found: dict[str, list[Found]] = {}
    for each in evaluated:
        for key, points in (each.document["robustness"] or {}).items():
            found.setdefault(each.title or key, []).extend(points)
    return found


TABLES: dict[str, Callable[[Sequence[Evaluated], Sequence[str]], Iterator[Table]]] = {
    "results": results,
    "figures": figures,
    "alarms": alarms,
    "robustness": robustness,
}


def figure_of(block: Found | None, name: str) -> str:
    """One metric of a block of an evaluation, with its interval."""
    return NONE if block is None else with_interval(block["metrics"].get(name), block["intervals"].get(name))


def share(flags: Iterable[object]) -> str:
    """How many of how many, and the upper bound of the rate.

    >>> share([True, False, False])
    '1 of 3 [86.5 %]'
    """
    values = [bool(flag) for flag in flags]
    if not values:
        return NONE
    upper = clopper_pearson_upper(sum(values), len(values))
    return f"{sum(values)} of {len(values)} [{100 * upper:.1f} %]"


def auc(scores: Sequence[float], labels: Sequence[int], groups: Sequence[str], *, seed: int) -> str:
    """Area under the ROC curve with its interval over groups; a dash without both classes."""
    if len(set(labels)) < 2:
        return NONE
    value = detection_metrics(scores, labels, threshold=0.5)["auc"]
    arguments: dict[str, Any] = {"groups": np.array(groups), "generator": np.random.default_rng(seed)}
    try:
        return with_interval(value, detection_intervals(scores, labels, threshold=0.5, **arguments)["auc"])
    except ValueError:  # too few groups
        return decimal(value)


def mean(values: Iterable[float | None], groups: Sequence[str] | None = None, *, seed: int = 0) -> str:
    """Mean of what is defined, with its interval over groups where they are given."""
    defined = [(index, value) for index, value in enumerate(values) if value is not None]
    if not defined:
        return NONE
    found = np.array([value for _, value in defined], dtype=np.float64)
    if groups is None or len(defined) < 2:
        return decimal(float(found.mean()))
    own = np.array([groups[index] for index, _ in defined])
    interval = mean_interval(found, groups=own, generator=np.random.default_rng(seed))
    return with_interval(float(found.mean()), interval)
