"""Every method: localization on CASIA v1's test split, alarms on photographs, cost at 12 megapixels.

Writes docs/experiments/methods.json too, from which the pages of docs/methods/ take their figures.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

from experiment import ROOT, Evaluated, Experiment, Found
from imforensics import __version__
from imforensics.methods import METHODS, load_method
from imforensics.provenance import find_commit
from imforensics.report.evaluation_words import NONE
from imforensics.report.markdown import Table

PIXEL = ("auc_mean", "f1_best_mean", "f1_fixed_mean")
HEADS = (
    "method",
    "profile",
    "AUC raw",
    "AUC q90",
    "F1 best raw / q90",
    "F1 own raw / q90",
    "alarms test",
    "alarms all",
)


def measure(experiment: Experiment) -> Iterator[Table]:
    """A row for each method that is not measured on a page of its own, with its cost."""
    apart = experiment.config.options["apart"]
    names = [name for name in METHODS if name not in apart]
    config = experiment.config.model_copy(update={"methods": tuple(names)})
    evaluated = replace(experiment, config=config).evaluate()
    places = {each.protocol: each for each in evaluated if each.run.dataset == "casia1"}
    photos = next(each for each in evaluated if each.run.dataset == "photos")
    held_out = {sample.image_path.name for sample in experiment.load("photos", "test")[1]}
    cost = measure_cost(experiment)
    facts = {name: describe(name, places, photos, held_out) | {"cost": cost.get(name)} for name in names}
    facts |= {name: {"cost": cost.get(name)} for name in METHODS if name in apart}
    centre = places["raw"].document["centre_prior"]["metrics"]["auc_mean"]
    document = {
        "commit": find_commit(),
        "version": __version__,
        "centre_prior": f"{centre:.3f}",
        "methods": facts,
    }
    experiment.publish("experiments/methods.json", (json.dumps(document, indent=1) + "\n").encode())
    notes = [
        f"The centre-prior baseline, which ignores the picture, has pixel AUC {centre:.3f}: people paste "
        "near the centre. Compare methods near that value with it.",
        *(
            f"`{n}` is experimental: {load_method(n).experimental}"
            for n in facts
            if load_method(n).experimental
        ),
        "Methods without results here are measured on separate pages, linked from their own.",
    ]
    rows = [list(cells(name, found)) for name, found in facts.items()]
    yield Table("", (*HEADS, "s", "MB"), rows, notes=notes, words=2)


def measure_cost(experiment: Experiment) -> Found:
    """Seconds and megabytes of every method, from the benchmark; kept beside the evaluations."""
    path = experiment.folder / "cost.json"
    if not path.exists() and experiment.config.options["with_cost"]:
        command = [sys.executable, "benchmarks/bench_methods.py", "--output", str(path)]
        subprocess.run(command, cwd=ROOT, check=True)
    found: Found = json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}
    return found


def describe(name: str, places: dict[str, Evaluated], photos: Evaluated, held_out: set[str]) -> Found:
    """What the evaluations say of one method."""
    facts: Found = {}
    for protocol in ("raw", "resaved_q90"):
        found = places[protocol].methods[name]
        place, facts[protocol] = found["localization"], None
        if place is not None and place["n_tampered"]:
            figures: Found = {key: rounded(place["metrics"].get(key)) for key in PIXEL}
            figures["auc_interval"] = [
                rounded(value) for value in place["intervals"]["auc_mean"] or (None, None)
            ]
            figures["image_auc"] = rounded(found["detection"] and found["detection"]["metrics"]["auc"])
            facts[protocol] = figures | {"images": place["n_tampered"]}
    rows = photos.rows_of(name)
    facts["photos_test"] = count_alarms([row for row in rows if Path(row["trial"]).name in held_out])
    facts["photos_all"] = count_alarms(rows)
    return facts


def count_alarms(rows: Sequence[Found]) -> Found | None:
    """Photographs with a pixel at or above the method's own threshold, of those with a finding."""
    pixels = [row["pixel"] for row in rows if row["pixel"]]
    areas = [area for pixel in pixels if (area := pixel.get("false_alarm_area_fixed")) is not None]
    if not areas:
        return None
    alarms = sum(area > 0 for area in areas)
    return {"images": len(areas), "alarms": alarms, "area": rounded(sum(areas) / len(areas))}


def rounded(value: float | None) -> float | None:
    """Four decimals."""
    return None if value is None else round(value, 4)


def cells(name: str, found: Found) -> Iterator[str]:
    """The cells of one method."""
    yield f"[`{name}`](../methods/{name}.md)"
    yield METHODS[name].profile or "by name"
    places = [found.get("raw"), found.get("resaved_q90")]
    for place in places:
        bounds = "" if place is None else ", ".join(map(plain, place["auc_interval"]))
        yield NONE if place is None else f"{plain(place['auc_mean'])} [{bounds}]"
    for key in ("f1_best_mean", "f1_fixed_mean"):
        values = [plain(None if place is None else place[key]) for place in places]
        yield NONE if values == [NONE, NONE] else " / ".join(values)
    for split in ("photos_test", "photos_all"):
        alarms = found.get(split)
        yield NONE if alarms is None else f"{alarms['alarms']} of {alarms['images']}"
    cost = found["cost"]
    yield NONE if cost is None else f"{cost['seconds']:.2f}"
    yield NONE if cost is None else f"{cost['megabytes']:.0f}"


def plain(value: float | None) -> str:
    """Three decimals without the leading zero."""
    return NONE if value is None else f"{value:.3f}".removeprefix("0")
