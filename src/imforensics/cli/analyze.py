"""`imforensics analyze`: statement, evidence of every method, report."""

from __future__ import annotations

import hashlib
import json
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from imforensics.cli.options import (
    FOLDER,
    command_line,
    config_option,
    json_option,
    overwrite_option,
    profile_option,
    set_option,
)
from imforensics.cli.progress import show_defects
from imforensics.errors import DEFECT, describe_failure

if TYPE_CHECKING:
    from imforensics.types import Report


@click.command(
    "analyze",
    epilog="""\b
Examples:
  imforensics analyze photo.jpg
  imforensics analyze photo.jpg -o report/ --save-maps
  imforensics analyze *.jpg --json | jq -r '[.evidence.name, .label] | @tsv'
  imforensics analyze --set methods.ela.quality=75 photo.jpg
  cat photo.jpg | imforensics analyze -
""",
)
@click.argument("files", nargs=-1, required=True, metavar="FILE...")
@click.option(
    "-o",
    "--output",
    type=FOLDER,
    help="Folder for report.html, report.json and pictures; with several files one folder each below it.",
)
@json_option
@click.option(
    "--save-maps", is_flag=True, help="Write each localization map as maps/METHOD.npy (float32, needs -o)."
)
@click.option("--case", help="Case number, for the report.")
@click.option("--item", help="Item number of the evidence, for the report.")
@click.option("--operator", help="Name of the examiner, for the report.")
@overwrite_option
@profile_option
@config_option
@set_option
def command(
    files: tuple[str, ...],
    output: Path | None,
    as_json: bool,
    save_maps: bool,
    case: str | None,
    item: str | None,
    operator: str | None,
    overwrite: bool,
    profile: str | None,
    config_path: Path | None,
    overrides: tuple[str, ...],
) -> None:
    """Analyze images: was each one altered, where, how certain is that, and what is the evidence?

    FILE is an image (JPEG, PNG, TIFF, WebP, BMP, GIF, HEIC, AVIF), or - for standard input. One line is
    printed per file; -o also writes a self-contained report. A file that cannot be read is an error (exit
    code 1); the other files are still analyzed.
    """
    from imforensics.cores import available_cores, share_cores

    cores = available_cores()
    with share_cores(cores):  # NumPy reads it when it is loaded: methods run side by side instead
        from imforensics.config import AnalyzeConfig, load_config
        from imforensics.pipeline.analyze import build_analyzer

    if save_maps and output is None:
        raise click.UsageError("--save-maps needs -o, the folder to write to.")
    config = load_config(AnalyzeConfig, config_path, overrides, profile=profile)
    analyzer = build_analyzer(config, threads=cores)
    given = {"case": case, "item": item, "operator": operator}
    details = {key: value for key, value in given.items() if value is not None}
    problems: list[str] = []
    pages: dict[Path, Path] = {}
    failures = 0
    files = _drop_repeated(files)
    for file in files:
        try:
            report = analyzer.analyze(
                _source(file), name="-" if file == "-" else None, command_line=command_line(), case=details
            )
            folder = _report_folder(output, report, is_only=len(files) == 1)
            if folder is not None and folder not in pages:  # a copy of the same name has the same report
                pages[folder] = _write(report, folder, save_maps, overwrite, files)
            text = _tell(report, pages[folder] if folder else None, as_json)
        except Exception as error:  # of whatever kind: it costs this file alone
            failures += 1
            problems.append(describe_failure(error))
            _show_error(file, problems[-1], as_json)
        else:
            click.echo(text)
            problems += _show_failed_methods(report)
    show_defects(problems)
    if failures:
        raise click.exceptions.Exit(1)


def _drop_repeated(files: tuple[str, ...]) -> tuple[str, ...]:
    """Each file once, in the order given."""
    from imforensics.report.escaping import for_terminal

    places: dict[str, str] = {}
    for file in files:
        place = file if file == "-" else os.path.abspath(file)  # noqa: PTH100 - a link keeps its own name
        if place in places:
            click.echo(f"Note: {for_terminal(file)} is named more than once; it is analyzed once.", err=True)
        places.setdefault(place, file)
    return tuple(places.values())


def _source(file: str) -> Path | bytes:
    return sys.stdin.buffer.read() if file == "-" else Path(file)


def _report_folder(output: Path | None, report: Report, *, is_only: bool) -> Path | None:
    if output is None or is_only:
        return output
    identity = f"{report.evidence.name}\0{report.evidence.sha256}".encode("utf-8", "surrogateescape")
    return output / hashlib.sha256(identity).hexdigest()[:16]


def _write(report: Report, folder: Path, save_maps: bool, overwrite: bool, files: tuple[str, ...]) -> Path:
    from imforensics.pipeline.analyze import describe_methods
    from imforensics.report.writers import write_report

    inputs = [Path(file) for file in files if file != "-"]
    return write_report(
        report, describe_methods(), folder, save_maps=save_maps, overwrite=overwrite, inputs=inputs
    ).html


def _tell(report: Report, page: Path | None, as_json: bool) -> str:
    if as_json:
        from imforensics.pipeline.analyze import describe_methods
        from imforensics.report.document import report_document

        return json.dumps(report_document(report, describe_methods()))
    from imforensics.report.escaping import for_terminal

    statement = report.statement
    probability = (
        "no probability" if statement.probability is None else f"probability {statement.probability:.2f}"
    )
    place = f" Report: {page}" if page else ""
    return (
        f"{for_terminal(report.evidence.name)}: {statement.label}, {probability}. {statement.phrase}"
        f"{_tell_marks(report)}{place}"
    )


def _tell_marks(report: Report) -> str:
    """How much the report marks, in a sentence; nothing where nothing is marked."""
    marks = report.marks
    if marks is None or not marks.count:
        return ""
    percent = 100 * marks.area / (report.evidence.height * report.evidence.width)
    regions = "1 region is" if marks.count == 1 else f"{marks.count} regions are"
    return f" {regions} marked, {percent:.2g} % of the picture."


def _show_failed_methods(report: Report) -> list[str]:
    """Say which methods met a defect of ours; what merely cannot be read is a reason of the statement."""
    from imforensics.report.escaping import for_terminal

    failed = [(f.method, " ".join(f.notes)) for f in report.findings if f.status == "failed"]
    told = [f"{report.evidence.name}: {method} failed: {note}" for method, note in failed if DEFECT in note]
    for line in told:
        click.echo(f"Warning: {for_terminal(line)}", err=True)
    return told


def _show_error(file: str, text: str, as_json: bool) -> None:
    from imforensics.report.escaping import for_terminal

    is_named = Path(file).name in text  # what the system or an exception says may name no file, or another
    message = for_terminal(text if is_named else f"{file}: {text}")
    if as_json:
        click.echo(
            json.dumps(
                {"schema_version": "1.1", "status": "error", "file": for_terminal(file), "error": message}
            )
        )
    click.echo(f"Error: {message}", err=True)
