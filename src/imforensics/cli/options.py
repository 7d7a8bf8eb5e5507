"""Options that several commands share."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from dataclasses import dataclass, fields
from functools import wraps
from pathlib import Path
from typing import Any, TypeAlias

import click

from imforensics.method_table import PROFILES

Option: TypeAlias = Callable[[Callable[..., None]], Callable[..., None]]


class NamedPath(click.Path):
    """A path that is not empty: the value of an unset shell variable would be the current folder."""

    def convert(
        self, value: str | os.PathLike[str], param: click.Parameter | None, ctx: click.Context | None
    ) -> str | bytes | os.PathLike[str]:
        """The path.

        Raises:
            BadParameter: it is empty, or of another kind than asked for.
        """
        if not os.fspath(value):
            self.fail("The path is empty. Name one, or . for the current folder.", param, ctx)
        return super().convert(value, param, ctx)


FOLDER = NamedPath(path_type=Path, file_okay=False)
config_option = click.option(
    "-c",
    "--config",
    "config_path",
    type=click.Path(path_type=Path, dir_okay=False),
    help="YAML configuration; the defaults if omitted (see `imforensics config show`).",
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
    type=click.Choice(list(PROFILES)),
    help="Methods to run: the fastest ones, the validated ones, or all "
    "(see `imforensics methods`).  [default: default]",
)
overwrite_option = click.option("--overwrite", is_flag=True, help="Replace what is in the output folder.")
json_option = click.option(
    "--json",
    "as_json",
    is_flag=True,
    help="JSON on standard output, one document per line (docs/json-schema.md).",
)
resume_option = click.option(
    "--resume", is_flag=True, help="Resume the interrupted run in the output folder."
)
quiet_option = click.option("-q", "--quiet", is_flag=True, help="No progress on standard error.")


@dataclass(frozen=True, kw_only=True)
class TrainingOptions:
    """The options of every training command.

    Attributes:
        config_path: the YAML configuration; None for the defaults.
        overrides: KEY=VALUE texts, in the order given.
        run_folder: where the run is written.
        resume: go on with the run in that folder; never together with `overwrite`.
        overwrite: replace what is in that folder.
        quiet: no progress on standard error.
    """

    config_path: Path | None
    overrides: tuple[str, ...]
    run_folder: Path
    resume: bool
    overwrite: bool
    quiet: bool

    def __post_init__(self) -> None:
        """Raise the usage error if both --resume and --overwrite are given."""
        if self.resume and self.overwrite:
            raise click.UsageError(
                "--resume continues the run that --overwrite deletes: use only one of them."
            )


def training_options(run_holds: str, *own: Option) -> Option:
    """Decorator that gives a command the options of a training run, as a TrainingOptions.

    The command is called with it as its only positional argument.

    Args:
        run_holds: what is in the folder of a run, for the help of --output.
        own: options of this command alone, passed by keyword; the help lists them after --resume.
    """
    output_option = click.option(
        "-o",
        "--output",
        "run_folder",
        required=True,
        type=FOLDER,
        help=f"Folder of the run: {run_holds}.",
    )
    first: list[Option] = [config_option, set_option, output_option, resume_option]
    last: list[Option] = [overwrite_option, quiet_option]

    def add_options(command: Callable[..., None]) -> Callable[..., None]:
        @wraps(command)
        def call(**values: Any) -> None:
            shared = {field.name: values.pop(field.name) for field in fields(TrainingOptions)}
            command(TrainingOptions(**shared), **values)

        decorated: Callable[..., None] = call
        for option in reversed([*first, *own, *last]):
            decorated = option(decorated)
        return decorated

    return add_options


def command_line() -> tuple[str, ...]:
    """The command line as given, for reports."""
    return ("imforensics", *sys.argv[1:])
