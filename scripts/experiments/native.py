"""Forgeries at native size beside their controls: by delivery, manipulation, area, class and device."""

from __future__ import annotations

import csv
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import numpy as np

from experiment import Evaluated, Experiment, Found
from imforensics.metrics.detection import roc_auc
from imforensics.metrics.evidence_classes import describe_class, name_classes
from imforensics.metrics.fusion_model import FusionModel
from imforensics.metrics.intervals import detection_intervals, mean_interval
from imforensics.models.fusion.bundle import load_fusion
from imforensics.pipeline.evaluate.statement import STATEMENT
from imforensics.pipeline.fusion.measures import measure_ratios
from imforensics.report.evaluation_words import NONE, with_interval
from imforensics.report.markdown import Table
from tables import share

BANDS = ((0.0, 0.005), (0.005, 0.02), (0.02, 0.1), (0.1, 1.0))  # of the area that was altered
LARGE_ENOUGH = 0.005  # of the area, for the detection rate that is asked for
PART = 16  # one pair of so many is shown to the methods beside the statement
LOUD = 0.01  # of the area that is marked in an authentic picture


def measure(experiment: Experiment) -> Iterator[Table]:
    """Figures of every entry; of the statement also its labels, its calibration and its alarms by device."""
    options = experiment.config.options
    made = _read_manifest(Path(options["manifest"]), Path(options["part"]))
    evaluated = experiment.evaluate()
    labels = options["labels"]
    model = None if labels is None else load_fusion(labels).manifest.model
    rows = {
        title: _join(each, title, made, model if title == STATEMENT else None)
        for each in evaluated
        for title in each.methods
    }
    seed = experiment.config.seed
    yield Table(
        "By delivery",
        (
            "entry",
            "delivery",
            "pairs",
            "image AUC",
            "pixel AUC",
            "F1 at the threshold",
            "controls marked over 1 %",
        ),
        [
            [title, delivery, *_figures(part, seed)]
            for title, found in rows.items()
            for delivery, part in _split(found, "delivery").items()
        ],
        text=[
            "Image AUC: forgeries against their controls, delivered alike. Pixel AUC and F1: means over "
            "forgeries. Intervals resample photographs."
        ],
        words=2,
    )
    for title, found in rows.items():
        yield Table(
            f"Pixel AUC by manipulation and area: {title}",
            (
                "delivery",
                *(f"{kind}" for kind in _kinds(found)),
                *(f"{low:.1%} to {high:.1%}" for low, high in BANDS),
            ),
            [
                [
                    delivery,
                    *(_pixel_mean(part, lambda r, k=kind: r["manipulation"] == k) for kind in _kinds(found)),
                    *(_pixel_mean(part, lambda r, b=band: b[0] <= r["area"] < b[1]) for band in BANDS),
                ]
                for delivery, part in _split(found, "delivery").items()
            ],
            words=1,
        )
    for title in (name for name in rows if name == STATEMENT):
        yield from _statement_tables(rows[title], seed)


def _read_manifest(path: Path, part: Path) -> dict[str, dict[str, str]]:
    """Image to its row; every sixteenth pair is written to a manifest of its own beside it."""
    with path.open(encoding="utf-8", newline="") as lines:
        rows = list(csv.DictReader(lines))
    if not part.exists():
        with part.open("w", encoding="utf-8", newline="") as lines:
            writer = csv.DictWriter(lines, list(rows[0]))
            writer.writeheader()
            writer.writerows(row for row in rows if int(Path(row["image"]).stem[:6]) % PART == 0)
    return {row["image"]: row for row in rows}


