import json
import re
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from importlib import resources
from pathlib import Path
from typing import Any

import jsonschema
import numpy as np
import pytest

from imforensics.report.document import MACHINE_DIFFERENCES, report_document, reproduce_command
from imforensics.types import (
    Evidence,
    Finding,
    InferredJpeg,
    LocalizationMap,
    MethodDescription,
    Report,
    Statement,
)

from .conftest import HOSTILE, build_evidence, build_map

Descriptions = dict[str, MethodDescription]


@pytest.fixture(scope="module")
def schema() -> dict[str, Any]:
    text = (resources.files("imforensics.report") / "schema" / "report.schema.json").read_text("utf-8")
    return json.loads(text)


def check(document: object, schema: dict[str, Any]) -> None:
    jsonschema.Draft202012Validator(schema).validate(json.loads(json.dumps(document, allow_nan=False)))


def test_schema_is_a_schema(schema: dict[str, Any]) -> None:
    jsonschema.Draft202012Validator.check_schema(schema)


def test_document_follows_the_schema(
    report: Report, descriptions: Descriptions, schema: dict[str, Any]
) -> None:
    check(report_document(report, descriptions), schema)


@pytest.mark.parametrize("text", HOSTILE)
def test_hostile_text_makes_a_valid_document(
    text: str, hostile_report: Callable[[str], Report], descriptions: Descriptions, schema: dict[str, Any]
) -> None:
    document = report_document(hostile_report(text), descriptions)
    check(document, schema)
    assert json.dumps(document, ensure_ascii=False).encode("utf-8")


def test_statement_without_numbers(
    report: Report, descriptions: Descriptions, schema: dict[str, Any]
) -> None:
    statement = Statement("inconclusive", None, None, None, "No support either way.", None, (), ())
    document = report_document(replace(report, statement=statement, sha256_after=None), descriptions)
    check(document, schema)
    assert document["label"] == "inconclusive"
    assert document["log10_lr_bounds"] is None


def test_evidence_without_jpeg(report: Report, descriptions: Descriptions, schema: dict[str, Any]) -> None:
    evidence = replace(report.evidence, jpeg=None, format="PNG", path=None, name="-")
    document = report_document(replace(report, evidence=evidence), descriptions)
    check(document, schema)
    assert document["evidence"]["jpeg"] is None


def test_an_inferred_jpeg_is_in_the_document(
    report: Report, descriptions: Descriptions, schema: dict[str, Any]
) -> None:
    inferred = InferredJpeg(
        offset=(3, 5),
        table=np.full((8, 8), 7, dtype=np.uint16),
        is_seen=np.ones((8, 8), dtype=np.bool_),
        estimated_quality=80,
        is_standard_table=False,
        encoder=None,
        gain=500.0,
        fit=0.99,
        confidence=0.9,
        coefficient_reader=lambda: np.zeros((1, 1, 8, 8), dtype=np.int16),
    )
    evidence = replace(report.evidence, jpeg=None, format="PNG", history_reader=lambda: inferred)
    document = report_document(replace(report, evidence=evidence), descriptions)
    check(document, schema)
    found = document["evidence"]["inferred_jpeg"]
    assert (found["offset"], found["estimated_quality"], found["fit"]) == ([3, 5], 80, 0.99)
    assert found["description"] == "the picture was a JPEG of about quality 80, its grid at row 3, column 5"


def test_numbers_of_a_map(report: Report, descriptions: Descriptions) -> None:
    noise = report_document(report, descriptions)["findings"][2]
    assert noise["map"]["valid_percent"] == pytest.approx(100 * 50 / 60, rel=1e-5)
    assert noise["map"]["area_over_threshold_percent"] == pytest.approx(100 * 220 / 2400, rel=1e-5)
    assert noise["map"]["region_count"] == 2
    first = noise["map"]["regions"][0]
    assert (first["top"], first["left"], first["height"], first["width"]) == (5, 20, 10, 20)
    assert first["mean"] == first["max"] == 0.9
    mean = (220 * 0 + 200 * 0.9 + 20 * 0.6 + (2000 - 220) * 0.1) / 2000
    assert noise["map"]["mean"] == pytest.approx(mean, rel=1e-5)


def test_invalid_area_is_never_over_the_threshold(report: Report, descriptions: Descriptions) -> None:
    map_ = build_map(with_invalid=True)
    map_.values[:, :10] = 1.0
    finding = replace(report.findings[2], map=map_)
    document = report_document(replace(report, findings=(finding,)), descriptions)
    assert document["findings"][0]["map"]["region_count"] == 2
    assert document["findings"][0]["map"]["max"] == 0.9


def test_computed_numbers_are_rounded_and_facts_are_not(report: Report, descriptions: Descriptions) -> None:
    document = report_document(report, descriptions)
    assert document["findings"][1]["score"] == 0.123457
    assert document["evidence"]["metadata"]["gps"]["latitude"] == 48.858412345


