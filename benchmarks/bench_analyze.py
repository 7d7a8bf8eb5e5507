"""Cold `imforensics analyze` of a large JPEG: wall time and peak memory, beside the bare decode of the file.

    python benchmarks/bench_analyze.py [--megapixels 12] [--runs 5]

Each run is a new process, alternating with a process that only decodes the same file with Pillow, so that
both see the same machine. Prints the median of each and their ratio.
"""

from __future__ import annotations

import argparse
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
from PIL import Image

DECODE = "import sys; from PIL import Image; Image.open(sys.argv[1]).convert('RGB').load()"


def make_photo(path: Path, megapixels: float) -> None:
    """Write a 4:3 JPEG of blurred noise at several scales: compresses about as a photograph does."""
    width = round((megapixels * 1e6 * 4 / 3) ** 0.5)
    height = round(width * 3 / 4)
    rng = np.random.default_rng(0)
    pixels = np.full((height, width, 3), 128.0, np.float32)
    for cell, strength in ((256, 60), (64, 30), (16, 15), (4, 6), (1, 3)):
        coarse = rng.normal(0, strength, (height // cell + 2, width // cell + 2, 3)).astype(np.float32)
        for channel in range(3):
            layer = Image.fromarray(coarse[..., channel]).resize((width, height), Image.Resampling.BICUBIC)
            pixels[..., channel] += np.asarray(layer)
    Image.fromarray(np.clip(pixels, 0, 255).astype(np.uint8)).save(path, quality=90)


def run(command: list[str], *, exit_code: int = 0) -> tuple[float, float]:
    """Seconds of one process, and peak MB of the largest among it and its children."""
    measured = (
        "import resource, subprocess, sys;"
        "code = subprocess.run(sys.argv[1:], stdout=subprocess.DEVNULL).returncode;"
        "print(code, resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024)"
    )
    started = time.perf_counter()
    done = subprocess.run(
        [sys.executable, "-c", measured, *command], check=True, capture_output=True, text=True
    )
    code, memory = done.stdout.split()
    if int(code) != exit_code:
        raise RuntimeError(f"expected exit code {exit_code}, received {code}: {done.stderr}")
    return time.perf_counter() - started, float(memory)


def main() -> None:
    """Print one line for each variant."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--megapixels", type=float, default=12.0)
    parser.add_argument("--runs", type=int, default=5)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        photo = Path(folder) / "photo.jpg"
        make_photo(photo, arguments.megapixels)
        analyze = [sys.executable, "-m", "imforensics.cli.main", "analyze", str(photo)]
        variants = {
            "bare decode": [sys.executable, "-c", DECODE, str(photo)],
            "analyze": analyze,
            "analyze -o": [*analyze, "-o", str(Path(folder) / "report"), "--overwrite"],
        }
        results: dict[str, list[tuple[float, float]]] = {name: [] for name in variants}
        for _ in range(arguments.runs):
            for name, command in variants.items():
                results[name].append(run(command))
        base = statistics.median(seconds for seconds, _ in results["bare decode"])
        size = photo.stat().st_size / 1e6
        print(f"{arguments.megapixels:g} megapixels, {size:.1f} MB, median of {arguments.runs} cold runs")
        for name, measured in results.items():
            seconds = statistics.median(s for s, _ in measured)
            memory = max(m for _, m in measured)
            print(f"{name:<14}{seconds:6.2f} s  {seconds / base:5.1f} x bare decode  peak {memory:6.0f} MB")


if __name__ == "__main__":
    main()
