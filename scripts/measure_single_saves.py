"""How often methods see an earlier saving, or mark a part, in files that were saved exactly once.

    python scripts/make_single_saves.py FOLDER --split val
    python scripts/measure_single_saves.py FOLDER [FOLDER ...]

Prints a table by encoder and method for files made by make_single_saves.py: an encoder's rounding is no
history, so that every count should be near 0. With `--output`, all figures of each file go to a CSV file.
"""

from __future__ import annotations

import argparse
import csv
from collections import defaultdict
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import NamedTuple

import numpy as np

from imforensics.evidence import read_evidence
from imforensics.pipeline.analyze import build_methods, run_method
from imforensics.types import Finding

METHODS = (
    *("double_quantization", "dct_histograms", "jpeg_ghost", "nonaligned_double_quantization", "localizer"),
)
SMALL = 160  # pixels of the shorter side


class Figures(NamedTuple):
    """What one method says of one file; None where it does not apply."""

    is_claimed: bool | None
    score: float | None
    marked_share: float | None
    detail: str


class Row(NamedTuple):
    """One file."""

    family: str
    setting: str
    file: str
    is_small: bool
    methods: tuple[Figures, ...]


def measure(item: tuple[Path, dict[str, str]]) -> Row:
    """All methods on one file."""
    folder, entry = item
    evidence = read_evidence(folder / entry["file"])
    figures = tuple(
        _figures(run_method(method, evidence)) for method in build_methods({name: {} for name in METHODS})
    )
    is_small = min(int(entry["height"]), int(entry["width"])) < SMALL
    return Row(entry["family"], entry["setting"], entry["file"], is_small, figures)


def _figures(finding: Finding) -> Figures:
    if finding.status != "ok":
        return Figures(None, None, None, finding.notes[0])
    share = None if finding.mask is None else float(np.mean(finding.mask))
    return Figures(_claims_history(finding), finding.score, share, _detail(finding))


def _claims_history(finding: Finding) -> bool | None:
    """Whether it says that the image, or a part, was saved before; None of one that says no such thing."""
    seen = finding.observations
    match finding.method:
        case "dct_histograms":
            return bool(seen["is_saved_twice"])
        case "double_quantization":
            return bool(seen["is_double_quantized"])
        case "jpeg_ghost":
            return seen["image_quality"] is not None
        case "nonaligned_double_quantization":
            return bool(seen["is_found"])
    return None


def _detail(finding: Finding) -> str:
    keys = (
        *("likelihood_gain", "lattice_gain", "first_table", "saved_twice_score", "support", "kept_ones"),
        *("frequencies_tested", "deviation_q99", "image_quality", "image_dip", "deviation_q95", "log10_nfa"),
    )
    return " ".join(f"{key}={finding.observations[key]}" for key in keys if key in finding.observations)


def tabulate(rows: list[Row]) -> str:
    """Markdown: by method, family and size the files, and those with a claim, a score or a mark."""
    lines = [
        "| method | encoder | sides | files | earlier saving seen | score >= 0.5 | more than 2 % marked "
        "| mean share marked |",
        "|---|---|---|---:|---:|---:|---:|---:|",
    ]
    for column, method in enumerate(METHODS):
        groups: dict[tuple[str, bool], list[Figures]] = defaultdict(list)
        for row in rows:
            if row.methods[column].score is not None:
                groups[row.family, row.is_small].append(row.methods[column])
        for (family, is_small), found in sorted(groups.items()):
            claims = [figures.is_claimed for figures in found if figures.is_claimed is not None]
            scores = np.array([figures.score for figures in found], dtype=np.float64)
            shares = np.array([figures.marked_share or 0.0 for figures in found])
            lines.append(
                f"| `{method}` | {family} | {'<' if is_small else '>='} {SMALL} | {len(found)} "
                f"| {sum(claims) if claims else '–'} | {(scores >= 0.5).sum()} | {(shares > 0.02).sum()} "
                f"| {shares.mean():.1%} |"
            )
    return "\n".join(lines)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("folders", type=Path, nargs="+")
    parser.add_argument("--output", type=Path, help="CSV file for the figures of each file")
    parser.add_argument("--jobs", type=int, default=1)
    arguments = parser.parse_args()
    items = []
    for folder in arguments.folders:
        with (folder / "manifest.csv").open(encoding="utf-8", newline="") as lines:
            items += [(folder, entry) for entry in csv.DictReader(lines)]
    with ProcessPoolExecutor(arguments.jobs) as pool:
        rows = list(pool.map(measure, items, chunksize=8))
    if arguments.output:
        with arguments.output.open("w", encoding="utf-8", newline="") as lines:
            writer = csv.writer(lines)
            for row in rows:
                for method, figures in zip(METHODS, row.methods, strict=True):
                    writer.writerow((row.file, row.family, row.setting, row.is_small, method, *figures))
    print(tabulate(rows))


if __name__ == "__main__":
    main()
