"""Calibration: recovered ratios, bounds, monotony, folds by group, YAML."""

import subprocess
import sys

import numpy as np
import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from imforensics.metrics.calibration import Calibration, Conditions, LabelThresholds, fit_calibration
from imforensics.metrics.calibration_curves import (
    FITTERS,
    LN10,
    BetaCurve,
    IsotonicCurve,
    PlattCurve,
    fit_beta,
    fit_platt,
)
from imforensics.metrics.likelihood_ratio import elub_bounds

KINDS = ("platt", "beta", "isotonic")


def draw(n=300, *, distance=1.5, seed=0):
    """Scores whose log-odds are normal with unit variance in both classes: ln LR is linear in the logit."""
    generator = np.random.default_rng(seed)
    labels = np.repeat([0, 1], n)
    return 1 / (1 + np.exp(-generator.normal((labels - 0.5) * distance))), labels


def make_calibration(**changes):
    values = {
        "curve": PlattCurve(slope=1.5, intercept=0.0),
        "population": "made images",
        "protocol": "twin",
        "n_authentic": 99,
        "n_tampered": 99,
        "log10_lr_bounds": (-1.0, 1.5),
    }
    return Calibration(**(values | changes))


def fit(scores, labels, **options):
    return fit_calibration(scores, labels, **({"protocol": "twin", "population": "made images"} | options))


@pytest.mark.parametrize("kind", KINDS)
def test_known_ratios_are_recovered(kind):
    scores, labels = draw(4000, distance=1.5)
    middle = np.linspace(0.25, 0.75, 9)
    true = 1.5 * np.log(middle / (1 - middle)) / LN10
    found = FITTERS[kind](scores, labels == 1).log10_lr(middle)
    np.testing.assert_allclose(found, true, atol=0.12)


@pytest.mark.parametrize("kind", KINDS)
@given(seed=st.integers(0, 50), distance=st.floats(-1, 3))
@settings(max_examples=15, deadline=None)
def test_ratios_are_finite_and_never_fall_whatever_the_data(kind, seed, distance):
    scores, labels = draw(12, distance=distance, seed=seed)
    ratios = FITTERS[kind](scores, labels == 1).log10_lr(np.linspace(0, 1, 101))
    assert np.isfinite(ratios).all()
    assert np.all(np.diff(ratios) >= -1e-12)


@pytest.mark.parametrize("kind", KINDS)
def test_separable_scores_give_finite_ratios(kind):
    scores, labels = np.array([0.0, 0.1, 0.1, 0.9, 0.9, 1.0]), np.array([0, 0, 0, 1, 1, 1])
    ratios = FITTERS[kind](scores, labels == 1).log10_lr([0.0, 0.5, 1.0])
    assert np.isfinite(ratios).all()
    assert ratios[0] < 0 < ratios[2]


@pytest.mark.parametrize("kind", KINDS)
def test_swapping_the_hypotheses_negates_the_ratio(kind):
    scores, labels = draw(80, seed=3)
    straight = FITTERS[kind](scores, labels == 1).log10_lr(scores)
    swapped = FITTERS[kind](1 - scores, labels == 0).log10_lr(1 - scores)
    np.testing.assert_allclose(swapped, -straight, atol=1e-5)


@pytest.mark.parametrize("kind", ["platt", "beta"])
def test_scores_in_the_wrong_direction_carry_no_weight(kind):
    scores, labels = draw(200)
    ratios = FITTERS[kind](1 - scores, labels == 1).log10_lr([0.01, 0.99])
    np.testing.assert_allclose(ratios, 0, atol=0.01)


def test_beta_coefficients_are_never_negative():
    scores, labels = draw(60, distance=0.2, seed=11)
    for exponent in (0.1, 1, 10):
        curve = fit_beta(scores**exponent, labels == 1)
        assert curve.a >= 0
        assert curve.b >= 0


