"""The shipped fusion's statement on held-out data: ratios, labels, false alarms."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from experiment import Evaluated, Experiment, Run, Variant
from imforensics.metrics.label_thresholds import clopper_pearson_upper
from imforensics.models.fusion.bundle import FusionBundle, load_fusion
from imforensics.pipeline.evaluate.statement import STATEMENT
from imforensics.pipeline.fusion.cases import FusionCase, collect_cases, keep_pairs
from imforensics.pipeline.fusion.measures import measure_ratios
from imforensics.report.markdown import Table
from tables import auc

OUTSIDE = "outside"
LABELS = ("tampered", "authentic", "inconclusive", OUTSIDE)
Kinds = dict[str, Sequence[FusionCase]]


@dataclass(frozen=True)
class Stated:
    """What was stated of the trials of one or more sets.

    Attributes:
        cases: pictures that at least one entry scored.
        labels: trial to label, "outside" where there is no ratio.
        log10_lrs: trial to log10 likelihood ratio, where there is one.
    """

    cases: tuple[FusionCase, ...]
    labels: dict[str, str]
    log10_lrs: dict[str, float]

    def __or__(self, other: Stated) -> Stated:
        """Of both."""
        cases = self.cases + other.cases
        return Stated(cases, self.labels | other.labels, self.log10_lrs | other.log10_lrs)


def measure(experiment: Experiment) -> Iterator[Table]:
    """What the fusion rests on, its ratios, the AUC of each entry, labels, false alarms."""
    options, seed = experiment.config.options, experiment.config.seed
    fusion = load_fusion(options["fusion"])
    entries = (STATEMENT, *fusion.manifest.methods)
    twins = {name: state(experiment, fusion, name, "twin") for name in ("casia1", "casia2")}
    photos = {words: state(experiment, fusion, name, "raw") for name, words in options["photographs"].items()}
    pairs, more = (keep_pairs(twins[name].cases, exact_only=False)[0] for name in ("casia1", "casia2"))
    exact, _ = keep_pairs(twins["casia1"].cases, exact_only=True)
    kinds: Kinds = {"v1, exact twins": exact, "v1, all twins": pairs, "v1 and v2, all twins": [*pairs, *more]}
    both = twins["casia1"] | twins["casia2"]
    yield describe(fusion)
    yield tabulate_ratios(both, kinds, seed)
    rows = [[entry, *(entry_auc(cases, entry, seed) for cases in kinds.values())] for entry in entries]
    yield Table("AUC of the statement and of each method", ("", *kinds), rows)
    yield tabulate_labels(both, kinds, photos)
    camera = [photos[words] for name, words in options["photographs"].items() if name in options["camera"]]
    together = {"camera photographs of both sets together": camera[0] | camera[-1]}
    yield Table(
        "False alarms on photographs", notes=[count_alarms(*item) for item in (together | photos).items()]
    )


def state(experiment: Experiment, fusion: FusionBundle, dataset: str, protocol: str) -> Stated:
    """Run the statement and its methods on a test split."""
    methods = {name: method.options for name, method in fusion.manifest.methods.items()}
    variants = {name: Variant(method=name, options=options) for name, options in methods.items()}
    options = {"methods": methods, "fusion": experiment.config.options["fusion"]}
    variants[STATEMENT] = Variant(method=STATEMENT, options=options)
    runs = (Run(dataset=dataset, protocols=(protocol,)),)
    config = experiment.config.model_copy(update={"variants": variants, "runs": runs})
    found: list[Evaluated] = replace(experiment, config=config).evaluate()
    rows: list[Any] = [row for each in found for row in each.rows]
    cases, _ = collect_cases(rows, (STATEMENT, *methods))
    own = [row for row in rows if row["entry"] == STATEMENT]
    labels = {row["trial"]: row["stated"] or OUTSIDE for row in own}
    return Stated(cases, labels, {r["trial"]: r["log10_lr"] for r in own if r["log10_lr"] is not None})


def describe(fusion: FusionBundle) -> Table:
    """Which fusion it is, and what it learned from."""
    source, model = fusion.manifest.provenance, fusion.manifest.model
    command = " ".join(source.command)
    notes = [
        f"Fusion `{fusion.name}`, SHA-256 `{fusion.digest[:16]}…`, trained by `{command}` "
        f"(seed {source.seed}).",
        f"Calibrated on {model.calibration.population_with_counts}.",
        "No weight, curve or threshold was chosen on the test splits.",
    ]
    return Table("", notes=notes)


def tabulate_ratios(stated: Stated, kinds: Kinds, seed: int) -> Table:
    """Discrimination and calibration of the ratios, a row for each kind of pairs."""
    rows = []
    for name, cases in kinds.items():
        rated = [case for case in cases if case.trial in stated.log10_lrs]
        ratios = np.array([stated.log10_lrs[case.trial] for case in rated])
        found = measure_ratios(ratios, np.array([case.label for case in rated]), seed=seed)
        errors = [f"{found[f'ece_{n}_bins']:.3f} ({found[f'ece_{n}_bins_floor']:.3f})" for n in (5, 10)]
        counts = f"{found['n_tampered']:.0f} / {found['n_authentic']:.0f}"
        cllr = [f"{found[key]:.3f}" for key in ("cllr", "cllr_min")]
        rows.append([name, counts, entry_auc(rated, STATEMENT, seed), *cllr, *errors])
    heads = ("pairs", "tampered / hosts with a ratio", "AUC", "Cllr", "min Cllr")
    return Table(
        "Ratios on CASIA, test splits",
        (*heads, "ECE, 5 bins (floor)", "ECE, 10 bins (floor)"),
        rows,
        text=[
            "Each tampered file against its own host, saved with its tables and subsampling. *Exact* twins "
            "are those written by one encoder: only the alteration differs, and the header baseline is at "
            "chance by construction. On the others the encoder of the tampered file leaves a trace of its "
            "own; how strongly methods respond to it is in [calibration](../calibration.md)."
        ],
        notes=[
            "The floor is the error of perfectly calibrated probabilities with the same number of images."
        ],
    )


def tabulate_labels(stated: Stated, kinds: Kinds, photos: dict[str, Stated]) -> Table:
    """Labels given to each kind of pictures."""
    groups = {
        f"{name}: {kind}": [stated.labels[case.trial] for case in cases if case.label == label]
        for name, cases in kinds.items()
        for label, kind in ((1, "tampered"), (0, "their hosts"))
    } | {words: list(each.labels.values()) for words, each in photos.items()}
    rows = []
    for name, labels in groups.items():
        counts, n = Counter(labels), len(labels)
        cells = [f"{counts[label]} ({100 * counts[label] / max(n, 1):.1f} %)" for label in LABELS]
        rows.append([name, str(n), *cells])
    return Table("Labels", ("images", "n", *LABELS[:3], "no ratio: outside the conditions"), rows)


def count_alarms(title: str, stated: Stated) -> str:
    """How many of a set of photographs are labelled tampered, and how many ratios point that way."""
    labels, ratios = list(stated.labels.values()), np.array(list(stated.log10_lrs.values()))
    if not ratios.size:
        return f"{title}: none of {len(labels)} is within the conditions."
    alarms = labels.count("tampered")
    rate, upper = alarms / len(labels), clopper_pearson_upper(alarms, len(labels))
    return (
        f"{title}: {alarms} of {len(labels)} labelled tampered ({100 * rate:.1f} %; one-sided 95 % upper "
        f"bound {100 * upper:.1f} %). Of {ratios.size} with a ratio, {(ratios > 0).sum()} point to H1, the "
        f"largest with {10 ** ratios.max():.1f}."
    )


def entry_auc(cases: Sequence[FusionCase], entry: str, seed: int) -> str:
    """AUC of the scores of an entry, over the cases that it scored."""
    scored = [(score, case) for case in cases if (score := case.scores[entry]) is not None]
    labels, groups = [case.label for _, case in scored], [case.group for _, case in scored]
    return auc([score for score, _ in scored], labels, groups, seed=seed)
