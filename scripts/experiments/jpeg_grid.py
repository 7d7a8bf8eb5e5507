"""How often jpeg_grid finds a part pasted off the grid, or one without a grid; and its alarms."""

from __future__ import annotations

import io
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np
from PIL import Image

from experiment import Experiment, Found
from imforensics.evidence import read_evidence
from imforensics.methods.jpeg.jpeg_grid import JpegGrid
from imforensics.preprocessing.jpeg import encode_jpeg, resave_jpeg
from imforensics.report.markdown import Table
from imforensics.types import BoolArray, Evidence, UInt8Array
from tables import share

SIDE, PART = 512, 160  # pixels
FOUND = 0.3  # intersection over union from which a part counts as found


class Case(NamedTuple):
    """Qualities of the host, the part (None: scaled, not compressed) and the result (None: PNG)."""

    name: str
    host: int
    part: int | None
    last: int | None


CASES = (
    Case("other grid, part at 80, PNG", 85, 80, None),
    Case("other grid, part at 90, PNG", 85, 90, None),
    Case("other grid, part at 80, saved at 95", 85, 80, 95),
    Case("no grid, host at 80, PNG", 80, None, None),
    Case("no grid, host at 80, saved at 95", 80, None, 95),
)


def measure(experiment: Experiment) -> Iterator[Table]:
    """A row for each case, and the alarms on the untouched photographs."""
    paths = [
        s.image_path
        for split in ("train", "val")
        for s in experiment.thin(experiment.load("photos", split)[1])
    ]
    alarms = experiment.collect(look_at_photograph, {path.name: path for path in paths})
    large = [path for path, found in zip(paths, alarms, strict=True) if found["side"] >= SIDE]
    count, rows = experiment.config.options["pairs"], []
    for case in CASES:
        found = experiment.collect(look_at_case, {case.name: (case, large, count, experiment.config.seed)})
        overlaps = [record["overlap"] for record in found]
        rows.append(
            [case.name, f"{sum(o > FOUND for o in overlaps)} of {len(overlaps)}", f"{np.mean(overlaps):.2f}"]
        )
    flagged = share(found["is_alarm"] for found in alarms)
    yield Table(
        "", ("pasted part", "found", "mean IoU"), rows, notes=[f"Alarms on untouched photographs: {flagged}."]
    )


def look_at_photograph(path: Path) -> list[Found]:
    """The shorter side, and whether anything is found in the untouched photograph."""
    evidence = read_evidence(path)
    score = JpegGrid().analyze(evidence).score or 0
    return [{"side": min(evidence.height, evidence.width), "is_alarm": score > 0}]


def look_at_case(item: tuple[Case, list[Path], int, int]) -> list[Found]:
    """Intersection over union of what is found and what was pasted, for each pair of photographs."""
    case, paths, count, seed = item
    rng, method, found = np.random.default_rng(seed), JpegGrid(), []
    for index in range(count):
        host, donor = (read_evidence(paths[at % len(paths)]).pixels for at in (3 * index, 3 * index + 37))
        evidence, truth = paste(host[:SIDE, :SIDE], donor, case, rng)
        mask = method.analyze(evidence).mask
        found.append({"overlap": 0.0 if mask is None else float((mask & truth).sum() / (mask | truth).sum())})
    return found


def paste(
    host: UInt8Array, donor: UInt8Array, case: Case, rng: np.random.Generator
) -> tuple[Evidence, BoolArray]:
    """One forgery, and where its part is."""
    pixels = resave_jpeg(host, quality=case.host)
    if case.part is None:
        size = (int(donor.shape[1] * 0.7), int(donor.shape[0] * 0.7))
        donor = np.array(Image.fromarray(donor).resize(size, Image.Resampling.BICUBIC))
    else:
        donor = resave_jpeg(donor, quality=case.part)
    top, left = (int(at) for at in rng.integers(8, SIDE - PART - 8, 2))
    row, column = (int(rng.integers(0, side - PART)) for side in donor.shape[:2])
    if case.part is not None and (top - row) % 8 == 0 and (left - column) % 8 == 0:
        row += 1  # else on the host's grid: one in 64
    pixels[top : top + PART, left : left + PART] = donor[row : row + PART, column : column + PART]
    truth = np.zeros(pixels.shape[:2], dtype=np.bool_)
    truth[top : top + PART, left : left + PART] = True
    if case.last is not None:
        return read_evidence(encode_jpeg(pixels, quality=case.last), name="made.jpg"), truth
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, "PNG", compress_level=1)
    return read_evidence(buffer.getvalue(), name="made.png"), truth
