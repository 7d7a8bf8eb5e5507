"""`imforensics reconstruct`: an image beside what a network makes of it."""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

import click

from imforensics.cli.options import FOLDER, json_option, overwrite_option

if TYPE_CHECKING:
    from imforensics.types import JsonValue


@click.command("reconstruct")
@click.argument("file", metavar="FILE")
@click.option(
    "-o",
    "--output",
    type=FOLDER,
    help="Folder for side_by_side.png, panels/ and reconstruction.json.",
)
@click.option(
    "--bundle",
    metavar="NAME|FOLDER",
    help="A GAN or autoencoder: the name of a shipped bundle, or a bundle folder (with a path separator). "
    "Default: the shipped GAN.",
)
@click.option(
    "--mode",
    metavar="MODE",
    help="How a GAN finds its reconstruction: noise, search, encoder or encoder+search (default).",
)
@click.option(
    "--view",
    metavar="VIEW",
    help="Input of a GAN: the whole image, resized (default), or patches at native resolution.",
)
@json_option
@overwrite_option
def command(
    file: str,
    output: Path | None,
    bundle: str | None,
    mode: str | None,
    view: str | None,
    as_json: bool,
    overwrite: bool,
) -> None:
    """Reconstruct an image with a trained network, and show where the two differ.

    FILE is an image, or - for standard input. -o writes the original, its reconstruction, the difference, the
    error level analysis of both and the error overlaid on the original, side by side, with the extent of the
    difference (area, boxes, regions) and MSE, SSIM and PSNR. A difference is not proof of tampering: networks
    lose detail everywhere. GAN and autoencoder bundles run without TensorFlow.

    \b
    Examples:
      imforensics reconstruct photo.jpg -o out/
      imforensics reconstruct photo.jpg -o out/ --bundle casia1_residual_autoencoder
      imforensics reconstruct photo.jpg --mode encoder --view patches --json
    """
    from imforensics.cores import available_cores
    from imforensics.models.gan.reconstruction import DEFAULT_GAN_BUNDLE
    from imforensics.pipeline.reconstruct import reconstruct
    from imforensics.report.reconstruction_writer import reconstruction_document, write_reconstruction

    started = time.perf_counter()
    found = reconstruct(
        sys.stdin.buffer.read() if file == "-" else Path(file),
        bundle=bundle or DEFAULT_GAN_BUNDLE,
        mode=mode,
        view=view,
        threads=available_cores(),
        name="-" if file == "-" else None,
    )
    document = (
        reconstruction_document(found)
        if output is None
        else write_reconstruction(
            found, output, overwrite=overwrite, inputs=[] if file == "-" else [Path(file)]
        )
    )
    if as_json:
        click.echo(json.dumps(document))
        return
    click.echo(_describe(document))
    for note in found.notes:
        click.echo(note, err=True)
    place = "" if output is None else f" Pictures: {output}"
    click.echo(f"{time.perf_counter() - started:.1f} s.{place}", err=True)


def _describe(document: dict[str, JsonValue]) -> str:
    similarity, extent = document["similarity"], document["extent"]
    words = ", ".join(
        f"{name} {value:.4g}"
        for name, value in (similarity.items() if isinstance(similarity, dict) else ())
        if isinstance(value, float)
    )
    if not isinstance(extent, dict):
        return f"{document['file']}: {words}; the bundle has no threshold, so no extent is given."
    share, count = extent["marked_share"], extent["region_count"]
    return (
        f"{document['file']}: {words}; {float(str(share)):.1%} of the area, in {count} regions, is above the "
        f"threshold ({extent['threshold_policy']})."
    )


if __name__ == "__main__":
    command()
