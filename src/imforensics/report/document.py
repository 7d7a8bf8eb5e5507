"""Report → JSON-ready document. The JSON is the record; the page and the tables are views of it."""

from __future__ import annotations

import hashlib
import json
import math
import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from imforensics.config import AnalyzeConfig
from imforensics.report.escaping import for_json
from imforensics.report.evidence_block import evidence_block
from imforensics.report.map_statistics import map_statistics
from imforensics.report.marks_block import marks_block
from imforensics.types import Finding, JsonValue, MethodDescription, Opinion, Report, Statement

SCHEMA_VERSION = "1.1"
CASE_FIELDS = ("case", "item", "operator")
SIGNIFICANT_DIGITS = 6  # of every number that was computed

# How far the same versions may differ on another processor, absolute, in any method's score and in the mean
# and quantiles of any map; measured in docs/experiments/kernels.md, rounded up.
MACHINE_DIFFERENCES = {"score": 1e-5, "map": 1e-4}
# What says when, where, by what and under which name, not what was found: left out of `result_digest`.
VOLATILE = frozenset(
    {"report_id", "result_digest", "started_at", "created_at", "command_line", "reproduce", "tool", "files",
     "sha256_after", "case"}
)  # fmt: skip
VOLATILE_IN_EVIDENCE = frozenset({"name", "name_hex", "has_matching_extension"})
VOLATILE_IN_FINDING = frozenset({"seconds"})


@dataclass(frozen=True, slots=True)
class DerivedFile:
    """One file that a report wrote beside itself.

    Attributes:
        path: relative to the report's folder.
        sha256: of its bytes.
        size_bytes: its size.
        content: what it holds, in words.
    """

    path: str
    sha256: str
    size_bytes: int
    content: str


def report_document(
    report: Report,
    descriptions: Mapping[str, MethodDescription],
    *,
    files: Sequence[DerivedFile] = (),
) -> dict[str, JsonValue]:
    """The whole report as JSON values, by schema/report.schema.json.

    Args:
        report: the report.
        descriptions: name to description of every method in the findings; methods described but without a
            finding are listed as not selected.
        files: the derived files written so far.

    Returns:
        A new document; every number is finite, every string is valid UTF-8.

    Raises:
        ValueError: a method has no description, a number that must be finite is not, or a time has no zone.
    """
    missing = sorted({finding.method for finding in report.findings} - set(descriptions))
    if missing:
        raise ValueError(f"no description of {', '.join(missing)}: pass one for every method in the findings")
    started_at, created_at = _utc(report.started_at), _utc(report.created_at)
    document: dict[str, JsonValue] = {
        "schema_version": SCHEMA_VERSION,
        "status": "ok",
        "label": report.statement.label,
        **_statement_numbers(report.statement),
        "statement": _statement_block(report.statement),
        "marks": marks_block(report, digits=SIGNIFICANT_DIGITS),
        "case": {name: report.case.get(name) for name in CASE_FIELDS},
        "evidence": evidence_block(report.evidence),
        "sha256_after": report.sha256_after,
        "findings": [_finding_block(finding, descriptions[finding.method]) for finding in report.findings],
        "not_done": _not_done(report.findings, descriptions),
        "tool": _tool_block(report.versions),
        "settings": dict(report.settings),
        "config_digest": report.config_digest,
        "bundles": dict(report.bundle_digests),
        "command_line": list(report.command_line),
        "reproduce": reproduce_command(report),
        "started_at": started_at,
        "created_at": created_at,
        "files": [
            {"path": f.path, "sha256": f.sha256, "size_bytes": f.size_bytes, "content": f.content}
            for f in files
        ],
    }
    cleaned = _clean(document)
    if not isinstance(cleaned, dict):
        raise TypeError(f"expected a document, received {type(cleaned).__name__}")
    digest = result_digest(cleaned)
    return {
        "schema_version": cleaned.pop("schema_version"),
        "report_id": f"{digest[:12]}-{started_at[:19].replace('-', '').replace(':', '')}Z",
        "result_digest": digest,
        **cleaned,
    }


def result_digest(document: Mapping[str, JsonValue]) -> str:
    """SHA-256 of the canonical JSON of what was found: two runs on one content agree in it.

    Canonical: keys sorted, no spaces, UTF-8, without the volatile fields (docs/json-schema.md).

    Raises:
        TypeError: the document holds no list of findings.
    """
    stable = {key: value for key, value in document.items() if key not in VOLATILE}
    stable["evidence"] = _without(stable["evidence"], VOLATILE_IN_EVIDENCE)
    findings = stable["findings"]
    if not isinstance(findings, list):
        raise TypeError(f"expected a list of findings, received {type(findings).__name__}")
    stable["findings"] = [_without(finding, VOLATILE_IN_FINDING) for finding in findings]
    canonical = json.dumps(stable, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False)
    return hashlib.sha256(canonical.encode()).hexdigest()


