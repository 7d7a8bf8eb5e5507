"""`imforensics analyze`: statement, evidence of every method, report."""

from __future__ import annotations

import hashlib
import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from imforensics.cli.options import (
    command_line,
    config_option,
    json_option,
    overwrite_option,
    profile_option,
    set_option,
)
from imforensics.errors import EvidenceError, OutputExistsError

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
    type=click.Path(path_type=Path, file_okay=False),
    help="Folder for report.html, report.json and pictures; with several files one folder each below it.",
)
@json_option
@click.option(
    "--save-maps", is_flag=True, help="Write each localization map as maps/METHOD.npy (float32, needs -o)."
)
@click.option("--case", help="Case number, for the report.")
@click.option("--item", help="Item number of the evidence, for the report.")
@click.option("--operator", help="Who made the examination, for the report.")
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
    """Analyze images: is it tampered with, where, how sure, and what shows it.

    FILE is an image (JPEG, PNG, TIFF, WebP, BMP, GIF, HEIC, AVIF), or - for standard input. Each prints one
    line; with -o a self-contained report as well. A file that cannot be read is an error (exit code 1), and
    the others go on.
    """
    from imforensics.config import AnalyzeConfig, load_config
    from imforensics.cores import available_cores
    from imforensics.pipeline.analyze import build_analyzer

    if save_maps and output is None:
        raise click.UsageError("--save-maps needs -o, the folder to write to.")
    config = load_config(AnalyzeConfig, config_path, overrides, profile=profile)
    analyzer = build_analyzer(config, threads=available_cores())
    given = {"case": case, "item": item, "operator": operator}
    details = {key: value for key, value in given.items() if value is not None}
    failures = 0
    for file in files:
        try:
            report = analyzer.analyze(
                _source(file), name="-" if file == "-" else None, command_line=command_line(), case=details
            )
            folder = _report_folder(output, report, is_only=len(files) == 1)
            page = _write(report, folder, save_maps, overwrite, files) if folder else None
        except (EvidenceError, OutputExistsError) as error:
            failures += 1
            _show_error(file, error, as_json)
        else:
            _show(report, page, as_json)
    if failures:
        raise click.exceptions.Exit(1)


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


def _show(report: Report, page: Path | None, as_json: bool) -> None:
    if as_json:
        from imforensics.pipeline.analyze import describe_methods
        from imforensics.report.document import report_document

        click.echo(json.dumps(report_document(report, describe_methods())))
        return
    from imforensics.report.escaping import for_terminal

    statement = report.statement
    probability = (
        "no probability" if statement.probability is None else f"probability {statement.probability:.2f}"
    )
    place = f" Report: {page}" if page else ""
    click.echo(
        f"{for_terminal(report.evidence.name)}: {statement.label}, {probability}. {statement.phrase}{place}"
    )


def _show_error(file: str, error: Exception, as_json: bool) -> None:
    from imforensics.report.escaping import for_terminal

    message = for_terminal(str(error))
    if as_json:
        click.echo(
            json.dumps(
                {"schema_version": "1.0", "status": "error", "file": for_terminal(file), "error": message}
            )
        )
    click.echo(f"Error: {message}", err=True)
