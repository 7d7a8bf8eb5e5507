"""Fusion: one statement from several findings, never bolder than what is calibrated."""

import re

import numpy as np
import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from imforensics.fusion import FusionInput, FusionModel, fit_fusion, make_statement, withhold_opinions
from imforensics.metrics.calibration import Calibration, LabelThresholds
from imforensics.metrics.calibration_curves import PlattCurve
from imforensics.metrics.class_calibration import ClassCalibration, borrow
from imforensics.types import CONDITIONS_KEY, OUTSIDE_KEY, Finding

SCORES = st.one_of(st.none(), st.floats(0, 1))


def make_calibration(protocol="twin", **changes):
    values = {
        "curve": PlattCurve(slope=1.0, intercept=0.0),
        "population": "made images",
        "protocol": protocol,
        "n_authentic": 99,
        "n_tampered": 99,
        "log10_lr_bounds": (-2.0, 2.0),
        "thresholds": LabelThresholds(tampered_above=0.8, authentic_below=0.2, policy="far_2pct"),
    }
    return Calibration(**(values | changes))


def make_finding(method="detector", score=0.9, *, family="learned", protocol="twin", **fields):
    opinion = None if protocol is None else make_calibration(protocol).opinion(score)
    return Finding(method=method, family=family, status="ok", score=score, opinion=opinion, **fields)


def make_model(**changes):
    values = {
        "inputs": (
            FusionInput(method="detector", mean=0.0, scale=1.0, weight=1.0),
            FusionInput(method="noise", mean=0.5, scale=2.0, weight=0.4, applied_weight=-0.1),
        ),
        "intercept": 0.0,
        "calibration": make_calibration(),
    }
    return FusionModel(**(values | changes))


def draw_scores(n=150, *, strengths=(2.0, 0.8, 0.0), seed=0):
    generator = np.random.default_rng(seed)
    labels = np.repeat([0, 1], n)
    table = {
        name: 1 / (1 + np.exp(-generator.normal((labels - 0.5) * strength)))
        for name, strength in zip(("strong", "weak", "useless"), strengths, strict=True)
    }
    return table, labels, np.tile(np.arange(n), 2)


def assert_sentences(statement):
    for text in (statement.phrase, *statement.reasons):
        assert re.fullmatch(r"[^\s].*\.", text), text
        assert ".." not in text
        assert "None" not in text


def test_one_opinion_becomes_the_statement():
    statement = make_statement([make_finding("ela", 0.7, family="jpeg", protocol=None), make_finding()])
    assert statement.label == "tampered"
    assert statement.probability == pytest.approx(0.9)
    assert statement.basis == ("detector",)
    assert statement.population == "made images (99 authentic, 99 tampered)"
    assert "about 9 times more probable" in statement.phrase
    assert "weak support for H1" in statement.phrase
    assert_sentences(statement)
    assert any("not the probability of alteration" in reason for reason in statement.reasons)


def test_prose_never_calls_an_image_authentic():
    statement = make_statement([make_finding(score=0.05)])
    assert statement.label == "authentic"
    assert statement.phrase.startswith("No alteration found by these methods.")
    assert "authentic" not in statement.phrase
    assert "(H2) than if" in statement.phrase


def test_a_bounded_ratio_says_at_least():
    statement = make_statement([make_finding(score=1.0)])
    assert "at least 100 times" in statement.phrase
    assert any("limited to the bound" in reason for reason in statement.reasons)


def test_standing_goes_by_protocol_and_family_never_by_extremity():
    mild, extreme = make_finding("detector", 0.6), make_finding("noise", 0.99, family="noise")
    assert make_statement([extreme, mild]).basis == ("detector",)
    raw = make_finding("detector", 0.99, protocol="raw")
    assert make_statement([raw, make_finding("noise", 0.6, family="noise")]).basis == ("noise",)
    assert make_statement([make_finding("a", 0.6), make_finding("b", 0.99)]).basis == ("a",)


