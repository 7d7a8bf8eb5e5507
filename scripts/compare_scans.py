"""What changed between two scans of the same files, by two versions or two configurations.

    python scripts/compare_scans.py OLD/results.jsonl NEW/results.jsonl [--tampered 'Sp_*']

Prints how far each method's score and the probability moved, and each label that changed; with a pattern of
the tampered files' names also the area under the ROC curve before and after.
"""

from __future__ import annotations

import argparse
import json
from fnmatch import fnmatch
from pathlib import Path
from typing import Any

import numpy as np

from imforensics.metrics.detection import roc_auc

Row = dict[str, Any]


def main() -> None:
    """Compare and print a table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("old", type=Path)
    parser.add_argument("new", type=Path)
    parser.add_argument("--tampered", help="shell pattern of the names of tampered files")
    arguments = parser.parse_args()
    old, new = read_rows(arguments.old), read_rows(arguments.new)
    files = sorted(old.keys() & new.keys())
    print(f"{len(files)} files in both, {len(old) - len(files)} and {len(new) - len(files)} in one alone\n")
    print("| score | files | median | 95 % | largest | AUC before | AUC after |")
    print("|---|---:|---:|---:|---:|---:|---:|")
    for name in sorted({key for file in files for key in scores_of(old[file])}):
        pairs = [(file, scores_of(old[file]).get(name), scores_of(new[file]).get(name)) for file in files]
        known = [(file, one, other) for file, one, other in pairs if one is not None and other is not None]
        if known:
            print(describe(name, known, arguments.tampered))
    for file in files:
        if old[file]["label"] != new[file]["label"]:
            print(f"{file}: {old[file]['label']} -> {new[file]['label']}")


def read_rows(path: Path) -> dict[str, Row]:
    """File to row."""
    return {row["file"]: row for row in map(json.loads, path.read_text(encoding="utf-8").splitlines())}


def scores_of(row: Row) -> dict[str, float | None]:
    """Method to score, and the statement's probability."""
    return {**{f["method"]: f["score"] for f in row["findings"]}, "probability": row["probability"]}


def describe(name: str, known: list[tuple[str, float, float]], tampered: str | None) -> str:
    """One row of the table."""
    before, after = (np.array([entry[at] for entry in known]) for at in (1, 2))
    moved = np.abs(after - before)
    aucs = "- | -"
    if tampered is not None:
        labels = np.array([fnmatch(Path(file).name, tampered) for file, *_ in known])
        aucs = f"{roc_auc(before, labels):.4f} | {roc_auc(after, labels):.4f}"
    sizes = f"{np.median(moved):.5f} | {np.quantile(moved, 0.95):.4f} | {moved.max():.4f}"
    return f"| {name} | {len(known)} | {sizes} | {aucs} |"


if __name__ == "__main__":
    main()
