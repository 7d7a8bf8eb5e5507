import csv
import io
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from imforensics.report.encoding import encode_jpeg
from imforensics.report.escaping import for_csv, for_page
from imforensics.report.scan_index import COLUMNS, check_link, write_index_html, write_summary_csv
from imforensics.report.words import shorten

from .conftest import HOSTILE
from .test_writers import Page


def build_row(**changes: Any) -> dict[str, Any]:
    row: dict[str, Any] = {
        "file": "a.jpg", "sha256": "a" * 64, "status": "ok", "label": "tampered", "probability": 0.91,
        "score": 0.8, "log10_lr": -1.25, "error": None, "seconds": 0.5, "width": 60, "height": 40,
        "format": "JPEG", "report": "reports/0a/report.html", "started_at": "2026-01-01T00:00:00Z",
        "thumbnail": encode_jpeg(np.zeros((4, 6, 3), np.uint8)),
    }  # fmt: skip
    return row | changes


def error_row(**changes: Any) -> dict[str, Any]:
    empty = dict.fromkeys(
        ("label", "probability", "score", "log10_lr", "width", "height", "format", "report")
    )
    return build_row(**empty, status="error", error="truncated", thumbnail=None, sha256=None) | changes


def read_csv(path: Path) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(path.read_text("utf-8"), newline="")))


def test_csv_has_numbers_as_numbers_and_empty_cells(tmp_path: Path) -> None:
    write_summary_csv([build_row(), error_row()], tmp_path / "summary.csv")
    first, second = read_csv(tmp_path / "summary.csv")
    assert tuple(first) == COLUMNS
    assert (first["log10_lr"], first["probability"]) == ("-1.25", "0.91")
    assert (second["label"], second["error"], second["score"]) == ("", "truncated", "")


def test_csv_defuses_hostile_names_and_errors(tmp_path: Path) -> None:
    rows = [error_row(file=text, error=text) for text in HOSTILE]
    write_summary_csv(rows, tmp_path / "summary.csv")
    read = read_csv(tmp_path / "summary.csv")
    assert [row["file"] for row in read] == [for_csv(text) for text in HOSTILE]
    for row in read:
        assert row["error"].lstrip()[:1] not in ("=", "+", "-", "@")


def test_page_counts_and_shows_rows(tmp_path: Path) -> None:
    rows = [
        build_row(),
        build_row(label="inconclusive", probability=None),
        build_row(label="authentic"),
        error_row(),
    ]
    write_index_html(iter(rows), tmp_path / "index.html")
    text = (tmp_path / "index.html").read_text("utf-8")
    assert text.count("<tr data-kind") == 4
    counts = re.findall(r"<b>([\d,]+)</b> ([a-z ]+)", text)
    assert counts == [
        ("1", "traces of alteration found"),
        ("1", "inconclusive"),
        ("1", "no alteration found by these methods"),
        ("1", "not analysed"),
    ]
    assert 'href="reports/0a/report.html"' in text
    assert text.count("data:image/jpeg") == 3
    assert list(tmp_path.iterdir()) == [tmp_path / "index.html"]


@pytest.mark.parametrize("text", HOSTILE)
def test_hostile_names_add_no_element(text: str, tmp_path: Path) -> None:
    write_index_html([error_row(file="a", error="b")], tmp_path / "plain.html")
    write_index_html([error_row(file=text, error=text)], tmp_path / "hostile.html")
    plain, hostile = (Page((tmp_path / f"{name}.html").read_text("utf-8")) for name in ("plain", "hostile"))
    assert [tag for tag, _ in hostile.elements] == [tag for tag, _ in plain.elements]
    sort_keys = [attributes["data-sort"] for tag, attributes in hostile.elements if "data-sort" in attributes]
    assert sort_keys[0] == for_page(shorten(text))
    for _, attributes in hostile.elements:
        assert not any(name.startswith("on") or name == "style" for name in attributes)


def test_a_name_that_looks_like_the_mark_of_the_rows(tmp_path: Path) -> None:
    write_index_html([build_row(file="<!-- rows -->")], tmp_path / "index.html")
    assert (tmp_path / "index.html").read_text("utf-8").count("<tr data-kind") == 1


def test_no_rows(tmp_path: Path) -> None:
    write_index_html([], tmp_path / "index.html")
    write_summary_csv([], tmp_path / "summary.csv")
    assert "0 files" in (tmp_path / "index.html").read_text("utf-8")
    assert read_csv(tmp_path / "summary.csv") == []


def test_a_failure_keeps_the_old_file(tmp_path: Path) -> None:
    def rows() -> Iterator[dict[str, Any]]:
        yield build_row()
        raise RuntimeError("stopped")

    for write, name in ((write_index_html, "index.html"), (write_summary_csv, "summary.csv")):
        (tmp_path / name).write_text("old")
        with pytest.raises(RuntimeError, match="stopped"):
            write(rows(), tmp_path / name)
        assert (tmp_path / name).read_text() == "old"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["index.html", "summary.csv"]


@pytest.mark.parametrize(
    "link", ["/etc/passwd", "../x", "a/../../x", "javascript:alert(1)", "\\\\host\\x", ""]
)
def test_links_stay_below_the_page(link: str) -> None:
    with pytest.raises(ValueError, match="relative path below"):
        check_link(link)


def test_thumbnail_must_be_a_picture(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="PNG or JPEG"):
        write_index_html([build_row(thumbnail=b"<svg>")], tmp_path / "index.html")
