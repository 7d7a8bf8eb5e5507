"""Audit a data set: what may a result on it claim? Header facts, duplicates, masks."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from imforensics.datasets.base import Dataset
from imforensics.datasets.header_facts import (
    HeaderFacts,
    cross_validate_lookup,
    read_header_facts,
    tabulate_facts,
)
from imforensics.datasets.integrity import IntegrityReport, check_integrity, find_splits
from imforensics.datasets.near_duplicates import difference_hash, find_near_duplicates
from imforensics.errors import DatasetError
from imforensics.metrics.detection import detection_metrics
from imforensics.metrics.intervals import detection_intervals
from imforensics.types import JsonValue, Sample

ALL_FACTS = "all facts together"
STRONG = 0.9  # balanced accuracy from which headers alone nearly solve the task
DECISION = 1e-9  # log odds: a value that was never seen, or tells nothing, is not called tampered
WEAK = 0.6  # balanced accuracy below which headers alone tell little

Progress = Callable[[Iterable[Sample], str], Iterable[Sample]]


@dataclass(frozen=True, slots=True)
class FactResult:
    """How well one header fact tells the classes apart, cross-validated by source group.

    Attributes:
        fact: its name.
        distinct_values: number of values in the set.
        accuracy: share rightly told.
        balanced_accuracy: mean of the two classes' shares.
        auc: area under the ROC curve.
        auc_interval: 95 % bootstrap interval by group.
    """

    fact: str
    distinct_values: int
    accuracy: float
    balanced_accuracy: float
    auc: float
    auc_interval: tuple[float, float]


@dataclass(frozen=True, slots=True)
class NearDuplicates:
    """Pairs of pictures that look the same, apart from byte-identical ones, counted.

    Attributes:
        pairs: all pairs.
        across_groups: pairs whose source groups differ: the groups do not hold siblings together.
        across_splits: pairs of which one is in another split: a test picture was seen in training.
        examples: the first pairs across splits, else across groups; (path, path).
    """

    pairs: int
    across_groups: int
    across_splits: int
    examples: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Audit:
    """Everything that an audit found.

    Attributes:
        integrity: counts, masks, unreadable files, byte duplicates.
        facts: one result for each header fact, the strongest first; empty for a set with one class.
        near_duplicates: by perceptual hash.
        verdict: what results on this set may claim, sentence by sentence.
    """

    integrity: IntegrityReport
    facts: tuple[FactResult, ...]
    near_duplicates: NearDuplicates
    verdict: tuple[str, ...]


def audit_dataset(
    dataset: Dataset, *, against: Sequence[Dataset] = (), seed: int = 0, progress: Progress | None = None
) -> Audit:
    """Audit one data set.

    Args:
        dataset: the set.
        against: other sets to look for copies in.
        seed: of the folds and of the bootstrap.
        progress: wraps each pass over the samples, with its name; None shows nothing.

    Raises:
        DatasetError: a file of `against` cannot be read, or no image of the set can.
    """
    track = progress or (lambda samples, _: samples)
    integrity = check_integrity(dataset, against=against)
    readable = [sample for sample in dataset.samples if sample.image_path not in integrity.unreadable_images]
    if not readable:
        raise DatasetError(f"{dataset.root}: no image of {dataset.name} can be read; nothing to audit")
    facts = measure_facts(
        [read_header_facts(sample.image_path) for sample in track(readable, "headers")], readable, seed=seed
    )
    hashes = np.stack([difference_hash(sample.image_path) for sample in track(readable, "perceptual hashes")])
    near = count_near_duplicates(dataset, readable, hashes, integrity)
    return Audit(integrity, facts, near, judge_set(integrity, facts, near))


def measure_facts(
    facts: Sequence[HeaderFacts], samples: Sequence[Sample], *, seed: int
) -> tuple[FactResult, ...]:
    """Cross-validate a look-up of each header fact, and the sum of their scores.

    Returns:
        One result for each fact and one for all together, the highest AUC first; empty where the samples
        have one class or one group.
    """
    labels = [sample.label for sample in samples]
    groups = [sample.group for sample in samples]
    columns = tabulate_facts(facts)
    scores = {
        name: cross_validate_lookup(values, labels, groups, seed=seed) for name, values in columns.items()
    }
    defined = {name: score for name, score in scores.items() if score is not None}
    if not defined:
        return ()
    results = [
        _measure(name, len(set(columns[name])), score, labels, groups, seed)
        for name, score in defined.items()
    ]
    combined = np.sum(list(defined.values()), axis=0)
    results.append(_measure(ALL_FACTS, len(set(facts)), combined, labels, groups, seed))
    return tuple(sorted(results, key=lambda result: -result.auc))


def count_near_duplicates(
    dataset: Dataset, samples: Sequence[Sample], hashes: NDArray[np.uint64], integrity: IntegrityReport
) -> NearDuplicates:
    """Count pairs of look-alikes that are not byte-identical.

    Args:
        dataset: the set, for its splits.
        samples: (N,) pictures.
        hashes: (N, 4) uint64 perceptual hashes.
        integrity: holds the byte duplicates, which are left out.
    """
    digest_of = {file.path: copies.sha256 for copies in integrity.duplicates for file in copies.files}
    splits = find_splits(dataset)
    pairs = [
        (samples[first], samples[second])
        for first, second in find_near_duplicates(hashes).tolist()
        if digest_of.get(samples[first].image_path, first)
        != digest_of.get(samples[second].image_path, second)
    ]
    across_groups = [(a, b) for a, b in pairs if a.group != b.group]
    across_splits = [(a, b) for a, b in pairs if splits.get(a.image_path) != splits.get(b.image_path)]
    examples = (across_splits or across_groups)[:20]
    names = tuple((_relative(a, dataset), _relative(b, dataset)) for a, b in examples)
    return NearDuplicates(len(pairs), len(across_groups), len(across_splits), names)


def judge_set(
    integrity: IntegrityReport, facts: Sequence[FactResult], near: NearDuplicates
) -> tuple[str, ...]:
    """What results on the set may claim, in sentences that follow from the figures by fixed rules."""
    return (_judge_headers(facts), *_judge_copies(integrity, near), *_judge_masks(integrity))


def _judge_headers(facts: Sequence[FactResult]) -> str:
    if not facts:
        return "The set has one class or one source group: detection cannot be measured on it."
    best = max(facts, key=lambda result: result.balanced_accuracy)
    if best.balanced_accuracy >= STRONG:
        return (
            "Detection results on the files as they are say nothing about tampering: a look-up of "
            f"{best.fact}, without looking at a pixel, tells {best.accuracy:.1%} of them right. "
            "Compare methods on the twin protocol, and print the look-up beside every result."
        )
    if best.balanced_accuracy >= WEAK:
        return (
            f"Header facts tell the classes apart in part ({best.fact}: {best.accuracy:.1%} right). "
            "A detection result on the files as they are counts only as far as it exceeds that."
        )
    return f"Header facts tell little (best: {best.fact}, balanced accuracy {best.balanced_accuracy:.2f})."


def _judge_copies(integrity: IntegrityReport, near: NearDuplicates) -> Iterator[str]:
    across_splits = sum(copies.is_across_splits for copies in integrity.duplicates)
    across_classes = sum(copies.is_across_classes for copies in integrity.duplicates)
    across_sets = sum(copies.is_across_sets for copies in integrity.duplicates)
    if across_splits or near.across_splits:
        yield (
            f"Test pictures were seen in training: {across_splits} byte-identical and {near.across_splits} "
            "near-duplicate cases stand in different splits."
        )
    if across_classes:
        yield f"{across_classes} pictures carry both labels under different names."
    if across_sets:
        yield (
            f"{across_sets} pictures are byte-identical in the sets compared: remove them before a "
            "cross-set test."
        )


def _judge_masks(integrity: IntegrityReport) -> Iterator[str]:
    unusable = len(integrity.missing_masks) + len(integrity.ill_sized_masks) + len(integrity.unreadable_masks)
    odd = len(integrity.empty_masks) + len(integrity.full_masks)
    if unusable or odd:
        yield (
            f"Localization leaves out {unusable} images without a usable mask; {odd} masks are empty or full."
        )


def audit_document(audit: Audit) -> dict[str, JsonValue]:
    """The audit as JSON-ready values."""
    facts: list[JsonValue] = [
        {
            "fact": result.fact,
            "distinct_values": result.distinct_values,
            "accuracy": result.accuracy,
            "balanced_accuracy": result.balanced_accuracy,
            "auc": result.auc,
            "auc_interval": list(result.auc_interval),
        }
        for result in audit.facts
    ]
    near = audit.near_duplicates
    return {
        "schema_version": "1.0",
        "verdict": list(audit.verdict),
        "header_facts": facts,
        "near_duplicates": {
            "pairs": near.pairs,
            "across_groups": near.across_groups,
            "across_splits": near.across_splits,
            "examples": [list(pair) for pair in near.examples],
        },
        "integrity": audit.integrity.to_json(),
    }


def _measure(
    name: str,
    distinct: int,
    scores: NDArray[np.float64],
    labels: Sequence[int],
    groups: Sequence[str],
    seed: int,
) -> FactResult:
    found = detection_metrics(scores, labels, threshold=DECISION)
    intervals = detection_intervals(
        scores, labels, groups=groups, threshold=DECISION, generator=np.random.default_rng(seed)
    )
    return FactResult(
        name, distinct, found["accuracy"], found["balanced_accuracy"], found["auc"], intervals["auc"]
    )


def _relative(sample: Sample, dataset: Dataset) -> str:
    return sample.image_path.relative_to(dataset.root).as_posix()
