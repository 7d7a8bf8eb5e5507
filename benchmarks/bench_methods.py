"""Each method alone on a 12-megapixel JPEG: seconds and peak memory.

    python benchmarks/bench_methods.py [--megapixels 12] [--runs 3] [--methods NAME ...] [--output FILE.json]

Two pictures: blurred noise at several scales, which compresses about as a photograph does, and a mosaic of
the bundled sample, each tile turned or mirrored: busy, and full of repeats. Each run is a new process that
reads the file, then runs the method on all cores it takes; the method's seconds are without the reading, the
peak memory is with it. Prints medians and the maximum of the pictures, beside a process that only reads.
Linux only: the peak is VmHWM, since getrusage counts that of the process which started it.
"""

from __future__ import annotations

import argparse
import json
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
from PIL import Image

from bench_analyze import make_photo
from imforensics.evidence import read_evidence
from imforensics.methods import METHODS, load_method

SAMPLE = Path(__file__).parents[1] / "data" / "samples" / "authentic.jpg"


def make_mosaic(path: Path, megapixels: float) -> None:
    """Write a 4:3 JPEG of tiles of the bundled sample, each turned or mirrored at random."""
    tile = np.asarray(Image.open(SAMPLE).convert("RGB"))
    tile = tile[: min(tile.shape[:2]), : min(tile.shape[:2])]
    side = tile.shape[0]
    width = round((megapixels * 1e6 * 4 / 3) ** 0.5)
    height = round(width * 3 / 4)
    rng = np.random.default_rng(0)
    pixels = np.zeros((-(-height // side) * side, -(-width // side) * side, 3), dtype=np.uint8)
    for top in range(0, pixels.shape[0], side):
        for left in range(0, pixels.shape[1], side):
            turned = np.rot90(tile, int(rng.integers(4)))
            pixels[top : top + side, left : left + side] = turned[:, ::-1] if rng.integers(2) else turned
    Image.fromarray(pixels[:height, :width]).save(path, quality=90)


def measure(name: str, path: Path) -> dict[str, float | str]:
    """One method on one file in this process."""
    evidence = read_evidence(path)
    status, seconds = "ok", 0.0
    if name != "reading":
        method = load_method(name)()
        started = time.perf_counter()
        status = method.analyze(evidence).status
        seconds = time.perf_counter() - started
    status_lines = Path("/proc/self/status").read_text(encoding="ascii").splitlines()
    peak = next(int(line.split()[1]) for line in status_lines if line.startswith("VmHWM:")) / 1024
    return {"seconds": seconds, "megabytes": peak, "status": status}


def main() -> None:
    """Print one line a method."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--megapixels", type=float, default=12.0)
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--methods", nargs="*", default=["reading", *METHODS])
    parser.add_argument("--output", type=Path, help="write the figures as JSON")
    parser.add_argument("--measure", nargs=2, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.measure:
        name, path = arguments.measure
        print(json.dumps(measure(name, Path(path))))
        return
    results: dict[str, dict[str, float]] = {}
    with tempfile.TemporaryDirectory() as folder:
        pictures = {"noise": Path(folder) / "noise.jpg", "mosaic": Path(folder) / "mosaic.jpg"}
        make_photo(pictures["noise"], arguments.megapixels)
        make_mosaic(pictures["mosaic"], arguments.megapixels)
        print(f"{'method':<32}{'seconds: noise':>16}{'mosaic':>8}{'peak MB':>9}")
        for name in arguments.methods:
            found: dict[str, list[dict[str, float]]] = {key: [] for key in pictures}
            for _ in range(arguments.runs):
                for key, path in pictures.items():
                    command = [sys.executable, __file__, "--measure", name, str(path)]
                    done = subprocess.run(command, check=True, capture_output=True, text=True)
                    found[key].append(json.loads(done.stdout))
            seconds = {key: statistics.median(run["seconds"] for run in runs) for key, runs in found.items()}
            peak = max(run["megabytes"] for runs in found.values() for run in runs)
            results[name] = {"seconds": max(seconds.values()), "megabytes": peak}
            print(f"{name:<32}{seconds['noise']:>16.2f}{seconds['mosaic']:>8.2f}{peak:>9.0f}", flush=True)
    if arguments.output is not None:
        arguments.output.write_text(json.dumps(results, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
