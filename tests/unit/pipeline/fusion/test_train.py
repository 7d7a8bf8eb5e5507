"""Training a fusion: which pictures enter, what is fitted, and when no label is given."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from imforensics.config import ConfigError, load_config
from imforensics.errors import DatasetError, MissingExtraError
from imforensics.evidence.quantization import ijg_tables
from imforensics.models.training import extra as training_extra
from imforensics.pipeline.fusion import train as train_fusion
from imforensics.pipeline.fusion.cases import (
    FusionCase,
    collect_cases,
    keep_pairs,
    keep_valid,
    mask_inexact,
    score_table,
)
from imforensics.pipeline.fusion.config import TrainFusionConfig
from imforensics.pipeline.fusion.fit import describe_fit, fit, masked_methods, method_auc
from imforensics.pipeline.fusion.measures import measure_ratios

TABLES = [table.ravel().tolist() for table in ijg_tables(80)]


def make_row(trial: str, entry: str, **changes: Any) -> dict[str, Any]:
    row: dict[str, Any] = {
        "trial": trial,
        "entry": entry,
        "label": 1,
        "group": "g",
        "pair": "p",
        "status": "ok",
        "score": 0.5,
        "is_usable": True,
        "history": "jpeg",
        "graphic": False,
        "settings": ["JPEG", TABLES, "4:2:0"],
        "format": "JPEG",
        "height": 256,
        "width": 384,
    }
    return row | changes


def make_case(trial: str, label: int, score: float | None, **changes: Any) -> FusionCase:
    values: dict[str, Any] = {
        "trial": trial,
        "label": label,
        "group": trial[1:],
        "pair": trial[1:],
        "is_exact": True,
        "is_jpeg": True,
        "height": 256,
        "width": 384,
        "scores": {"ela": score, "noise": None},
    }
    return FusionCase(**(values | changes))


def make_twins(n: int, *, strength: float, seed: int = 0) -> list[FusionCase]:
    generator = np.random.default_rng(seed)
    cases = []
    for number in range(n):
        for label in (0, 1):
            score = float(1 / (1 + np.exp(-generator.normal((label - 0.5) * strength))))
            noise = float(generator.uniform()) if number % 3 else None
            cases.append(make_case(f"{label}{number}", label, score, scores={"ela": score, "noise": noise}))
    return cases


def make_photos(n: int, *, strength: float, size: int = 600) -> list[FusionCase]:
    hosts = [case for case in make_twins(n, strength=strength, seed=1) if case.label == 0]
    return [
        make_case(case.trial, 0, None, scores=case.scores, pair=None, height=size, width=size)
        for case in hosts
    ]


def config_of(**values: Any) -> TrainFusionConfig:
    return TrainFusionConfig.model_validate({"methods": ["ela", "noise"], **values})


def test_a_score_enters_only_where_it_is_valid() -> None:
    rows = [
        make_row("a", "ela"),
        make_row("a", "noise", is_usable=False),
        make_row("b", "ela", status="failed", score=None),
        make_row("b", "noise", score=0.25),
        make_row("c", "ela", status="not_applicable", score=None),
        make_row("c", "noise", status="failed", score=None),
        make_row("d", "ela", status="unreadable", score=None),
        make_row("d", "noise", status="unreadable", score=None),
        make_row("e", "ela"),
    ]
    cases, left_out = collect_cases(rows, ["ela", "noise"])
    assert [case.scores for case in cases] == [{"ela": 0.5, "noise": None}, {"ela": None, "noise": 0.25}]
    assert cases[1].failed == ("ela",)
    assert left_out == {
        "no method gave a usable score": 1,
        "not readable, or not to be saved for the protocol": 1,
        "no record of noise": 1,
    }
    table = score_table(cases, ["ela", "noise"])
    np.testing.assert_array_equal(table["ela"], [0.5, np.nan])


def test_a_masked_method_counts_as_missing() -> None:
    rows = [make_row("a", "ela"), make_row("a", "noise", score=0.75)]
    (case,), _ = collect_cases(rows, ["ela", "noise"], masked=["ela"])
    assert case.scores == {"ela": None, "noise": 0.75}


@pytest.mark.parametrize(("tables", "is_exact"), [(TABLES, True), ([[7] * 64, [9] * 64], False), ([], False)])
def test_exact_twins_have_the_tables_of_our_encoder(tables: list[list[int]], is_exact: bool) -> None:
    (case,), _ = collect_cases([make_row("a", "ela", settings=["JPEG", tables, "4:2:0"])], ["ela"])
    assert case.is_exact == is_exact


def test_pairs_stay_whole() -> None:
    cases = [make_case("01", 0, 0.1), make_case("11", 1, 0.2), make_case("02", 0, 0.3)]
    cases += [make_case("03", 0, 0.1, is_exact=False), make_case("13", 1, 0.1, is_exact=False)]
    kept, left_out = keep_pairs(cases, exact_only=True)
    assert [case.trial for case in kept] == ["01", "11"]
    assert sorted(left_out.values()) == [1, 2]
    assert len(keep_pairs(cases, exact_only=False)[0]) == 4


def test_a_method_that_may_read_the_encoder_counts_on_exact_twins_only() -> None:
    scores = {"ela": 0.3, "noise": 0.4}
    cases = [make_case("01", 0, None, scores=scores), make_case("02", 0, None, scores=scores, is_exact=False)]
    first, second = mask_inexact(cases, ["ela"])
    assert first.scores == scores
    assert second.scores == {"ela": None, "noise": 0.4}
    with pytest.raises(ConfigError, match="exact_only names nothing, which is not a method"):
        load_config(TrainFusionConfig, overrides=["exact_only=[nothing]"])


def test_a_strong_method_earns_labels_that_keep_the_rates() -> None:
    twins, photos = make_twins(150, strength=7.0), make_photos(120, strength=7.0)
    config = config_of(conditions={"max_pixels": 600 * 600})
    fitted = fit(config, twins, {"photos": photos, "web": photos[:60]}, population="made images")
    calibration = fitted.model.calibration
    assert calibration.thresholds is not None
    assert calibration.thresholds.tampered_above is not None
    assert calibration.thresholds.authentic_below is not None
    assert calibration.conditions.max_pixels == 360_000
    for scores in (*fitted.photos.values(), fitted.held_out[fitted.labels == 0]):
        labels = [calibration.label(score) for score in scores]
        assert labels.count("tampered") <= 0.02 * len(labels)
    hits = [calibration.label(score) for score in fitted.held_out[fitted.labels == 1]]
    assert hits.count("tampered") > 0.7 * len(hits)
    weights = {part.method: part.weight for part in fitted.model.inputs}
    assert weights["ela"] > 10 * weights["noise"]


def test_a_useless_method_earns_no_label() -> None:
    twins, photos = make_twins(100, strength=0.0), make_photos(60, strength=0.0, size=256)
    fitted = fit(config_of(), twins, {"photos": photos}, population="made images")
    thresholds = fitted.model.calibration.thresholds
    assert thresholds is not None
    assert (thresholds.tampered_above, thresholds.authentic_below) == (None, None)
    assert any("never given" in note for note in thresholds.notes)


def test_photographs_outside_the_conditions_do_not_count() -> None:
    twins, photos = make_twins(60, strength=3.0), make_photos(60, strength=3.0)
    photos = [
        replace(case, is_graphic=bool(number % 2), height=600 if number % 2 else 63)
        for number, case in enumerate(photos)
    ]
    with pytest.raises(DatasetError, match="no photograph is within the conditions of the fusion"):
        fit(config_of(), twins, {"photos": photos}, population="made images")
    small = make_photos(50, strength=3.0, size=256)
    fitted = fit(config_of(), twins, {"photos": [*photos, *small]}, population="made images")
    assert fitted.photos["photos"].size == 50
    assert keep_valid([*photos, *small], fitted.model)[1].total() == 60


def test_without_a_required_score_there_is_no_statement() -> None:
    twins = [case for case in make_twins(120, strength=4.0) if case.scores["noise"] is not None]
    photos = make_photos(90, strength=4.0, size=256)
    silent = [case for case in photos if case.scores["noise"] is None]
    config = config_of(required=["noise"])
    fitted = fit(config, twins, {"photos": photos, "web": silent}, population="made images")
    assert fitted.model.required == ("noise",)
    assert fitted.photos["photos"].size == 90 - len(silent)
    assert fitted.photos["web"].size == 0
    assert keep_valid(silent, fitted.model)[1] == {"no usable score of noise": len(silent)}
    assert fitted.model.calibration.thresholds is not None
    assert not any("web" in note for note in fitted.model.calibration.thresholds.notes)


def test_that_a_masked_method_applies_says_nothing() -> None:
    config = config_of(exact_only=["noise"])
    assert masked_methods(config) == ("noise",)
    twins = make_twins(100, strength=2.0)
    shifted = [
        make_case(case.trial, case.label, None, scores={**case.scores, "noise": None if case.label else 0.5})
        for case in twins
    ]
    photos = {"photos": make_photos(60, strength=2.0, size=256)}
    fitted = fit(config, shifted, photos, population="made images")
    assert {part.method: part.applied_weight for part in fitted.model.inputs}["noise"] == 0.0
    free = fit(config_of(), shifted, photos, population="made images")
    assert {part.method: part.applied_weight for part in free.model.inputs}["noise"] < -1.0


def test_no_twins_is_an_error() -> None:
    with pytest.raises(DatasetError, match="No pair of the twins can be used"):
        fit(config_of(), [], {"photos": []}, population="made images")


def test_the_log_compares_encoders() -> None:
    twins = make_twins(60, strength=2.0)
    others = [make_case(f"{label}x", label, 0.1 + 0.8 * label, is_exact=False) for label in (0, 1)]
    fitted = fit(
        config_of(), twins, {"photos": make_photos(60, strength=2.0, size=256)}, population="made images"
    )
    log = describe_fit(fitted, twins, [*twins, *others], seed=0)
    assert log["auc_of_methods"]["ela"]["other encoder"] == 1.0
    assert log["auc_of_methods"]["ela"]["same encoder"] == method_auc(twins, "ela")
    assert log["auc_of_methods"]["noise"]["other encoder"] is None
    assert log["cross_validated"]["n_authentic"] == 60
    assert 0 < log["cross_validated"]["cllr_min"] <= log["cross_validated"]["cllr"] < 1


def test_measures_of_uninformative_ratios() -> None:
    labels = np.repeat([0, 1], 50)
    found = measure_ratios(np.zeros(100), labels, seed=0)
    assert found["cllr"] == pytest.approx(1.0)
    assert found["ece_5_bins"] == pytest.approx(0.0)
    assert set(found) >= {"ece_10_bins", "ece_10_bins_floor", "ece_5_bins_floor", "cllr_min"}


def test_no_test_split_can_be_named() -> None:
    with pytest.raises(ConfigError, match=r"twins\.0\.splits\.0: Input should be 'train' or 'val'"):
        load_config(TrainFusionConfig, overrides=["twins=[{name: casia1, splits: [test]}]"])
    config = load_config(TrainFusionConfig, overrides=["methods=[ela, wavelet_noise]"])
    assert config.methods == {"ela": {}, "wavelet_noise": {}}


def test_photographs_that_the_localizer_learned_from_are_refused() -> None:
    values = {"methods": {"localizer": {}}, "camera_photos": [{"name": "photos", "splits": ["train"]}]}
    config = TrainFusionConfig.model_validate(values)
    with pytest.raises(ConfigError, match="localizer was trained on the train split of photos"):
        train_fusion.plan_fusion_training(config, Path("nowhere"))
    assert not Path("nowhere").exists()


@pytest.mark.parametrize(
    ("method", "bundle", "known"),
    [("ela_cnn", "casia1_ela_cnn_twin", "casia1"), ("localizer", "localizer", "photos")],
)
def test_photographs_that_a_network_was_trained_on_are_refused(method: str, bundle: str, known: str) -> None:
    values = {
        "methods": {method: {"bundle": bundle}},
        "camera_photos": [{"name": known, "splits": ["train"]}],
    }
    with pytest.raises(ConfigError, match=f"{method} was trained on the train split of {known}"):
        train_fusion._refuse_training_data(TrainFusionConfig.model_validate(values))


def test_without_scikit_learn_nothing_is_begun(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(training_extra, "find_spec", lambda name: None)
    with pytest.raises(MissingExtraError, match=r"pip install 'imforensics\[train\]'"):
        train_fusion.plan_fusion_training(TrainFusionConfig(), tmp_path / "run")
    assert not (tmp_path / "run").exists()
