"""Scan of 200 broken and odd files: rows, seconds, peak memory, beside a scan of 200 sound ones.

    python benchmarks/bench_odd_files.py

The sound files are 128 x 96 JPEGs, the size of the images that the odd ones were made from. Peak memory is
that of the largest process of the scan.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
from PIL import Image

from bench_analyze import run

ROOT = Path(__file__).parents[1]
COUNT = 200


def make_sound_files(folder: Path) -> None:
    """Write small JPEGs."""
    folder.mkdir()
    rng = np.random.default_rng(0)
    for number in range(COUNT):
        coarse = rng.integers(0, 256, (8, 10, 3), dtype=np.uint8)
        picture = Image.fromarray(coarse).resize((128, 96), Image.Resampling.BICUBIC)
        picture.save(folder / f"{number:03}.jpg", quality=90)


def main() -> None:
    """Print one line for each folder."""
    with tempfile.TemporaryDirectory() as place:
        sound, odd = Path(place) / "sound", Path(place) / "odd"
        make_sound_files(sound)
        subprocess.run([sys.executable, str(ROOT / "scripts" / "make_odd_files.py"), str(odd)], check=True)
        for folder, exit_code in ((sound, 0), (odd, 1)):
            output = Path(place) / f"{folder.name}_results"
            command = ["imforensics.cli.main", "scan", str(folder), "-o", str(output), "--quiet"]
            measured = run([sys.executable, "-m", *command], exit_code=exit_code)
            rows = (output / "results.jsonl").read_text().count("\n")
            print(
                f"{folder.name:<6}{rows:5} rows  {measured.seconds:6.1f} s  peak {measured.megabytes:6.0f} MB"
            )


if __name__ == "__main__":
    main()
