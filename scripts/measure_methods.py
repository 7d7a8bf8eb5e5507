"""Measure every method: localization on CASIA v1's test split, alarms on photographs, cost at 12 megapixels.

    IMFORENSICS_DATA=/path/to/data python scripts/measure_methods.py [--results runs/methods] [-j 2]

Evaluates as `imforensics evaluate` does, goes on after a stop, and writes docs/experiments/methods.json, from
which the pages of docs/methods/ take their figures, and the table docs/experiments/methods.md.
"""

from __future__ import annotations

import argparse
import csv
import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from imforensics.datasets.base import load_dataset, load_split
from imforensics.datasets.rasters import read_mask
from imforensics.methods import METHODS, load_method
from imforensics.metrics.localization import localize_metrics

ROOT = Path(__file__).parents[1]
PAGE = ROOT / "docs" / "experiments" / "methods.md"
FACTS = PAGE.with_suffix(".json")
RUN = "import sys; sys.argv[0] = 'imforensics'; from imforensics.cli.main import main; main()"
# measured on pages of their own: what they are judged by is not every tampered image of CASIA v1
APART = ("ela_cnn", "localizer", "copy_move", "copy_move_dense", "autoencoder_residual", "gan_reconstruction")
# name of a run to data set, split and protocol
RUNS = {
    "raw": ("casia1", "test", "raw"),
    "resaved_q90": ("casia1", "test", "resaved_q90"),
    "photos": ("photos", "all", "raw"),
}

NOTES = """\
- Made by `python scripts/measure_methods.py`. No constant was chosen on the data used here: constants come
  from CASIA v1's train and val splits, alarm thresholds from the train and val splits of the photographs.
- Localization: tampered images of CASIA v1's test split, means over images: pixel AUC (95 % interval
  by source group) and F1 at each image's best threshold and at the method's own; files as published, and
  recompressed at quality 90. Pixels that a method declares invalid are excluded.
- False alarms: photographs in which a method with its own threshold flags any pixel. Only those of the test
  split were not used in choosing thresholds.
- Cost: 12 megapixels, two cores, `python benchmarks/bench_methods.py`, the slower of two pictures.
""".splitlines()


def main() -> None:
    """Evaluate, measure the cost, write the facts and the page."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--results", type=Path, default=Path("runs/methods"), help="below the repository")
    parser.add_argument("-j", "--workers", type=int)
    arguments = parser.parse_args()
    names = [name for name in METHODS if name not in APART]
    options = [part for name in names for part in ("--method", name)]
    options += ["-j", str(arguments.workers)] if arguments.workers else []
    for run, (dataset, split, protocol) in RUNS.items():
        target = ["--dataset", dataset, "--split", split, "--protocol", protocol]
        output = ["-o", str(arguments.results / run)]
        command = [sys.executable, "-c", RUN, "evaluate", *options, *target, *output]
        subprocess.run(command, cwd=ROOT, check=True)
    cost_file = ROOT / arguments.results / "cost.json"
    if not cost_file.exists():
        command = [sys.executable, "benchmarks/bench_methods.py", "--output", str(cost_file)]
        subprocess.run(command, cwd=ROOT, check=True)
    cost = json.loads(cost_file.read_text(encoding="utf-8"))
    folders = {run: ROOT / arguments.results / run for run in RUNS}
    facts = {name: {**read_facts(name, folders), "cost": cost[name]} for name in names}
    facts |= {name: {"cost": cost[name]} for name in METHODS if name in APART}
    document = json.loads((folders["raw"] / "metrics.json").read_text(encoding="utf-8"))
    provenance = {"commit": document["tool"]["commit"], "version": document["tool"]["version"]}
    provenance["middle"] = f"{measure_middle():.3f}"
    FACTS.write_text(json.dumps({**provenance, "methods": facts}, indent=1) + "\n", encoding="utf-8")
    PAGE.write_text("\n".join(page(provenance, facts)) + "\n", encoding="utf-8")


def measure_middle() -> float:
    """Mean pixel AUC of a map that is bright in the middle of every picture and never looks at it."""
    dataset = load_dataset("casia1")
    found = []
    for sample in load_split(dataset, "test"):
        if sample.mask_path is None:
            continue
        mask = read_mask(sample.mask_path, encoding=dataset.card.mask_encoding)
        rows, columns = (np.linspace(-1, 1, side, dtype=np.float32) for side in mask.shape)
        spot = np.exp(-(rows[:, None] ** 2 + columns**2))
        found.append(localize_metrics(spot, mask, threshold=None)["auc"])
    return float(np.nanmean(found))


def read_facts(name: str, folders: dict[str, Path]) -> dict[str, Any]:
    """What the runs say of one method."""
    facts: dict[str, Any] = {}
    for run in ("raw", "resaved_q90"):
        found = json.loads((folders[run] / "metrics.json").read_text(encoding="utf-8"))["methods"][name]
        place = found["localization"]
        if place is None or not place["n_tampered"]:
            facts[run] = None
            continue
        keys = ("auc_mean", "f1_best_mean", "f1_fixed_mean")
        facts[run] = {key: rounded(place["metrics"].get(key)) for key in keys}
        facts[run]["auc_interval"] = [rounded(value) for value in place["intervals"]["auc_mean"]]
        facts[run]["image_auc"] = rounded(found["detection"] and found["detection"]["metrics"]["auc"])
        facts[run]["images"] = place["n_tampered"]
    with (folders["photos"] / "per_image.csv").open(encoding="utf-8", newline="") as file:
        rows = [row for row in csv.DictReader(file) if row["entry"] == name and row["status"] == "ok"]
    held_out = {sample.image_path.name for sample in load_split(load_dataset("photos"), "test")}
    facts["photos_test"] = count_alarms([row for row in rows if Path(row["trial"]).name in held_out])
    facts["photos_all"] = count_alarms(rows)
    return facts


def count_alarms(rows: list[dict[str, str]]) -> dict[str, Any] | None:
    """Photographs with a pixel at or above the method's own threshold, of those with a finding."""
    areas = [float(row["false_alarm_area_fixed"]) for row in rows if row["false_alarm_area_fixed"]]
    if not areas:
        return None
    alarms = sum(area > 0 for area in areas)
    return {"images": len(areas), "alarms": alarms, "area": rounded(sum(areas) / len(areas))}