def test_nan_in_observations_is_null_and_in_scores_an_error(
    report: Report, descriptions: Descriptions
) -> None:
    seen = replace(report.findings[0], observations={"a": float("nan"), "b": [float("inf"), 1.0]})
    document = report_document(replace(report, findings=(seen,)), descriptions)
    assert document["findings"][0]["observations"] == {"a": None, "b": [None, 1.0]}
    bad = replace(report, findings=(replace(report.findings[1], score=float("nan")),))
    with pytest.raises(ValueError, match="score of ela"):
        report_document(bad, descriptions)


def test_nan_in_a_map_is_an_error(report: Report, descriptions: Descriptions) -> None:
    values = np.full((40, 60), np.nan, dtype=np.float32)
    finding = Finding("ela", "jpeg", "ok", map=LocalizationMap(values))
    with pytest.raises(ValueError, match="map of ela"):
        report_document(replace(report, findings=(finding,)), descriptions)


def test_mask_of_another_shape_is_an_error(report: Report, descriptions: Descriptions) -> None:
    finding = replace(report.findings[1], mask_source=np.zeros((3, 3), dtype=bool))
    with pytest.raises(ValueError, match="differ in shape"):
        report_document(replace(report, findings=(finding,)), descriptions)


def test_methods_not_done(report: Report, descriptions: Descriptions) -> None:
    descriptions["other"] = replace(descriptions["ela"], name="other")
    not_done = report_document(report, descriptions)["not_done"]
    assert [(each["method"], each["status"], each["reason"]) for each in not_done] == [
        ("ghost", "failed", "ValueError: broke"),
        ("other", "not_selected", "not in the configuration"),
    ]


def test_missing_description(report: Report, descriptions: Descriptions) -> None:
    del descriptions["ela"]
    with pytest.raises(ValueError, match="no description of ela"):
        report_document(report, descriptions)


def test_time_without_zone(report: Report, descriptions: Descriptions) -> None:
    with pytest.raises(ValueError, match="with its zone"):
        report_document(replace(report, started_at=datetime(2026, 1, 1)), descriptions)


def test_digest_ignores_what_is_volatile(report: Report, descriptions: Descriptions) -> None:
    first = report_document(report, descriptions)
    evidence: Evidence = replace(report.evidence, name="other.png", has_matching_extension=False, path=None)
    later = replace(
        report,
        evidence=evidence,
        findings=tuple(replace(finding, seconds=9.0) for finding in report.findings),
        started_at=report.created_at,
        command_line=(),
        versions={"imforensics": "9"},
        sha256_after=None,
    )
    assert report_document(later, descriptions)["result_digest"] == first["result_digest"]
    assert report_document(later, descriptions)["report_id"] != first["report_id"]


def test_digest_changes_with_the_result(report: Report, descriptions: Descriptions) -> None:
    first = report_document(report, descriptions)["result_digest"]
    findings = (report.findings[0], replace(report.findings[1], score=0.2), *report.findings[2:])
    for changed in (
        replace(report, findings=findings),
        replace(report, evidence=replace(report.evidence, sha256="e" * 64)),
        replace(report, settings={"max_pixels": 1001}),
    ):
        assert report_document(changed, descriptions)["result_digest"] != first


def test_name_that_is_not_utf8(report: Report, descriptions: Descriptions) -> None:
    document = report_document(replace(report, evidence=build_evidence("caf\udce9.jpg")), descriptions)
    assert document["evidence"]["name"] == "caf\\xe9.jpg"
    assert bytes.fromhex(document["evidence"]["name_hex"]) == b"caf\xe9.jpg"


def test_reproduce_names_the_whole_configuration(report: Report) -> None:
    assert reproduce_command(report) == (
        "imforensics analyze --json --set max_pixels=1000 "
        """--set 'methods={"ela": {"quality": 90}}' -- photo.jpg"""
    )


def test_times_are_utc_with_milliseconds(report: Report, descriptions: Descriptions) -> None:
    document = report_document(report, descriptions)
    assert document["started_at"] == "2026-03-01T10:00:00.123Z"
    assert document["report_id"].endswith("-20260301T100000Z")


def test_the_stated_differences_between_machines_bound_the_measured_ones() -> None:
    page = (Path(__file__).parents[3] / "docs/experiments/kernels.md").read_text(encoding="utf-8")
    rows = [line.split("|")[3:6] for line in page.splitlines() if re.match(r"\| (OpenBLAS|NumPy) ", line)]
    assert len(rows) > 3
    assert max(float(score) for score, *_ in rows) <= MACHINE_DIFFERENCES["score"]
    assert max(float(values) for _, values, _ in rows) <= MACHINE_DIFFERENCES["map"]
