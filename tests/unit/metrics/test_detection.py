"""Image-level metrics against scikit-learn and against loops over single cases."""

import numpy as np
import pytest
import sklearn.metrics as oracle
from hypothesis import given
from hypothesis import strategies as st

from imforensics.metrics.detection import (
    Confusion,
    count_confusion,
    detection_metrics,
    mcc,
    pr_curve,
    precision,
    recall,
    roc_auc,
    roc_curve,
    tpr_at_fpr,
)

CASES = st.lists(st.tuples(st.integers(0, 6), st.integers(0, 1)), min_size=2, max_size=40).filter(
    lambda rows: len({label for _, label in rows}) == 2
)


def split(rows):
    scores, labels = zip(*rows, strict=True)
    return np.array(scores) / 6, np.array(labels)


@given(CASES, st.integers(0, 6))
def test_metrics_equal_scikit_learn(rows, step):
    scores, labels = split(rows)
    flagged = (scores >= step / 6).astype(int)
    found = detection_metrics(scores, labels, threshold=step / 6)
    expected = {
        "accuracy": oracle.accuracy_score(labels, flagged),
        "balanced_accuracy": oracle.balanced_accuracy_score(labels, flagged),
        "precision": oracle.precision_score(labels, flagged, zero_division=0.0),
        "recall": oracle.recall_score(labels, flagged),
        "f1": oracle.f1_score(labels, flagged),
        "mcc": oracle.matthews_corrcoef(labels, flagged),
        "auc": oracle.roc_auc_score(labels, scores),
        "average_precision": oracle.average_precision_score(labels, scores),
    }
    assert {name: found[name] for name in expected} == pytest.approx(expected)
    assert [found[k] for k in ("tn", "fp", "fn", "tp")] == oracle.confusion_matrix(
        labels, flagged
    ).ravel().tolist()


@given(CASES)
def test_auc_is_the_share_of_pairs_in_order(rows):
    scores, labels = split(rows)
    pairs = [(t > a) + 0.5 * (t == a) for t in scores[labels == 1] for a in scores[labels == 0]]
    assert detection_metrics(scores, labels, threshold=0.5)["auc"] == pytest.approx(np.mean(pairs))


@given(CASES, st.sampled_from([0.0, 0.01, 0.05, 0.3, 1.0]))
def test_tpr_at_fpr_tries_every_threshold(rows, max_fpr):
    scores, labels = split(rows)
    rates = [
        (scores[labels == 1] >= threshold).mean()
        for threshold in scores
        if (scores[labels == 0] >= threshold).mean() <= max_fpr
    ]
    assert tpr_at_fpr(scores, labels, max_fpr=max_fpr) == max([0.0, *rates])


@given(CASES)
def test_swapping_the_hypotheses_mirrors_the_auc(rows):
    scores, labels = split(rows)
    straight = detection_metrics(scores, labels, threshold=0.5)["auc"]
    swapped = detection_metrics(1 - scores, 1 - labels, threshold=0.5)["auc"]
    inverse = detection_metrics(1 - scores, labels, threshold=0.5)["auc"]
    assert swapped == pytest.approx(straight)
    assert inverse == pytest.approx(1 - straight)


@given(CASES)
def test_ranking_metrics_ignore_monotone_changes_of_the_score(rows):
    scores, labels = split(rows)
    names = ("auc", "average_precision", "tpr_at_fpr_1pct", "tpr_at_fpr_5pct")
    before = detection_metrics(scores, labels, threshold=0.5)
    after = detection_metrics(np.exp(3 * scores) - 7, labels, threshold=0.5)
    assert [before[name] for name in names] == [after[name] for name in names]


@given(CASES)
def test_curves_equal_scikit_learn(rows):
    scores, labels = split(rows)
    fpr, tpr, thresholds = oracle.roc_curve(labels, scores, drop_intermediate=False)
    roc = roc_curve(scores, labels)
    np.testing.assert_allclose(roc.x, fpr)
    np.testing.assert_allclose(roc.y, tpr)
    np.testing.assert_array_equal(roc.thresholds, thresholds)
    precisions, recalls, _ = oracle.precision_recall_curve(labels, scores)
    pr = pr_curve(scores, labels)
    np.testing.assert_allclose(pr.x, recalls[::-1])
    np.testing.assert_allclose(pr.y, precisions[::-1])


def test_zero_division_is_as_documented():
    assert precision(Confusion(tp=0, fp=0, fn=3, tn=2)) == 0.0
    assert np.isnan(recall(Confusion(tp=0, fp=1, fn=0, tn=2)))
    assert mcc(Confusion(tp=2, fp=3, fn=0, tn=0)) == 0.0


def test_mcc_does_not_overflow_on_pixel_counts():
    big = 4_000_000_000
    assert mcc(Confusion(tp=big, fp=0, fn=0, tn=big)) == pytest.approx(1.0)


def test_threshold_flags_equal_scores():
    assert count_confusion([0.5, 0.5], [0, 1], threshold=0.5) == Confusion(tp=1, fp=1, fn=0, tn=0)


@pytest.mark.parametrize(
    ("scores", "labels", "words"),
    [
        ([0.1, 0.2], [0], "received"),
        ([0.1, np.nan], [0, 1], "NaN"),
        ([0.1, 0.2], [0, 2], "labels 0 and 1"),
        ([0.1, 0.2], [1, 1], "both classes"),
    ],
)
def test_wrong_input_is_refused(scores, labels, words):
    with pytest.raises(ValueError, match=words):
        detection_metrics(scores, labels, threshold=0.5)


@given(CASES)
def test_the_area_of_scores_of_any_shape_is_scikit_learns(rows):
    scores, labels = split(rows)
    assert roc_auc(scores[np.newaxis], labels[np.newaxis]) == pytest.approx(
        oracle.roc_auc_score(labels, scores)
    )
    assert np.isnan(roc_auc(scores, np.ones_like(labels)))
