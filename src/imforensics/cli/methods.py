"""`imforensics methods`: what can be run, and what each method means."""

from __future__ import annotations

import json
import textwrap
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from imforensics.types import MethodDescription


@click.command(
    "methods",
    epilog="""\b
Examples:
  imforensics methods
  imforensics methods --explain ela
  imforensics methods --json
""",
)
@click.option("--explain", metavar="NAME", help="Idea, limitations, options and reference of one method.")
@click.option("--json", "as_json", is_flag=True, help="JSON on standard output, one document.")
def command(explain: str | None, as_json: bool) -> None:
    """List the forensic methods, or explain one."""
    from imforensics.methods import METHODS, load_method
    from imforensics.pipeline.analyze import describe_methods

    if explain is not None and explain not in METHODS:
        raise click.BadParameter(
            f"Expected one of {', '.join(METHODS)}, received {explain!r}.", param_hint="--explain"
        )
    names = [explain] if explain is not None else list(METHODS)
    classes = {name: load_method(name) for name in names}
    descriptions = {name: text for name, text in describe_methods().items() if name in names}
    if as_json:
        documents = [
            {
                **_as_document(descriptions[name]),
                "requires": sorted(method.requires),
                "profile": METHODS[name].profile,
                "options": method.Options.model_json_schema().get("properties", {}),
            }
            for name, method in classes.items()
        ]
        click.echo(json.dumps(documents, indent=2))
    elif explain is None:
        width = max(map(len, descriptions)) + 2
        for name, description in descriptions.items():
            profile = METHODS[name].profile or "-"
            click.echo(f"{name:<{width}}{description.family:<16}{profile:<9}{description.question}")
        note = "Third column: the smallest profile that runs it (analyze --profile fast|default|full)"
        click.echo(f"{note}; -: only by name.", err=True)
    else:
        _explain(descriptions[explain], classes[explain].Options().model_dump())


def _as_document(description: MethodDescription) -> dict[str, str | None]:
    from dataclasses import asdict

    document: dict[str, str | None] = asdict(description)
    return document


def _explain(description: MethodDescription, options: dict[str, object]) -> None:
    from imforensics.method_table import METHODS

    name, profile = description.name, METHODS[description.name].profile
    run_by = f"--profile {profile}{'' if profile == 'full' else ' and larger'}"
    page = f"docs/methods/{name}.md: an example, a false alarm, and the measured performance"
    doi = f" doi:{description.doi}" if description.doi else ""
    defaults = ", ".join(f"{key}={value}" for key, value in options.items()) or "none"
    click.echo(f"{description.name} ({description.family})\n")
    for title, text in (
        ("Question", description.question),
        ("Idea", description.idea),
        ("Limitations", description.limitations),
        ("Experimental", description.experimental),
        ("Run by", run_by if profile else f"no profile: name it, as in --set methods.{name}={{}}"),
        ("Options and defaults", defaults),
        ("Reference", f"{description.citation}{doi}"),
        ("Page", page if profile else None),
    ):
        if text is None:
            continue
        click.echo(f"{title}:")
        click.echo(textwrap.fill(" ".join(text.split()), 96, initial_indent="  ", subsequent_indent="  "))
