"""Both copy-move methods: CASIA v1's copy-moves, copies made in photographs, alarms on photographs."""

from __future__ import annotations

import io
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from PIL import Image

from experiment import Experiment, Found
from imforensics.datasets.synthesis.copy_move import forge_copy_move
from imforensics.evidence import read_evidence
from imforensics.methods import load_method
from imforensics.methods.copy_move.duplicate_regions import Box, warp_back
from imforensics.methods.copy_move.match_clusters import invert_affine
from imforensics.pipeline.evaluate.protocols import Trial, plan_trials, seeded_generator
from imforensics.pipeline.evaluate.worker import read_trial_mask, show_trial
from imforensics.report.evaluation_words import NONE
from imforensics.report.markdown import Table
from imforensics.types import BoolArray, Evidence, Finding, UInt8Array
from tables import mean

MAX_PIXELS = 200_000_000
METHODS = ("copy_move", "copy_move_dense")
THRESHOLD = 0.5
TURNS = (
    (0, 1.0),
    (10, 1.0),
    (0, 0.85),
    (90, 1.0),
    (30, 1.2),
    (0, 1.0),
    (180, 1.0),
    (0, 1.4),
    (45, 1.0),
    (0, 0.7),
)
AREAS = (0.01, 0.02, 0.05, 0.1)
QUALITIES = (95, 80, 70)
COLUMNS = (
    "found",
    "recall",
    "alarms on authentic",
    "precision",
    "pixel F1",
    "pixel recall",
    "pixel precision",
    "told",
)


class Copy(NamedTuple):
    """A copy to make: where, from which generator, and how it is turned, scaled and how large it is."""

    source: str
    path: Path
    seed: int
    rotation: int
    scale: float
    area: float


def measure(experiment: Experiment) -> Iterator[Table]:
    """Tables by set, and of the made copies by what was done."""
    records = [
        *experiment.collect(look_at_trial, dict(list_trials(experiment))),
        *experiment.collect(
            look_at_copy, {f"copy in {c.source} {c.path.name}": c for c in list_copies(experiment)}
        ),
        *experiment.collect(look_at_photograph, dict(list_photographs(experiment))),
    ]
    yield tabulate("By set", ("set",), records)
    made = [record for record in records if "quality" in record]
    for title, keys in (
        ("quality", ("quality",)),
        ("turn, scale", ("rotation", "scale")),
        ("area", ("area",)),
    ):
        yield tabulate(f"Made copies by {title}", keys, made)


def list_trials(experiment: Experiment) -> Iterator[tuple[str, tuple[str, Trial]]]:
    """Copy-moves of CASIA v1 with their hosts saved alike, and re-saved at quality 90 alone."""
    casia, samples = experiment.load("casia1")
    copied = experiment.thin([s for s in samples if s.manipulation == "copy_move"])
    for protocol, words in (("twin", "as it is"), ("resaved_q90", "re-saved at 90")):
        for trial in plan_trials(casia, copied, protocol).trials:  # type: ignore[arg-type]
            yield f"{protocol} {trial.id}", (f"CASIA v1, {words}", trial)


