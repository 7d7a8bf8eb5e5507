"""Threshold curves and breakdowns."""

import numpy as np
import pytest

from imforensics.metrics.curves import (
    break_down,
    break_down_tampered,
    f1_over_thresholds,
    name_mask_area,
    threshold_curve,
)
from imforensics.metrics.detection import detection_metrics


def test_threshold_curve_equals_the_metrics_at_each_threshold():
    generator = np.random.default_rng(0)
    labels = np.repeat([0, 1], [20, 30])
    scores = np.round(np.clip(generator.normal(0.4 + 0.2 * labels, 0.2), 0, 1), 2)
    curve = threshold_curve(scores, labels)
    assert curve.thresholds.size == 101
    for k, threshold in enumerate(curve.thresholds):
        one = detection_metrics(scores, labels, threshold=threshold)
        for name in ("precision", "recall", "fpr", "f1", "balanced_accuracy"):
            assert getattr(curve, name)[k] == pytest.approx(one[name]), (name, threshold)


def test_f1_of_any_shape_equals_that_of_each_threshold():
    generator = np.random.default_rng(1)
    scores, labels = generator.random((4, 5)).astype(np.float32), generator.integers(0, 2, (4, 5)) == 1
    grid = [0.1, float(scores[2, 2]), 0.9, 2.0]
    found = f1_over_thresholds(scores, labels, thresholds=grid)
    for value, threshold in zip(found, grid, strict=True):
        flagged = scores >= threshold
        assert value == pytest.approx(2 * (flagged & labels).sum() / (flagged.sum() + labels.sum()))
    assert f1_over_thresholds(scores, np.zeros((4, 5), bool), thresholds=grid).tolist() == [0, 0, 0, 0]
    with pytest.raises(ValueError, match="NaN"):
        f1_over_thresholds([np.nan], [1], thresholds=grid)


@pytest.mark.parametrize(
    ("share", "name"),
    [(0, "under 1 %"), (0.01, "1 to 5 %"), (0.058, "5 to 15 %"), (0.299, "15 to 30 %"), (1, "30 % and over")],
)
def test_mask_areas_fall_into_named_bins(share, name):
    assert name_mask_area(share) == name


def test_a_percentage_is_no_share():
    with pytest.raises(ValueError, match="share"):
        name_mask_area(5.8)


RECORDS = [
    {"label": 1, "manipulation": "splicing", "format": "JPEG"},
    {"label": 0, "manipulation": None, "format": "JPEG"},
    {"label": 1, "manipulation": "copy_move", "format": "TIFF"},
    {"label": 1, "manipulation": None, "format": "TIFF"},
]


def test_break_down_keeps_every_record_of_a_part_in_order():
    assert break_down(RECORDS, key=lambda r: r["format"]) == {"JPEG": RECORDS[:2], "TIFF": RECORDS[2:]}


def test_parts_of_tampered_images_hold_every_authentic_one():
    parts = break_down_tampered(
        RECORDS, key=lambda r: r["manipulation"], is_tampered=lambda r: r["label"] == 1
    )
    assert parts == {"copy_move": [RECORDS[2], RECORDS[1]], "splicing": [RECORDS[0], RECORDS[1]]}