def _statement_tables(found: Sequence[Found], seed: int) -> Iterator[Table]:
    labelled = [
        [
            delivery,
            name,
            str(len(cases)),
            *(
                share(r["stated"] == label for r in cases)
                for label in ("tampered", "authentic", "inconclusive", None)
            ),
        ]
        for delivery, part in _split(found, "delivery").items()
        for name, cases in (
            ("controls", [r for r in part if r["label"] == 0]),
            ("forgeries", [r for r in part if r["label"] == 1]),
            (
                "forgeries over 0.5 % of the area",
                [r for r in part if r["label"] == 1 and r["area"] > LARGE_ENOUGH],
            ),
        )
    ]
    yield Table(
        "Labels",
        ("delivery", "pictures", "n", "tampered", "authentic", "inconclusive", "no ratio"),
        labelled,
        text=["In brackets the one-sided 95 % upper bound of the rate (Clopper and Pearson)."],
        words=2,
    )
    lines = []
    for name, part in _split(found, "class").items():
        known = [r for r in part if r["log10_lr"] is not None]
        labels = np.array([r["label"] for r in known])
        if known and 0 < labels.sum() < len(labels):
            measured = measure_ratios(np.array([r["log10_lr"] for r in known]), labels, seed=seed)
            lines.append(
                [
                    describe_class(name),
                    str(len(part)),
                    str(len(known)),
                    f"{measured['ece_10_bins']:.3f}",
                    f"{measured['ece_10_bins_floor']:.3f}",
                    f"{measured['cllr']:.3f}",
                    f"{measured['cllr_min']:.3f}",
                ]
            )
    yield Table(
        "Calibration by class of evidence",
        ("class", "pictures", "with a ratio", "ECE", "ECE of perfect calibration", "Cllr", "least Cllr"),
        lines,
        words=1,
    )
    yield Table(
        "Controls by device",
        ("device", "pictures", "labelled tampered", "marked over 1 %"),
        [
            [
                device or "not named",
                str(len(part)),
                share(r["stated"] == "tampered" for r in part),
                share(r["marked"] > LOUD for r in part if r["marked"] is not None),
            ]
            for device, part in sorted(_split([r for r in found if r["label"] == 0], "device").items())
        ],
        words=1,
    )


def _join(
    each: Evaluated, title: str, made: dict[str, dict[str, str]], model: FusionModel | None
) -> list[Found]:
    """The records of an entry with what the set says of each file; labels by another model's thresholds."""
    joined = []
    for row in each.rows:
        if (each.title or row["entry"]) != title or row["status"] not in {"ok", "not_applicable"}:
            continue
        source, pixel = made[row["trial"]], row["pixel"] or {}
        table = row["settings"][1][0] if row["settings"] and row["settings"][1] else None
        size = {"height": row["height"], "width": row["width"]}
        classes = name_classes(**size, history=row["history"], luma_table=table)
        stated = row["stated"]
        if model is not None and stated is not None:
            stated = model.calibration_of(model.find_class(classes)).label(row["score"])
        joined.append(
            {
                **row,
                "delivery": source["delivery"],
                "device": source["device"],
                "manipulation": source["manipulation"],
                "area": float(source["area"] or 0),
                "auc": pixel.get("auc"),
                "f1": pixel.get("f1_fixed"),
                "marked": pixel.get("false_alarm_area_fixed"),
                "class": classes[-1],
                "stated": stated,
            }
        )
    return joined


def _split(rows: Sequence[Found], key: str) -> dict[str, list[Found]]:
    found: dict[str, list[Found]] = {}
    for row in rows:
        found.setdefault(row[key], []).append(row)
    return found


def _kinds(rows: Sequence[Found]) -> list[str]:
    return sorted({row["manipulation"] for row in rows if row["label"] == 1})


def _figures(rows: Sequence[Found], seed: int) -> Iterator[str]:
    scored = [row for row in rows if row["score"] is not None]
    labels, scores = np.array([r["label"] for r in scored]), np.array([r["score"] for r in scored])
    yield str(sum(row["label"] for row in rows))
    if scored and 0 < labels.sum() < len(labels):
        generator = np.random.default_rng(seed)
        groups = [row["group"] for row in scored]
        bounds = detection_intervals(scores, labels, threshold=0.5, groups=groups, generator=generator)
        yield with_interval(roc_auc(scores, labels), bounds["auc"])
    else:
        yield NONE
    for key in ("auc", "f1"):
        known = [row for row in rows if row["label"] == 1 and row[key] is not None]
        values, groups = [row[key] for row in known], [row["group"] for row in known]
        if known:
            bounds = mean_interval(values, groups=groups, generator=np.random.default_rng(seed))
            yield with_interval(float(np.mean(values)), bounds)
        else:
            yield NONE
    yield share(row["marked"] > LOUD for row in rows if row["label"] == 0 and row["marked"] is not None)


def _pixel_mean(rows: Sequence[Found], is_wanted: Callable[[Found], bool]) -> str:
    values = [row["auc"] for row in rows if row["label"] == 1 and row["auc"] is not None and is_wanted(row)]
    return f"{np.mean(values):.3f} ({len(values)})" if values else NONE
