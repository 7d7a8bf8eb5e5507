"""`imforensics datasets`: which data sets can be read, and how each has to lie on disk."""

from __future__ import annotations

import json

import click


@click.command(
    "datasets",
    epilog="""\b
Examples:
  imforensics datasets
  imforensics datasets --explain casia1
  imforensics datasets --json
""",
)
@click.option(
    "--explain", metavar="NAME", help="Folder tree, licence, citation and known defects of one set."
)
@click.option("--json", "as_json", is_flag=True, help="JSON on standard output, one document.")
def command(explain: str | None, as_json: bool) -> None:
    """List the data sets supported for training and evaluation, or explain one.

    Data sets are searched for below the folder given by the environment variable IMFORENSICS_DATA, or at
    --root of the command that reads them. Nothing is downloaded: get each set from its publisher.
    """
    from dataclasses import asdict

    from imforensics.datasets.base import list_cards

    cards = [card for card in list_cards() if explain in {None, card.name}]
    if not cards:
        known = ", ".join(card.name for card in list_cards())
        raise click.BadParameter(f"Expected one of {known}, received {explain!r}.", param_hint="--explain")
    if as_json:
        click.echo(json.dumps([asdict(card) for card in cards], indent=2))
    elif explain is None:
        width = max(len(card.name) for card in cards) + 2
        for card in cards:
            counts = " + ".join(
                "?" if n is None else str(n) for n in (card.authentic_count, card.tampered_count)
            )
            click.echo(f"{card.name:<{width}}{counts:<14}{card.title}")
        click.echo("\nCounts: authentic + tampered images of the complete set.", err=True)
    else:
        card = cards[0]
        click.echo(f"{card.title}\n\nLicence: {card.licence}\nCitation: {card.citation}")
        click.echo(f"\nExpected below its root:\n{card.layout}\n")
        click.echo("Known defects:\n" + "\n".join(f"- {defect}" for defect in card.defects or ("none",)))
