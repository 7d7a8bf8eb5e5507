"""Pixels counted by value and truth, against numpy's own histograms and by hand."""

import numpy as np
import pytest

from imforensics.metrics.detection import Confusion
from imforensics.metrics.pixel_counts import (
    BINS,
    Histogram,
    select_pixels,
)


def histogram_pixels(values, gt_mask, *, valid=None):
    table = np.zeros((BINS, 2), dtype=np.int64)
    select_pixels(values, gt_mask, valid=valid).histogram().add_to(table)
    return table


def count_pixels(values, gt_mask, *, threshold, valid=None):
    return select_pixels(values, gt_mask, valid=valid).confusion(threshold)


def test_histogram_counts_every_valid_pixel_in_its_bin(monkeypatch):
    monkeypatch.setattr("imforensics.metrics.pixel_counts.CHUNK", 2)
    values = np.array([[0.0, -0.0, 0.5, 1.0, 1 - 2**-16, 0.25]], dtype=np.float32)
    gt_mask = np.array([[True, False, True, True, False, True]])
    valid = np.array([[True, True, True, True, True, False]])
    table = histogram_pixels(values, gt_mask, valid=valid)
    assert table.sum() == 5
    assert table[0].tolist() == [1, 1]
    assert table[32768].tolist() == [0, 1]
    assert table[65535].tolist() == [1, 1]


def make_map(seed, *, shape=(211, 187)):
    generator = np.random.default_rng(seed)
    gt_mask = generator.random(shape) < 0.2
    values = generator.beta(2, 5, shape).astype(np.float32)
    return values, gt_mask, generator.random(shape) < 0.8


@pytest.mark.parametrize("has_valid", [False, True])
def test_histogram_equals_that_of_numpy(has_valid):
    values, gt_mask, valid = make_map(0)  # more pixels than are binned at a time
    table = histogram_pixels(values, gt_mask, valid=valid if has_valid else None)
    kept = valid if has_valid else np.ones_like(valid)
    for column, truth in enumerate((~gt_mask, gt_mask)):
        expected, _ = np.histogram(values[kept & truth].astype(np.float64), bins=BINS, range=(0, 1))
        np.testing.assert_array_equal(table[:, column], expected)


def test_a_histogram_holds_no_bin_beyond_its_values():
    values, gt_mask, valid = make_map(1)
    values = (0.25 + values / 8).astype(np.float32)
    histogram = select_pixels(values, gt_mask, valid=valid).histogram()
    assert histogram.first == int(values.min() * BINS)
    assert histogram.first + histogram.tampered.size == int(values.max() * BINS) + 1
    assert histogram.tampered.sum() == (gt_mask & valid).sum()
    assert histogram.untampered.sum() == (~gt_mask & valid).sum()


@pytest.mark.parametrize("first", [0, 5, 16, 65519])
def test_coarse_steps_sum_the_fine_bins(first):
    generator = np.random.default_rng(first)
    size = min(100, BINS - first)
    histogram = Histogram(first, generator.integers(0, 9, size), generator.integers(0, 9, size))
    table = np.zeros((BINS, 2), dtype=np.int64)
    histogram.add_to(table)
    np.testing.assert_array_equal(histogram.coarse(4096), table.reshape(4096, 16, 2).sum(axis=1))


def test_what_is_not_valid_counts_nowhere_whatever_its_value():
    values, gt_mask, valid = make_map(2)
    expected = histogram_pixels(values, gt_mask, valid=valid)
    counts = count_pixels(values, gt_mask, threshold=0.0, valid=valid)
    assert counts == Confusion((gt_mask & valid).sum(), (~gt_mask & valid).sum(), 0, 0)
    for odd in (np.nan, np.inf, -7.0, 1.0):
        changed = np.where(valid, values, np.float32(odd))
        np.testing.assert_array_equal(histogram_pixels(changed, gt_mask, valid=valid), expected)
        assert count_pixels(changed, gt_mask, threshold=0.0, valid=valid) == counts


def test_no_valid_pixel_gives_empty_counts():
    values, gt_mask, _ = make_map(3)
    nowhere = np.zeros_like(gt_mask)
    assert histogram_pixels(values, gt_mask, valid=nowhere).sum() == 0
    assert count_pixels(values, gt_mask, threshold=0.5, valid=nowhere) == Confusion(0, 0, 0, 0)


@pytest.mark.parametrize("bad", [1.5, -0.1, np.nan])
def test_a_valid_value_outside_the_range_is_refused(bad):
    values, gt_mask, valid = make_map(4)
    valid[3, 3] = True
    values[3, 3] = bad
    for shown in (valid, None):
        with pytest.raises(ValueError, match=r"\[0, 1\]"):
            select_pixels(values, gt_mask, valid=shown)
