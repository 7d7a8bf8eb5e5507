"""Likelihood-ratio metrics: against `lir` (golden), analytic values and symmetries."""

import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.isotonic import isotonic_regression

from imforensics.metrics.calibration_curves import LN10, fit_isotonic, fit_logistic
from imforensics.metrics.likelihood_ratio import (
    calibration_error_floor,
    cllr,
    cllr_min,
    elub_bounds,
    empirical_cross_entropy,
    expected_calibration_error,
    pav_log10_lr,
    pool_adjacent_violators,
    posterior_probability,
    reliability_bins,
    tippett_points,
)

GOLDEN = json.loads((Path(__file__).parents[2] / "golden" / "lir_values.json").read_text(encoding="utf-8"))
CASES = st.lists(st.tuples(st.integers(-20, 20), st.integers(0, 1)), min_size=2, max_size=40).filter(
    lambda rows: len({label for _, label in rows}) == 2
)


def split(rows):
    ratios, labels = zip(*rows, strict=True)
    return np.array(ratios) / 8, np.array(labels)


@pytest.fixture(params=GOLDEN["cases"], ids=lambda case: case["name"])
def golden(request):
    return request.param | {
        "log10_lrs": np.array(request.param["log10_lrs"]),
        "labels": np.array(request.param["labels"]),
    }


def test_golden_values_come_from_lir():
    assert GOLDEN["made_with"]["lir"] == "0.1.29"
    assert len(GOLDEN["cases"]) == 3


def test_cllr_equals_lir(golden):
    ratios, labels = golden["log10_lrs"], golden["labels"]
    assert cllr(ratios, labels) == pytest.approx(golden["cllr"], abs=1e-12)
    assert cllr_min(ratios, labels) == pytest.approx(golden["cllr_min"], abs=1e-12)


def test_elub_equals_lir(golden):
    assert elub_bounds(golden["log10_lrs"], golden["labels"]) == pytest.approx(golden["elub_log10"], abs=1e-9)


def test_empirical_cross_entropy_equals_lir(golden):
    found = empirical_cross_entropy(
        golden["log10_lrs"], golden["labels"], log10_prior_odds=golden["log10_prior_odds"]
    )
    np.testing.assert_allclose(found, golden["empirical_cross_entropy"], atol=1e-12)


def test_logistic_calibration_equals_lir(golden):
    ratios, labels = golden["log10_lrs"], golden["labels"]
    weights = np.where(labels == 1, 0.5 / labels.sum(), 0.5 / (1 - labels).sum())
    (slope,), intercept = fit_logistic(ratios[:, None], labels.astype(float), weights)
    np.testing.assert_allclose(
        (slope * ratios + intercept) / LN10, golden["logit_calibrated_log10"], atol=1e-5
    )


def test_isotonic_calibration_equals_lir(golden):
    scores = posterior_probability(golden["log10_lrs"])
    found = fit_isotonic(scores, golden["labels"] == 1).log10_lr(scores)
    np.testing.assert_allclose(found, golden["isotonic_calibrated_log10"], atol=1e-9)


@given(st.lists(st.tuples(st.floats(-5, 5), st.floats(0.1, 3)), min_size=1, max_size=30))
def test_pav_equals_scikit_learn(rows):
    values, weights = (np.array(column) for column in zip(*rows, strict=True))
    expected = isotonic_regression(values, sample_weight=weights)
    np.testing.assert_allclose(pool_adjacent_violators(values, weights), expected, atol=1e-9)


def test_cllr_of_ideal_ratios_is_analytic():
    assert cllr([np.inf, -np.inf], [1, 0]) == 0.0
    assert cllr([-np.inf, -np.inf], [1, 0]) == np.inf
    # LR 3 for every H1 and 1/3 for every H2: log2(1 + 1/3) on both sides
    assert cllr(np.log10([3, 3, 1 / 3]), [1, 1, 0]) == pytest.approx(np.log2(4 / 3))


@given(CASES)
def test_swapping_the_hypotheses_changes_no_cost(rows):
    ratios, labels = split(rows)
    assert cllr(-ratios, 1 - labels) == pytest.approx(cllr(ratios, labels))
    assert cllr_min(-ratios, 1 - labels) == pytest.approx(cllr_min(ratios, labels))


