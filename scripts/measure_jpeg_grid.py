"""How often jpeg_grid finds a part pasted off the grid, or one without a grid; and its alarms.

    IMFORENSICS_DATA=/path/to/data python scripts/measure_jpeg_grid.py

On the `train` and `val` photographs: a host of 512x512 pixels is saved at quality 85 or 80; a part of 160x160
of another photograph, saved at another quality or made 0.7 times as large, is pasted at random; the result is
kept as it is (PNG) or saved once more. A part counts as found where the intersection of mask and part is more
than 0.3 of their union.
"""

from __future__ import annotations

import io

import numpy as np
from PIL import Image

from imforensics.datasets.base import load_dataset, load_split
from imforensics.evidence import read_evidence
from imforensics.methods.jpeg.jpeg_grid import JpegGrid
from imforensics.preprocessing.jpeg import encode_jpeg, resave_jpeg
from imforensics.types import Evidence, UInt8Array

SIDE, PART = 512, 160
CASES = (  # name, quality of the host, of the part (None: scaled, not compressed), of the result (None: PNG)
    ("other grid, part at 80, PNG", 85, 80, None),
    ("other grid, part at 90, PNG", 85, 90, None),
    ("other grid, part at 80, saved at 95", 85, 80, 95),
    ("no grid, host at 80, PNG", 80, None, None),
    ("no grid, host at 80, saved at 95", 80, None, 95),
)
PAIRS = 40


def paste(
    host: UInt8Array, donor: UInt8Array, case: tuple[int, int | None, int | None], rng: np.random.Generator
) -> tuple[Evidence, np.ndarray]:
    """One forgery, and where its part is."""
    host_quality, part_quality, last = case
    pixels = resave_jpeg(host, quality=host_quality)
    if part_quality is None:
        size = (int(donor.shape[1] * 0.7), int(donor.shape[0] * 0.7))
        donor = np.array(Image.fromarray(donor).resize(size, Image.Resampling.BICUBIC))
    else:
        donor = resave_jpeg(donor, quality=part_quality)
    top, left = (int(at) for at in rng.integers(8, SIDE - PART - 8, 2))
    row, column = (int(rng.integers(0, side - PART)) for side in donor.shape[:2])
    if part_quality is not None and (top - row) % 8 == 0 and (left - column) % 8 == 0:
        row += 1  # else on the host's grid: one in 64
    pixels[top : top + PART, left : left + PART] = donor[row : row + PART, column : column + PART]
    truth = np.zeros(pixels.shape[:2], dtype=bool)
    truth[top : top + PART, left : left + PART] = True
    if last is not None:
        return read_evidence(encode_jpeg(pixels, quality=last), name="made.jpg"), truth
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, "PNG", compress_level=1)
    return read_evidence(buffer.getvalue(), name="made.png"), truth


def main() -> None:
    """Measure all cases and the alarms, and print tables."""
    dataset = load_dataset("photos")
    samples = load_split(dataset, "train") + load_split(dataset, "val")
    photos = [read_evidence(sample.image_path) for sample in samples]
    method = JpegGrid()
    alarms = sum(bool((method.analyze(photo).score or 0) > 0) for photo in photos)
    print(f"Alarms on untouched photographs: {alarms} of {len(photos)}\n")
    large = [photo.pixels for photo in photos if min(photo.pixels.shape[:2]) >= SIDE]
    print("| pasted part | found | of | mean IoU |\n|---|---|---|---|")
    for name, *case in CASES:
        rng = np.random.default_rng(0)
        overlaps = []
        for index in range(PAIRS):
            host, donor = large[3 * index % len(large)], large[(3 * index + 37) % len(large)]
            evidence, truth = paste(host[:SIDE, :SIDE], donor, (case[0], case[1], case[2]), rng)
            mask = method.analyze(evidence).mask
            overlaps.append(0.0 if mask is None else float((mask & truth).sum() / (mask | truth).sum()))
        found = sum(overlap > 0.3 for overlap in overlaps)
        print(f"| {name} | {found} | {PAIRS} | {np.mean(overlaps):.2f} |")


if __name__ == "__main__":
    main()
