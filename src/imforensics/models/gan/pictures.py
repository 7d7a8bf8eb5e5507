"""Pictures of a GAN run: sample grids, one by one and over the epochs."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from PIL import Image

from imforensics.outputs import replacing_file
from imforensics.types import FloatArray, UInt8Array

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
