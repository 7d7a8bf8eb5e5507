"""Thresholds and measurements against slow, obvious oracles."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from imforensics.models.classifier.evaluation import choose_f1_threshold, measure, measure_lookup
from imforensics.models.classifier.examples import Example
from imforensics.types import Sample


@given(st.lists(st.tuples(st.integers(0, 10), st.booleans()), min_size=2, max_size=30))
def test_f1_threshold_is_the_best_of_all(cases: list[tuple[int, bool]]) -> None:
    scores = np.array([score / 10 for score, _ in cases], np.float32)
    labels = np.array([label for _, label in cases], np.float32)
    if labels.min() == labels.max():
        labels[0] = 1 - labels[0]

    def f1(threshold: float) -> float:
        flagged = scores >= threshold
        tp = (flagged & (labels > 0)).sum()
        return float(2 * tp / (flagged.sum() + labels.sum()))

    chosen = choose_f1_threshold(scores, labels)
    assert f1(chosen) == pytest.approx(max(f1(score) for score in scores))


def test_measure_counts_and_bounds() -> None:
    examples = [Example(Path(f"{k}.jpg"), 1 if k % 2 else 0, group=f"g{k // 2}") for k in range(40)]
    scores = np.array([0.3 + 0.4 * (k % 2) for k in range(40)], np.float32)
    result = measure(examples, scores, pairs="twin", dataset="made", split="test", threshold=0.5, seed=1)
    assert (result.n_authentic, result.n_tampered) == (20, 20)
    assert result.metrics["accuracy"] == result.metrics["auc"] == 1
    assert result.intervals["auc"] == (1, 1)
    assert "threshold" not in result.metrics


def test_lookup_tells_files_by_their_settings_alone(tmp_path: Path) -> None:
    pixels = np.random.default_rng(0).integers(0, 256, (32, 32, 3), dtype=np.uint8)
    samples = []
    for number in range(12):
        label = number % 2
        path = tmp_path / f"{number}.jpg"
        Image.fromarray(pixels).save(path, quality=75 if label else 90)
        samples.append(Sample(path, 1 if label else 0, str(number)))
    result = measure_lookup(samples[:6], samples[6:], dataset="made")
    assert (result.accuracy, result.auc, result.n, result.unseen) == (1.0, 1.0, 6, 0)
