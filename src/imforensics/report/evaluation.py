"""The files of an evaluation: metrics.json, per_image.csv, results.md, pictures and a self-contained page."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from imforensics.outputs import replacing_file, write_atomically
from imforensics.report.encoding import data_uri
from imforensics.report.escaping import for_csv
from imforensics.report.evaluation_figures import (
    CaseView,
    Series,
    contact_sheet_png,
    draw_curves,
    draw_robustness,
)
from imforensics.report.evaluation_markdown import results_page
from imforensics.report.evaluation_words import COLUMN_NOTE, comparison, decimal, judge, with_interval
from imforensics.report.page import load_parts, load_template, mark_safe, safe_parts

__all__ = ["CaseView", "EvaluationFiles", "Series", "render_evaluation", "write_evaluation"]

RECORD_FIELDS = (
    *(
        "trial",
        "entry",
        "label",
        "group",
        "pair",
        "manipulation",
        "treatment",
        "condition",
        "strength",
        "status",
    ),
    *("note", "mask_note", "score", "probability", "log10_lr", "stated", "format", "height", "width"),
    *("mask_area", "threshold", "threshold_policy"),
)
PIXEL_FIELDS = (
    *(
        "auc",
        "ap",
        "f1_fixed",
        "f1_half",
        "f1_best",
        "iou_fixed",
        "iou_half",
        "iou_best",
        "mcc_fixed",
        "mcc_half",
    ),
    *("mcc_best", "f1_all", "false_alarm_area_fixed", "false_alarm_area_half", "valid_area"),
)
CURVE_TITLES = {
    "roc_pr": "ROC and precision-recall curves",
    "thresholds": "Metrics over the threshold, and the distribution of scores",
    "calibration": "Reliability diagram and Tippett plot",
    "robustness": "Image AUC, pixel AUC and pixel F1 over the strength of each kind of processing",
}


@dataclass(frozen=True, slots=True)
class EvaluationFiles:
    """Where an evaluation was written."""

    folder: Path
    html: Path
    metrics: Path
    per_image: Path


def write_evaluation(
    document: Mapping[str, Any],
    folder: Path,
    *,
    rows: Iterable[Mapping[str, Any]],
    series: Mapping[str, Series],
    cases: Mapping[str, Sequence[CaseView]],
) -> EvaluationFiles:
    """Write every file; each appears whole or not at all.

    Args:
        document: the figures, JSON-ready, see docs/evaluation.md.
        folder: exists.
        rows: records, one for each trial and method; read once.
        series: method to its scores, for the curves.
        cases: method to its best and worst cases.

    Returns:
        Where they are.

    Raises:
        OSError: the folder cannot be written.
    """
    pictures = draw_curves(series)
    if document["robustness"]:
        pictures["robustness"] = draw_robustness(document["robustness"])
    sheets = {key: contact_sheet_png(views) for key, views in cases.items() if views}
    place = folder / "pictures"
    place.mkdir(exist_ok=True)
    for name, png in pictures.items():
        write_atomically(place / f"{name}.png", png)
    for number, png in enumerate(
        sheets.values(), start=1
    ):  # numbered: a bundle's name is no file name of ours
        write_atomically(place / f"cases_{number}.png", png)
    files = EvaluationFiles(
        folder, folder / "evaluation.html", folder / "metrics.json", folder / "per_image.csv"
    )
    text = json.dumps(document, indent=2, allow_nan=False, ensure_ascii=True)
    write_atomically(files.metrics, text.encode() + b"\n")
    _write_csv(files.per_image, rows)
    page = render_evaluation(document, pictures=pictures, sheets=sheets, cases=cases)
    write_atomically(files.html, page.encode())
    write_atomically(folder / "results.md", results_page(document).encode())
    return files


def render_evaluation(
    document: Mapping[str, Any],
    *,
    pictures: Mapping[str, bytes],
    sheets: Mapping[str, bytes],
    cases: Mapping[str, Sequence[CaseView]],
) -> str:
    """The page: no link to anything outside, no inline style or handler.

    Args:
        document: the figures.
        pictures: key of CURVE_TITLES to PNG bytes.
        sheets: method to its contact sheet, PNG bytes.
        cases: method to the cases on the sheet.

    Returns:
        HTML.
    """
    headings, rows = comparison(document)
    return load_template("evaluation.html.j2").render(
        **safe_parts(load_parts("evaluation")),
        document=document,
        sentences=judge(document),
        headings=headings,
        rows=rows,
        column_note=COLUMN_NOTE,
        curves=[(CURVE_TITLES[name], mark_safe(data_uri(png))) for name, png in pictures.items()],
        methods=[_method_view(key, found, sheets, cases) for key, found in document["methods"].items()],
        robustness=_robustness_rows(document["robustness"] or {}),
        decimal=decimal,
        with_interval=with_interval,
    )


def _method_view(
    key: str,
    found: Mapping[str, Any],
    sheets: Mapping[str, bytes],
    cases: Mapping[str, Sequence[CaseView]],
) -> dict[str, Any]:
    blocks = {name: found[name] for name in ("detection", "localization") if found[name] is not None}
    figures = [
        (name, with_interval(value, block["intervals"].get(name)))
        for block in blocks.values()
        for name, value in block["metrics"].items()
    ]
    return {
        "key": key,
        "found": found,
        "options": json.dumps(found["settings"]["options"], sort_keys=True),
        "figures": figures,
        "sheet": mark_safe(data_uri(sheets[key])) if key in sheets else None,
        "cases": cases.get(key, ()),
    }


def _robustness_rows(curves: Mapping[str, Sequence[Mapping[str, Any]]]) -> list[list[str]]:
    return [
        [
            key,
            point["condition"],
            f"{point['strength']:g}",
            point["unit"] or "",
            str(point["counts"]["scored"]),
            _robustness_figure(point["detection"], "auc"),
            _robustness_figure(point["localization"], "auc_mean"),
            _robustness_figure(point["localization"], "f1_best_mean"),
        ]
        for key, points in curves.items()
        for point in points
    ]


def _robustness_figure(block: Mapping[str, Any] | None, name: str) -> str:
    if block is None:
        return decimal(None)
    return with_interval(block["metrics"].get(name), block["intervals"].get(name))


def _write_csv(path: Path, rows: Iterable[Mapping[str, Any]]) -> None:
    with replacing_file(path) as part, part.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow([*RECORD_FIELDS, *PIXEL_FIELDS, "seconds"])
        writer.writerows(_csv_cells(row) for row in rows)


def _csv_cells(row: Mapping[str, Any]) -> Iterator[str]:
    pixel = row["pixel"] or {}
    values = [row[name] for name in RECORD_FIELDS] + [pixel.get(name) for name in PIXEL_FIELDS]
    for value in [*values, row["seconds"]]:
        yield "" if value is None else for_csv(value) if isinstance(value, str) else repr(value)
