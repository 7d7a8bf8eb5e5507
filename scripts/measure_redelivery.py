"""Does a photograph keep its label when messengers deliver it again? Writes a page of flips and counts.

    python scripts/measure_redelivery.py path/to/redelivery.csv --records runs/redelivery \
        --output docs/experiments/redelivery.md

The table has the columns file (below the table's folder), photo, and chains: how the file was delivered,
several ways where the bytes are the same. Only the methods that the fusion uses are run; rows are kept below
the records folder and are not made again. Prints a summary as JSON.
"""

from __future__ import annotations

import argparse
import csv
import json
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from imforensics.config import AnalyzeConfig, ScanConfig
from imforensics.metrics.stability import ChainCounts, Delivered, Flip, count_by_chain, find_flips
from imforensics.models.fusion.bundle import load_fusion
from imforensics.pipeline.scan.plan import plan_scan
from imforensics.provenance import find_commit

SHORTEST = "as received"


def main() -> None:
    """Measure and write the page."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("table", type=Path)
    parser.add_argument("--fusion", default=AnalyzeConfig().fusion)
    parser.add_argument("--splits", nargs="*", help="only these values of the column split")
    parser.add_argument("--records", type=Path, required=True)
    parser.add_argument("--output", type=Path, help="page to write; none where left out")
    parser.add_argument("-j", "--workers", type=int)
    options = parser.parse_args()
    rows = read_table(options.table, options.splits)
    seen = list(state(rows, options.table.parent, options.fusion, options.records, options.workers))
    flips, counts = find_flips(seen), count_by_chain(seen)
    if options.output is not None:
        lines = page(options.fusion, seen, flips, counts)
        options.output.write_text("\n".join(lines) + "\n", encoding="utf-8")
    print(json.dumps({"flips": [asdict(flip) for flip in flips], "files": len(seen)}, indent=2))


def read_table(path: Path, splits: Sequence[str] | None) -> list[dict[str, str]]:
    """The rows of a table of deliveries, of some splits or all."""
    with path.open(encoding="utf-8", newline="") as lines:
        rows = list(csv.DictReader(lines))
    return [row for row in rows if not splits or row["split"] in splits]


def state(
    rows: Sequence[dict[str, str]], root: Path, fusion: str, records: Path, workers: int | None
) -> Iterator[Delivered]:
    """What is stated on each file, by the methods that the fusion uses."""
    methods = {name: method.options for name, method in load_fusion(fusion).manifest.methods.items()}
    config = ScanConfig(methods=methods, fusion=fusion)
    scan = plan_scan([root / row["file"] for row in rows], config, folder=records)
    found = {str(row["file"]): row for row in scan.done}
    found |= {str(row["file"]): row for row in scan.run(workers=workers)}
    for row in rows:
        stated: Any = found[str(root / row["file"])]
        if stated["status"] == "ok":
            chain = min(row["chains"].split(), key=len, default=SHORTEST)
            yield Delivered(row["photo"], chain, stated["label"], stated["log10_lr"] is not None)


def page(
    fusion: str, seen: Sequence[Delivered], flips: Sequence[Flip], counts: dict[str, ChainCounts] | Any
) -> Iterator[str]:
    """The lines of the page."""
    photos = len({each.photo for each in seen})
    yield "# Statements on photographs that were delivered again\n"
    yield f"Made by `python scripts/measure_redelivery.py` with fusion `{fusion}`, commit"
    yield f"{find_commit() or 'unknown'}; do not edit. {len(seen)} files of {photos} photographs."
    yield "A photograph may lose its label on the way; with opposite labels on two deliveries it has"
    yield "changed sides.\n"
    yield f"**{len(flips)} pairs of deliveries changed sides.**\n"
    for flip in flips:
        yield f"- {flip.photo}: authentic as {flip.authentic}, tampered as {flip.tampered}."
    yield "\n| delivered by | files | tampered | authentic | inconclusive | without a ratio |"
    yield "|---|---|---|---|---|---|"
    for chain, each in counts.items():
        yield (
            f"| {chain} | {each.total} | {each.tampered} | {each.authentic} | {each.inconclusive} | "
            f"{each.without_ratio} |"
        )


if __name__ == "__main__":
    main()