def test_platt_equals_scikit_learn_on_the_same_targets():
    from sklearn.calibration import _SigmoidCalibration

    scores, labels = draw(150)
    logits = np.log(scores / (1 - scores))
    expected = _SigmoidCalibration().fit(logits, labels).predict(logits)
    found = fit_platt(scores, labels == 1).log10_lr(scores)
    np.testing.assert_allclose(1 / (1 + 10**-found), expected, atol=1e-3)


def test_the_kind_with_the_least_held_out_loss_is_chosen():
    scores, labels = draw(400)
    found = fit(scores, labels)
    losses = found.cross_validated_log_loss
    assert set(losses) == set(KINDS)
    assert losses[found.kind] == min(losses.values())
    stepped = np.where(scores > 0.62, 0.62 + scores / 1e3, 0.31 + scores / 1e3)
    assert fit(stepped, labels).cross_validated_log_loss["isotonic"] < np.log(2)


def test_bounds_are_elub_and_capped_by_the_counts():
    scores, labels = draw(100, distance=12)  # separable: ELUB alone would allow log10(100) or more
    lower, upper = fit(scores, labels).log10_lr_bounds
    assert -np.log10(101) <= lower < -1
    assert 1 < upper <= np.log10(101)
    scores, labels = draw(300)
    found = fit(scores, labels, kinds=("platt",))
    assert found.log10_lr_bounds == pytest.approx(elub_bounds(found.curve.log10_lr(scores), labels), abs=0.1)


def test_copies_of_a_source_stay_in_one_fold():
    scores, labels = draw(40, distance=0, seed=5)
    copies = np.repeat(np.arange(80), 10)
    noise = np.random.default_rng(0).normal(0, 1e-4, 800)
    copied, copied_labels = np.clip(scores[copies] + noise, 0, 1), labels[copies]
    grouped = fit(copied, copied_labels, groups=copies, kinds=("isotonic",))
    leaking = fit(copied, copied_labels, kinds=("isotonic",))
    honest, bluff = (c.cross_validated_log_loss["isotonic"] for c in (grouped, leaking))
    assert bluff < np.log(2) < honest


def test_useless_scores_get_next_to_no_ratio():
    generator = np.random.default_rng(1)
    found = fit(generator.random(400), np.repeat([0, 1], 200))
    assert max(abs(bound) for bound in found.log10_lr_bounds) < 0.5
    assert abs(found.log10_lr(0.99)) < 0.5


@given(st.floats(0, 1), st.floats(0, 1))
def test_ratio_and_probability_are_bounded_and_rise_with_the_score(one, other):
    calibration = make_calibration()
    low, high = sorted([one, other])
    assert -1.0 <= calibration.log10_lr(low) <= calibration.log10_lr(high) <= 1.5
    assert 0 < calibration.probability(low) <= calibration.probability(high) < 1


def test_probability_follows_bayes():
    calibration = make_calibration(curve=PlattCurve(slope=1.0, intercept=0.0))
    assert calibration.probability(0.8) == pytest.approx(0.8)  # odds 4 = ratio 4 at even prior odds
    assert calibration.probability(0.8, prior=0.2) == pytest.approx(0.5)
    with pytest.raises(ValueError, match="prior"):
        calibration.probability(0.8, prior=1.0)


def test_label_needs_the_threshold_and_the_direction_of_the_ratio():
    limits = LabelThresholds(tampered_above=0.3, authentic_below=0.2, policy="far_2pct")
    calibration = make_calibration(thresholds=limits)
    assert [calibration.label(s) for s in (0.1, 0.2, 0.25, 0.4, 0.9)] == [
        "authentic",
        "inconclusive",
        "inconclusive",
        "inconclusive",  # over the threshold, but the ratio supports H2
        "tampered",
    ]
    assert make_calibration().label(0.99) == "inconclusive"


