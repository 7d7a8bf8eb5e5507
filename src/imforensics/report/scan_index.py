"""Overviews of a scan: summary.csv and a sortable page, both written row by row."""

from __future__ import annotations

import csv
import shutil
from collections import Counter
from collections.abc import Iterable, Mapping
from pathlib import Path, PurePosixPath
from tempfile import TemporaryFile
from typing import Any, cast
from urllib.parse import quote

from imforensics.outputs import replacing_file
from imforensics.report import words
from imforensics.report.encoding import data_uri
from imforensics.report.escaping import for_csv, for_json
from imforensics.report.page import load_parts, load_template, mark_safe, safe_parts
from imforensics.types import Label

COLUMNS = (
    "file",
    "sha256",
    "status",
    "label",
    "probability",
    "score",
    "log10_lr",
    "no_probability",
    "evidence_class",
    "marked_percent",
    "region_count",
    "error",
    "seconds",
    "width",
    "height",
    "format",
    "report",
    "started_at",
)
_LABELS: tuple[Label, ...] = ("tampered", "inconclusive", "authentic")

# One row of a scan: the COLUMNS, and for the page "thumbnail" (bytes of a JPEG or PNG, or None).
ScanRow = Mapping[str, Any]


def write_summary_csv(rows: Iterable[ScanRow], path: Path) -> None:
    """Write one line a row: a view for spreadsheets; results.jsonl is the record.

    Text that a spreadsheet would take for a formula gets an apostrophe in front and every text is quoted;
    numbers are plain. UTF-8, line feeds.

    Args:
        rows: any number; read once. Columns that a row lacks stay empty.
        path: replaced when complete.
    """
    with replacing_file(path) as part, part.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, quoting=csv.QUOTE_NONNUMERIC, lineterminator="\n")
        writer.writerow(COLUMNS)
        for row in rows:
            writer.writerow([_csv_cell(row.get(column)) for column in COLUMNS])


def write_index_html(rows: Iterable[ScanRow], path: Path) -> None:
    """Write the overview as one self-contained page; with its script it can be sorted and filtered.

    The rows are written to a temporary file as they come and counted on the way: memory does not grow with
    their number.

    Args:
        rows: any number; read once.
        path: replaced when complete.

    Raises:
        ValueError: a report link leaves the folder of the page, or a thumbnail is neither JPEG nor PNG.
    """
    counts: Counter[str] = Counter()
    row_template = load_template("index_row.html.j2")
    with (
        TemporaryFile("w+", encoding="utf-8") as body,
        replacing_file(path) as new,
        new.open("w", encoding="utf-8", newline="") as file,
    ):
        for row in rows:
            counts[_kind(row)] += 1
            body.write(row_template.render(row=_row_view(row), number=words.number, shorten=words.shorten))
        body.seek(0)
        parts = load_template("index.html.j2").generate(
            **safe_parts(load_parts("index")),
            total=counts.total(),
            counts=[(words.LABEL_WORDS[label], counts[label]) for label in _LABELS],
            errors=counts["error"],
            body=mark_safe(_BODY_MARK),
        )
        for part in parts:
            before, mark, after = part.partition(_BODY_MARK)
            file.write(before)
            if mark:
                shutil.copyfileobj(body, file)
            file.write(after)


_BODY_MARK = "<!-- rows -->"


def _kind(row: ScanRow) -> str:
    label = row.get("label")
    return str(label) if row["status"] == "ok" and label in _LABELS else "error"


def _row_view(row: ScanRow) -> dict[str, Any]:
    kind = _kind(row)
    thumbnail = row.get("thumbnail")
    report = row.get("report")
    width, height = row.get("width"), row.get("height")
    has_size = isinstance(width, int) and isinstance(height, int)
    return {
        "file": str(row["file"]),
        "sha256": row.get("sha256"),
        "label": None if kind == "error" else words.LABEL_WORDS[cast("Label", kind)],
        "kind": kind,
        "rank": {"tampered": 3, "inconclusive": 2, "authentic": 1, "error": 0}[kind],
        "probability": row.get("probability"),
        "marked_percent": row.get("marked_percent"),
        "log10_lr": row.get("log10_lr"),
        "error": row.get("error"),
        "seconds": row.get("seconds"),
        "size": f"{width} × {height}" if has_size else None,
        "pixels": cast("int", width) * cast("int", height) if has_size else None,
        "format": row.get("format"),
        "thumbnail": None if thumbnail is None else mark_safe(data_uri(thumbnail)),
        "report": None if report is None else check_link(str(report)),
    }


def check_link(link: str) -> str:
    """A relative link below the page's folder, quoted for a URL.

    Raises:
        ValueError: it is absolute, climbs out with "..", or holds a colon or backslash.

    >>> check_link("reports/a b/report.html")
    'reports/a%20b/report.html'
    """
    path = PurePosixPath(link)
    if not link or path.is_absolute() or ".." in path.parts or ":" in link or "\\" in link:
        raise ValueError(f"expected a relative path below the page's folder, received {link!r}")
    return quote(for_json(link))


def _csv_cell(value: object) -> object:
    if value is None:
        return ""
    if isinstance(value, bool | int | float):
        return value
    return for_csv(str(value))