@pytest.mark.parametrize("protocol", ["raw", "resaved"])
def test_opinions_that_the_history_of_the_file_explains_carry_no_statement(protocol):
    statement = make_statement([make_finding(score=0.99, protocol=protocol)])
    assert (statement.label, statement.probability, statement.log10_lr) == ("inconclusive", None, None)
    assert statement.phrase.endswith("No likelihood ratio: no calibrated method applies.")
    assert any(f"{protocol} protocol only" in reason for reason in statement.reasons)
    assert_sentences(statement)


def test_nothing_calibrated_says_why_for_each_method():
    findings = [
        make_finding("ela", 0.7, family="jpeg", protocol=None),
        Finding("ghost", "jpeg", "not_applicable", notes=("needs a JPEG file.",)),
        Finding("noise", "noise", "failed"),
    ]
    statement = make_statement(findings)
    assert statement.label == "inconclusive"
    assert statement.basis == ()
    assert statement.log10_lr_bounds is None
    assert statement.reasons == (
        "ela is not calibrated; its findings are for the reader to weigh.",
        "ghost was not applicable: needs a JPEG file.",
        "noise failed: no reason was given.",
    )
    assert_sentences(statement)
    assert make_statement([]).label == "inconclusive"


def test_evidence_outside_the_calibration_gets_no_ratio():
    finding = make_finding(
        protocol=None, observations={"outside_calibration": ["the shorter side is 9 pixels"]}
    )
    statement = make_statement([finding])
    assert statement.phrase.endswith("No likelihood ratio: outside validated conditions.")
    assert statement.reasons == ("detector gives no ratio: the shorter side is 9 pixels.",)
    fused = make_statement([finding], fusion=make_model())
    assert fused.probability is None
    assert fused.reasons[0].endswith("gave a usable score: detector, noise.")


def test_fusion_states_what_each_method_moved_largest_first():
    findings = [make_finding("noise", 0.9, family="noise", protocol=None), make_finding(score=0.95)]
    statement = make_statement(findings, fusion=make_model())
    moved = [np.log(0.95 / 0.05), 0.4 * (np.log(9) - 0.5) / 2 - 0.1]
    assert statement.probability == pytest.approx(1 / (1 + np.exp(-sum(moved))))
    assert statement.basis == ("detector", "noise")
    assert statement.reasons[0].startswith("detector (score 0.95) moved the log10 odds by +1.28, towards H1")
    assert statement.reasons[1].startswith("noise (score 0.90) moved the log10 odds by +0.10, towards H1")
    assert_sentences(statement)


def test_a_missing_method_is_neutral_and_said_so():
    statement = make_statement([make_finding(score=0.9)], fusion=make_model())
    assert statement.probability == pytest.approx(0.9)
    assert statement.basis == ("detector",)
    assert "noise gave no score and is treated as neutral." in statement.reasons


def test_fusion_of_another_protocol_carries_no_statement():
    statement = make_statement([make_finding()], fusion=make_model(calibration=make_calibration("raw")))
    assert statement.probability is None
    assert "raw protocol only" in statement.reasons[0]
    assert_sentences(statement)


@given(SCORES, st.floats(0, 1), st.floats(0, 1))
def test_fused_score_is_bounded_and_rises_with_every_score(detector, one, other):
    model = make_model()
    low, high = sorted([one, other])
    below = model.fused_score({"detector": detector, "noise": low})
    above = model.fused_score({"detector": detector, "noise": high})
    assert 0 < below <= above < 1


def test_fit_weighs_methods_by_what_they_add():
    table, labels, groups = draw_scores()
    model = fit_fusion(table, labels, groups=groups, population="made images")
    weights = {part.method: part.weight for part in model.inputs}
    assert weights["strong"] > weights["weak"] > weights["useless"] >= 0
    losses = model.held_out_log_loss
    assert losses["fusion"] < losses["strong"] < losses["weak"] < losses["useless"] + 1e-3
    assert losses["useless"] == pytest.approx(np.log(2), abs=0.02)
    assert all(part.applied_weight == 0 for part in model.inputs)


def test_fit_allows_missing_methods():
    table, labels, groups = draw_scores()
    table["weak"][::3] = np.nan
    model = fit_fusion(table, labels, groups=groups, population="made images")
    assert model.held_out_log_loss["fusion"] < model.held_out_log_loss["strong"]
    score = model.fused_score({"strong": 0.9, "weak": None, "useless": 0.5})
    assert 0.5 < score < 1


