"""Histograms of coefficients: counts, periods and first digits against their definitions."""

from __future__ import annotations

import numpy as np
import pytest

from fixtures.textures import make_texture
from imforensics.evidence import read_evidence
from imforensics.preprocessing import coefficient_histograms as module
from imforensics.preprocessing.coefficient_histograms import (
    FREQUENCIES,
    LIKELY,
    Histogram,
    count_coefficients,
    count_filled,
    expect_deviation,
    find_period,
    fit_first_digits,
    measure_deviation,
)
from imforensics.preprocessing.dct_statistics import move_off_grid
from imforensics.preprocessing.jpeg import decode_jpeg, encode_jpeg


def coefficients_of(*qualities: int, height: int = 256, width: int = 320) -> tuple[np.ndarray, np.ndarray]:
    """Quantized luma coefficients and table of a texture saved at each quality in turn."""
    pixels = make_texture(height, width)
    for quality in qualities:
        data = encode_jpeg(pixels, quality=quality)
        pixels = decode_jpeg(data)
    jpeg = read_evidence(data, name="made.jpg").jpeg
    assert jpeg is not None
    return jpeg.read_coefficients()[0], jpeg.quantization_tables[0]


def smooth_histogram(scale: float = 6.0, total: float = 20_000) -> np.ndarray:
    """Counts of a Laplacian's magnitudes 0-40."""
    counts = np.exp(-np.arange(41) / scale)
    return counts * total / counts.sum()


def test_frequencies_are_the_35_lowest() -> None:
    assert len(set(FREQUENCIES)) == 35
    assert all(0 < u + v <= 7 for u, v in FREQUENCIES)
    assert FREQUENCIES[:2] == ((0, 1), (1, 0))


def test_counts_are_those_of_the_coefficients() -> None:
    coefficients, table = coefficients_of(85)
    moved = move_off_grid(coefficients, table)
    for histogram in count_coefficients(coefficients, table):
        u, v = histogram.frequency
        limit = len(histogram.observed) - 1
        magnitudes = np.abs(coefficients[:, :, u, v]).ravel()
        for magnitude in (0, 1, 5, limit - 1):
            assert histogram.observed[magnitude] == (magnitudes == magnitude).sum()
        assert histogram.observed[limit] == (magnitudes >= limit).sum()
        share = (np.abs(moved[:, :, u, v]) == 1).mean()
        assert histogram.expected[1] == pytest.approx(share * magnitudes.size)
        digits = [int(str(value)[0]) for value in magnitudes if value]
        np.testing.assert_array_equal(histogram.first_digits, np.bincount(digits, minlength=10)[1:])


def test_large_images_are_sampled_in_strips(monkeypatch: pytest.MonkeyPatch) -> None:
    coefficients, table = coefficients_of(85, height=8 * 80, width=8 * 12)
    whole = count_coefficients(coefficients, table)
    monkeypatch.setattr(module, "_MOST", 17 * 12 * 3)
    sampled = count_coefficients(coefficients.copy(), table)  # what was counted before is kept
    np.testing.assert_array_equal(sampled[0].observed, whole[0].observed)
    assert sampled[0].expected_weight == pytest.approx(80 * 12 / (3 * 16 * 11))
    assert sampled[0].expected.sum() == pytest.approx(whole[0].expected.sum())
    strips = np.concatenate([coefficients[top : top + 17] for top in (0, 31, 63)])
    assert [len(strip) for strip in module._take_strips(coefficients)] == [17, 17, 17]
    np.testing.assert_array_equal(np.concatenate(module._take_strips(coefficients)), strips)


def test_deviation_is_the_sum_of_log_ratios() -> None:
    coefficients, table = coefficients_of(75, 90)
    histograms = count_coefficients(coefficients, table)
    expected = 0.0
    for histogram in histograms:
        u, v = histogram.frequency
        at = min(abs(int(coefficients[3, 4, u, v])), len(histogram.observed) - 1)
        expected += np.log((histogram.expected[at] + LIKELY) / (histogram.observed[at] + LIKELY))
    assert measure_deviation(coefficients, histograms)[3, 4] == pytest.approx(expected, rel=1e-4)


def test_filled_coefficients_of_the_low_frequencies() -> None:
    coefficients = np.zeros((1, 2, 8, 8), np.int16)
    coefficients[0, 1, 0, :] = 3  # the mean and seven of the low frequencies
    coefficients[0, 1, 7, 7] = 1
    np.testing.assert_array_equal(count_filled(coefficients), [[0, 7]])


def test_usual_deviation_is_the_median_of_blocks_alike() -> None:
    filled = np.repeat(np.array([[2], [30]]), 200, axis=1)
    deviations = np.where(filled == 2, -1.0, -9.0).astype(np.float32)
    deviations[:, :40] += 50  # an odd part of 20 %
    usable = np.ones(filled.shape, dtype=bool)
    usual = expect_deviation(deviations, filled, usable)
    np.testing.assert_allclose(usual[0], -1)
    np.testing.assert_allclose(usual[1], -9)
    few = np.zeros(filled.shape, dtype=bool)
    few[0, 60:65] = True
    np.testing.assert_allclose(expect_deviation(deviations, filled, few), -1)


@pytest.mark.parametrize("period", [2, 3, 5])
def test_period_of_a_comb(period: int) -> None:
    expected = smooth_histogram()
    comb = np.where(np.arange(41) % period == 0, 1.6, 0.8)
    found = find_period(Histogram((0, 1), expected * comb, expected, 1.0, np.zeros(9, np.int64)))
    assert found is not None
    assert found.length == pytest.approx(period, rel=0.03)
    assert found.log10_chance < -10


def test_no_period_in_noise() -> None:
    rng = np.random.default_rng(11)
    found = [
        find_period(
            Histogram(
                (0, 1),
                rng.poisson(smooth_histogram()).astype(float),
                rng.poisson(smooth_histogram()).astype(float),
                1.0,
                np.zeros(9, np.int64),
            )
        )
        for _ in range(200)
    ]
    chances = np.array([period.log10_chance for period in found if period is not None])
    assert len(chances) == 200
    assert (chances < -3).mean() <= 0.01
    assert 0.01 < (chances < -1).mean() < 0.2


def test_a_short_histogram_has_no_period() -> None:
    counts = smooth_histogram(scale=0.5)
    assert find_period(Histogram((0, 1), counts, counts, 1.0, np.zeros(9, np.int64))) is None


@pytest.mark.parametrize(("s", "q"), [(0.0, 1.0), (-0.3, 1.7), (0.5, 2.2)])
def test_first_digit_law_is_found_again(s: float, q: float) -> None:
    shares = np.log10(1 + 1 / (s + np.arange(1, 10) ** q))
    law = fit_first_digits(np.rint(1e6 * shares / shares.sum()).astype(np.int64))
    assert law is not None
    assert law.s == pytest.approx(s, abs=0.021)
    assert law.q == pytest.approx(q, abs=0.03)
    assert law.divergence < 1e-4


def test_digits_against_the_law_diverge() -> None:
    assert fit_first_digits(np.zeros(9, np.int64)) is None
    law = fit_first_digits(np.array([100, 0, 0, 900, 0, 0, 0, 0, 0]))
    assert law is not None
    assert law.divergence > 0.5


def test_missing_ones_are_no_period() -> None:
    expected = smooth_histogram()
    observed = expected.copy()
    observed[0] += 0.6 * expected[1]
    observed[1] *= 0.4
    found = find_period(Histogram((0, 1), observed, expected, 1.0, np.zeros(9, np.int64)))
    assert found is not None
    assert found.log10_chance > -1
