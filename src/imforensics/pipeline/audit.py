"""Audit a data set: what may a result on it claim? Header facts, duplicates, masks."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from imforensics import __version__
from imforensics.datasets.base import Dataset
from imforensics.datasets.header_facts import (
    HeaderFacts,
    cross_validate_lookup,
    read_header_facts,
    tabulate_facts,
)
from imforensics.datasets.integrity import IntegrityReport, check_integrity, find_splits
from imforensics.datasets.mask_check import SuspectMask, find_suspect_masks
from imforensics.datasets.near_duplicates import difference_hash, find_near_duplicates
from imforensics.datasets.rasters import read_mask
from imforensics.datasets.twins import Twin, has_twins, load_twins
from imforensics.errors import DatasetError
from imforensics.metrics.detection import detection_metrics
from imforensics.metrics.intervals import CONFIDENCE, N_RESAMPLES, detection_intervals
from imforensics.metrics.localization import centre_prior_metrics
from imforensics.pipeline.audit_verdict import FactResult, NearDuplicates, judge_set
from imforensics.pipeline.evaluate.baselines import summarize_centre_prior
from imforensics.provenance import find_commit
from imforensics.types import JsonValue, Sample

ALL_FACTS = "all facts together"
RARE_SHARE = 0.01  # of the images: a size that so few have is listed
DECISION = 1e-9  # log odds: a value that was never seen, or tells nothing, is not called tampered

Progress = Callable[[Iterable[Sample], str], Iterable[Sample]]


@dataclass(frozen=True, slots=True)
class Audit:
    """Everything that an audit found.

    Attributes:
        integrity: counts, masks, unreadable files, byte duplicates.
        facts: one result for each header fact, the strongest first; empty for a set with one class.
        centre_prior: what a map of the centre localizes, as in metrics.json of an evaluation; None without
            masks.
        near_duplicates: by perceptual hash.
        suspect_masks: masks that leave out most of what differs from the host; needs committed twins.
        swapped_names: tampered images whose host is the image named second; needs committed twins.
        rare_sizes: "height x width" to the images of that size, for sizes of at most 1 % of the images.
        verdict: what results on this set may claim, sentence by sentence.
    """

    integrity: IntegrityReport
    facts: tuple[FactResult, ...]
    centre_prior: Mapping[str, Any] | None
    near_duplicates: NearDuplicates
    suspect_masks: tuple[SuspectMask, ...]
    swapped_names: tuple[str, ...]
    rare_sizes: dict[str, tuple[str, ...]]
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
    unreadable = dict(integrity.unreadable_images)
    looked_at = [sample for sample in dataset.samples if sample.image_path not in unreadable]
    read = _read_each(track(looked_at, "headers and perceptual hashes"), unreadable)
    if not read:
        raise DatasetError(f"{dataset.root}: no image of {dataset.name} can be read; nothing to audit")
    integrity = replace(integrity, unreadable_images=unreadable)
    readable, headers = [sample for sample, _, _ in read], [header for _, header, _ in read]
    facts = measure_facts(headers, readable, seed=seed)
    centre = measure_centre_prior(track(readable, "masks"), dataset, seed=seed)
    hashes = np.stack([difference for _, _, difference in read])
    near = count_near_duplicates(dataset, readable, hashes, integrity)
    twins = load_twins(dataset, readable) if has_twins(dataset) else ()
    suspects = tuple(find_suspect_masks(twins, encoding=dataset.card.mask_encoding))
    return Audit(
        integrity=integrity,
        facts=facts,
        centre_prior=centre,
        near_duplicates=near,
        suspect_masks=suspects,
        swapped_names=_find_swapped_names(twins, dataset),
        rare_sizes=_find_rare_sizes(headers, readable, dataset),
        verdict=judge_set(integrity, facts, near, suspects, centre),
    )


def _read_each(
    samples: Iterable[Sample], unreadable: dict[Path, str]
) -> list[tuple[Sample, HeaderFacts, NDArray[np.uint64]]]:
    """Header facts and perceptual hash of each sample; one that cannot be read is added to `unreadable`."""
    read = []
    for sample in samples:
        try:
            path = sample.image_path
            read.append((sample, read_header_facts(path), difference_hash(path)))
        except DatasetError as error:
            unreadable[sample.image_path] = str(error)
    return read


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


def measure_centre_prior(samples: Iterable[Sample], dataset: Dataset, *, seed: int) -> dict[str, Any] | None:
    """What the centre-prior baseline localizes on the masks of a set; None where no mask can be used."""
    measured = []
    for sample in samples:
        if sample.mask_path is None:
            continue
        try:
            mask = read_mask(sample.mask_path, encoding=dataset.card.mask_encoding)
        except DatasetError:  # in the report of the integrity
            continue
        measured.append((sample.group, centre_prior_metrics(mask)))
    return summarize_centre_prior(measured, seed=seed, n_resamples=N_RESAMPLES)


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


def audit_document(audit: Audit, *, seed: int = 0, command_line: Sequence[str] = ()) -> dict[str, JsonValue]:
    """The audit as JSON-ready values, with what it was made by."""
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
        "schema_version": "1.1",
        "tool": {"name": "imforensics", "version": __version__, "commit": find_commit()},
        "command": list(command_line),
        "seed": seed,
        "intervals": {"confidence": CONFIDENCE, "resamples": N_RESAMPLES, "unit": "source group"},
        "verdict": list(audit.verdict),
        "header_facts": facts,
        "centre_prior": None if audit.centre_prior is None else dict(audit.centre_prior),
        "near_duplicates": {
            "pairs": near.pairs,
            "across_groups": near.across_groups,
            "across_splits": near.across_splits,
            "examples": [list(pair) for pair in near.examples],
        },
        "suspect_masks": [
            {"mask": str(s.mask_path), "share_inside": s.share_inside, "changed_area": s.changed_area}
            for s in audit.suspect_masks
        ],
        "swapped_names": list(audit.swapped_names),
        "rare_sizes": {size: list(names) for size, names in audit.rare_sizes.items()},
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


def _find_swapped_names(twins: Sequence[Twin], dataset: Dataset) -> tuple[str, ...]:
    own_ids = {sample.image_path: sample.host for sample in dataset.samples if sample.label == 0}
    return tuple(t.tampered.image_path.name for t in twins if own_ids[t.host_path] != t.tampered.host)


def _find_rare_sizes(
    headers: Sequence[HeaderFacts], samples: Sequence[Sample], dataset: Dataset
) -> dict[str, tuple[str, ...]]:
    by_size: dict[tuple[int, int], list[str]] = {}
    for fact, sample in zip(headers, samples, strict=True):
        by_size.setdefault(fact.size, []).append(_relative(sample, dataset))
    limit = RARE_SHARE * len(samples)
    rare = {size: names for size, names in by_size.items() if len(names) <= limit}
    return {f"{height} x {width}": tuple(sorted(rare[height, width])) for height, width in sorted(rare)}


def _relative(sample: Sample, dataset: Dataset) -> str:
    """The path as a manifest would name it; whole where the image lies elsewhere."""
    root = dataset.root if dataset.root.is_dir() else dataset.root.parent
    path = sample.image_path
    return (path.relative_to(root) if path.is_relative_to(root) else path).as_posix()
