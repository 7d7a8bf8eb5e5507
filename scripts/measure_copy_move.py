"""Measure both copy-move methods: CASIA v1's copy-moves, copies made in photographs, alarms on photographs.

    IMFORENSICS_DATA=/path/to/data python scripts/measure_copy_move.py --split val -o runs/copy_move
    IMFORENSICS_DATA=/path/to/data python scripts/measure_copy_move.py --split test -o runs/copy_move

One process. Each run leaves records_<split>.json in the folder and writes the page anew from all of them.
Made copies: the photographs get the turns and scales one after the other, with a random place and outline (a
generator seeded with `--seed` and the name); saved at quality 95, 80 and 70, forged and untouched alike.
"""

from __future__ import annotations

import argparse
import io
import json
import shlex
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from imforensics.datasets.base import load_dataset, load_split
from imforensics.datasets.synthesis.copy_move import forge_copy_move
from imforensics.evidence import read_evidence
from imforensics.methods import load_method
from imforensics.methods.copy_move.duplicate_regions import Box, warp_back
from imforensics.methods.copy_move.match_clusters import invert_affine
from imforensics.pipeline.evaluate.protocols import plan_trials, seeded_generator
from imforensics.pipeline.evaluate.worker import read_trial_mask, show_trial
from imforensics.types import BoolArray, Evidence, Finding, Sample, UInt8Array

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
CASIA_MADE, WEB = 60, 120  # pictures taken of larger sets

Record = dict[str, Any]


def pixel_counts(finding: Finding, truth: BoolArray, correct: BoolArray) -> Record:
    """Recall over `truth`, precision over `correct`, and their F1; precision is 0 where nothing is marked."""
    marked = finding.mask if finding.mask is not None else np.zeros(truth.shape, dtype=np.bool_)
    recall = float((marked & truth).sum() / truth.sum())
    precision = float((marked & correct).sum() / marked.sum()) if marked.any() else 0.0
    f1 = 2 * recall * precision / (recall + precision) if recall + precision else 0.0
    return {"pixel_recall": recall, "pixel_precision": precision, "pixel_f1": f1}


def with_sources(target: BoolArray, finding: Finding) -> BoolArray:
    """The target and where the maps of the finding lead from it: the source is not in the masks."""
    result = target.copy()
    box = Box(0, 0, *target.shape)
    for copy in finding.observations.get("copies", []):  # type: ignore[union-attr]
        transform = np.array(copy["transform"], dtype=np.float64)  # type: ignore[index, call-overload]
        for way in (transform, invert_affine(transform)):
            values, inside = warp_back(target.astype(np.float32), way, box)
            result |= (values >= 0.5) & inside
    return result


def told(finding: Finding, target: BoolArray) -> tuple[int, int]:
    """Copies whose pasted part was named, and how many of them rightly (the centre of its box lies in it)."""
    named = right = 0
    for copy in finding.observations.get("copies", []):  # type: ignore[union-attr]
        if copy["target"] is None:  # type: ignore[index, call-overload]
            continue
        left, top, stop_x, stop_y = copy[f"{copy['target']}_box"]  # type: ignore[index, call-overload]
        named += 1
        right += bool(target[top:stop_y, left:stop_x].mean() > 0.3)
    return named, right


def look(name: str, evidence: Evidence) -> tuple[Finding, Record]:
    """The finding of one method, and what every record holds."""
    start = time.perf_counter()
    finding = load_method(name)().analyze(evidence)
    score = finding.score if finding.score is not None else 0.0
    return finding, {"method": name, "score": score, "seconds": time.perf_counter() - start}


def measure_casia(split: str, limit: int | None) -> Iterator[Record]:
    """Copy-moves of CASIA v1 as they are and re-saved at quality 90, each with its host saved alike."""
    casia = load_dataset("casia1")
    samples = [s for s in load_split(casia, split) if s.manipulation == "copy_move"]
    samples = thin(samples, limit)
    for protocol, name in (("twin", "as it is"), ("resaved_q90", "re-saved at 90")):
        for trial in plan_trials(casia, samples, protocol).trials:  # type: ignore[arg-type]
            evidence = show_trial(trial, max_pixels=MAX_PIXELS)
            target = read_trial_mask(trial, evidence, encoding=casia.card.mask_encoding)
            for method in METHODS:
                finding, record = look(method, evidence)
                record |= {"set": f"CASIA v1, {name}", "label": trial.sample.label, "image": trial.id}
                if trial.sample.label == 1 and target is not None and target.any():
                    record |= pixel_counts(finding, target, with_sources(target, finding))
                    record["named"], record["right"] = told(finding, target)
                yield record


