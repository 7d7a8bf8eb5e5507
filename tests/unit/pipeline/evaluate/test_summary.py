import numpy as np
import pytest

from imforensics.metrics.localization import PooledPixels, centre_prior_metrics, measure_tampered
from imforensics.pipeline.evaluate.baselines import collect_shown, summarize_centre_prior, summarize_shortcut
from imforensics.pipeline.evaluate.columns import collect_columns
from imforensics.pipeline.evaluate.summary import summarize_column
from imforensics.pipeline.evaluate.worker import pack_histogram

RAW = ("raw", 0.0)


def record(trial: str, label: int, score: float | None, **changes: object) -> dict:
    row: dict = {
        "trial": trial,
        "entry": "m",
        "digest": "d",
        "label": label,
        "group": trial,
        "pair": None,
        "manipulation": "splicing" if label else None,
        "condition": "raw",
        "strength": 0.0,
        "treatment": "as it is",
        "status": "ok",
        "note": None,
        "mask_note": None,
        "score": score,
        "probability": None,
        "log10_lr": None,
        "stated": None,
        "threshold": None,
        "threshold_policy": None,
        "format": "JPEG",
        "height": 8,
        "width": 8,
        "settings": ["JPEG", [[1] * 64], "4:2:0"],
        "seconds": 0.5,
        "mask_area": None,
        "pixel": None,
        "counts": None,
        "histogram": None,
    }
    return row | changes


def summarize(rows: list[dict], **options: object) -> dict:
    columns = collect_columns(rows)
    return summarize_column(columns["m", RAW], seed=0, n_resamples=200, **options)  # type: ignore[arg-type]


def rows_of(labels: np.ndarray, scores: np.ndarray) -> list[dict]:
    return [record(f"i{n}", int(y), float(s)) for n, (y, s) in enumerate(zip(labels, scores, strict=True))]


def test_detection_agrees_with_scikit_learn() -> None:
    from sklearn.metrics import average_precision_score, roc_auc_score

    generator = np.random.default_rng(0)
    labels = np.arange(80) % 2
    scores = np.clip(generator.normal(0.4 + 0.2 * labels, 0.2), 0, 1)
    found = summarize(rows_of(labels, scores))["detection"]
    assert found["metrics"]["auc"] == pytest.approx(roc_auc_score(labels, scores))
    assert found["metrics"]["average_precision"] == pytest.approx(average_precision_score(labels, scores))
    low, high = found["intervals"]["auc"]
    assert 0.03 < high - low < 0.4
    assert low < found["metrics"]["auc"] < high


def test_what_has_no_score_is_counted_and_left_out_of_the_metrics() -> None:
    rows = rows_of(np.array([0, 1, 0, 1]), np.array([0.1, 0.9, 0.2, 0.8]))
    rows += [record("x", 1, None, status=s) for s in ("failed", "crashed", "unreadable", "not_applicable")]
    found = summarize(rows)
    assert found["counts"]["tampered"] == 6
    assert found["counts"]["scored"] == 4
    assert [found["counts"][s] for s in ("ok", "failed", "crashed", "unreadable", "not_applicable")] == [
        4,
        1,
        1,
        1,
        1,
    ]
    assert found["detection"]["metrics"]["auc"] == 1.0


def test_one_class_gives_no_figure_of_detection() -> None:
    found = summarize([record("a", 0, 0.3), record("b", 0, 0.4)])
    assert found["detection"] is None
    assert found["calibration"] is None
    assert found["decisions"] == {}


def test_decisions_follow_the_stated_label_and_each_threshold() -> None:
    rows = [
        record("a", 0, 0.2, stated="inconclusive", log10_lr=0.0),
        record("b", 0, 0.7, stated="tampered", log10_lr=0.5),
        record("c", 1, 0.9, stated="tampered", log10_lr=1.0),
        record("d", 1, 0.4, stated="inconclusive", log10_lr=-0.1),
    ]
    found = summarize(rows, thresholds={"f1_best": 0.3})
    label, policy = found["decisions"]["label"], found["decisions"]["f1_best"]
    assert label["metrics"]["recall"] == 0.5
    assert label["metrics"]["fpr"] == 0.5
    assert label["stated"]["tampered"] == {"tampered": 1, "inconclusive": 1}
    assert policy["threshold"] == 0.3
    assert policy["metrics"]["recall"] == 1.0
    assert policy["metrics"]["accuracy"] == 0.75
    assert found["calibration"]["n"] == 4


def test_calibration_is_perfect_for_ratios_that_are_right() -> None:
    generator = np.random.default_rng(1)
    labels = np.arange(4000) % 2
    # scores N(±0.5, 1): the log likelihood ratio of x is x
    x = generator.normal(labels - 0.5, 1)
    rows = [
        record(f"i{n}", int(y), 0.5, log10_lr=float(v / np.log(10)), stated="inconclusive")
        for n, (y, v) in enumerate(zip(labels, x, strict=True))
    ]
    found = summarize(rows)["calibration"]
    assert found["cllr"] - found["cllr_min"] < 0.01
    assert found["ece"] < found["ece_floor"] + 0.02


