"""Write the docs that follow from the code: docs/cli.md from each command's help, docs/methods.md.

python scripts/make_docs.py            # writes both
python scripts/make_docs.py --check    # exit 1 where one is out of date, writes nothing
"""

from __future__ import annotations

import argparse
import inspect
import re
import sys
from collections.abc import Iterator
from pathlib import Path

import click

from imforensics.cli.main import main as root_command
from imforensics.methods import METHODS, load_method
from imforensics.methods.base import Method

DOCS = Path(__file__).resolve().parents[1] / "docs"
NOTICE = "<!-- Written by scripts/make_docs.py. Do not edit: change the code and run it again. -->"
WIDTH = 100


def main() -> int:
    """Write the pages, or name those that are out of date."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--check", action="store_true", help="compare only")
    check = parser.parse_args().check
    stale = [
        path
        for path, text in pages().items()
        if not path.exists() or path.read_text(encoding="utf-8") != text
    ]
    for path in stale:
        if check:
            print(
                f"{path.relative_to(DOCS.parent)} is out of date. Run: python scripts/make_docs.py",
                file=sys.stderr,
            )
        else:
            path.write_text(pages()[path], encoding="utf-8")
            print(f"wrote {path.relative_to(DOCS.parent)}")
    return 1 if check and stale else 0


def pages() -> dict[Path, str]:
    """Path to text of every generated page."""
    return {DOCS / "cli.md": cli_page(), DOCS / "methods.md": methods_page()}


def cli_page() -> str:
    """The command reference."""
    sections = [
        f"## `{' '.join(path)}`\n\n```text\n{help_text(command, path)}\n```\n"
        for path, command in walk_commands()
    ]
    title = f"{NOTICE}\n\n# Command reference\n\nWhat `--help` prints, for every command.\n"
    return "\n".join([title, *sections])


def walk_commands(
    command: click.Command = root_command, path: tuple[str, ...] = ("imforensics",)
) -> Iterator[tuple[tuple[str, ...], click.Command]]:
    """Every command with its path, groups before what they hold, in the order of the help."""
    yield path, command
    if isinstance(command, click.Group):
        context = click.Context(command, info_name=path[-1])
        for name in command.list_commands(context):
            found = command.get_command(context, name)
            if found is not None:
                yield from walk_commands(found, (*path, name))


def help_text(command: click.Command, path: tuple[str, ...]) -> str:
    """The help of one command at a fixed width."""
    context: click.Context | None = None
    for name in path[:-1]:
        context = click.Context(click.Group(name), info_name=name, parent=context)
    context = click.Context(
        command, info_name=path[-1], parent=context, terminal_width=WIDTH, max_content_width=WIDTH,
        help_option_names=["-h", "--help"],
    )  # fmt: skip
    return "\n".join(line.rstrip() for line in command.get_help(context).splitlines())


def methods_page() -> str:
    """What each method asks, does and cannot do."""
    classes = [load_method(name) for name in METHODS]
    rows = [
        f"| [`{method.name}`](#{method.name}) | {method.family} "
        f"| {', '.join(sorted(method.requires)) or 'any image'} |"
        f" {one_line(method.question)} |"
        for method in classes
    ]
    return "\n".join(
        [
            f"{NOTICE}\n\n# Methods\n",
            "A method takes one file and gives a finding: observations, and where it can, a score and a",
            "localization map, both in [0, 1] with *higher = more likely tampered*. A score is not a",
            "probability unless it is calibrated, and no method sees everything: read its limits first.",
            "",
            "| method | family | needs | question |\n|---|---|---|---|",
            *rows,
            "",
            *(method_section(method) for method in classes),
        ]
    )


def method_section(method: type[Method]) -> str:
    """The section of one method."""
    doi = method.reference.doi
    link = f" [doi:{doi}](https://doi.org/{doi})" if doi else ""
    return "\n".join(
        [
            f"## {method.name}\n",
            f"**Question.** {one_line(method.question)}\n",
            f"**Idea.** {one_line(method.idea)}\n",
            f"**Limits.** {one_line(method.limitations)}\n",
            f"**Reference.** {one_line(method.reference.citation)}{link}\n",
            options_table(method),
        ]
    )


def options_table(method: type[Method]) -> str:
    """Name, default and meaning of each option."""
    defaults = method.Options().model_dump(mode="json")
    if not defaults:
        return "**Options.** None.\n"
    meanings = documented_attributes(method.Options)
    rows = [f"| `{name}` | `{value}` | {one_line(meanings[name])} |" for name, value in defaults.items()]
    return "\n".join(["| option | default | meaning |", "|---|---|---|", *rows, ""])


def documented_attributes(described: type) -> dict[str, str]:
    """Name to text of each attribute in the Attributes section of a class's docstring."""
    _, _, section = inspect.cleandoc(described.__doc__ or "").partition("\nAttributes:\n")
    entries: dict[str, str] = {}
    name = ""
    for line in section.splitlines():
        start = re.fullmatch(r" {4}(\w+): (.*)", line)
        if start:
            name = start[1]
            entries[name] = start[2]
        elif line.startswith(" " * 8) and name:
            entries[name] += f" {line.strip()}"
        else:
            break
    return entries


def one_line(text: str) -> str:
    """The text without line breaks, safe in a table cell."""
    return " ".join(text.split()).replace("|", "\\|")


if __name__ == "__main__":
    sys.exit(main())
