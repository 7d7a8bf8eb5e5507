"""Write the docs that follow from the code: docs/cli.md, docs/methods.md and a page for each method.

python scripts/make_docs.py            # writes them
python scripts/make_docs.py --check    # exit 1 where one is out of date, writes nothing

The performance and cost of a method are read from docs/experiments/methods.json (experiment `methods`), the
captions of its two pictures from scripts/scenes/; scripts/make_method_pictures.py draws the pictures.
"""

from __future__ import annotations

import argparse
import inspect
import json
import re
import sys
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from typing import Any

import click

from imforensics.cli.main import main as root_command
from imforensics.method_table import METHODS, PROFILES
from imforensics.methods import load_method
from imforensics.methods.base import Method

DOCS = Path(__file__).resolve().parents[1] / "docs"
NOTICE = "<!-- Written by scripts/make_docs.py. Do not edit: change the code and run it again. -->"
WIDTH = 100
# methods that are measured, also or only, on a page of their own
PAGES_APART = {
    "ela_cnn": "paper_detector.md",
    "localizer": "localizer.md",
    "double_quantization": "double_quantization.md",
    "copy_move": "copy_move.md",
    "copy_move_dense": "copy_move.md",
    "cfa": "camera_traces.md",
    "metadata": "camera_originals.md",
    "jpeg_structure": "camera_originals.md",
    "content_credentials": "camera_originals.md",
    "resampling": "camera_traces.md",
    "autoencoder_residual": "reconstruction.md",
    "gan_reconstruction": "reconstruction.md",
}
sys.path.insert(0, str(Path(__file__).with_name("scenes")))


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
    facts = json.loads((DOCS / "experiments" / "methods.json").read_text(encoding="utf-8"))["methods"]
    found = {DOCS / "cli.md": cli_page(), DOCS / "methods.md": methods_page()}
    return found | {
        DOCS / "methods" / f"{name}.md": method_page(name, facts[name]) for name in PROFILES["full"]
    }


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
    """What each method asks, and which profile runs it."""
    rows = [
        f"| {f'[`{name}`](methods/{name}.md)' if METHODS[name].profile else f'`{name}`'} "
        f"| {method.family} | {METHODS[name].profile or 'by name'} "
        f"| {describe_needs(method)} | {one_line(method.question)} |"
        for name, method in ((name, load_method(name)) for name in METHODS)
    ]
    return "\n".join(
        [
            f"{NOTICE}\n\n# Methods\n",
            "A method analyses one file and returns a finding: observations and, where possible, a score and",
            "a localization map, both in [0, 1] with *higher = more likely tampered*. A score is not a",
            "probability unless it is calibrated. No method detects everything: read its limitations first.",
            "",
            "The column *profile* is the smallest profile that runs the method: `fast`, `default` or `full`.",
            "`full` includes experimental methods; the page of each gives its measured performance. A method",
            "that has not been measured yet is in no profile and has no page: it runs by name only. For a",
            "comparison of all methods, see [experiments/methods.md](experiments/methods.md).",
            "",
            "| method | family | profile | needs | question |\n|---|---|---|---|---|",
            *rows,
            "",
        ]
    )


def describe_needs(method: type[Method]) -> str:
    """What a method has to be given."""
    if not method.requires:
        return "any image"
    also = ", or a picture decoded from one" if method.reads_inferred_jpeg else ""
    return ", ".join(sorted(method.requires)) + also


def method_page(name: str, facts: dict[str, Any]) -> str:
    """The page of one method."""
    method, scenes, profile = load_method(name), import_module(name), METHODS[name].profile
    doi = method.reference.doi
    link = f" [doi:{doi}](https://doi.org/{doi})" if doi else ""
    experimental = f"**Experimental.** {one_line(method.experimental)}\n" if method.experimental else None
    parts = [
        f"{NOTICE}\n\n# {name}\n",
        f"*{one_line(method.question)}*\n",
        f"Family {method.family}; needs {describe_needs(method)}; run by "
        f"`--profile {profile}`{'' if profile == 'full' else ' and larger'}. "
        "Back to [all methods](../methods.md).\n",
        experimental,
        f"## Idea\n\n{one_line(method.idea)}\n",
        *scene_section("Example", name, "hit", scenes.make_hit()),
        *scene_section("False alarm", name, "false_alarm", scenes.make_false_alarm()),
        f"## Limitations\n\n{one_line(method.limitations)}\n",
        f"## Performance and cost\n\n{performance(name, facts)}\n",
        f"## Options\n\n{options_table(method)}",
        f"## Reference\n\n{one_line(method.reference.citation)}{link}\n",
    ]
    return "\n".join(part for part in parts if part is not None)


def scene_section(title: str, name: str, kind: str, scene: Any) -> Iterator[str]:
    """Heading, picture where the method draws one, and the words."""
    yield f"## {title}\n"
    if (DOCS / "images" / "methods" / f"{name}_{kind}.jpg").exists():
        yield f"![{title} of {name}: picture, and map overlaid](../images/methods/{name}_{kind}.jpg)\n"
    yield f"{one_line(scene.words)}\n"


def performance(name: str, facts: dict[str, Any]) -> str:
    """The measured performance in words."""
    lines = []
    if name in PAGES_APART:
        lines.append(f"- Measured in [experiments/{PAGES_APART[name]}](../experiments/{PAGES_APART[name]}).")
    for run, words in (("raw", "as published"), ("resaved_q90", "recompressed at quality 90")):
        found = facts.get(run)
        if found is not None:
            low, high = found["auc_interval"]
            f1 = found["f1_fixed_mean"]
            own = "" if f1 is None else f", {f1:.3f} at the method's own"
            lines.append(
                f"- {found['images']} tampered images of CASIA v1's test split, {words}: pixel AUC "
                f"{found['auc_mean']:.3f} [{low:.3f}, {high:.3f}], F1 {found['f1_best_mean']:.3f} at each "
                f"image's best threshold{own}."
            )
    if facts.get("photos_test") is not None:
        held_out, every = facts["photos_test"], facts["photos_all"]
        lines.append(
            f"- False alarms on untouched photographs, at its own threshold: {held_out['alarms']} of "
            f"{held_out['images']} of the test split, {every['alarms']} of all {every['images']}."
        )
    if not lines:
        lines.append("- It gives observations only and no map, so localization cannot be measured.")
    if facts["cost"] is not None:
        cost = facts["cost"]
        lines.append(
            f"- At 12 megapixels on two cores: {cost['seconds']:.2f} s; {cost['megabytes']:.0f} MB at the "
            "peak, including reading the file."
        )
    lines.append("\nAll methods, with commands: [experiments/methods.md](../experiments/methods.md).")
    return "\n".join(lines)


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
