"""What a report marks: in the document, on the page and in the pictures."""

from __future__ import annotations

import json
from dataclasses import replace
from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING

import jsonschema
import pytest

from imforensics.report.document import report_document
from imforensics.report.marks_block import marks_block
from imforensics.report.pictures import draw_pictures
from imforensics.report.writers import write_report
from imforensics.types import MarkedRegion, Marks

if TYPE_CHECKING:
    from imforensics.types import MethodDescription, Report

REGION = MarkedRegion(5, 20, 10, 20, 200, 0.9, 0.9, ("ela",), 0.75, (-1.2, 0.8))


@pytest.fixture
def marked(report: Report) -> Report:
    statement = replace(report.statement, evidence_class="jpeg_small")
    marks = Marks("noise", 0.5, "The threshold is that of noise itself.", 200, 1, (REGION,))
    return replace(report, statement=statement, marks=marks)


def test_marks_follow_the_schema(marked: Report, descriptions: dict[str, MethodDescription]) -> None:
    text = (resources.files("imforensics.report") / "schema" / "report.schema.json").read_text("utf-8")
    bare = replace(REGION, log10_lr=None, log10_lr_bounds=None)
    nothing = Marks("noise", None, "Nothing is marked.", 0, 0, ())
    for marks in (marked.marks, replace(marked.marks, regions=(bare,)), nothing, None):  # type: ignore[type-var]
        document = report_document(replace(marked, marks=marks), descriptions)
        jsonschema.Draft202012Validator(json.loads(text)).validate(json.loads(json.dumps(document)))


def test_a_region_says_where_how_strong_and_which_traces(marked: Report) -> None:
    block = marks_block(marked)
    assert isinstance(block, dict)
    assert block["area_percent"] == pytest.approx(100 * 200 / (40 * 60), rel=1e-5)
    (region,) = block["regions"]  # type: ignore[misc]
    assert region["supported_by"] == ["ela"]  # type: ignore[index]
    assert region["log10_lr"] == 0.75  # type: ignore[index]
    assert marks_block(replace(marked, marks=None)) is None


def test_the_page_lists_marked_regions(
    marked: Report, descriptions: dict[str, MethodDescription], tmp_path: Path
) -> None:
    page = write_report(marked, descriptions, tmp_path / "a").html.read_text(encoding="utf-8")
    assert "What is marked" in page
    assert "1 marked region." in page
    assert ">5.6<" in page, "the ratio of the region, 10 to the power of 0.75"


def test_nothing_is_outlined_where_no_alteration_was_found(marked: Report) -> None:
    def captions(report: Report) -> list[str]:
        return [picture.caption for picture in draw_pictures(report) if picture.kind == "overlay"]

    assert any("Outlined: at or above 0.5" in caption for caption in captions(marked))
    quiet = replace(marked, statement=replace(marked.statement, label="authentic"))
    assert not any("Outlined" in caption for caption in captions(quiet))


def test_the_outline_is_drawn_where_the_marks_are(marked: Report) -> None:
    strict = replace(marked, marks=replace(marked.marks, threshold=0.95))  # type: ignore[type-var]
    shown = [picture.caption for picture in draw_pictures(strict) if picture.method == "noise"]
    assert sum("Outlined: at or above 0.95" in caption for caption in shown) == 2
