"""The conclusions of an audit: sentences derived from its results by fixed rules."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from imforensics.datasets.integrity import IntegrityReport
from imforensics.datasets.mask_check import SuspectMask

STRONG = 0.9  # balanced accuracy from which headers alone nearly solve the task
WEAK = 0.6  # balanced accuracy below which headers alone tell little


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


def judge_set(
    integrity: IntegrityReport,
    facts: Sequence[FactResult],
    near: NearDuplicates,
    suspects: Sequence[SuspectMask] = (),
    centre: Mapping[str, Any] | None = None,
) -> tuple[str, ...]:
    """What results on the set may claim, in sentences that follow from the figures by fixed rules."""
    return (
        _judge_headers(facts),
        *_judge_copies(integrity, near),
        *_judge_centre(centre),
        *_judge_masks(integrity, suspects),
    )


def _judge_headers(facts: Sequence[FactResult]) -> str:
    if not facts:
        return "The set has one class or one source group: detection cannot be measured on it."
    best = max(facts, key=lambda result: result.balanced_accuracy)
    if best.balanced_accuracy >= STRONG:
        return (
            "Detection results on the files as published are no evidence about tampering: a header baseline "
            f"on {best.fact} alone, without looking at a pixel, classifies {best.accuracy:.1%} of them "
            "correctly. Compare methods on the twin protocol, and report the baseline with every result."
        )
    if best.balanced_accuracy >= WEAK:
        return (
            f"Header facts partly separate the classes ({best.fact}: {best.accuracy:.1%} correct). A "
            "detection result on the files as published is meaningful only as far as it exceeds that."
        )
    return f"Header facts tell little (best: {best.fact}, balanced accuracy {best.balanced_accuracy:.2f})."


def _judge_copies(integrity: IntegrityReport, near: NearDuplicates) -> Iterator[str]:
    across_splits = sum(copies.is_across_splits for copies in integrity.duplicates)
    across_classes = sum(copies.is_across_classes for copies in integrity.duplicates)
    across_sets = sum(copies.is_across_sets for copies in integrity.duplicates)
    if across_splits or near.across_splits:
        yield (
            f"Test pictures were seen in training: {across_splits} byte-identical and {near.across_splits} "
            "near-duplicate cases are in different splits."
        )
    if across_classes:
        yield f"{across_classes} pictures carry both labels under different names."
    if across_sets:
        yield (
            f"{across_sets} pictures are byte-identical in the sets compared: remove them before a "
            "cross-set test."
        )


def _judge_centre(centre: Mapping[str, Any] | None) -> Iterator[str]:
    if centre is not None and centre["metrics"]["auc_mean"] is not None:
        yield (
            "The centre-prior baseline, one map for every picture, has pixel AUC "
            f"{centre['metrics']['auc_mean']:.3f} and best F1 {centre['metrics']['f1_best_mean']:.3f}: "
            "compare every map with it."
        )


def _judge_masks(integrity: IntegrityReport, suspects: Sequence[SuspectMask]) -> Iterator[str]:
    unusable = len(integrity.missing_masks) + len(integrity.ill_sized_masks) + len(integrity.unreadable_masks)
    odd = len(integrity.empty_masks) + len(integrity.full_masks)
    if unusable or odd:
        yield (
            f"Localization excludes {unusable} images without a usable mask; {odd} masks are empty or full."
        )
    if suspects:
        yield f"{len(suspects)} masks miss most of what differs from the host: check them before use."
