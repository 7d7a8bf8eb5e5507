"""`imforensics scan`: many files, one row each."""

from __future__ import annotations

import json
import os
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import IO, TYPE_CHECKING, cast

import click

from imforensics.cli.main import EXIT_ABOVE, EXIT_FAILED
from imforensics.cli.options import (
    FOLDER,
    NamedPath,
    command_line,
    config_option,
    json_option,
    overwrite_option,
    profile_option,
    quiet_option,
    set_option,
)
from imforensics.cli.progress import open_bar, show_defects
from imforensics.errors import EvidenceError

if TYPE_CHECKING:
    from imforensics.pipeline.scan.alarms import Alarms
    from imforensics.pipeline.scan.plan import Listing
    from imforensics.pipeline.scan.worker import ReportsPolicy
    from imforensics.store import Row


@click.command(
    "scan",
    epilog="""\b
Examples:
  imforensics scan photos/ -o results/
  imforensics scan photos/ -o results/ --reports all --include '*.jpg'
  find . -name '*.png' | imforensics scan --files-from - --json > rows.jsonl
  imforensics scan inbox/ -o results/ --fail-above 0.9 || notify
  imforensics scan inbox/ -o results/ --fail-on-marked 1

\b
In the results folder: results.jsonl (one row per file, written when it is done), summary.csv, index.html.
Run the same command again to resume: a file whose content and configuration are unchanged is not analyzed
again.
""",
)
@click.argument("paths", nargs=-1, type=NamedPath(path_type=Path), metavar="[PATH]...")
@click.option("-o", "--output", type=FOLDER, help="Results folder; resumes in it.")
@click.option(
    "--files-from", type=click.File("rb"), help="Read paths from a file, one per line; - is standard input."
)
@click.option(
    "--include",
    multiple=True,
    metavar="PATTERN",
    help="Only file names matching PATTERN, for example '*.jpg'. Repeatable.",
)
@click.option("-j", "--workers", type=click.IntRange(1), help="Processes; default: all cores.")
@click.option(
    "--reports",
    type=click.Choice(["none", "tampered", "all"]),
    default="none",
    show_default=True,
    help="Write a full report for these files (needs -o).",
)
@click.option(
    "--fail-above",
    type=click.FloatRange(0, 1),
    metavar="P",
    help="Exit with code 3 if any file's stated probability is >= P. A file without one raises no alarm.",
)
@click.option(
    "--fail-on-marked",
    type=click.FloatRange(0, 100),
    metavar="PERCENT",
    help="Exit with code 3 if any file has marked regions over at least PERCENT % of its area.",
)
@click.option("--retry-errors", is_flag=True, help="Analyze files whose row is an error again.")
@json_option
@quiet_option
@overwrite_option
@profile_option
@config_option
@set_option
def command(
    paths: tuple[Path, ...],
    output: Path | None,
    files_from: IO[bytes] | None,
    include: tuple[str, ...],
    workers: int | None,
    reports: str,
    fail_above: float | None,
    fail_on_marked: float | None,
    retry_errors: bool,
    as_json: bool,
    quiet: bool,
    overwrite: bool,
    profile: str | None,
    config_path: Path | None,
    overrides: tuple[str, ...],
) -> None:
    """Analyze folders and lists of images on all cores.

    Each file produces one row: its label, probability and marked regions, or the error that occurred. A row
    whose probability is null says why. Without -o the rows are written to standard output as JSON Lines.
    """
    from imforensics.config import ScanConfig, load_config
    from imforensics.pipeline.analyze import build_analyzer
    from imforensics.pipeline.scan.alarms import Alarms
    from imforensics.pipeline.scan.plan import list_files, plan_scan, write_overview

    if reports != "none" and output is None:
        raise click.UsageError("--reports needs -o, the folder to write to.")
    config = load_config(ScanConfig, config_path, overrides, profile=profile)
    alarms = Alarms(fail_above, fail_on_marked)
    if alarms != Alarms():
        alarms.check(build_analyzer(config))
    named = [*paths, *_read_paths(files_from)]
    if not named:
        raise click.UsageError("Nothing to scan: give files or folders, or --files-from.")
    listing = list_files(named, recursive=config.recursive, include=include, exclude=output)
    files = listing.files
    _show_left_out(listing, quiet=quiet)
    if not files:
        raise EvidenceError("no images to scan: the given folders contain none, or --include matches none")
    scan = plan_scan(files, config, folder=output, overwrite=overwrite, retry_errors=retry_errors)
    rows = list(scan.done)
    print_rows = as_json or output is None
    if print_rows:
        for row in scan.done:
            click.echo(json.dumps(row))
    with open_bar("scan", total=len(files), done=len(scan.done), unit="file", quiet=quiet) as bar:
        for row in scan.run(
            workers=workers, reports=cast("ReportsPolicy", reports), command_line=command_line()
        ):
            rows.append(row)
            if print_rows:
                click.echo(json.dumps(row))
            bar.update(1)
    if scan.store is not None:
        write_overview(scan.store)
    _show_totals(rows, len(scan.done), output, as_data=not print_rows)
    show_defects(text for row in rows for text in _problems(row))
    raise click.exceptions.Exit(_exit_code(rows, alarms))


def _show_left_out(listing: Listing, *, quiet: bool) -> None:
    from imforensics.report.escaping import for_terminal

    if listing.left_out and not quiet:
        click.echo(f"{len(listing.left_out)} files left out: no image by name or content", err=True)
    for folder in listing.outputs:  # also when quiet: whoever finds images missing has to know why
        click.echo(f"{for_terminal(str(folder))} left out: written by imforensics", err=True)


def _read_paths(file: IO[bytes] | None) -> list[Path]:
    lines = file.read().splitlines() if file is not None else []
    return [Path(os.fsdecode(line)) for line in lines if line]


def _show_totals(rows: list[Row], resumed: int, output: Path | None, *, as_data: bool) -> None:
    counts = Counter(str(row["label"] or "error") for row in rows)
    words = ", ".join(f"{counts[label]} {label}" for label in sorted(counts))
    earlier = f" ({resumed} done before)" if resumed else ""
    place = f"; see {output / 'index.html'}" if output is not None else ""
    click.echo(f"{len(rows)} files{earlier}: {words}{place}", err=not as_data)


def _problems(row: Row) -> Iterator[object]:
    """What kept a file or a method from its result, in words."""
    yield row["error"]
    findings = row["findings"]
    yield from (
        finding.get("note")
        for finding in (findings if isinstance(findings, list) else ())
        if isinstance(finding, dict)
    )


def _exit_code(rows: list[Row], alarms: Alarms) -> int:
    if alarms.find(rows):
        return EXIT_ABOVE
    return EXIT_FAILED if any(row["status"] == "error" for row in rows) else 0
