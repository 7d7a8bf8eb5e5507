"""Performance of a trained detector: on files as published and on twins, with the header baseline."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import numpy as np

from imforensics.datasets.shortcuts import FEATURES, measure_shortcut
from imforensics.metrics.detection import cumulative_counts, detection_metrics
from imforensics.metrics.intervals import detection_intervals
from imforensics.models.classifier.examples import Example, labels_of
from imforensics.models.classifier.manifest import Measurement, Pairs, ShortcutMeasurement
from imforensics.types import FloatArray, Sample

F1_POLICY = "f1_best"


def choose_f1_threshold(scores: FloatArray, labels: FloatArray) -> float:
    """Threshold with the highest F1 on these scores; a score ≥ threshold is called tampered.

    Args:
        scores: (N,) in [0, 1].
        labels: (N,), both classes present.

    Returns:
        Half-way between two neighbouring scores, so that no rounding decides a case; the highest of equally
        good ones.

    >>> choose_f1_threshold(np.array([0.1, 0.4, 0.8]), np.array([0, 1, 1]))
    0.25
    """
    is_tampered = labels.astype(np.bool_)
    tp, fp, levels = cumulative_counts(scores.astype(np.float64), is_tampered)
    f1 = 2 * tp / (tp + fp + is_tampered.sum())
    best = int(f1.argmax())
    below = levels[best + 1] if best + 1 < len(levels) else 0.0
    return float((levels[best] + below) / 2)


def measure(
    examples: Sequence[Example],
    scores: FloatArray,
    *,
    pairs: Pairs,
    dataset: str,
    split: Literal["val", "test"],
    threshold: float,
    seed: int,
) -> Measurement:
    """Every image-level metric with its interval.

    Args:
        examples: evaluated, both classes present.
        scores: (N,) in [0, 1], theirs.
        pairs: how the examples were made.
        dataset: name of the data set.
        split: of the data set.
        threshold: chosen on validation data.
        seed: of the bootstrap.

    Returns:
        The measurement.
    """
    labels = labels_of(examples)
    metrics = detection_metrics(scores, labels, threshold=threshold)
    intervals = detection_intervals(
        scores,
        labels,
        threshold=threshold,
        groups=[example.group for example in examples],
        generator=np.random.default_rng(seed),
    )
    apart = {"n_authentic", "n_tampered", "threshold"}
    return Measurement(
        pairs=pairs,
        dataset=dataset,
        split=split,
        n_authentic=int(metrics["n_authentic"]),
        n_tampered=int(metrics["n_tampered"]),
        threshold=threshold,
        threshold_policy=F1_POLICY,
        metrics={name: float(value) for name, value in metrics.items() if name not in apart},
        intervals=intervals,
    )


def measure_lookup(
    train: Sequence[Sample], test: Sequence[Sample], *, dataset: str, split: Literal["val", "test"] = "test"
) -> ShortcutMeasurement:
    """The shortcut baseline on the same split, see `imforensics.datasets.shortcuts`."""
    result = measure_shortcut(train, test)
    metrics = detection_metrics(
        np.array(result.scores), np.array([sample.label for sample in test]), threshold=0.5
    )
    return ShortcutMeasurement(
        dataset=dataset,
        split=split,
        features=FEATURES,
        accuracy=result.accuracy,
        auc=metrics["auc"],
        n=len(test),
        unseen=result.unseen,
    )
