"""Cluster bootstrap: against loops, on known distributions, and with groups that matter."""

import numpy as np
import pytest

from imforensics.metrics.detection import detection_metrics
from imforensics.metrics.intervals import (
    detection_intervals,
    draw_weights,
    mean_interval,
    mean_intervals,
    percentile_interval,
)


def test_weights_draw_whole_groups_as_often_as_there_are():
    groups = ["a", "b", "a", "c"]
    weights = np.concatenate(list(draw_weights(groups, generator=np.random.default_rng(0), n_resamples=500)))
    assert weights.shape == (500, 4)
    np.testing.assert_array_equal(weights[:, 0], weights[:, 2])
    np.testing.assert_array_equal(weights[:, 0] + weights[:, 1] + weights[:, 3], 3)
    assert weights.mean() == pytest.approx(1, abs=0.05)


def test_large_sets_are_drawn_in_chunks_that_sum_up(monkeypatch):
    monkeypatch.setattr("imforensics.metrics.intervals.CHUNK_CELLS", 10)
    chunks = list(draw_weights(range(4), generator=np.random.default_rng(0), n_resamples=7))
    assert [len(chunk) for chunk in chunks] == [2, 2, 2, 1]


def test_interval_of_a_mean_has_the_width_of_its_standard_error():
    values = np.random.default_rng(1).normal(5, 2, 400)
    low, high = mean_interval(values, groups=range(400), generator=np.random.default_rng(2), n_resamples=4000)
    error = values.std() / 20
    assert low == pytest.approx(values.mean() - 1.96 * error, abs=0.15 * error)
    assert high == pytest.approx(values.mean() + 1.96 * error, abs=0.15 * error)


def test_copies_in_one_group_do_not_narrow_the_interval():
    values = np.random.default_rng(1).normal(0, 1, 50)
    alone = mean_interval(values, groups=range(50), generator=np.random.default_rng(3))
    copied = mean_interval(
        np.repeat(values, 9), groups=np.repeat(range(50), 9), generator=np.random.default_rng(3)
    )
    assert copied == pytest.approx(alone)


def test_undefined_values_are_left_out():
    values = [1.0, np.nan, 3.0]
    expected = mean_interval([1.0, 3.0], groups=[0, 2], generator=np.random.default_rng(0))
    assert mean_interval(values, groups=[0, 1, 2], generator=np.random.default_rng(0)) == expected
    with pytest.raises(ValueError, match="defined"):
        mean_interval([np.nan], groups=[0], generator=np.random.default_rng(0))


def test_intervals_of_several_means_equal_those_of_each_alone():
    generator = np.random.default_rng(6)
    values, groups = generator.random((40, 3)), generator.integers(0, 12, 40)
    together = mean_intervals(values, groups=groups, generator=np.random.default_rng(7), n_resamples=300)
    weights = np.concatenate(list(draw_weights(groups, generator=np.random.default_rng(7), n_resamples=300)))
    for column, found in zip(values.T, together, strict=True):
        alone = mean_interval(column, groups=groups, generator=np.random.default_rng(7), n_resamples=300)
        assert found == pytest.approx(alone)
        by_loop = np.array([np.average(column, weights=row) for row in weights])
        assert found == pytest.approx(percentile_interval(by_loop))


@pytest.mark.parametrize("levels", [3, 1000])
def test_rates_at_a_false_alarm_limit_equal_a_loop_over_resamples(levels):
    generator = np.random.default_rng(levels)
    labels = (np.arange(150) < 50).astype(int)  # 100 authentic: one and five of them are the very limits
    scores = np.round(generator.random(150) * levels) / levels
    groups = np.arange(150)
    draw = {"generator": np.random.default_rng(1), "n_resamples": 80}
    found = detection_intervals(scores, labels, threshold=0.7, groups=groups, **draw)
    rows = []
    for row in np.concatenate(
        list(draw_weights(groups, generator=np.random.default_rng(1), n_resamples=80))
    ).astype(int):
        drawn = np.repeat(groups, row)
        rows.append(detection_metrics(scores[drawn], labels[drawn], threshold=0.7))
    for name in ("tpr_at_fpr_1pct", "tpr_at_fpr_5pct", "auc", "average_precision", "precision"):
        assert found[name] == pytest.approx(percentile_interval(np.array([row[name] for row in rows]))), name


def test_detection_intervals_equal_a_loop_over_resamples():
    generator = np.random.default_rng(4)
    labels = np.repeat([0, 1], 30)
    scores = np.round(np.clip(generator.normal(0.4 + 0.2 * labels, 0.2), 0, 1), 1)  # ties
    groups = np.tile(np.arange(15), 4)
    found = detection_intervals(
        scores, labels, threshold=0.5, groups=groups, generator=np.random.default_rng(5), n_resamples=60
    )
    weights = np.concatenate(list(draw_weights(groups, generator=np.random.default_rng(5), n_resamples=60)))
    rows = []
    for row in weights.astype(int):
        drawn = np.repeat(np.arange(60), row)
        rows.append(detection_metrics(scores[drawn], labels[drawn], threshold=0.5))
    for name, interval in found.items():
        assert interval == pytest.approx(percentile_interval(np.array([row[name] for row in rows]))), name


def test_detection_intervals_repeat_with_the_seed():
    scores, labels, groups = [0.1, 0.4, 0.6, 0.9], [0, 0, 1, 1], [0, 1, 0, 1]
    first, again = (
        detection_intervals(
            scores, labels, threshold=0.5, groups=groups, generator=np.random.default_rng(9), n_resamples=50
        )
        for _ in range(2)
    )
    assert first == again


def test_a_metric_that_is_mostly_undefined_is_refused():
    with pytest.raises(ValueError, match="half"):
        percentile_interval(np.array([np.nan, np.nan, 0.5]))
