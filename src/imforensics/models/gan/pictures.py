"""Pictures of a GAN run: sample grids, and the curves of both fits."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from PIL import Image

from imforensics.outputs import replacing_file
from imforensics.types import FloatArray, UInt8Array

if TYPE_CHECKING:
    from imforensics.models.gan.state import EncoderRow, GanRow

GAP = 2  # white pixels between the images of a grid


def draw_grid(images: FloatArray, *, columns: int) -> UInt8Array:
    """Images side by side, row by row.

    Args:
        images: (N, H, W, 3) float32 in [0, 1].
        columns: images a row.

    Returns:
        uint8 RGB; places without an image are white.
    """
    count, height, width, _ = images.shape
    rows = -(-count // columns)
    grid = np.full((rows * (height + GAP) - GAP, columns * (width + GAP) - GAP, 3), 255, np.uint8)
    for index, image in enumerate(images):
        top, left = index // columns * (height + GAP), index % columns * (width + GAP)
        grid[top : top + height, left : left + width] = np.rint(np.clip(image, 0, 1) * 255)
    return grid


def save_grid(images: FloatArray, path: Path, *, columns: int) -> None:
    """Write a grid as PNG."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with replacing_file(path) as part:
        Image.fromarray(draw_grid(images, columns=columns)).save(part)


def draw_progress(grids: Sequence[Path], path: Path, *, images: int = 8, side: int = 64) -> None:
    """One line of samples for each grid, the earliest on top: the same noise vectors over time.

    Args:
        grids: PNGs of `save_grid`, in order; all of one size.
        path: JPEG to write.
        images: of the first row that are taken.
        side: rows and columns that each is shrunk to.
    """
    lines = []
    for grid in grids:
        with Image.open(grid) as picture:
            full = (picture.width + GAP) // images
            row = picture.crop((0, 0, picture.width, full - GAP))
            lines.append(row.resize((images * side, side), Image.Resampling.LANCZOS))
    sheet = Image.new("RGB", (images * side, len(lines) * side))
    for index, line in enumerate(lines):
        sheet.paste(line, (0, index * side))
    with replacing_file(path) as part:
        sheet.save(part, quality=85)


def draw_gan_curves(rows: Sequence[GanRow], path: Path, *, title: str) -> None:
    """Losses of generator and discriminator, training against validation, distance and diversity."""
    from matplotlib.figure import Figure

    epochs = [row.epoch for row in rows]
    figure = Figure(figsize=(13, 3.8), layout="constrained")
    losses, memory, quality = figure.subplots(1, 3)
    losses.plot(epochs, [row.generator for row in rows], label="generator")
    losses.plot(epochs, [row.discriminator_real for row in rows], label="discriminator, training images")
    losses.plot(epochs, [row.discriminator_fake for row in rows], label="discriminator, generated images")
    losses.plot(epochs, [row.total for row in rows], ":", color="0.4", label="total")
    losses.set_ylabel("binary cross-entropy (nats)")
    memory.plot(epochs, [row.train_discriminator_real for row in rows], "-", label="training images")
    memory.plot(epochs, [row.val_discriminator_real for row in rows], "--", label="validation images")
    memory.set_ylabel("discriminator's loss on real images (nats)")
    seen = [row for row in rows if row.kernel_distance is not None]
    quality.plot(
        [row.epoch for row in seen],
        [row.kernel_distance for row in seen],
        "o-",
        ms=3,
        label="kernel distance",
    )
    quality.plot([row.epoch for row in seen], [row.diversity for row in seen], "s--", ms=3, label="diversity")
    quality.set_yscale("symlog", linthresh=0.1)
    quality.set_ylabel("kernel distance, diversity (share of the data's)")
    for axes in (losses, memory, quality):
        axes.set_xlabel("epoch")
        if axes.lines and len(axes.lines[0].get_xdata()):
            axes.legend(fontsize="small")
    figure.suptitle(title)
    with replacing_file(path) as part:
        figure.savefig(part, dpi=110, metadata={"Software": None})


def draw_encoder_curves(rows: Sequence[EncoderRow], path: Path, *, title: str, kept: int) -> None:
    """Mean squared error and structural similarity of reconstructions, training and validation."""
    from matplotlib.figure import Figure

    epochs = [row.epoch for row in rows]
    figure = Figure(figsize=(9, 3.8), layout="constrained")
    error, similarity = figure.subplots(1, 2)
    error.plot(epochs, [row.mse for row in rows], "-", color="#0072b2", label="training")
    error.plot(epochs, [row.val_mse for row in rows], "--", color="#d55e00", label="validation")
    error.set_ylabel("mean squared error, pixels in [0, 1]")
    similarity.plot(epochs, [row.ssim for row in rows], "-", color="#0072b2", label="training")
    similarity.plot(epochs, [row.val_ssim for row in rows], "--", color="#d55e00", label="validation")
    similarity.set_ylabel("structural similarity")
    for axes in (error, similarity):
        axes.axvline(kept, color="0.4", linewidth=0.8, label=f"kept (epoch {kept})")
        axes.set_xlabel("epoch")
        axes.legend(fontsize="small")
    figure.suptitle(title)
    with replacing_file(path) as part:
        figure.savefig(part, dpi=110, metadata={"Software": None})
