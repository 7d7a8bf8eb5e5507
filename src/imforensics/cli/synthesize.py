"""`imforensics synthesize`: forgeries with exact masks, and their authentic twins, from photographs."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import click

from imforensics.cli.main import EXIT_FAILED
from imforensics.cli.options import (
    FOLDER,
    config_option,
    json_option,
    overwrite_option,
    quiet_option,
    set_option,
)
from imforensics.cli.progress import open_bar, show_defects

if TYPE_CHECKING:
    from imforensics.pipeline.synthesize.plan import Synthesis
    from imforensics.pipeline.synthesize.worker import AnyConfig


def read_size(ctx: click.Context, param: click.Parameter, value: str | None) -> tuple[int, int] | None:  # noqa: ARG001 - click's signature
    """Height and width from words like 256x384."""
    if value is None:
        return None
    sides = value.lower().split("x")
    if len(sides) != 2 or not all(side.isdecimal() for side in sides):
        raise click.BadParameter(f"{value!r} is not HEIGHTxWIDTH in pixels, such as 256x384")
    return int(sides[0]), int(sides[1])


@click.command(
    "synthesize",
    epilog="""\b
Examples:
  imforensics synthesize photos/ -o made/ --count 1000
  imforensics synthesize photos/ -o made/ --count 200 --seed 7 --size 512x512 -j 2
  imforensics synthesize photos/ -o made/ --count 50 --set 'manipulations={copy_move: 1}'
  imforensics synthesize originals/ -o native/ --native -c configs/synthesize_native.yaml
  imforensics evaluate --method ela --dataset folder --root made/ --split all

\b
In OUT: authentic/, tampered/, masks/, manifest.csv (read as data set `folder`), pairs.jsonl (how each pair
was made), config.yaml. Run the same command again to resume, or with a larger --count to add pairs.
docs/synthesis.md describes how pairs are made.
""",
)
@click.argument("photos", type=FOLDER, metavar="PHOTOS")
@click.option(
    "-o",
    "--output",
    type=FOLDER,
    required=True,
    help="Folder of the data set; resumes in it.",
)
@click.option(
    "--count", type=click.IntRange(1), default=100, show_default=True, help="Total number of pairs."
)
@click.option(
    "--seed", type=click.IntRange(0), default=0, show_default=True, help="Random seed of the whole set."
)
@click.option(
    "--size", callback=read_size, metavar="HxW", help="Height and width of every file.  [default: 256x384]"
)
@click.option(
    "--native", is_flag=True, help="Keep each host's own size and JPEG grid; cameras are parted into splits."
)
@click.option("-j", "--workers", type=click.IntRange(1), help="Processes; default: all cores.")
@json_option
@quiet_option
@overwrite_option
@config_option
@set_option
def command(
    photos: Path,
    output: Path,
    count: int,
    seed: int,
    size: tuple[int, int] | None,
    native: bool,
    workers: int | None,
    as_json: bool,
    quiet: bool,
    overwrite: bool,
    config_path: Path | None,
    overrides: tuple[str, ...],
) -> None:
    """Make synthetic forgeries with exact masks from the authentic photographs in PHOTOS.

    Splices, copy-moves, removals, retouching and text; each forgery comes with a matched control, its
    unaltered host after the identical saves. Photographs are split into train, val and test first. The same
    photographs, seed and configuration give the same files. Inpainting (some of the removals) needs the extra
    copy-move; without it, use --set inpainting=false.
    """
    from imforensics.config import load_config
    from imforensics.datasets.synthesis.config import SynthesizeConfig, SynthesizeNativeConfig
    from imforensics.pipeline.synthesize.plan import plan_synthesis

    if size is not None and native:
        raise click.UsageError("--native keeps each host's own size: leave --size out")
    if size is not None:
        overrides = (*overrides, f"size=[{size[0]}, {size[1]}]")
    config: AnyConfig
    if native:
        config = load_config(SynthesizeNativeConfig, config_path, overrides)
    else:
        config = load_config(SynthesizeConfig, config_path, overrides)
    plan = plan_synthesis(photos, output, config, count=count, seed=seed, overwrite=overwrite)
    errors = []
    total = len(plan.todo) + len(plan.done)
    with open_bar("synthesize", total=total, done=len(plan.done), unit="pair", quiet=quiet) as bar:
        for error in plan.run(workers=workers):
            errors += [error] if error is not None else []
            bar.update(1)
    _show(plan, errors, as_json)
    show_defects(errors)
    if errors:
        raise click.exceptions.Exit(EXIT_FAILED)


def _show(plan: Synthesis, errors: list[str], as_json: bool) -> None:
    from imforensics.pipeline.synthesize.worker import find_hosts
    from imforensics.report.escaping import for_terminal

    pool, made = plan.pool, len(plan.todo) - len(errors)
    small = len(pool.too_small) + len(pool) - len(find_hosts(pool, plan.config))
    facts = {
        "folder": str(plan.folder),
        "pairs": made + len(plan.done),
        "made": made,
        "failed": len(errors),
        "photographs": len(pool),
        "too_small_for_hosts": small,
        "unreadable": len(pool.unreadable),
    }
    for error in errors[:5]:
        click.echo(f"Error: {for_terminal(error)}", err=True)
    if as_json:
        click.echo(json.dumps(facts))
        return
    click.echo(
        f"{for_terminal(str(plan.folder))}: {facts['pairs']} pairs, {made} of them new, "
        f"{len(errors)} failed; {len(pool)} photographs, {small} too small for hosts, "
        f"{len(pool.unreadable)} unreadable"
    )
