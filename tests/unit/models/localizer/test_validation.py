"""Figures of a localizer on held-out pictures, against loops, and as JSON."""

from __future__ import annotations

import json

import numpy as np
import pytest

from imforensics.models.localizer.feed import LocalizerBatch
from imforensics.models.localizer.traces import CHANNELS, TABLE_FACTS
from imforensics.models.localizer.validation import Reached, Validation, describe_validation, validate


def test_figures_that_are_not_defined_are_null() -> None:
    nothing = Reached(np.nan, np.nan, np.nan, 0)
    made = Reached(0.75, 0.5, 1.0, 3)
    empty = np.zeros(0, np.float32)
    found = describe_validation(
        Validation(np.inf, made, {"labelled": nothing, "made": made}, None, empty, empty, ())
    )
    assert json.loads(json.dumps(found, allow_nan=False)) == {
        "loss": None,
        "overall": {"pixel_auc": 0.75, "f1": 0.5, "image_auc": 1.0, "tampered": 3},
        "by_origin": {
            "labelled": {"pixel_auc": None, "f1": None, "image_auc": None, "tampered": 0},
            "made": {"pixel_auc": 0.75, "f1": 0.5, "image_auc": 1.0, "tampered": 3},
        },
        "untouched_alarms": None,
    }


@pytest.mark.train
def test_figures_of_blocks_and_pictures_are_those_of_loops() -> None:
    """A network whose map is its first trace and whose score is the map's mean, on two origins."""
    for name in ("tensorflow", "keras", "sklearn"):
        pytest.importorskip(name)
    from sklearn.metrics import f1_score, roc_auc_score

    from imforensics.models.localizer.config import LocalizerFitConfig

    rng = np.random.default_rng(0)
    marks = np.zeros((6, 4, 5, 1), np.float32)
    for index in (0, 2, 4):
        marks[index, :2, : 2 + index // 2] = 1
    traces = rng.normal(0, 1, (6, 4, 5, CHANNELS)).astype(np.float16)
    traces[..., :1] += marks.astype(np.float16)
    traces[5, 0, 0, 0] = -1000  # a logit whose exponential is out of range
    batch = LocalizerBatch(
        traces,
        np.ones((6, TABLE_FACTS), np.float32),
        np.zeros((6, 32, 40, 3), np.uint8),
        marks,
        marks.max(axis=(1, 2)),
        np.ones((6, 1), np.float32),
        ("made", "made", "labelled", "labelled", "labelled", "untouched"),
    )

    def network(inputs: dict[str, np.ndarray], *, training: bool) -> list[np.ndarray]:
        assert not training
        values = inputs["traces"][..., :1]
        return [values, np.zeros_like(values), values.mean(axis=(1, 2))]

    found = validate(network, [batch], LocalizerFitConfig())  # type: ignore[arg-type]
    logits, truth = batch.traces[..., 0].astype(np.float32), marks[..., 0] >= 0.5
    aucs = {i: roc_auc_score(truth[i].ravel(), logits[i].ravel()) for i in (0, 2, 4)}
    f1s = {i: f1_score(truth[i].ravel(), logits[i].ravel() >= 0) for i in (0, 2, 4)}
    scores = logits.mean(axis=(1, 2))
    assert found.overall.pixel_auc == pytest.approx(np.mean(list(aucs.values())))
    assert found.overall.f1 == pytest.approx(np.mean(list(f1s.values())))
    assert found.overall.image_auc == pytest.approx(roc_auc_score([1, 0, 1, 0, 1, 0], scores))
    assert found.by_origin["labelled"].pixel_auc == pytest.approx((aucs[2] + aucs[4]) / 2)
    assert found.by_origin["made"].f1 == pytest.approx(f1s[0])
    assert found.by_origin["labelled"].image_auc == pytest.approx(roc_auc_score([1, 0, 1], scores[2:5]))
    assert found.untouched_alarms == float((logits[5] >= 0).any())
