"""Measure the shipped fusion's statement on held-out data and write docs/experiments/fusion.md.

    IMFORENSICS_DATA=/path/to/data python scripts/report_fusion.py

Needs CASIA1, CASIA2, photos, photos_packages and photos_web. Nothing of the test splits was used in training
(the configuration of `train-fusion` cannot name one). Scores are kept below runs/fusion_test and are not
computed again.
"""

from __future__ import annotations

import argparse
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from imforensics.config import AnalyzeConfig, EvaluateConfig
from imforensics.metrics.detection import detection_metrics
from imforensics.metrics.intervals import detection_intervals
from imforensics.metrics.label_thresholds import clopper_pearson_upper
from imforensics.models.fusion.bundle import FusionBundle, load_fusion
from imforensics.pipeline.evaluate.plan import Request, plan_evaluation, trial_records
from imforensics.pipeline.evaluate.statement import STATEMENT
from imforensics.pipeline.fusion.cases import FusionCase, collect_cases, keep_pairs
from imforensics.pipeline.fusion.measures import measure_ratios
from imforensics.provenance import find_commit

ROOT = Path(__file__).parents[1]
SEED = 20240
RESAMPLES = 2000
PHOTO_SETS = {
    "photos": "camera photographs (`photos`, test)",
    "photos_packages": "camera photographs from packages (`photos_packages`, test)",
    "photos_edited": "photographs through an editor (`photos_edited`, test; unknown alterations)",
    "photos_web": "web photographs (`photos_web`, test)",
}


CAMERA_SETS = ("photos", "photos_packages")


@dataclass(frozen=True)
class Shown:
    """The trials of one set: cases with every entry's score, and what was stated of each.

    Attributes:
        cases: pictures that at least one entry scored.
        stated: trial → label, "outside" where there is no ratio.
        log10_lrs: trial → log10 likelihood ratio, where there is one.
    """

    cases: tuple[FusionCase, ...]
    stated: dict[str, str]
    log10_lrs: dict[str, float]


