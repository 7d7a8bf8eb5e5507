"""What one worker process of a scan does with one file: a row, a thumbnail, a report."""

from __future__ import annotations

import hashlib
import os
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal

from imforensics.config import ScanConfig
from imforensics.errors import DISK_REMEDIES, describe_failure
from imforensics.outputs import join_folder, write_atomically
from imforensics.pipeline.analyze import Analyzer, build_analyzer, describe_methods
from imforensics.report.marks_block import marks_block
from imforensics.store import Row
from imforensics.types import Finding, JsonValue, Report, Statement

ReportsPolicy = Literal["none", "tampered", "all"]
NOT_WRITTEN = "not_written"
ROW_FIELDS = (
    *("label", "probability", "log10_lr", "score", "no_probability", "evidence_class", "marked_percent"),
    *("region_count", "regions", "format", "width", "height", "report", "seconds"),
)
REGIONS_IN_ROW = 5  # largest; the full report lists more


@dataclass(frozen=True, slots=True)
class WorkerSettings:
    """What every worker of one scan is told.

    Attributes:
        config: what to do with a file.
        folder: where thumbnails and reports go; None writes none.
        reports: for which files a full report is written below `folder`.
        command_line: as given by the user, for the reports.
    """

    config: ScanConfig
    folder: Path | None
    reports: ReportsPolicy
    command_line: tuple[str, ...]


_worker: tuple[Analyzer, WorkerSettings] | None = None


def prepare_worker(settings: WorkerSettings) -> None:
    """Load the methods once; called in a new process before its first file."""
    global _worker  # noqa: PLW0603 - the one analyzer that a worker process keeps
    _worker = (build_analyzer(settings.config), settings)
    if settings.folder is not None:
        join_folder(settings.folder)


def scan_file(path: Path) -> Row:
    """Analyze one file in a prepared worker.

    Returns:
        Its row; for a file that cannot be analyzed or reported on, one with status "error". Where the disk
        takes no more thumbnails or reports, the reason is under NOT_WRITTEN: that is no fault of the file.

    Raises:
        RuntimeError: the worker was not prepared.
    """
    if _worker is None:
        raise RuntimeError("this process was not prepared; call prepare_worker first")
    analyzer, settings = _worker
    started = datetime.now(UTC)
    try:
        return _scan(path, analyzer, settings)
    except Exception as error:  # of whatever kind: it costs this file alone
        found: Row = {"sha256": sha256_of(path), "started_at": started.isoformat()}
        return {**error_row(path, describe_failure(error)), **found}


def _scan(path: Path, analyzer: Analyzer, settings: WorkerSettings) -> Row:
    report = analyzer.analyze(path, command_line=settings.command_line)
    row = _report_row(path, report)
    try:
        if settings.folder is not None:
            _write_thumbnail(report, settings.folder, settings.config.thumbnail_size)
            row["report"] = _write_full_report(row, report, settings)
    except OSError as error:
        if error.errno not in DISK_REMEDIES:
            raise
        row[NOT_WRITTEN] = describe_failure(error)
    return row


def error_row(path: Path, error: str) -> Row:
    """The row of a file that could not be analyzed."""
    empty: Row = dict.fromkeys(ROW_FIELDS)
    head: Row = {**file_identity(path), "sha256": None, "status": "error", "error": error}
    return {**head, **empty, "findings": [], "started_at": None}


def file_identity(path: Path) -> Row:
    """How a row names its file: "file", and "file_hex" where the name is not UTF-8."""
    raw = os.fsencode(path)
    try:
        return {"file": raw.decode("utf-8")}
    except UnicodeDecodeError:
        return {"file": raw.decode("utf-8", "backslashreplace"), "file_hex": raw.hex()}


def sha256_of(path: Path) -> str | None:
    """Hexadecimal SHA-256 of a file; None where it cannot be read."""
    try:
        if not path.is_file():  # a pipe would be waited for
            return None
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError:
        return None


def thumbnail_path(folder: Path, sha256: str) -> Path:
    """Where a scan keeps the thumbnail of a content."""
    return folder / "thumbnails" / f"{sha256[:32]}.jpg"


def _report_row(path: Path, report: Report) -> Row:
    statement, evidence = report.statement, report.evidence
    findings: list[JsonValue] = [_finding_entry(finding) for finding in report.findings]
    return {
        **file_identity(path),
        "sha256": evidence.sha256,
        "status": "ok",
        "error": None,
        "label": statement.label,
        "probability": statement.probability,
        "log10_lr": statement.log10_lr,
        "score": statement.probability,
        "no_probability": None if statement.probability is not None else _why_no_probability(statement),
        "evidence_class": statement.evidence_class,
        **_marks_entry(report),
        "format": evidence.format,
        "width": evidence.width,
        "height": evidence.height,
        "report": None,
        "seconds": (report.created_at - report.started_at).total_seconds(),
        "findings": findings,
        "started_at": report.started_at.isoformat(),
    }


def _why_no_probability(statement: Statement) -> str:
    """The first reason: it says what kept the statement from a number."""
    return next(iter(statement.reasons), statement.phrase)


def _marks_entry(report: Report) -> Row:
    """What is marked; null where the statement rests on no map."""
    marks: Any = marks_block(report)
    if marks is None:
        return {"marked_percent": None, "region_count": None, "regions": None}
    regions = marks["regions"][:REGIONS_IN_ROW]
    return {
        "marked_percent": marks["area_percent"],
        "region_count": marks["region_count"],
        "regions": regions,
    }


def _finding_entry(finding: Finding) -> dict[str, JsonValue]:
    entry: dict[str, JsonValue] = {
        "method": finding.method,
        "status": finding.status,
        "score": finding.score,
    }
    return {**entry, "note": " ".join(finding.notes)} if finding.status == "failed" else entry


def _write_thumbnail(report: Report, folder: Path, size: int) -> None:
    from imforensics.report.figures import encode_preview

    evidence = report.evidence
    target = thumbnail_path(folder, evidence.sha256)
    target.parent.mkdir(parents=True, exist_ok=True)
    content = encode_preview(evidence.pixels, longest=size, orientation=evidence.orientation)
    write_atomically(target, content)


def _write_full_report(row: Row, report: Report, settings: WorkerSettings) -> str | None:
    is_wanted = settings.reports == "all" or settings.reports == row["label"]
    if settings.folder is None or not is_wanted:
        return None
    from imforensics.report.writers import write_report

    name = f"{row.get('file_hex') or row['file']}\0{row['sha256']}"  # two names of one content: two reports
    place = Path("reports") / hashlib.sha256(name.encode()).hexdigest()[:32]
    write_report(report, describe_methods(), settings.folder / place, overwrite=True)
    return (place / "report.html").as_posix()