@given(CASES)
def test_no_monotone_recalibration_beats_cllr_min(rows):
    ratios, labels = split(rows)
    least = cllr_min(ratios, labels)
    assert 0 <= least <= 1 + 1e-12
    for scale, shift in ((1, 0), (0.5, 0.2), (2, -0.4)):
        assert least <= cllr(scale * ratios + shift, labels) + 1e-12
    assert cllr_min(np.exp(ratios), labels) == pytest.approx(least)


@given(CASES)
def test_pav_ratios_never_fall(rows):
    ratios, labels = split(rows)
    fitted = pav_log10_lr(ratios, labels)[np.argsort(ratios)]
    assert np.all(fitted[1:] >= fitted[:-1])


@given(CASES)
def test_elub_holds_one_and_stays_within_the_ratios(rows):
    ratios, labels = split(rows)
    lower, upper = elub_bounds(ratios, labels)
    assert min(0, ratios.min()) - 1e-9 <= lower <= 0 <= upper <= max(0, ratios.max()) + 0.01


def test_elub_of_ratios_that_mislead_allows_none():
    labels = np.repeat([0, 1], 50)
    assert elub_bounds(np.where(labels == 1, -1.0, 1.0), labels) == (0.0, 0.0)


@pytest.mark.parametrize("n", [20, 200])
def test_elub_grows_with_the_number_of_perfect_cases(n):
    labels = np.repeat([0, 1], n)
    _, upper = elub_bounds(np.where(labels == 1, 8.0, -8.0), labels)
    # one alarm in n + 1 at threshold t costs t / (n + 1); the neutral system costs 1 from LR 1 upwards
    assert upper == pytest.approx(np.log10(n), abs=0.01)


def test_cross_entropy_at_even_odds_is_cllr():
    ratios, labels = np.array([-1.0, 0.3, 0.2, 2.0]), np.array([0, 0, 1, 1])
    assert empirical_cross_entropy(ratios, labels, log10_prior_odds=[0.0])[0] == pytest.approx(
        cllr(ratios, labels)
    )


def test_calibration_error_equals_a_loop_over_bins():
    generator = np.random.default_rng(0)
    probabilities = generator.random(100)
    labels = (generator.random(100) < probabilities**2).astype(int)
    order = np.argsort(probabilities)
    gaps = [abs(probabilities[b].mean() - labels[b].mean()) for b in np.split(order, 10)]
    assert expected_calibration_error(probabilities, labels) == pytest.approx(np.mean(gaps))


def test_equal_probabilities_share_a_bin():
    bins = reliability_bins([0.3] * 10 + [0.9] * 10, [0] * 7 + [1] * 3 + [1] * 10)
    assert bins.counts.tolist() == [10, 10]
    assert bins.tampered_share.tolist() == pytest.approx([0.3, 1.0])
    assert expected_calibration_error([0.3] * 10, [0] * 7 + [1] * 3) == pytest.approx(0)


def test_calibration_error_of_right_probabilities_is_near_its_floor():
    generator = np.random.default_rng(3)
    probabilities = generator.random(400)
    floor = calibration_error_floor(probabilities, generator=generator)
    right = expected_calibration_error(probabilities, generator.random(400) < probabilities)
    wrong = expected_calibration_error(probabilities, generator.random(400) < 0.5)
    assert 0.01 < floor < 0.08
    assert right < 2 * floor < wrong


def test_tippett_points_are_shares_at_or_above():
    points = tippett_points([-1.0, 0.0, 0.0, 2.0], [0, 0, 1, 1])
    assert points.log10_lr.tolist() == [-1.0, 0.0, 2.0]
    assert points.tampered_share.tolist() == [1.0, 1.0, 0.5]
    assert points.authentic_share.tolist() == [1.0, 0.5, 0.0]


def test_posterior_combines_ratio_and_prior_odds():
    assert posterior_probability(1.0, log10_prior_odds=-1.0) == pytest.approx(0.5)
    assert posterior_probability([np.inf, -np.inf]).tolist() == [1.0, 0.0]


@pytest.mark.parametrize("function", [cllr, cllr_min, elub_bounds, tippett_points])
def test_one_class_only_is_refused(function):
    with pytest.raises(ValueError, match="both classes"):
        function([0.1, 0.2], [1, 1])