def main() -> None:
    """Measure and write the page."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "--fusion", default=AnalyzeConfig().fusion, help="name or path; default: analyze's own"
    )
    parser.add_argument("--records", type=Path, default=ROOT / "runs" / "fusion_test", help="scores go here")
    parser.add_argument("--output", type=Path, default=ROOT / "docs" / "experiments" / "fusion.md")
    options = parser.parse_args()
    fusion = load_fusion(options.fusion)
    entries = (STATEMENT, *fusion.manifest.methods)
    shown = [show(name, "twin", options.fusion, entries, options.records) for name in ("casia1", "casia2")]
    twins, second = shown
    photos = {name: show(name, "raw", options.fusion, entries, options.records) for name in PHOTO_SETS}
    options.output.write_text(
        "\n".join(page(fusion, entries, twins, second, photos)) + "\n", encoding="utf-8"
    )


def show(dataset: str, protocol: Any, fusion: str, entries: Sequence[str], folder: Path) -> Shown:
    """Run the statement and its methods on a test split."""
    methods = {name: method.options for name, method in load_fusion(fusion).manifest.methods.items()}
    config = EvaluateConfig(fusion=fusion, methods=methods)
    request = Request(dataset, "test", protocol, seed=SEED, methods=tuple(entries))
    evaluation = plan_evaluation(request, config, folder=folder / f"{dataset}-test-{protocol}")
    for _ in evaluation.run():
        pass
    rows: list[Any] = list(trial_records(evaluation))
    cases, left_out = collect_cases(rows, entries)
    print(f"{dataset} test {protocol}: {len(cases)} pictures, left out {dict(left_out)}")
    own = [row for row in rows if row["entry"] == STATEMENT]
    return Shown(
        cases,
        {row["trial"]: row["stated"] or "outside" for row in own},
        {row["trial"]: row["log10_lr"] for row in own if row["log10_lr"] is not None},
    )


def page(
    fusion: FusionBundle, entries: Sequence[str], twins: Shown, second: Shown, photos: dict[str, Shown]
) -> Iterator[str]:
    """The lines of the page."""
    source, model = fusion.manifest.provenance, fusion.manifest.model
    pairs, _ = keep_pairs(twins.cases, exact_only=False)
    exact, _ = keep_pairs(twins.cases, exact_only=True)
    more, _ = keep_pairs(second.cases, exact_only=False)
    both = Shown((), twins.stated | second.stated, twins.log10_lrs | second.log10_lrs)
    kinds = {"v1, exact twins": exact, "v1, all twins": pairs, "v1 and v2, all twins": [*pairs, *more]}
    yield "# The statement on held-out data\n"
    yield "Made by `python scripts/report_fusion.py`; do not edit. What the parts mean is in"
    yield "[calibration](../calibration.md) and [metrics](../metrics.md).\n"
    yield f"- Fusion `{fusion.name}`, SHA-256 `{fusion.digest[:16]}…`, trained by"
    yield f"  `{' '.join(source.command)}` (seed {source.seed})."
    yield f"- Calibrated on {model.calibration.population_with_counts}."
    yield f"- Measured with imforensics {source.tool_version}, commit {find_commit() or 'unknown'},"
    yield f"  seed {SEED}, on test splits: no weight, curve or threshold was chosen on them."
    yield "- Intervals: 95 %, bootstrap over source groups, " + f"{RESAMPLES} resamples.\n"
    yield from _worth(both, kinds)
    yield from _methods(entries, kinds)
    yield from _labels(both, kinds, photos)
    yield from _alarms(photos)


def _worth(shown: Shown, kinds: dict[str, Sequence[FusionCase]]) -> Iterator[str]:
    yield "## Ratios on CASIA, test splits\n"
    yield "Each tampered file against its own host, saved with its tables and subsampling. *Exact* twins are"
    yield "those written by one encoder: only the alteration differs, and the header baseline"
    yield "is at chance by construction. On the others the encoder of the tampered file leaves a trace of its"
    yield "own; how strongly methods respond to it is in [calibration](../calibration.md)."
    yield ""
    columns = ("pairs", "tampered / hosts with a ratio", "AUC", "Cllr", "min Cllr", "ECE, 5 bins (floor)")
    yield f"| {' | '.join(columns)} | ECE, 10 bins (floor) |"
    yield "|---|---|---|---|---|---|---|"
    for name, cases in kinds.items():
        rated = [case for case in cases if case.trial in shown.log10_lrs]
        labels = np.array([case.label for case in rated])
        ratios = np.array([shown.log10_lrs[case.trial] for case in rated])
        found = measure_ratios(ratios, labels, seed=SEED)
        yield (
            f"| {name} | {found['n_tampered']:.0f} / {found['n_authentic']:.0f} "
            f"| {_auc(rated, STATEMENT)} | {found['cllr']:.3f} | {found['cllr_min']:.3f} | "
            f"{found['ece_5_bins']:.3f} ({found['ece_5_bins_floor']:.3f}) | "
            f"{found['ece_10_bins']:.3f} ({found['ece_10_bins_floor']:.3f}) |"
        )
    yield ""
    yield "The floor is the error of perfectly calibrated probabilities with the same number of images."
    yield ""


def _methods(entries: Sequence[str], kinds: dict[str, Sequence[FusionCase]]) -> Iterator[str]:
    yield "## AUC of the statement and of each method\n"
    yield "| | " + " | ".join(kinds) + " |"
    yield "|---|" + "---|" * len(kinds)
    for entry in entries:
        cells = [_auc(cases, entry) for cases in kinds.values()]
        yield f"| {entry} | " + " | ".join(cells) + " |"
    yield ""


def _labels(shown: Shown, kinds: dict[str, Sequence[FusionCase]], photos: dict[str, Shown]) -> Iterator[str]:
    yield "## Labels\n"
    yield "| images | n | tampered | authentic | inconclusive | no ratio: outside the conditions |"
    yield "|---|---|---|---|---|---|"
    groups = {
        **{
            f"{name}: {kind}": [shown.stated[case.trial] for case in cases if case.label == label]
            for name, cases in kinds.items()
            for label, kind in ((1, "tampered"), (0, "their hosts"))
        },
        **{PHOTO_SETS[name]: list(each.stated.values()) for name, each in photos.items()},
    }
    for name, labels in groups.items():
        counts, n = Counter(labels), len(labels)
        cells = [
            f"{counts[key]} ({100 * counts[key] / n:.1f} %)"
            for key in ("tampered", "authentic", "inconclusive", "outside")
        ]
        yield f"| {name} | {n} | " + " | ".join(cells) + " |"
    yield ""


def _alarms(photos: dict[str, Shown]) -> Iterator[str]:
    yield "## False alarms on photographs\n"
    together = "camera photographs of both sets together"
    camera = [photos[name] for name in CAMERA_SETS]
    groups = {
        together: (
            [label for shown in camera for label in shown.stated.values()],
            [value for shown in camera for value in shown.log10_lrs.values()],
        )
    }
    for name, shown in photos.items():
        groups[PHOTO_SETS[name]] = (list(shown.stated.values()), list(shown.log10_lrs.values()))
    for title, (labels, log10_lrs) in groups.items():
        alarms, n, ratios = labels.count("tampered"), len(labels), np.array(log10_lrs)
        upper = clopper_pearson_upper(alarms, n)
        yield (
            f"- {title}: {alarms} of {n} labelled tampered ({100 * alarms / n:.1f} %; one-sided "
            f"95 % upper bound {100 * upper:.1f} %). Of {ratios.size} with a ratio, "
            f"{(ratios > 0).sum()} point to H1, "
            f"the largest with {10 ** ratios.max():.1f}."
            if ratios.size
            else f"- {title}: none of {n} is within the conditions."
        )


def _auc(cases: Sequence[FusionCase], entry: str) -> str:
    scored = [case for case in cases if case.scores[entry] is not None]
    labels = [case.label for case in scored]
    if len(set(labels)) < 2:
        return "no score"
    scores: list[Any] = [case.scores[entry] for case in scored]
    value = detection_metrics(scores, labels, threshold=0.5)["auc"]
    low, high = detection_intervals(
        scores,
        labels,
        threshold=0.5,
        groups=np.array([case.group for case in scored]),
        generator=np.random.default_rng(SEED),
        n_resamples=RESAMPLES,
    )["auc"]
    return f"{value:.3f} [{low:.3f}, {high:.3f}]"


if __name__ == "__main__":
    main()