def test_pairs_count_ties_as_one_half() -> None:
    rows = []
    for n, (host, tampered) in enumerate([(0.1, 0.2), (0.5, 0.5), (0.3, 0.1), (0.1, 0.9)]):
        rows += [record(f"h{n}", 0, host, pair=f"t{n}"), record(f"t{n}", 1, tampered, pair=f"t{n}")]
    rows += [record("h9", 0, 0.4, pair="t9"), record("t9", 1, None, status="failed", pair="t9")]
    found = summarize(rows)["pairs"]
    assert found["n"] == 4
    assert found["tampered_higher"] == pytest.approx(2.5 / 4)


def test_pooled_and_mean_localization_agree_with_one_pass_over_all_pixels() -> None:
    generator = np.random.default_rng(0)
    whole, measured, rows = PooledPixels(0.4), [], []
    for n in range(6):
        values = generator.random((16, 16), dtype=np.float32)
        mask = generator.random((16, 16)) < 0.3
        own = measure_tampered(values, mask, threshold=0.4)
        own.histogram.add_to(whole.pixels)
        whole.add_counts(own.counts)
        measured.append(own.metrics)
        counts = {k: [c.tp, c.fp, c.fn, c.tn] for k, c in own.counts.items()}
        rows.append(
            record(
                f"i{n}",
                1,
                0.5,
                pixel=own.metrics,
                counts=counts,
                histogram=pack_histogram(own.histogram),
                threshold=0.4,
                threshold_policy="f1_fixed",
                mask_area=0.3,
            )
        )
    rows.append(record("a", 0, 0.5, pixel={"false_alarm_area_half": 0.25, "valid_area": 1.0}))
    rows.append(record("n", 1, 0.5))
    found = summarize(rows)
    expected, local = whole.metrics(), found["localization"]
    expected |= {f"{name}_mean": np.mean([metrics[name] for metrics in measured]) for name in measured[0]}
    assert (local["n_tampered"], local["n_authentic"], local["threshold"]) == (6, 1, 0.4)
    assert local["threshold_policy"] == "f1_fixed"
    assert found["counts"]["tampered_without_mask"] == 1
    for name in (
        "f1_fixed_mean",
        "iou_half_mean",
        "auc_mean",
        "f1_best_mean",
        "f1_fixed_pooled",
        "mcc_half_pooled",
    ):
        assert local["metrics"][name] == pytest.approx(expected[name])
    for name in ("auc_pooled", "ap_pooled", "f1_best_pooled"):
        assert local["metrics"][name] == pytest.approx(expected[name], abs=2e-3)
    assert local["metrics"]["false_alarm_area_half_mean"] == 0.25


def shown_in(rows: list[dict]) -> list:
    shown: dict = {}
    assert list(collect_shown(rows, shown)) == rows  # given on untouched
    return shown[RAW]


def test_the_look_up_separates_classes_that_were_saved_differently() -> None:
    rows = [record(f"i{n}", n % 2, 0.5, settings=["JPEG", [[1 + n % 2] * 64], "4:2:0"]) for n in range(60)]
    found = summarize_shortcut(shown_in(rows), seed=0, n_resamples=200)
    assert found is not None
    assert found["metrics"]["auc"] == 1.0
    assert found["metrics"]["accuracy"] == 1.0
    assert found["distinct_settings"] == 2


def test_equal_settings_are_exactly_chance_also_with_uneven_folds() -> None:
    rows = [record(f"i{n}", int(n < 11), 0.5) for n in range(43)]
    found = summarize_shortcut(shown_in(rows), seed=3, n_resamples=200)
    assert found is not None
    assert found["metrics"]["auc"] == 0.5


def test_pairs_of_one_group_with_shared_settings_are_exactly_chance() -> None:
    rows = []
    for n in range(20):
        settings = ["JPEG", [[1 + n % 7] * 64], "4:2:0"]
        rows += [record(f"{k}{n}", k, 0.5, group=f"g{n}", settings=settings) for k in (0, 1)]
    found = summarize_shortcut(shown_in(rows), seed=0, n_resamples=200)
    assert found is not None
    assert found["metrics"]["auc"] == 0.5
    assert found["metrics"]["accuracy"] == 0.5


def test_headers_are_taken_once_however_many_methods_there_are() -> None:
    rows = [record("a", 0, 0.5), record("a", 0, 0.5, entry="other"), record("b", 1, None, settings=None)]
    assert len(shown_in(rows)) == 1
    assert summarize_shortcut(shown_in(rows), seed=0, n_resamples=200) is None


def test_the_centre_prior_is_taken_once_a_picture_and_averaged() -> None:
    masks = [np.zeros((20, 30), bool) for _ in range(3)]
    masks[0][8:12, 12:18] = masks[1][:4, :4] = masks[2][5:15, 10:20] = True
    found = [centre_prior_metrics(mask) for mask in masks]
    rows = [
        record(f"i{n}", 1, 0.5, entry=entry, centre=pixel)
        for n, pixel in enumerate(found)
        for entry in ("ela", "other")
    ]
    shown = shown_in([*rows, record("authentic", 0, 0.5)])
    centre = summarize_centre_prior(((each.group, each.centre) for each in shown), seed=0, n_resamples=200)
    assert centre is not None
    assert centre["n"] == 3
    assert centre["metrics"]["auc_mean"] == pytest.approx(np.mean([pixel["auc"] for pixel in found]))
    assert summarize_centre_prior([("a", None)], seed=0, n_resamples=200) is None
