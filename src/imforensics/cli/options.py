"""Options that several commands share."""

from __future__ import annotations

import sys
from pathlib import Path

import click

config_option = click.option(
    "-c",
    "--config",
    "config_path",
    type=click.Path(path_type=Path, dir_okay=False),
    help="YAML configuration; without it the defaults (see `imforensics config show`).",
)
set_option = click.option(
    "--set",
    "overrides",
    metavar="KEY=VALUE",
    multiple=True,
    help="Override one value of the configuration, for example methods.ela.quality=95. Repeatable.",
)
profile_option = click.option(
    "--profile",
    type=click.Choice(["fast", "default", "full"]),
    help="Which methods: the quickest, those that have proved themselves, or all "
    "(see `imforensics methods`).  [default: default]",
)
overwrite_option = click.option("--overwrite", is_flag=True, help="Replace what is in the output folder.")
json_option = click.option(
    "--json",
    "as_json",
    is_flag=True,
    help="JSON on standard output, one document a line (docs/json-schema.md).",
)
resume_option = click.option(
    "--resume", is_flag=True, help="Go on with the run in the output folder after a stop or a kill."
)
quiet_option = click.option("-q", "--quiet", is_flag=True, help="No progress on standard error.")


def refuse_both(*, resume: bool, overwrite: bool) -> None:
    """Raise the usage error of a command that is told to keep a run and to delete it."""
    if resume and overwrite:
        raise click.UsageError("--resume keeps the run that --overwrite deletes: give one of them.")


def command_line() -> tuple[str, ...]:
    """The command line as given, for reports."""
    return ("imforensics", *sys.argv[1:])