def test_opinion_names_population_counts_and_protocol():
    opinion = make_calibration().opinion(0.9)
    assert opinion.population == "made images (99 authentic, 99 tampered)"
    assert opinion.protocol == "twin"
    assert opinion.log10_lr == pytest.approx(1.5 * np.log(9) / LN10)
    assert opinion.log10_lr_bounds == (-1.0, 1.5)
    assert opinion.probability == pytest.approx(27 / 28)
    assert make_calibration().opinion(1.0).log10_lr == 1.5


def test_conditions_that_are_not_met_are_told():
    calibration = make_calibration(conditions=Conditions(requires_jpeg=True, min_side=256, max_pixels=10**6))
    assert calibration.describe_mismatch(height=300, width=256, is_jpeg=True) == ()
    clauses = calibration.describe_mismatch(height=128, width=10**5, is_jpeg=False)
    assert len(clauses) == 3
    assert "JPEG" in clauses[0]
    assert "128 pixels, under the 256" in clauses[1]
    assert "over the 1000000" in clauses[2]


@pytest.mark.parametrize("kind", KINDS)
def test_a_calibration_survives_yaml(kind):
    scores, labels = draw(60)
    found = fit(scores, labels, kinds=(kind,), conditions=Conditions(min_side=64))
    text = yaml.safe_dump(found.model_dump(mode="json"))
    again = Calibration.model_validate(yaml.safe_load(text))
    assert again == found
    np.testing.assert_array_equal(again.log10_lrs(scores), found.log10_lrs(scores))


@pytest.mark.parametrize(
    "wrong",
    [
        {"log10_lr_bounds": (0.5, 1.0)},
        {"population": ""},
        {"protocol": "Raw"},
        {"curve": {"kind": "platt", "slope": -1.0, "intercept": 0.0}},
        {"thresholds": {"policy": "p", "tampered_above": 0.1, "authentic_below": 0.2}},
        {"extra_key": 1},
    ],
)
def test_wrong_calibrations_are_refused(wrong):
    with pytest.raises(ValidationError):
        make_calibration(**wrong)


def test_knots_must_be_in_order():
    with pytest.raises(ValidationError, match="knots"):
        IsotonicCurve(knots=((0.2, 0.0), (0.1, 1.0)))
    with pytest.raises(ValidationError, match="knots"):
        IsotonicCurve(knots=((0.1, 1.0), (0.2, 0.0)))


@pytest.mark.parametrize("score", [-0.1, 1.1, np.nan])
def test_scores_outside_the_range_are_refused(score):
    with pytest.raises(ValueError, match=r"\[0, 1\]"):
        make_calibration().log10_lr(score)


def test_what_cannot_be_cross_validated_is_refused():
    with pytest.raises(ValueError, match="two groups"):
        fit([0.1, 0.9, 0.8], [0, 1, 1])
    with pytest.raises(ValueError, match="two groups"):
        fit([0.1, 0.2, 0.9, 0.8], [0, 0, 1, 1], groups=[1, 1, 1, 1])
    with pytest.raises(ValueError, match="label"):
        fit([0.1, 0.9], [0, 2])


def test_evaluating_a_calibration_needs_no_scikit_learn():
    code = (
        "import sys; from imforensics.metrics.calibration import Calibration; import imforensics.fusion\n"
        "assert not {'sklearn', 'scipy', 'matplotlib', 'tensorflow'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def test_curve_formulas_are_as_written():
    score = 0.7
    assert PlattCurve(slope=2, intercept=0.5).log10_lr([score])[0] == pytest.approx(
        (2 * np.log(0.7 / 0.3) + 0.5) / LN10
    )
    assert BetaCurve(a=2, b=3, c=0.5).log10_lr([score])[0] == pytest.approx(
        (2 * np.log(0.7) - 3 * np.log(0.3) + 0.5) / LN10
    )
    assert IsotonicCurve(knots=((0.6, 0.0), (0.8, 1.0))).log10_lr(
        [0.1, score, 0.9]
    ).tolist() == pytest.approx([0.0, 0.5, 1.0])
