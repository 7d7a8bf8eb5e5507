"""An evaluation as Markdown: results.md beside the page, and a section of a page about several."""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from imforensics.report.evaluation_words import COLUMN_NOTE, comparison, decimal, judge, with_interval
from imforensics.report.markdown import Table, for_markdown, markdown_page

LABEL_METRICS = ("recall", "fpr", "precision", "accuracy", "f1")
CALIBRATION = {
    "cllr": "Cllr",
    "cllr_min": "Cllr min",
    "ece": "ECE",
    "ece_floor": "ECE of perfect probabilities",
}
Document = Mapping[str, Any]


def results_page(document: Document) -> str:
    """results.md of one evaluation: what was compared, conclusions, and at the foot what it rests on."""
    data, protocol = document["data"], document["protocol"]
    title = for_markdown(f"{data['title']}: split {data['split']}, protocol {protocol['name']}")
    foot = Table("Made with", text=[command_block(document["command"])], notes=describe_source(document))
    return markdown_page(title, [*results_tables(document), foot])


def results_tables(document: Document) -> Iterator[Table]:
    """The sections of one evaluation; the first is named after its protocol."""
    data = document["data"]
    counts = (
        f"{data['authentic']} authentic and {data['tampered']} tampered images from {data['groups']} source "
        f"groups, {data['trials']} pictures shown. {COLUMN_NOTE}"
    )
    text = [document["protocol"]["description"], counts]
    yield Table(document["protocol"]["name"], *_escape(*comparison(document)), text=text)
    yield from _pairs(document)
    yield from _decisions(document)
    yield Table("", notes=[for_markdown(sentence) for sentence in judge(document)])


def command_block(command: Sequence[str]) -> str:
    """A command line, indented as code."""
    return f"    {shlex.join(command)}"


def describe_source(document: Document) -> list[str]:
    """Data, split, seed, version, commit and intervals of an evaluation, a sentence each."""
    data = document["data"]
    limit = f", at most {data['limit']} images: a first look" if data["limit"] else ""
    return [
        f"Data: {for_markdown(data['title'])}, split `{data['split']}` by source group{limit}; seed "
        f"{document['protocol']['seed']}.",
        *describe_tool(document),
    ]


def describe_tool(document: Document) -> list[str]:
    """Version, commit and intervals of a document, a sentence each."""
    tool, intervals = document["tool"], document["intervals"]
    return [
        f"imforensics {tool['version']}, commit {tool['commit'] or 'unknown'}.",
        f"{100 * intervals['confidence']:.0f} % percentile bootstrap intervals, {intervals['resamples']} "
        f"resamples of whole {intervals['unit']}s.",
    ]


def _pairs(document: Document) -> Iterator[Table]:
    rows = [
        [key, str(pairs["n"]), with_interval(pairs["tampered_higher"], pairs["interval"])]
        for key, found in document["methods"].items()
        if (pairs := found["pairs"])
    ]
    if rows:
        text = ["Share of pairs in which the tampered half scores higher (0.5 is chance):"]
        yield Table("", *_escape(["method", "pairs", "tampered half higher"], rows), text=text)


def _decisions(document: Document) -> Iterator[Table]:
    methods = document["methods"].items()
    rows = [
        [key, policy, decimal(decision["threshold"]), *_decision_cells(decision)]
        for key, found in methods
        for policy, decision in found["decisions"].items()
    ]
    if rows:
        text = ["Decisions at the label stated, and at thresholds chosen on validation data:"]
        yield Table(
            "", *_escape(["method", "decision", "threshold", *LABEL_METRICS], rows), text=text, words=2
        )
    rows = [
        [key, *(decimal(calibration[name]) for name in CALIBRATION)]
        for key, found in methods
        if (calibration := found["calibration"])
    ]
    if rows:
        yield Table("", *_escape(["method", *CALIBRATION.values()], rows))


def _decision_cells(decision: Document) -> list[str]:
    metrics, intervals = decision["metrics"], decision["intervals"]
    return [with_interval(metrics.get(name), intervals.get(name)) for name in LABEL_METRICS]


def _escape(headings: list[str], rows: list[list[str]]) -> tuple[list[str], list[list[str]]]:
    """Headings and rows; an entry may be named after a bundle of somebody else."""
    return headings, [[for_markdown(row[0]), *row[1:]] for row in rows]