def reproduce_command(report: Report) -> str:
    """One shell command that repeats the analysis and prints the document to compare `result_digest` with.

    It names the whole configuration and is run where the first one was; for standard input, the file has to
    be piped to it again.
    """
    path = report.evidence.path
    source = str(path) if path is not None else "-"
    overrides: list[str] = []
    for key, value in configuration(report).items():
        overrides += ["--set", f"{key}={json.dumps(value, ensure_ascii=False)}"]
    return shlex.join(["imforensics", "analyze", "--json", *overrides, "--", source])


def configuration(report: Report) -> dict[str, JsonValue]:
    """The part of the settings that a configuration file holds."""
    return {key: report.settings[key] for key in AnalyzeConfig.model_fields if key in report.settings}


def _statement_numbers(statement: Statement) -> dict[str, JsonValue]:
    return {
        "probability": _number(statement.probability, "the statement's probability"),
        "log10_lr": _number(statement.log10_lr, "the statement's log10_lr"),
        "log10_lr_bounds": _bounds(statement.log10_lr_bounds, "the statement's log10_lr_bounds"),
    }


def _statement_block(statement: Statement) -> JsonValue:
    return {
        "phrase": statement.phrase,
        "population": statement.population,
        "basis": list(statement.basis),
        "reasons": list(statement.reasons),
        "evidence_class": statement.evidence_class,
    }


def _finding_block(finding: Finding, description: MethodDescription) -> JsonValue:
    name = finding.method
    return {
        "method": name,
        "family": finding.family,
        "status": finding.status,
        "score": _number(finding.score, f"the score of {name}"),
        "threshold": _number(finding.threshold, f"the threshold of {name}"),
        "threshold_policy": finding.threshold_policy,
        "opinion": None if finding.opinion is None else _opinion_block(finding.opinion, name),
        "map": map_statistics(finding, digits=SIGNIFICANT_DIGITS),
        "observations": _clean(dict(finding.observations), digits=SIGNIFICANT_DIGITS),
        "artifacts": [
            {"name": key, "caption": artifact.caption} for key, artifact in finding.artifacts.items()
        ],
        "notes": list(finding.notes),
        "seconds": round(finding.seconds, 3),
        "question": description.question,
        "idea": description.idea,
        "limitations": description.limitations,
        "citation": description.citation,
        "doi": description.doi,
        "experimental": description.experimental,
    }


def _opinion_block(opinion: Opinion, method: str) -> JsonValue:
    return {
        "label": opinion.label,
        "probability": _number(opinion.probability, f"the probability of {method}"),
        "log10_lr": _number(opinion.log10_lr, f"the log10_lr of {method}"),
        "log10_lr_bounds": _bounds(opinion.log10_lr_bounds, f"the log10_lr_bounds of {method}"),
        "population": opinion.population,
        "protocol": opinion.protocol,
    }


def _not_done(findings: Sequence[Finding], descriptions: Mapping[str, MethodDescription]) -> JsonValue:
    done: list[JsonValue] = [
        {
            "method": finding.method,
            "family": finding.family,
            "status": finding.status,
            "reason": " ".join(finding.notes) or "no reason given",
        }
        for finding in findings
        if finding.status != "ok"
    ]
    found = {finding.method for finding in findings}
    left_out: list[JsonValue] = [
        {
            "method": name,
            "family": each.family,
            "status": "not_selected",
            "reason": "not in the configuration",
        }
        for name, each in descriptions.items()
        if name not in found
    ]
    return [*done, *left_out]


def _tool_block(versions: Mapping[str, str]) -> JsonValue:
    return {
        "name": "imforensics",
        "version": versions.get("imforensics"),
        "versions": dict(versions),
        "machine_differences": dict(MACHINE_DIFFERENCES),
    }


def _utc(moment: datetime) -> str:
    if moment.tzinfo is None:
        raise ValueError(f"expected a time with its zone, received {moment.isoformat()}")
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _number(value: float | None, what: str) -> float | None:
    if value is None:
        return None
    if not math.isfinite(value):
        raise ValueError(f"expected a finite number for {what}, received {value}")
    return float(f"{value:.{SIGNIFICANT_DIGITS}g}")


def _bounds(bounds: tuple[float, float] | None, what: str) -> JsonValue:
    return None if bounds is None else [_number(bounds[0], what), _number(bounds[1], what)]


def _clean(value: JsonValue, *, digits: int | None = None) -> JsonValue:
    """A copy with valid strings and, if told, rounded numbers; what could not be computed (NaN) is null."""
    if isinstance(value, str):
        return for_json(value)
    if isinstance(value, float):
        if not math.isfinite(value):
            return None
        return value if digits is None else float(f"{value:.{digits}g}")
    if isinstance(value, Mapping):
        return {for_json(str(key)): _clean(each, digits=digits) for key, each in value.items()}
    if isinstance(value, list | tuple):
        return [_clean(each, digits=digits) for each in value]
    if value is None or isinstance(value, bool | int):
        return value
    raise TypeError(f"expected a JSON value, received {type(value).__name__}: {value!r}")


def _without(value: JsonValue, keys: frozenset[str]) -> JsonValue:
    if not isinstance(value, dict):
        raise TypeError(f"expected an object, received {type(value).__name__}")
    return {key: each for key, each in value.items() if key not in keys}