def test_fit_equals_scikit_learn_without_a_penalty():
    from sklearn.linear_model import LogisticRegression

    table, labels, groups = draw_scores(60)
    model = fit_fusion(table, labels, groups=groups, population="made images", ridge=1e-9)
    logits = np.column_stack([np.log(s / (1 - s)) for s in table.values()])
    oracle = LogisticRegression(C=1e9, class_weight="balanced", tol=1e-10).fit(logits, labels)
    assert min(oracle.coef_[0]) > 0
    for row in (3, 77):
        scores = {name: float(column[row]) for name, column in table.items()}
        expected = oracle.predict_proba(logits[row : row + 1])[0, 1]
        assert model.fused_score(scores) == pytest.approx(expected, abs=1e-4)


def test_a_method_that_points_the_wrong_way_gets_no_weight():
    table, labels, groups = draw_scores(strengths=(2.0, -1.5, 0.0))
    model = fit_fusion(table, labels, groups=groups, population="made images")
    assert {part.method: part.weight for part in model.inputs}["weak"] == 0


def test_held_out_loss_of_a_copied_source_does_not_flatter():
    table, labels, groups = draw_scores(30, strengths=(0.0, 0.0, 0.0), seed=2)
    many = {name: np.tile(column, 5) for name, column in table.items()}
    model = fit_fusion(many, np.tile(labels, 5), groups=np.tile(groups, 5), population="made images")
    assert model.held_out_log_loss["fusion"] > 0.68


def test_a_model_survives_yaml():
    model = make_model(held_out_log_loss={"fusion": 0.5})
    assert FusionModel.model_validate(yaml.safe_load(yaml.safe_dump(model.model_dump(mode="json")))) == model


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda t: t.update(weak=np.full(300, np.nan)), "weak"),
        (lambda t: t.update(weak=t["weak"] + 1), r"\[0, 1\]"),
        (lambda t: t.update(weak=t["weak"][:9]), "300"),
    ],
)
def test_wrong_scores_are_refused(change, words):
    table, labels, groups = draw_scores()
    change(table)
    with pytest.raises(ValueError, match=words):
        fit_fusion(table, labels, groups=groups, population="made images")


def test_scores_beyond_those_fitted_on_count_as_the_last_of_them():
    part = FusionInput(method="detector", mean=0.0, scale=0.1, weight=0.5, limits=(-2.0, 3.0))
    assert part.contribution(0.999) == pytest.approx(1.5)
    assert part.contribution(0.001) == pytest.approx(-1.0)
    table, labels, groups = draw_scores()
    model = fit_fusion(table, labels, groups=groups, population="made images")
    for part in model.inputs:
        top = float(table[part.method].max())
        assert part.contribution(1.0) == pytest.approx(part.contribution(top))


def test_a_missing_required_method_leaves_no_ratio():
    model = make_model(required=("noise",))
    both = [make_finding(), make_finding("noise", 0.6, family="noise", protocol=None)]
    assert make_statement(both, fusion=model).probability is not None
    statement = make_statement(both[:1], fusion=model)
    assert (statement.label, statement.log10_lr) == ("inconclusive", None)
    assert "noise, which the calibration rests on, gave no usable score" in statement.reasons[0]
    silent = make_finding("noise", 0.0, protocol=None, observations={"outside_calibration": ["saw nothing"]})
    assert make_statement([both[0], silent], fusion=model).probability is None
    assert_sentences(statement)


def test_a_method_without_weight_is_no_basis():
    model = make_model(
        inputs=(
            FusionInput(method="detector", mean=0.0, scale=1.0, weight=1.0),
            FusionInput(method="noise", mean=0.5, scale=2.0, weight=0.0),
        )
    )
    findings = [make_finding(), make_finding("noise", 0.6, family="noise", protocol=None)]
    statement = make_statement(findings, fusion=model)
    assert statement.basis == ("detector",)
    assert "noise has no weight in the fusion: it did not help on the fusion's data." in statement.reasons
    assert make_statement(findings[1:], fusion=model).probability is None
    assert_sentences(statement)