def measure_made(split: str, limit: int | None, seed: int) -> Iterator[Record]:
    """Copies made in photographs and in authentic images of CASIA v1, beside the untouched pictures."""
    photos, casia = load_dataset("photos"), load_dataset("casia1")
    chosen: list[tuple[str, Sample]] = [("photos", s) for s in thin(load_split(photos, split), limit)]
    authentic = [s for s in load_split(casia, split) if s.label == 0]
    chosen += [("CASIA v1", s) for s in thin(authentic, limit or CASIA_MADE)]
    for index, (source, sample) in enumerate(chosen):
        pixels = read_evidence(sample.image_path, max_pixels=MAX_PIXELS).pixels
        rotation, scale = TURNS[index % len(TURNS)]
        area = AREAS[(index + index // len(TURNS)) % len(AREAS)]
        rng = seeded_generator(seed, sample.image_path.name)
        try:
            forged = forge_copy_move(pixels, rng, rotation=rotation, scale=scale, area=area)
        except ValueError:
            print(f"{sample.image_path.name}: no place for a visible copy", file=sys.stderr)
            continue
        facts: Record = {"set": f"made in {source}", "image": sample.image_path.name}
        facts |= {"rotation": rotation, "scale": scale, "area": area}
        for quality in QUALITIES:
            for label, shown in ((1, forged.pixels), (0, pixels)):
                evidence = read_evidence(save(shown, quality), name="made.jpg")
                for method in METHODS:
                    finding, record = look(method, evidence)
                    record |= facts | {"quality": quality, "label": label}
                    if label == 1 and forged.source_mask is not None:
                        both = forged.source_mask | forged.target_mask
                        record |= pixel_counts(finding, both, both)
                        record["named"], record["right"] = told(finding, forged.target_mask)
                    yield record


def measure_photos(split: str, limit: int | None) -> Iterator[Record]:
    """Alarms on photographs as they are."""
    for name, most in (("photos", limit), ("photos_web", limit or WEB)):
        for sample in thin(load_split(load_dataset(name), split), most):
            evidence = read_evidence(sample.image_path, max_pixels=MAX_PIXELS)
            for method in METHODS:
                _, record = look(method, evidence)
                yield record | {"set": f"{name}, as they are", "label": 0, "image": sample.image_path.name}


def thin(samples: Sequence[Sample], limit: int | None) -> list[Sample]:
    """At most `limit` samples, evenly spaced."""
    if limit is None or len(samples) <= limit:
        return list(samples)
    return [samples[i] for i in np.linspace(0, len(samples) - 1, limit).round().astype(int)]


def save(pixels: UInt8Array, quality: int) -> bytes:
    """JPEG bytes, 4:2:0."""
    stream = io.BytesIO()
    Image.fromarray(pixels).save(stream, "JPEG", quality=quality)
    return stream.getvalue()


def mean(records: list[Record], key: str) -> str:
    """Mean over the records that have the key."""
    values = [r[key] for r in records if key in r]
    return f"{np.mean(values):.3f}" if values else "–"


def row(words: list[str], records: list[Record]) -> str:
    """One line of a table: counts, recall and precision by image, pixels, told targets."""
    tampered = [r for r in records if r["label"] == 1]
    authentic = [r for r in records if r["label"] == 0]
    hits, alarms = (sum(r["score"] >= THRESHOLD for r in part) for part in (tampered, authentic))
    cells = [*words, f"{hits} / {len(tampered)}" if tampered else "–"]
    cells += [f"{hits / len(tampered):.3f}" if tampered else "–"]
    cells += [f"{alarms} / {len(authentic)}" if authentic else "–"]
    cells += [f"{hits / (hits + alarms):.3f}" if tampered and hits + alarms else "–"]
    cells += [mean(tampered, key) for key in ("pixel_f1", "pixel_recall", "pixel_precision")]
    named, right = (sum(r.get(key, 0) for r in tampered) for key in ("named", "right"))
    cells += [f"{right} / {named}" if named else "–"]
    return "| " + " | ".join(cells) + " |"


HEAD = [
    "found",
    "recall",
    "alarms on authentic",
    "precision",
    "pixel F1",
    "pixel recall",
    "pixel precision",
    "told",
]


def table(names: list[str], rows: list[str]) -> list[str]:
    """A Markdown table."""
    heads = [*names, *HEAD]
    return ["| " + " | ".join(heads) + " |", "|" + "---|" * len(heads), *rows, ""]


def section(split: str, document: Record) -> list[str]:
    """What was measured on one split."""
    records: list[Record] = document["records"]
    lines = [f"## Split `{split}`", "", f"    {document['command']}", ""]
    lines += [f"Seed {document['seed']}, commit {document['commit']}.", ""]
    groups = [(m, s) for s in dict.fromkeys(r["set"] for r in records) for m in METHODS]
    rows = [row([m, s], [r for r in records if (r["method"], r["set"]) == (m, s)]) for m, s in groups]
    lines += table(["method", "set"], rows)
    made = [r for r in records if "quality" in r]
    for title, keys in (("quality", ["quality"]), ("turn, scale", ["rotation", "scale"]), ("area", ["area"])):
        parts: dict[tuple[Any, ...], list[Record]] = {}
        for record in made:
            parts.setdefault((record["method"], *(record[key] for key in keys)), []).append(record)
        rows = [row([m, ", ".join(f"{v:g}" for v in rest)], parts[m, *rest]) for m, *rest in sorted(parts)]
        lines += [f"Made copies by {title}:", "", *table(["method", title], rows)]
    return lines


PREFACE = """# Copy-move: what was measured

Written by `scripts/measure_copy_move.py` from the records that it leaves; run it again instead of editing.

An image counts as found, or as an alarm, at a score of at least 0.5. Authentic beside CASIA v1's copy-moves
(*as it is*) are their own hosts saved with the tampered file's tables; beside made copies, the same pictures
untouched, saved at the same quality. Precision is by image, at equal numbers of both.

*Pixel* metrics are means over tampered images; no detection counts as 0. Made copies: source and target
together against the exact masks. CASIA v1's masks mark the pasted part only: there, recall is the share of
the target that is flagged, and a flagged pixel is correct in the target or where a map the method reports
leads from the target.
*Told* are the copies of which the method names the pasted part, and how many of them rightly.

Thresholds were chosen on the train and val splits: val results are not held-out, test results are.
"""


def write_page(folder: Path, page: Path) -> None:
    """The page, from all records in the folder."""
    lines = [PREFACE]
    for path in sorted(folder.glob("records_*.json"), reverse=True):
        lines += section(path.stem.removeprefix("records_"), json.loads(path.read_text("utf-8")))
    page.parent.mkdir(parents=True, exist_ok=True)
    page.write_text("\n".join(lines).rstrip() + "\n", encoding="utf-8")


def main() -> None:
    """Measure one split and write the page."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--split", choices=["train", "val", "test"], default="val")
    parser.add_argument("--limit", type=int, help="at most so many images of each set")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument(
        "--parts", nargs="+", choices=["casia", "made", "photos"], default=["casia", "made", "photos"]
    )
    parser.add_argument("-o", "--output", type=Path, default=Path("runs/copy_move"))
    parser.add_argument("--page", type=Path, default=Path("docs/experiments/copy_move.md"))
    arguments = parser.parse_args()
    split, limit = arguments.split, arguments.limit
    parts = {
        "casia": lambda: measure_casia(split, limit),
        "made": lambda: measure_made(split, limit, arguments.seed),
        "photos": lambda: measure_photos(split, limit),
    }
    records = [record for part in arguments.parts for record in parts[part]()]
    commit = subprocess.run(
        ["git", "rev-parse", "--short", "HEAD"], capture_output=True, text=True, check=True
    )
    document = {
        "command": shlex.join(["python", "scripts/measure_copy_move.py", *sys.argv[1:]]),
        "seed": arguments.seed,
        "commit": commit.stdout.strip(),
        "records": records,
    }
    arguments.output.mkdir(parents=True, exist_ok=True)
    path = arguments.output / f"records_{split}.json"
    path.write_text(json.dumps(document, indent=0), encoding="utf-8")
    write_page(arguments.output, arguments.page)


if __name__ == "__main__":
    main()
