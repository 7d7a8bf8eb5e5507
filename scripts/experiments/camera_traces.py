"""`cfa` and `resampling` on photographs with a pasted part that was moved or enlarged."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from math import isnan
from pathlib import Path
from typing import NamedTuple

import numpy as np
from PIL import Image

from experiment import Experiment, Found
from imforensics.evidence import read_evidence
from imforensics.methods import load_method
from imforensics.metrics.localization import localize_metrics
from imforensics.pipeline.evaluate.protocols import seeded_generator
from imforensics.preprocessing.jpeg import resave_jpeg
from imforensics.report.markdown import Table
from imforensics.types import BoolArray, Evidence, UInt8Array
from tables import auc, mean

SIDE = 192  # pixels, of the pasted part
SAVINGS: tuple[int | None, ...] = (None, 98, 95, 90)
CASES = (("cfa", "moved"), ("resampling", "enlarged"))
COLUMNS = ("method", "part", "saved", "photographs", "pixel AUC, mean", "image AUC")


class Item(NamedTuple):
    """One photograph, and what is done to it."""

    method: str
    kind: str
    quality: int | None
    path: Path
    seed: int


def measure(experiment: Experiment) -> Iterator[Table]:
    """A row for each method and saving."""
    samples = experiment.thin(experiment.load("photos")[1])
    seed, rows = experiment.config.seed, []
    items = [
        Item(*case, quality, s.image_path, seed) for case in CASES for quality in SAVINGS for s in samples
    ]
    records = experiment.collect(look, {f"{i.method} {i.quality} {i.path.name}": i for i in items})
    for method, kind in CASES:
        for quality in SAVINGS:
            own = [r for r in records if r["method"] == method and r["quality"] == quality]
            names = [r["name"] for r in own]
            scores = [r[side] for side in ("altered", "untouched") for r in own]
            alarms = " / ".join(str(sum(r[side] >= 0.5 for r in own)) for side in ("altered", "untouched"))
            image = auc(scores, [1] * len(own) + [0] * len(own), names * 2, seed=seed)
            pixel = mean((r["auc"] for r in own), names, seed=seed)
            saved = "lossless" if quality is None else str(quality)
            rows.append([f"`{method}`", kind, saved, str(len(own)), pixel, image, alarms])
    yield Table("", (*COLUMNS, "score >= 0.5: altered / untouched"), rows, words=3)


def look(item: Item) -> list[Found]:
    """Pixel AUC, score of the altered and of the untouched photograph, where the method can tell."""
    evidence = read_evidence(item.path)
    if min(evidence.height, evidence.width) < 2 * SIDE:
        return []
    method = load_method(item.method)()
    rng = seeded_generator(item.seed, f"{item.kind} {item.path.name}")
    pixels, mask = paste(evidence.pixels, item.kind, rng)
    untouched = method.analyze(saved(evidence, evidence.pixels, item.quality))
    if untouched.observations.get("has_cfa_traces") is False or untouched.score is None:
        return []
    altered = method.analyze(saved(evidence, pixels, item.quality))
    if altered.map is None or altered.score is None:
        return []
    area = localize_metrics(altered.map.values, mask, threshold=None, valid=altered.map.valid)["auc"]
    found = {"method": item.method, "quality": item.quality, "name": item.path.name}
    figures = {"auc": None if isnan(area) else area, "altered": altered.score, "untouched": untouched.score}
    return [found | figures]


def saved(evidence: Evidence, pixels: UInt8Array, quality: int | None) -> Evidence:
    """The evidence with other pixels; both methods look at nothing else."""
    saved = pixels if quality is None else resave_jpeg(pixels, quality=quality, subsampling="4:4:4")
    return replace(evidence, pixels=saved)


def paste(pixels: UInt8Array, kind: str, rng: np.random.Generator) -> tuple[UInt8Array, BoolArray]:
    """The altered pixels and the mask of the part."""
    height, width = pixels.shape[:2]
    scale = 1.0 if kind == "moved" else float(rng.uniform(1.1, 1.6))
    taken = round(SIDE / scale)
    top, left = int(rng.integers(height - taken + 1)), int(rng.integers(width - taken + 1))
    down, across = int(rng.integers(height - SIDE + 1)), int(rng.integers(width - SIDE + 1))
    if kind == "moved" and (down - top + across - left) % 2 == 0:
        down += 1 if down + SIDE < height else -1
    part = Image.fromarray(pixels[top : top + taken, left : left + taken])
    if kind == "enlarged":
        part = part.resize((SIDE, SIDE), Image.Resampling.BICUBIC)
    result, mask = pixels.copy(), np.zeros((height, width), dtype=np.bool_)
    place = (slice(down, down + SIDE), slice(across, across + SIDE))
    result[place], mask[place] = np.asarray(part), True
    return result, mask
