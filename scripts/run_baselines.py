"""Evaluate the methods, the statement and every shipped bundle on CASIA v1's test split, on every protocol.

    IMFORENSICS_DATA=/path/to/data python scripts/run_baselines.py [--results runs/baselines] [-j 2]

Leaves one results folder a protocol, goes on after a stop, and writes docs/experiments/baselines.md.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
from pathlib import Path

from imforensics.models.kinds import list_bundles

ROOT = Path(__file__).parents[1]
PAGE = "docs/experiments/baselines.md"
METHODS = (
    "localizer",
    "double_quantization",
    "dct_histograms",
    "jpeg_ghost",
    "ela",
    "wavelet_noise",
    "statement",
)
PROTOCOLS = ("raw", "resaved", "resaved_q90", "twin", "exact_twin")
RUN = "import sys; sys.argv[0] = 'imforensics'; from imforensics.cli.main import main; main()"


def main() -> None:
    """Run every protocol, then write the page."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--results", type=Path, default=Path("runs/baselines"), help="below the repository")
    parser.add_argument("-j", "--workers", type=int)
    arguments = parser.parse_args()
    options = ["--dataset", "casia1", "--split", "test"]
    options += [part for name in METHODS for part in ("--method", name)]
    options += [part for name in list_bundles("classifier") for part in ("--bundle", name)]
    options += ["-j", str(arguments.workers)] if arguments.workers else []
    folders = []
    for protocol in PROTOCOLS:
        folders.append(str(arguments.results / protocol))
        command = [sys.executable, "-c", RUN, "evaluate", *options, "--protocol", protocol, "-o", folders[-1]]
        subprocess.run(command, cwd=ROOT, check=True)
    title = "Baselines on CASIA v1"
    table = [sys.executable, "scripts/make_experiment_table.py", *folders, "--title", title, "-o", PAGE]
    subprocess.run([*table, "--made-by", "python scripts/run_baselines.py"], cwd=ROOT, check=True)


if __name__ == "__main__":
    main()
