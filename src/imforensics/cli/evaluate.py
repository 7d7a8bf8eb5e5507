"""`imforensics evaluate`: methods and bundles on a labelled data set, beside two baselines."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import click

from imforensics.cli.options import (
    FOLDER,
    command_line,
    config_option,
    json_option,
    overwrite_option,
    quiet_option,
    set_option,
)
from imforensics.cli.progress import open_bar, show_defects

if TYPE_CHECKING:
    from imforensics.pipeline.evaluate.protocols import ProtocolName

PROTOCOL_NAMES = ("raw", "resaved", "resaved_q90", "twin", "exact_twin", "robustness")
KIND_NAMES = ("jpeg", "resize", "blur", "noise", "crop", "webp", "screenshot", "messenger")


@click.command(
    "evaluate",
    epilog="""\b
Examples:
  imforensics evaluate --method ela --dataset casia1 --split test
  imforensics evaluate --method ela --method wavelet_noise --dataset casia1 --protocol twin -o twin/
  imforensics evaluate --bundle runs/paper/bundle --dataset casia1 --split test --protocol resaved --json
  imforensics evaluate --method ela --dataset folder --root my_set/ --split all -o out/
  imforensics evaluate --method ela --dataset casia1 --split test --protocol robustness --limit 60 -o robust/

\b
In the results folder: metrics.json, per_image.csv, results.md, evaluation.html, pictures/, records.jsonl.
Run the same command again to resume; give another --method to add it to the comparison.
""",
)
@click.option("--method", "methods", multiple=True, metavar="NAME", help="A method to evaluate. Repeatable.")
@click.option(
    "--bundle",
    "bundles",
    multiple=True,
    metavar="NAME|PATH",
    help="A trained bundle to evaluate. Repeatable.",
)
@click.option("--dataset", required=True, metavar="NAME", help="A data set; see `imforensics datasets`.")
@click.option(
    "--root",
    type=click.Path(path_type=Path),
    help="Folder of the data set; default: its usual folder below $IMFORENSICS_DATA.",
)
@click.option("--split", default="test", show_default=True, help="train, val, test or all.")
@click.option(
    "--protocol",
    type=click.Choice(PROTOCOL_NAMES),
    default="raw",
    show_default=True,
    help="How the pictures are processed before the methods see them (docs/evaluation.md).",
)
@click.option(
    "--kind",
    "kinds",
    multiple=True,
    type=click.Choice(KIND_NAMES),
    help="Processing to limit robustness to, or to apply to both images of each twin pair as well. "
    "Repeatable.",
)
@click.option(
    "--seed",
    type=click.IntRange(0),
    default=0,
    show_default=True,
    help="Random seed of processing chains and bootstrap.",
)
@click.option("--limit", type=click.IntRange(1), help="Maximum number of images, as whole source groups.")
@click.option("-j", "--workers", type=click.IntRange(1), help="Processes; default: all cores.")
@click.option("-o", "--output", type=FOLDER, help="Results folder; resumes in it.")
@json_option
@quiet_option
@overwrite_option
@config_option
@set_option
def command(
    methods: tuple[str, ...],
    bundles: tuple[str, ...],
    dataset: str,
    root: Path | None,
    split: str,
    protocol: str,
    kinds: tuple[str, ...],
    seed: int,
    limit: int | None,
    workers: int | None,
    output: Path | None,
    as_json: bool,
    quiet: bool,
    overwrite: bool,
    config_path: Path | None,
    overrides: tuple[str, ...],
) -> None:
    """Evaluate methods and bundles on a labelled data set.

    Each picture goes through the same analysis as in `analyze`. Every result is reported next to the header
    baseline, a classifier that sees only header facts and no pixels, and next to the centre-prior baseline,
    a map that is bright in the centre of every picture. Pictures that cannot be read and methods
    that fail are recorded and counted.
    """
    from imforensics.config import EvaluateConfig, load_config
    from imforensics.pipeline.evaluate.plan import Request, plan_evaluation
    from imforensics.pipeline.evaluate.results import summarize, write_results

    if not methods and not bundles:
        raise click.UsageError("Nothing to evaluate: give --method or --bundle.")
    config = load_config(EvaluateConfig, config_path, overrides)
    name = cast("ProtocolName", protocol)
    request = Request(dataset, split, name, root, seed, limit, methods=methods, bundles=bundles, kinds=kinds)
    evaluation = plan_evaluation(request, config, folder=output, overwrite=overwrite)
    notes: list[object] = []
    try:
        total = len(evaluation.plan.trials)
        done = total - len(evaluation.todo)
        with open_bar("evaluate", total=total, done=done, unit="picture", quiet=quiet) as bar:
            for rows in evaluation.run(workers=workers):
                notes += [note for row in rows for note in (row["note"], row["mask_note"])]
                bar.update(1)
        document, columns = summarize(evaluation, command_line=command_line())
        page = write_results(evaluation, document, columns, output).html if output is not None else None
    finally:
        evaluation.close()
    _show(document, page, as_json)
    show_defects(notes)


def _show(document: dict[str, Any], page: Path | None, as_json: bool) -> None:
    if as_json:
        click.echo(json.dumps(document, allow_nan=False))
        return
    from imforensics.report.escaping import for_terminal
    from imforensics.report.evaluation_words import comparison, format_table, judge

    data, protocol = document["data"], document["protocol"]
    click.echo(
        f"{data['title']}, split {data['split']}, protocol {protocol['name']}, seed {protocol['seed']}: "
        f"{data['authentic']} authentic and {data['tampered']} tampered images, {data['trials']} trials"
    )
    headings, rows = comparison(document)
    click.echo(format_table(headings, [[for_terminal(cell) for cell in row] for row in rows]))
    for sentence in judge(document):
        click.echo(f"- {for_terminal(sentence)}")
    if page is not None:
        click.echo(f"Page: {page}")
