"""Pixel-level metrics against loops over single pixels and against scikit-learn."""

import numpy as np
import pytest
import sklearn.metrics as oracle
from hypothesis import given, settings
from hypothesis import strategies as st

from imforensics.metrics.localization import (
    PooledPixels,
    centre_prior,
    centre_prior_metrics,
    false_alarm_metrics,
    localize_metrics,
    measure_tampered,
)
from imforensics.metrics.pixel_counts import select_pixels


def make_map(seed, *, height=9, width=7, levels=12):
    """A map that follows its mask with noise; few levels make ties."""
    generator = np.random.default_rng(seed)
    gt_mask = np.zeros((height, width), dtype=bool)
    gt_mask[2:6, 1:5] = True
    values = np.clip(0.35 * gt_mask + generator.normal(0.4, 0.25, gt_mask.shape), 0, 1)
    return (np.round(values * levels) / levels).astype(np.float32), gt_mask


def count_by_loop(values, gt_mask, threshold, valid):
    tp = fp = fn = tn = 0
    for row in range(values.shape[0]):
        for column in range(values.shape[1]):
            if not valid[row, column]:
                continue
            flagged, truth = values[row, column] >= threshold, gt_mask[row, column]
            tp += flagged and truth
            fp += flagged and not truth
            fn += not flagged and truth
            tn += not flagged and not truth
    return tp, fp, fn, tn


def f1_by_loop(values, gt_mask, threshold, valid):
    tp, fp, fn, _ = count_by_loop(values, gt_mask, threshold, valid)
    return 2 * tp / (2 * tp + fp + fn)


@given(st.integers(0, 500), st.booleans())
@settings(max_examples=25, deadline=None)
def test_metrics_of_one_image_equal_loops_and_scikit_learn(seed, has_valid):
    values, gt_mask = make_map(seed)
    valid = np.ones(values.shape, dtype=bool)
    if has_valid:
        valid[:, -2:] = valid[3, 3] = False
    found = localize_metrics(values, gt_mask, threshold=0.6, valid=valid if has_valid else None)
    truth, scores = gt_mask[valid], values[valid]
    every = sorted(set(scores.tolist()))
    for policy, threshold in (("fixed", 0.6), ("half", 0.5)):
        tp, fp, fn, tn = count_by_loop(values, gt_mask, threshold, valid)
        assert found[f"f1_{policy}"] == pytest.approx(2 * tp / (2 * tp + fp + fn))
        assert found[f"iou_{policy}"] == pytest.approx(tp / (tp + fp + fn))
        assert found[f"mcc_{policy}"] == pytest.approx(oracle.matthews_corrcoef(truth, scores >= threshold))
        counts = select_pixels(values, gt_mask, valid=valid).confusion(threshold)
        assert (counts.tp, counts.fp, counts.fn, counts.tn) == (tp, fp, fn, tn)
    assert found["f1_best"] == pytest.approx(max(f1_by_loop(values, gt_mask, t, valid) for t in every))
    assert found["iou_best"] == pytest.approx(max(oracle.jaccard_score(truth, scores >= t) for t in every))
    assert found["mcc_best"] == pytest.approx(
        max(oracle.matthews_corrcoef(truth, scores >= t) for t in every)
    )
    assert found["auc"] == pytest.approx(oracle.roc_auc_score(truth, scores))
    assert found["ap"] == pytest.approx(oracle.average_precision_score(truth, scores))
    assert found["f1_all"] == pytest.approx(f1_by_loop(values, gt_mask, 0.0, valid))
    assert found["mask_area"] == pytest.approx(16 / 63)
    assert found["valid_area"] == pytest.approx(valid.mean())


@given(st.integers(0, 500))
@settings(max_examples=25, deadline=None)
def test_best_is_never_worse_than_any_threshold(seed):
    values, gt_mask = make_map(seed, levels=1000)
    found = localize_metrics(values, gt_mask, threshold=0.37)
    for name in ("f1", "iou", "mcc"):
        reached = max(found[f"{name}_fixed"], found[f"{name}_half"])
        assert found[f"{name}_best"] >= reached - 1e-12  # IoU's best is computed from F1's: rounds otherwise
    assert found["f1_best"] >= found["f1_all"]


def test_a_map_of_fine_values_is_measured_as_scikit_learn_does():
    generator = np.random.default_rng(8)
    gt_mask = generator.random((120, 90)) < 0.1
    values = np.clip(generator.normal(0.4 + 0.1 * gt_mask, 0.15), 0, 1).astype(np.float32)
    found = localize_metrics(values, gt_mask, threshold=0.4)
    truth, scores = gt_mask.ravel(), values.ravel()
    assert found["auc"] == pytest.approx(oracle.roc_auc_score(truth, scores), abs=1e-5)
    assert found["ap"] == pytest.approx(oracle.average_precision_score(truth, scores), abs=1e-4)
    precision, recall, _ = oracle.precision_recall_curve(truth, scores)
    best = np.max(2 * precision * recall / np.maximum(precision + recall, 1e-12))
    assert found["f1_best"] == pytest.approx(best, abs=2e-4)


