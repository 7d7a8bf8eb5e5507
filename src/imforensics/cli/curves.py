"""`imforensics curves`: the learning curves of training runs, read and drawn."""

from __future__ import annotations

import json
from pathlib import Path

import click

from imforensics.cli.options import NamedPath, overwrite_option
from imforensics.errors import OutputExistsError


@click.command("curves")
@click.argument(
    "runs", nargs=-1, required=True, metavar="RUN...", type=click.Path(path_type=Path, exists=True)
)
@click.option(
    "-o",
    "--output",
    type=NamedPath(path_type=Path, dir_okay=False),
    help="PNG picture with a panel for each quantity and all runs overlaid.",
)
@click.option("--json", "as_json", is_flag=True, help="Print the interpretation as one JSON document.")
@overwrite_option
def command(runs: tuple[Path, ...], output: Path | None, as_json: bool, overwrite: bool) -> None:
    """Interpret the learning curves of training runs, and plot them together.

    RUN is the folder of any training run (detector, autoencoder, GAN), or one log in it. The verdict
    (converging, still improving, overfitting, underfitting, oscillating, collapse, mode collapse) is the
    first rule in docs/training.md that applies.

    \b
    Examples:
      imforensics curves runs/autoencoder_casia
      imforensics curves runs/gan runs/gan_64 -o curves.png
      imforensics curves runs/paper runs/twin --json
    """
    from imforensics.models.training.run_log import read_run
    from imforensics.models.training.run_pictures import is_own_picture
    from imforensics.models.training.run_readings import read_curves_of
    from imforensics.report.escaping import for_terminal

    if output is not None and output.exists() and not overwrite:
        raise OutputExistsError(f"{output} exists. Name another file, or pass --overwrite")
    if output is not None and output.exists() and not is_own_picture(output):
        raise OutputExistsError(
            f"{output} was not written by `curves`, or was changed since. Name another file"
        )
    logs = [read_run(path) for path in runs]
    readings = [reading for log in logs for reading in read_curves_of(log)]
    if output is not None:
        from imforensics.models.training.extra import require_training
        from imforensics.models.training.run_pictures import draw_runs

        require_training("curves -o", ("matplotlib",))
        draw_runs(logs, output)
    if as_json:
        document = {"runs": [reading.model_dump(mode="json") for reading in readings]}
        click.echo(json.dumps(document, indent=2))
        return
    for reading in readings:
        verdict = reading.verdict.replace("_", " ")
        click.echo(f"{for_terminal(reading.run)}, {for_terminal(reading.log)}: {verdict}")
        for sentence in reading.sentences:
            click.echo(f"  {for_terminal(sentence)}")
    if output is not None:
        click.echo(f"Picture: {for_terminal(str(output))}", err=True)


if __name__ == "__main__":
    command()
