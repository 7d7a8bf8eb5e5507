"""How often methods see an earlier saving, or mark a part, in files that were saved exactly once."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from experiment import Experiment, Found
from imforensics.evidence import read_evidence
from imforensics.pipeline.analyze import build_methods, run_method
from imforensics.report.evaluation_words import NONE
from imforensics.report.markdown import Table
from imforensics.types import Finding

METHODS = (
    "double_quantization",
    "dct_histograms",
    "jpeg_ghost",
    "nonaligned_double_quantization",
    "localizer",
)
SMALL = 160  # pixels of the shorter side
COUNTED = ("earlier saving seen", "score >= 0.5", "more than 2 % marked", "mean share marked")


def measure(experiment: Experiment) -> Iterator[Table]:
    """A row for each method, encoder and size: files, and those with a claim, a score or a mark."""
    items: dict[str, tuple[Path, dict[str, str]]] = {}
    for folder in map(Path, experiment.config.options["folders"]):
        experiment.sources[folder.name] = None
        with (folder / "manifest.csv").open(encoding="utf-8", newline="") as lines:
            items |= {f"{folder.name}/{e['file']}": (folder / e["file"], e) for e in csv.DictReader(lines)}
    records = experiment.collect(look, items)
    rows = []
    for method in METHODS:
        groups: dict[tuple[str, bool], list[Found]] = {}
        for record in records:
            if record["method"] == method and record["score"] is not None:
                groups.setdefault((record["family"], record["is_small"]), []).append(record)
        for (family, is_small), found in sorted(groups.items()):
            rows.append([f"`{method}`", family, f"{'<' if is_small else '>='} {SMALL}", *cells(found)])
    yield Table("", ("method", "encoder", "sides", "files", *COUNTED), rows, words=3)


def look(item: tuple[Path, dict[str, str]]) -> list[Found]:
    """All methods on one file."""
    path, entry = item
    evidence = read_evidence(path)
    is_small = min(evidence.height, evidence.width) < SMALL
    facts: Found = {"family": entry["family"], "setting": entry["setting"], "is_small": is_small}
    findings = [run_method(method, evidence) for method in build_methods({name: {} for name in METHODS})]
    return [facts | describe(finding) for finding in findings]


def describe(finding: Finding) -> Found:
    """What one method says; nothing but its name where it does not apply."""
    if finding.status != "ok":
        return {"method": finding.method, "score": None}
    marked = 0.0 if finding.mask is None else float(np.mean(finding.mask))
    return {
        "method": finding.method,
        "score": finding.score,
        "marked": marked,
        "is_claimed": claims_history(finding),
    }


def claims_history(finding: Finding) -> bool | None:
    """Whether it says that the image, or a part, was saved before; None of one that says no such thing."""
    seen = finding.observations
    match finding.method:
        case "dct_histograms":
            return bool(seen["is_saved_twice"])
        case "double_quantization":
            return bool(seen["is_double_quantized"])
        case "jpeg_ghost":
            return seen["image_quality"] is not None
        case "nonaligned_double_quantization":
            return bool(seen["is_found"])
    return None


def cells(found: list[Found]) -> list[str]:
    """Files, claims, scores and marks, counted."""
    claims = [record["is_claimed"] for record in found if record["is_claimed"] is not None]
    marked = [record["marked"] for record in found]
    high = sum(record["score"] >= 0.5 for record in found)
    claimed = str(sum(claims)) if claims else NONE
    return [str(len(found)), claimed, str(high), str(sum(m > 0.02 for m in marked)), f"{np.mean(marked):.1%}"]
