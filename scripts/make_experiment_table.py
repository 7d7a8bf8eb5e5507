"""Write one Markdown page from the results folders of `imforensics evaluate`.

    python scripts/make_experiment_table.py --title "..." -o docs/experiments/NAME.md FOLDER [FOLDER ...]

Every figure is read from the metrics.json of a folder; commands, data, split, seed, commit and intervals
stand beside it. Nothing is written by hand into the page: run this again instead.
"""

from __future__ import annotations

import argparse
import json
import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from imforensics.report.evaluation_words import COLUMN_NOTE, comparison, decimal, judge, with_interval

LABEL_METRICS = ("recall", "fpr", "precision", "accuracy", "f1")


def main() -> None:
    """Read the folders and write the page."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("folders", nargs="+", type=Path)
    parser.add_argument("--title", required=True)
    parser.add_argument("--made-by", default="", help="command that made the folders and this page")
    parser.add_argument("-o", "--output", required=True, type=Path)
    arguments = parser.parse_args()
    documents = [json.loads((folder / "metrics.json").read_text("utf-8")) for folder in arguments.folders]
    lines = [f"# {arguments.title}", "", *_preface(documents, arguments.made_by)]
    for document in documents:
        lines += ["", *_section(document)]
    arguments.output.parent.mkdir(parents=True, exist_ok=True)
    arguments.output.write_text("\n".join(lines) + "\n", encoding="utf-8")


def _preface(documents: list[dict[str, Any]], made_by: str) -> Iterator[str]:
    data, tool, intervals = documents[0]["data"], documents[0]["tool"], documents[0]["intervals"]
    commits = sorted({str(d["tool"]["commit"]) for d in documents})
    seeds = sorted({str(d["protocol"]["seed"]) for d in documents})
    yield f"- Data: {data['title']}, split `{data['split']}` by source group; seed {', '.join(seeds)}."
    yield f"- imforensics {tool['version']}, commit {', '.join(commits)}."
    yield (
        f"- {100 * intervals['confidence']:.0f} % percentile bootstrap, {intervals['resamples']} resamples "
        f"of whole {intervals['unit']}s."
    )
    if made_by:
        yield f"- Made by `{made_by}`; every figure is in the metrics.json that it leaves."
    yield ""
    yield COLUMN_NOTE


def _section(document: dict[str, Any]) -> Iterator[str]:
    data, protocol = document["data"], document["protocol"]
    yield f"## {protocol['name']}"
    yield ""
    yield protocol["description"]
    yield ""
    yield (
        f"{data['authentic']} authentic and {data['tampered']} tampered images from {data['groups']} source "
        f"groups, {data['trials']} pictures shown."
    )
    yield ""
    yield f"    {shlex.join(document['command'])}"
    yield ""
    yield from _table(*comparison(document))
    yield from _pairs(document)
    yield from _decisions(document)
    yield ""
    for sentence in judge(document):
        yield f"- {sentence}"


def _pairs(document: dict[str, Any]) -> Iterator[str]:
    found = {key: value["pairs"] for key, value in document["methods"].items() if value["pairs"]}
    if found:
        yield ""
        yield "Share of pairs in which the tampered half scores higher (0.5 is chance):"
        yield ""
        rows = [
            [k, str(p["n"]), with_interval(p["tampered_higher"], p["interval"])] for k, p in found.items()
        ]
        yield from _table(["method", "pairs", "tampered half higher"], rows)


def _decisions(document: dict[str, Any]) -> Iterator[str]:
    rows = [
        [key, policy, decimal(decision["threshold"]), *_decision_cells(decision)]
        for key, found in document["methods"].items()
        for policy, decision in found["decisions"].items()
    ]
    calibrated = {
        key: found["calibration"] for key, found in document["methods"].items() if found["calibration"]
    }
    if rows:
        yield ""
        yield "Decisions at the label stated, and at thresholds chosen on validation data:"
        yield ""
        yield from _table(["method", "decision", "threshold", *LABEL_METRICS], rows)
    if calibrated:
        yield ""
        names = ("cllr", "cllr_min", "ece", "ece_floor")
        cells = [[key, *(decimal(item[name]) for name in names)] for key, item in calibrated.items()]
        yield from _table(["method", "Cllr", "Cllr min", "ECE", "ECE of perfect probabilities"], cells)


def _decision_cells(decision: dict[str, Any]) -> list[str]:
    return [with_interval(decision["metrics"][name], decision["intervals"][name]) for name in LABEL_METRICS]


def _table(headings: list[str], rows: list[list[str]]) -> Iterator[str]:
    yield "| " + " | ".join(headings) + " |"
    yield "|" + "---|" * len(headings)
    for row in rows:
        yield "| " + " | ".join(cell.replace("|", "\\|") for cell in row) + " |"


if __name__ == "__main__":
    main()
