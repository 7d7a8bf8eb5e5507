"""`imforensics audit`: what may a result on a data set claim?"""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from imforensics.cli.options import FOLDER, command_line, json_option, overwrite_option, quiet_option
from imforensics.cli.progress import error_stream

if TYPE_CHECKING:
    from imforensics.types import Sample


@click.command(
    "audit",
    epilog="""\b
Examples:
  imforensics audit data/CASIA1 --dataset casia1
  imforensics audit data/CASIA1 --dataset casia1 --against casia2=data/CASIA2 -o audit/
  imforensics audit my_set/ --json
""",
)
@click.argument("path", type=click.Path(path_type=Path))
@click.option(
    "--dataset",
    default="folder",
    show_default=True,
    metavar="NAME",
    help="Adapter of the data set; see `imforensics datasets`.",
)
@click.option(
    "--against", multiple=True, metavar="NAME=PATH", help="Another data set to search for copies. Repeatable."
)
@click.option("-o", "--output", type=FOLDER, help="Folder for the page, as HTML, Markdown and JSON.")
@click.option(
    "--seed", type=click.IntRange(0), default=0, show_default=True, help="Random seed of folds and bootstrap."
)
@json_option
@quiet_option
@overwrite_option
def command(
    path: Path,
    dataset: str,
    against: tuple[str, ...],
    output: Path | None,
    seed: int,
    as_json: bool,
    quiet: bool,
    overwrite: bool,
) -> None:
    """Audit the data set at PATH (its root).

    Measures how well header facts alone separate the classes, cross-validated by source group; finds
    byte-identical and near-duplicate pictures within and across splits, and defective masks; and states what
    conclusions results on the set allow.
    """
    from imforensics.datasets.base import load_dataset
    from imforensics.pipeline.audit import audit_dataset, audit_document

    others = [load_dataset(*_name_and_root(pair)) for pair in against]
    audited = load_dataset(dataset, path)
    audit = audit_dataset(audited, against=others, seed=seed, progress=_progress(quiet))
    document = audit_document(audit, seed=seed, command_line=command_line())
    if output is not None:
        from imforensics.report.audit import write_audit

        inputs = [sample.image_path for data in (audited, *others) for sample in data.samples]
        page = write_audit(document, output, overwrite=overwrite, inputs=inputs).html
        click.echo(f"page: {page}", err=True)
    if as_json:
        click.echo(json.dumps(document, allow_nan=False))
    else:
        _show(document)


def _name_and_root(pair: str) -> tuple[str, str]:
    name, separator, root = pair.partition("=")
    if not separator:
        raise click.BadParameter(f"{pair!r} is not NAME=PATH.", param_hint="--against")
    return name, root


def _progress(quiet: bool) -> Any:
    from tqdm import tqdm

    def track(samples: Iterable[Sample], what: str) -> Iterable[Sample]:
        return tqdm(samples, desc=what, unit="file", disable=True if quiet else None, file=error_stream())

    return track


def _show(document: dict[str, Any]) -> None:
    integrity, near = document["integrity"], document["near_duplicates"]
    counts = f"{integrity['authentic_count']} authentic, {integrity['tampered_count']} tampered"
    click.echo(f"{integrity['dataset']}: {counts}")
    for sentence in document["verdict"]:
        click.echo(f"- {sentence}")
    click.echo(f"\n{'header fact':<24}{'values':>8}{'accuracy':>10}{'balanced':>10}{'AUC':>8}  95 % interval")
    for fact in document["header_facts"]:
        low, high = fact["auc_interval"]
        click.echo(
            f"{fact['fact']:<24}{fact['distinct_values']:>8}{fact['accuracy']:>10.3f}"
            f"{fact['balanced_accuracy']:>10.3f}{fact['auc']:>8.3f}  {low:.3f}-{high:.3f}"
        )
    click.echo(
        f"\nbyte-identical: {len(integrity['duplicates'])}; near-duplicate pairs: {near['pairs']}, of which "
        f"{near['across_groups']} between source groups, {near['across_splits']} between splits"
    )
    masks = {key: len(integrity[key]) for key in integrity if key.endswith("_masks")}
    defects = [f"{number} {key.removesuffix('_masks')}" for key, number in masks.items()]
    click.echo(f"masks: {', '.join(defects)}, {len(document['suspect_masks'])} suspect")