def rounded(value: float | None) -> float | None:
    """Four decimals."""
    return None if value is None else round(value, 4)


def page(provenance: dict[str, str], facts: dict[str, dict[str, Any]]) -> Iterator[str]:
    """The table."""
    yield "# Performance of each method"
    yield ""
    yield f"- imforensics {provenance['version']}, commit {provenance['commit']}."
    yield from NOTES
    yield f"- The centre-prior baseline, which ignores the picture, has pixel AUC {provenance['middle']}:"
    yield "  people paste near the centre. Compare methods near that value with it."
    yield ""
    titles = ["method", "profile", "AUC raw", "AUC q90", "F1 best raw / q90", "F1 own raw / q90"]
    titles += ["alarms test", "alarms all", "s", "MB"]
    yield f"| {' | '.join(titles)} |"
    yield f"|---|---|{'---:|' * (len(titles) - 2)}"
    for name, found in facts.items():
        yield f"| {' | '.join(row(name, found))} |"
    yield ""
    yield from (
        f"- `{name}` is experimental: {load_method(name).experimental}"
        for name in facts
        if load_method(name).experimental
    )
    yield "- Methods without results here are measured on separate pages, linked from their own."


def row(name: str, found: dict[str, Any]) -> Iterator[str]:
    """The cells of one method."""
    yield f"[`{name}`](../methods/{name}.md)"
    yield METHODS[name].profile or "by name"
    places = [found.get("raw"), found.get("resaved_q90")]
    for place in places:
        yield "–" if place is None else f"{show(place['auc_mean'])} {interval(place['auc_interval'])}"
    for key in ("f1_best_mean", "f1_fixed_mean"):
        cells = [show(None if place is None else place[key]) for place in places]
        yield "–" if cells == ["–", "–"] else " / ".join(cells)
    for split in ("photos_test", "photos_all"):
        alarms = found.get(split)
        yield "–" if alarms is None else f"{alarms['alarms']} of {alarms['images']}"
    cost = found["cost"]
    yield "–" if cost is None else f"{cost['seconds']:.2f}"
    yield "–" if cost is None else f"{cost['megabytes']:.0f}"


def show(value: float | None) -> str:
    """Three decimals without the leading zero."""
    return "–" if value is None else f"{value:.3f}".removeprefix("0")


def interval(bounds: list[float]) -> str:
    """Lower and upper bound."""
    return f"[{show(bounds[0])}, {show(bounds[1])}]"


if __name__ == "__main__":
    main()