def test_a_file_that_is_cut_short_has_no_statement() -> None:
    findings = withhold_opinions([make_finding(score=0.99)], reason="the file is cut short")
    statement = make_statement(findings, withheld="The file is cut short.")
    assert (statement.label, statement.probability, statement.basis) == ("inconclusive", None, ())
    assert statement.reasons[0] == "The file is cut short."
    assert statement.reasons[1].endswith("gives no ratio: the file is cut short.")


def make_classes():
    large = make_calibration(curve=PlattCurve(slope=1.0, intercept=-3.0), population="large images")
    return {
        "jpeg_large": ClassCalibration(calibration=large),
        "no_jpeg_large": ClassCalibration(
            calibration=borrow(make_calibration(), "no_jpeg_large", 2, 2), is_borrowed=True
        ),
    }


def test_the_class_of_the_evidence_decides_how_the_score_is_read():
    model = make_model(classes=make_classes())
    findings = [make_finding(score=0.95), make_finding("noise", 0.9, family="noise", protocol=None)]
    small = make_statement(findings, fusion=model, classes=("jpeg_small",))
    large = make_statement(findings, fusion=model, classes=("jpeg_large_fine", "jpeg_large"))
    assert small.evidence_class is None
    assert large.evidence_class == "jpeg_large"
    assert large.log10_lr < small.log10_lr
    assert "The score is read as that of JPEG files over 4 megapixels." in large.reasons
    assert_sentences(large)


def test_a_class_with_few_data_states_less_and_says_so():
    model = make_model(classes=make_classes())
    findings = [make_finding(score=1.0), make_finding("noise", 1.0, family="noise", protocol=None)]
    all_alike = make_statement(findings, fusion=make_model())
    borrowed = make_statement(findings, fusion=model, classes=("no_jpeg_large",))
    assert 0 < borrowed.log10_lr == pytest.approx(all_alike.log10_lr_bounds[1] / 2)
    assert borrowed.label == "inconclusive"
    assert any(reason.startswith("Only 2 tampered and 2 authentic images") for reason in borrowed.reasons)
    assert_sentences(borrowed)


def test_a_fusion_with_classes_has_conditions_of_its_own():
    outside = make_finding(observations={OUTSIDE_KEY: ["the image has 9 pixels"], CONDITIONS_KEY: True})
    assert make_statement([outside], fusion=make_model(), classes=("jpeg_large",)).probability is None
    model = make_model(classes=make_classes())
    assert make_statement([outside], fusion=model, classes=("jpeg_large",)).probability is not None
    unread = make_finding(observations={OUTSIDE_KEY: ["its luma is subsampled"]})
    assert make_statement([unread], fusion=model, classes=("jpeg_large",)).probability is None


def test_the_largest_ratio_is_that_of_any_class():
    assert make_model().largest_log10_lr == 2.0
    wide = ClassCalibration(calibration=make_calibration(log10_lr_bounds=(-1.0, 2.5)))
    assert make_model(classes={**make_classes(), "jpeg_small": wide}).largest_log10_lr == 2.5


def test_weights_tell_what_a_score_says_within_a_class():
    table, labels, groups = draw_scores(strengths=(1.0, 1.0, 0.0))
    is_second = np.tile([False, True], labels.size // 2)
    shifted = {name: 1 / (1 + np.exp(-(np.log(s / (1 - s)) + 4 * is_second))) for name, s in table.items()}
    classes = np.where(is_second, "b", "a").tolist()
    plain = fit_fusion(shifted, labels, groups=groups, population="made images")
    aware = fit_fusion(shifted, labels, groups=groups, population="made images", classes=classes)
    weights = [
        sum(part.weight / part.scale for part in model.inputs if part.method != "useless")
        for model in (plain, aware)
    ]
    assert weights[1] > 1.2 * weights[0]
    with pytest.raises(ValueError, match="a class for each of 300 images"):
        fit_fusion(table, labels, groups=groups, population="made images", classes=["a"])
