"""Measure `cfa` and `resampling` on photographs with a pasted part that was moved or enlarged.

    IMFORENSICS_DATA=/path/to/data python scripts/measure_camera_traces.py [--split test] [--seed 0]

CASIA's images were resized and saved at moderate quality: neither trace survives there. So parts are pasted
into the camera photographs of a split, each saved without loss and at three JPEG qualities (4:4:4), beside
the untouched photograph through the same saving. Two kinds: *moved*, a square of the same photograph put
elsewhere by an odd number of pixels, so that its lattice of green is the other one; *enlarged*, the square
enlarged by a factor drawn from 1.1 to 1.6 (bicubic). `cfa` is measured on photographs in which it finds its
traces. Writes docs/experiments/camera_traces.md.
"""

from __future__ import annotations

import argparse
import subprocess
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
from PIL import Image

from imforensics.datasets.base import load_dataset, load_split
from imforensics.evidence import read_evidence
from imforensics.methods import load_method
from imforensics.methods.base import Method
from imforensics.metrics.detection import detection_metrics
from imforensics.metrics.localization import localize_metrics
from imforensics.pipeline.evaluate.protocols import seeded_generator
from imforensics.preprocessing.jpeg import resave_jpeg
from imforensics.types import BoolArray, Evidence, UInt8Array

ROOT = Path(__file__).parents[1]
PAGE = ROOT / "docs" / "experiments" / "camera_traces.md"
SIDE = 192  # pixels, of the pasted part
SAVINGS: tuple[int | None, ...] = (None, 98, 95, 90)
CASES = (("cfa", "moved"), ("resampling", "enlarged"))


def main() -> None:
    """Measure both methods and write the page."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--split", default="test")
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args()
    photos = [s.image_path for s in load_split(load_dataset("photos"), arguments.split)]
    commit = subprocess.run(
        ["git", "rev-parse", "HEAD"], cwd=ROOT, check=True, capture_output=True, text=True
    ).stdout.strip()
    lines = [
        "# CFA and resampling on photographs with a pasted part",
        "",
        f"`python scripts/measure_camera_traces.py --split {arguments.split} --seed {arguments.seed}`, "
        f"commit `{commit}`. {len(photos)} photographs; no constant was chosen on the test split.",
        "",
        "| method | part | saved | photographs | pixel AUC, mean | image AUC "
        "| score >= 0.5: altered / untouched |",
        "|---|---|---|---:|---:|---:|---:|",
    ]
    for name, kind in CASES:
        for quality in SAVINGS:
            row = measure(load_method(name)(), kind, quality, photos, arguments.seed)
            lines.append(f"| `{name}` | {kind} | {'lossless' if quality is None else quality} | {row} |")
            print(lines[-1], flush=True)
    PAGE.write_text("\n".join(lines) + "\n", encoding="utf-8")


def measure(method: Method, kind: str, quality: int | None, photos: list[Path], seed: int) -> str:
    """The cells of one row."""
    found = list(run(method, kind, quality, photos, seed))
    if not found:
        return "0 | – | – | –"
    areas, altered, untouched = (np.array(column) for column in zip(*found, strict=True))
    labels = np.repeat([1, 0], len(found)).astype(np.int64)
    image = detection_metrics(np.concatenate([altered, untouched]), labels, threshold=0.5)["auc"]
    alarms = f"{(altered >= 0.5).sum()} / {(untouched >= 0.5).sum()}"
    return f"{len(found)} | {np.nanmean(areas):.3f} | {image:.3f} | {alarms}"


def run(
    method: Method, kind: str, quality: int | None, photos: list[Path], seed: int
) -> Iterator[tuple[float, float, float]]:
    """Pixel AUC, score of the altered and of the untouched photograph, for each that can be told."""
    for path in photos:
        evidence = read_evidence(path)
        if min(evidence.height, evidence.width) < 2 * SIDE:
            continue
        pixels, mask = paste(evidence.pixels, kind, seeded_generator(seed, f"{kind} {path.name}"))
        untouched = method.analyze(saved(evidence, evidence.pixels, quality))
        if untouched.observations.get("has_cfa_traces") is False or untouched.score is None:
            continue
        altered = method.analyze(saved(evidence, pixels, quality))
        if altered.map is None or altered.score is None:
            continue
        place = localize_metrics(altered.map.values, mask, threshold=None, valid=altered.map.valid)
        yield place["auc"], altered.score, untouched.score


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


if __name__ == "__main__":
    main()
