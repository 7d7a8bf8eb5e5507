"""Time and peak memory of double quantization on made photos that were saved twice.

    python benchmarks/bench_double_quantization.py [--megapixels 0.098 12] [--repeats 5]

The first call of a process builds the tables of its divisors; it is printed apart as "first". One thread.
"""

from __future__ import annotations

import argparse
import os
import time
from pathlib import Path

os.environ.setdefault("OMP_NUM_THREADS", "1")

import numpy as np

from imforensics.evidence import read_evidence
from imforensics.methods.jpeg.double_quantization import DoubleQuantization
from imforensics.preprocessing.jpeg import decode_jpeg, encode_jpeg
from imforensics.types import Evidence, UInt8Array


def make_photo(megapixels: float) -> UInt8Array:
    """A 4:3 image with a 1/f^1.4 spectrum and noise, (H, W, 3) uint8."""
    rng = np.random.default_rng(0)
    height = round((megapixels * 1e6 * 3 / 4) ** 0.5)
    width = height * 4 // 3
    side = 1024
    frequencies = np.hypot(*np.meshgrid(np.fft.fftfreq(side), np.fft.rfftfreq(side), indexing="ij"))
    spectrum = np.fft.rfft2(rng.normal(size=(side, side))) / np.maximum(frequencies, 1 / side) ** 1.4
    texture = np.fft.irfft2(spectrum, s=(side, side))
    tile = np.tile(texture / texture.std() * 45, (height // side + 1, width // side + 1))[:height, :width]
    plane = np.clip(tile + 120 + rng.normal(0, 1, tile.shape), 0, 255).astype(np.uint8)
    return np.repeat(plane[..., np.newaxis], 3, axis=2)


def make_evidence(megapixels: float) -> Evidence:
    """Saved at quality 80, a part replaced by its own surroundings off the grid, saved at quality 90."""
    pixels = make_photo(megapixels)
    once = decode_jpeg(encode_jpeg(pixels, quality=80))
    height, width = once.shape[:2]
    rows, columns = slice(height // 4, height // 2), slice(width // 4, width // 2)
    once[rows, columns] = pixels[rows, columns]
    return read_evidence(encode_jpeg(once, quality=90), name="made.jpg")


def read_memory(field: str) -> float:
    """A field of /proc/self/status in MB; Linux only."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith(field + ":")) / 1024


def main() -> None:
    """Measure and print a line a size."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--megapixels", type=float, nargs="+", default=[384 * 256 / 1e6, 12.0])
    parser.add_argument("--repeats", type=int, default=5)
    arguments = parser.parse_args()
    for megapixels in arguments.megapixels:
        evidence = make_evidence(megapixels)
        Path("/proc/self/clear_refs").write_text("5")  # the peak starts again from here
        seconds = []
        for _ in range(arguments.repeats + 1):
            start = time.perf_counter()
            finding = DoubleQuantization().analyze(evidence)
            seconds.append(time.perf_counter() - start)
        table = finding.observations["first_table"]
        print(
            f"{evidence.width}x{evidence.height}: first {seconds[0]:.3f} s, then {min(seconds[1:]):.3f} s; "
            f"peak {read_memory('VmHWM'):.0f} MB resident; first table {table}, score {finding.score:.2f}"
        )


if __name__ == "__main__":
    main()