@pytest.mark.parametrize("share", [0.02, 0.5, 0.98])
def test_best_over_bins_with_tampered_pixels_is_best_over_all_bins(share):
    generator = np.random.default_rng(int(100 * share))
    gt_mask = generator.random((20, 30)) < share
    values = (generator.integers(0, 40, gt_mask.shape) / 64).astype(np.float32)  # at lower ends of bins
    found = localize_metrics(values, gt_mask, threshold=None)
    everything = [values >= level for level in np.unique(values)]
    mcc = [oracle.matthews_corrcoef(gt_mask.ravel(), flagged.ravel()) for flagged in everything]
    f1 = [oracle.f1_score(gt_mask.ravel(), flagged.ravel()) for flagged in everything]
    assert found["mcc_best"] == pytest.approx(max(mcc), abs=1e-12)
    assert found["f1_best"] == pytest.approx(max(f1), abs=1e-12)
    assert found["ap"] == pytest.approx(oracle.average_precision_score(gt_mask.ravel(), values.ravel()))


def test_an_image_tampered_all_over_has_no_auc_and_a_perfect_f1():
    found = localize_metrics(make_map(2)[0], np.ones((9, 7), dtype=bool), threshold=None)
    assert np.isnan(found["auc"])
    assert (found["f1_best"], found["ap"], found["mcc_best"]) == (1, pytest.approx(1), 0)


def test_inverse_map_mirrors_the_auc():
    values, gt_mask = make_map(3)
    straight = localize_metrics(values, gt_mask, threshold=None)
    inverse = localize_metrics(1 - values, gt_mask, threshold=None)
    assert inverse["auc"] == pytest.approx(1 - straight["auc"])
    assert np.isnan(straight["f1_fixed"])


def test_an_image_without_tampered_pixels_is_undefined_not_zero():
    values, gt_mask = make_map(1)
    found = localize_metrics(values, gt_mask, threshold=0.5, valid=~gt_mask)
    assert np.isnan(found["auc"])
    assert np.isnan(found["f1_best"])
    nothing = localize_metrics(values, gt_mask, threshold=0.5, valid=np.zeros_like(gt_mask))
    assert np.isnan(nothing["f1_half"])
    assert nothing["valid_area"] == 0


def test_false_alarm_area_is_a_share_of_the_valid_pixels():
    values = np.zeros((4, 5), dtype=np.float32)
    values[0] = 0.8
    valid = np.ones((4, 5), dtype=bool)
    valid[0, :3] = False
    found = false_alarm_metrics(values, threshold=0.9, valid=valid)
    assert found["false_alarm_area_half"] == pytest.approx(2 / 17)
    assert found["false_alarm_area_fixed"] == 0.0


def pool(maps, *, threshold=0.6):
    pooled = PooledPixels(threshold)
    for values, gt_mask in maps:
        measured = measure_tampered(values, gt_mask, threshold=threshold)
        measured.histogram.add_to(pooled.pixels)
        pooled.add_counts(measured.counts)
    return pooled


def test_pooled_metrics_are_those_of_all_pixels():
    maps = [make_map(seed, levels=65536) for seed in range(6)]
    found = pool(maps).metrics()
    scores = np.concatenate([values.ravel() for values, _ in maps])
    truth = np.concatenate([mask.ravel() for _, mask in maps])
    assert found["f1_fixed_pooled"] == pytest.approx(oracle.f1_score(truth, scores >= np.float32(0.6)))
    assert found["iou_half_pooled"] == pytest.approx(oracle.jaccard_score(truth, scores >= 0.5))
    assert found["auc_pooled"] == pytest.approx(oracle.roc_auc_score(truth, scores), abs=1e-4)
    assert found["ap_pooled"] == pytest.approx(oracle.average_precision_score(truth, scores), abs=1e-3)
    best = max(oracle.f1_score(truth, scores >= threshold) for threshold in np.unique(scores))
    assert found["f1_best_pooled"] == pytest.approx(best, abs=1e-3)


def test_pooled_auc_is_within_its_stated_error():
    generator = np.random.default_rng(5)
    gt_mask = generator.random((60, 60)) < 0.3
    values = ((0.2 * gt_mask + generator.random((60, 60))) * 3e-4).astype(np.float32)  # about 20 bins only
    found = pool([(values, gt_mask)], threshold=None).metrics()
    exact = oracle.roc_auc_score(gt_mask.ravel(), values.ravel())
    assert 0 < abs(found["auc_pooled"] - exact) <= found["auc_pooled_error"] < 0.05


def test_memory_does_not_grow_with_the_set():
    small, large = (pool([make_map(seed) for seed in range(count)]) for count in (2, 40))
    assert large.pixels.nbytes == small.pixels.nbytes == 2**20
    assert len(large.counts) == len(small.counts)


def test_the_centre_prior_is_brightest_in_the_centre_and_alike_on_every_side():
    map_ = centre_prior(31, 45)
    assert map_[15, 22] == map_.max() == 1
    assert map_.min() == pytest.approx(np.exp(-2))
    np.testing.assert_array_equal(map_, map_[::-1, ::-1])
    centre, corner = np.zeros((2, 31, 45), dtype=bool)
    centre[14:17, 20:25] = corner[:3, :3] = True
    assert centre_prior_metrics(centre)["auc"] == 1
    assert centre_prior_metrics(corner)["auc"] < 0.05


@pytest.mark.parametrize("bad", [1.5, -0.1, np.nan])
def test_values_outside_the_range_are_refused(bad):
    values, gt_mask = make_map(0)
    values[0, 0] = bad
    with pytest.raises(ValueError, match=r"\[0, 1\]"):
        localize_metrics(values, gt_mask, threshold=0.5)


def test_a_mask_of_another_size_is_refused():
    values, gt_mask = make_map(0)
    with pytest.raises(ValueError, match="gt_mask"):
        localize_metrics(values, gt_mask.T, threshold=0.5)
    with pytest.raises(ValueError, match="valid"):
        localize_metrics(values, gt_mask, threshold=0.5, valid=gt_mask[:-1])
