"""Localizer bundles evaluated by `imforensics evaluate`, and the figures that are read from its results.

Used by measure_localizer.py and ablate_localizer.py.
"""

from __future__ import annotations

import csv
import json
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from imforensics.metrics.label_thresholds import clopper_pearson_upper
from imforensics.models.localizer.bundle import load_localizer

ROOT = Path(__file__).resolve().parents[1]
METHOD = "localizer"
RUN = "import sys; sys.argv[0] = 'imforensics'; from imforensics.cli.main import main; main()"
FIGURES = {
    "pixel_auc": ("localization", "auc_mean"),
    "f1_fixed": ("localization", "f1_fixed_mean"),
    "f1_half": ("localization", "f1_half_mean"),
    "f1_best": ("localization", "f1_best_mean"),
    "f1_all": ("localization", "f1_all_mean"),
    "area": ("localization", "false_alarm_area_fixed_mean"),
    "image_auc": ("detection", "auc"),
}
Facts = dict[str, Any]


@dataclass(frozen=True)
class Trials:
    """What a bundle is evaluated on.

    Attributes:
        dataset: name.
        split: train, val or test.
        protocol: of `evaluate`.
        kinds: of processing besides.
        limit: of images; None takes all.
        workers: processes.
    """

    dataset: str
    split: str
    protocol: str
    kinds: tuple[str, ...] = ()
    limit: int | None = None
    workers: int | None = None

    @property
    def options(self) -> list[str]:
        """Of the command line."""
        chosen = ["--dataset", self.dataset, "--split", self.split, "--protocol", self.protocol]
        chosen += [part for kind in self.kinds for part in ("--kind", kind)]
        chosen += ["--limit", str(self.limit)] if self.limit else []
        return chosen + (["-j", str(self.workers)] if self.workers else [])


def evaluate(bundle: Path, trials: Trials, folder: Path) -> Facts:
    """The metrics.json of one evaluation, which goes on where an earlier one stopped.

    Args:
        bundle: folder of the localizer.
        trials: what it is shown.
        folder: of the results; both paths are taken below the repository.
    """
    command = [sys.executable, "-c", RUN, "evaluate", "--method", METHOD, *trials.options]
    command += [f"--set=methods.{METHOD}.bundle={bundle.as_posix()}/", "-o", str(folder), "-q"]
    print(f"{folder}: {trials.dataset} {trials.split} {trials.protocol}", flush=True)
    subprocess.run(command, cwd=ROOT, check=True, stdout=subprocess.DEVNULL)
    document: Facts = json.loads((ROOT / folder / "metrics.json").read_text(encoding="utf-8"))
    return document


def describe_bundle(folder: Path) -> Facts:
    """What tells one bundle from another, and how its labels are chosen."""
    loaded = load_localizer(ROOT / folder)
    manifest = loaded.manifest
    calibration = manifest.calibration
    source = manifest.provenance
    return {
        "name": manifest.name,
        "networks": {part: file.sha256 for part, file in manifest.files.items()},
        "config_digest": source.config_digest,
        "started_from": source.started_from,
        "commit": source.commit,
        "seed": source.seed,
        "steps": source.steps,
        "parameters": manifest.parameters,
        "map_threshold": manifest.map_threshold.model_dump(mode="json"),
        "conditions": None if calibration is None else calibration.conditions.model_dump(mode="json"),
        "labels": None
        if calibration is None or calibration.thresholds is None
        else calibration.thresholds.model_dump(mode="json"),
    }


def read_figures(block: Facts) -> Facts:
    """Figures of one method, or of one point of a curve, each with its interval.

    Returns:
        n_tampered, n_authentic, groups, and of FIGURES those that are defined as {"value", "interval"}.
    """
    counts = block["counts"]
    found: Facts = {"n_tampered": counts["scored_tampered"], "n_authentic": counts["scored_authentic"]}
    found["groups"] = counts["groups"]
    for name, (part, metric) in FIGURES.items():
        values = block[part] or {"metrics": {}, "intervals": {}}
        if values["metrics"].get(metric) is not None:
            interval = values["intervals"].get(metric)
            found[name] = {
                "value": round(values["metrics"][metric], 4),
                "interval": interval and [round(bound, 4) for bound in interval],
            }
    return found


def read_alarms(folder: Path, bundle: Path) -> Facts:
    """What a bundle marks and states on authentic photographs that were evaluated into a folder."""
    calibration = load_localizer(ROOT / bundle).manifest.calibration
    with (ROOT / folder / "per_image.csv").open(encoding="utf-8", newline="") as file:
        rows = [row for row in csv.DictReader(file) if row["status"] == "ok"]
    areas = [float(row["false_alarm_area_fixed"]) for row in rows]
    by_score = [
        "inconclusive" if calibration is None else calibration.label(float(row["score"])) for row in rows
    ]
    return {
        "images": len(rows),
        "outside_conditions": sum(not row["stated"] for row in rows),
        "stated_tampered": count(row["stated"] == "tampered" for row in rows),
        "tampered_by_score_alone": count(label == "tampered" for label in by_score),
        "marked": count(area > 0 for area in areas),
        "marked_over_1_percent": count(area > 0.01 for area in areas),
        "area_largest": round(max(areas), 4),
    }


def count(flags: Any) -> Facts:
    """How many of how many, and the one-sided 95 % upper bound of the rate (Clopper and Pearson)."""
    values = list(flags)
    return {"n": sum(values), "upper": round(clopper_pearson_upper(sum(values), len(values)), 4)}


def show(figure: Facts | None) -> str:
    """A figure and its interval, without leading zeros."""
    if figure is None:
        return "–"
    value, interval = figure["value"], figure["interval"]
    return plain(value) if interval is None else f"{plain(value)} [{', '.join(map(plain, interval))}]"


def plain(value: float | None) -> str:
    """Three decimals without the leading zero."""
    return "–" if value is None else f"{value:.3f}".removeprefix("0")


def table(headings: Sequence[str], rows: Sequence[Sequence[str]], *, left: int = 1) -> list[str]:
    """A Markdown table; the first `left` columns are words."""
    marks = ["---"] * left + ["---:"] * (len(headings) - left)
    return [f"| {' | '.join(line)} |" for line in (headings, marks, *rows)]