def list_copies(experiment: Experiment) -> Iterator[Copy]:
    """The photographs, then authentic images of CASIA v1, with the turns and areas one after the other."""
    chosen = [("photos", sample) for sample in experiment.thin(experiment.load("photos")[1])]
    authentic = [sample for sample in experiment.load("casia1")[1] if sample.label == 0]
    chosen += [("CASIA v1", s) for s in experiment.thin(authentic, experiment.config.options["casia"])]
    for index, (source, sample) in enumerate(chosen):
        area = AREAS[(index + index // len(TURNS)) % len(AREAS)]
        yield Copy(source, sample.image_path, experiment.config.seed, *TURNS[index % len(TURNS)], area)


def list_photographs(experiment: Experiment) -> Iterator[tuple[str, tuple[str, Path]]]:
    """Photographs as they are."""
    for name, most in (("photos", None), ("photos_web", experiment.config.options["web"])):
        for sample in experiment.thin(experiment.load(name)[1], most):
            yield f"as it is {name} {sample.image_path.name}", (f"{name}, as they are", sample.image_path)


def look_at_trial(item: tuple[str, Trial]) -> list[Found]:
    """Both methods on one picture of CASIA v1."""
    name, trial = item
    evidence = show_trial(trial, max_pixels=MAX_PIXELS)
    target = read_trial_mask(trial, evidence, encoding="white") if trial.sample.label else None
    records = []
    for finding, record in run_both(evidence):
        own = record | {"set": name, "label": trial.sample.label}
        if target is not None and target.any():
            own |= count_pixels(finding, target, with_sources(target, finding)) | count_told(finding, target)
        records.append(own)
    return records


def look_at_copy(copy: Copy) -> list[Found]:
    """Both methods on a made copy and on the untouched picture, saved alike; none where no copy fits."""
    pixels = read_evidence(copy.path, max_pixels=MAX_PIXELS).pixels
    rng, how = seeded_generator(copy.seed, copy.path.name), {"rotation": copy.rotation, "scale": copy.scale}
    try:
        forged = forge_copy_move(pixels, rng, **how, area=copy.area)  # type: ignore[arg-type]
    except ValueError:
        return []
    source = forged.target_mask if forged.source_mask is None else forged.source_mask
    records = []
    for quality in QUALITIES:
        facts = how | {"set": f"made in {copy.source}", "area": copy.area, "quality": quality}
        for finding, record in run_both(read_evidence(save(forged.pixels, quality), name="made.jpg")):
            both = source | forged.target_mask
            found = count_pixels(finding, both, both) | count_told(finding, forged.target_mask)
            records.append(record | facts | found | {"label": 1})
        untouched = read_evidence(save(pixels, quality), name="made.jpg")
        records += [record | facts | {"label": 0} for _, record in run_both(untouched)]
    return records


def look_at_photograph(item: tuple[str, Path]) -> list[Found]:
    """Both methods on a photograph."""
    evidence = read_evidence(item[1], max_pixels=MAX_PIXELS)
    return [record | {"set": item[0], "label": 0} for _, record in run_both(evidence)]


def run_both(evidence: Evidence) -> Iterator[tuple[Finding, Found]]:
    """The finding of each method and the beginning of its record."""
    for name in METHODS:
        finding = load_method(name)().analyze(evidence)
        yield finding, {"method": name, "score": finding.score or 0.0}


def count_pixels(finding: Finding, truth: BoolArray, correct: BoolArray) -> Found:
    """Recall over `truth`, precision over `correct`, and their F1; precision is 0 where nothing is marked."""
    marked = finding.mask if finding.mask is not None else np.zeros(truth.shape, dtype=np.bool_)
    recall = float((marked & truth).sum() / truth.sum())
    precision = float((marked & correct).sum() / marked.sum()) if marked.any() else 0.0
    f1 = 2 * recall * precision / (recall + precision) if recall + precision else 0.0
    return {"pixel_recall": recall, "pixel_precision": precision, "pixel_f1": f1}


def with_sources(target: BoolArray, finding: Finding) -> BoolArray:
    """The target and where the maps of the finding lead from it: the source is not in the masks."""
    result, box = target.copy(), Box(0, 0, *target.shape)
    for copy in list_found(finding):
        transform = np.array(copy["transform"], dtype=np.float64)
        for way in (transform, invert_affine(transform)):
            values, inside = warp_back(target.astype(np.float32), way, box)
            result |= (values >= 0.5) & inside
    return result


def count_told(finding: Finding, target: BoolArray) -> Found:
    """Copies whose pasted part was named, and how many rightly (30 % of its box lies in the target)."""
    boxes = [copy[f"{copy['target']}_box"] for copy in list_found(finding) if copy["target"] is not None]
    hits = [target[top:bottom, left:right].mean() > 0.3 for left, top, right, bottom in boxes]
    return {"named": len(hits), "right": int(sum(hits))}


def list_found(finding: Finding) -> list[Any]:
    """The copies that a finding describes."""
    copies: Any = finding.observations.get("copies", [])
    return list(copies)


def save(pixels: UInt8Array, quality: int) -> bytes:
    """JPEG bytes, 4:2:0."""
    stream = io.BytesIO()
    Image.fromarray(pixels).save(stream, "JPEG", quality=quality)
    return stream.getvalue()


def tabulate(title: str, keys: Sequence[str], records: Sequence[Found]) -> Table:
    """A row for each method and value of the keys: by image, by pixel, and what was told of the parts."""
    parts: dict[tuple[Any, ...], list[Found]] = {}
    for record in records:
        parts.setdefault((*(record[key] for key in keys), record["method"]), []).append(record)
    order = list(parts) if keys == ("set",) else sorted(parts, key=lambda part: (part[-1], part))
    rows = []
    for part in order:
        words = ", ".join(value if isinstance(value, str) else f"{value:g}" for value in part[:-1])
        rows.append([part[-1], words, *cells(parts[part])])
    return Table(title, ("method", ", ".join(keys), *COLUMNS), rows, words=2)


def cells(records: Sequence[Found]) -> Iterator[str]:
    """Counts, recall and precision by image, pixels, told targets."""
    tampered, authentic = ([r for r in records if r["label"] == label] for label in (1, 0))
    hits, alarms = (sum(r["score"] >= THRESHOLD for r in part) for part in (tampered, authentic))
    yield f"{hits} / {len(tampered)}" if tampered else NONE
    yield f"{hits / len(tampered):.3f}" if tampered else NONE
    yield f"{alarms} / {len(authentic)}" if authentic else NONE
    yield f"{hits / (hits + alarms):.3f}" if tampered and hits + alarms else NONE
    yield from (mean(r.get(key) for r in tampered) for key in ("pixel_f1", "pixel_recall", "pixel_precision"))
    named, right = (sum(r.get(key, 0) for r in tampered) for key in ("named", "right"))
    yield f"{right} / {named}" if named else NONE
