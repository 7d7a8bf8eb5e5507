from pathlib import Path

import numpy as np
import pytest

from imforensics.datasets.base import Dataset, load_dataset
from imforensics.errors import EvidenceError
from imforensics.evidence import read_evidence
from imforensics.methods.base import Method
from imforensics.metrics.localization import PooledPixels, localize_metrics, measure_tampered
from imforensics.metrics.pixel_counts import BINS
from imforensics.pipeline.analyze import build_methods, run_method
from imforensics.pipeline.evaluate import worker as evaluate_worker
from imforensics.pipeline.evaluate.protocols import Trial, plan_trials
from imforensics.pipeline.evaluate.worker import (
    HISTOGRAM_BINS,
    Entry,
    Task,
    WorkerSettings,
    add_histogram,
    evaluate_task,
    pack_histogram,
    prepare_worker,
    show_trial,
)
from imforensics.preprocessing.chains import apply_chain
from imforensics.types import Evidence, Finding, LocalizationMap


@pytest.fixture
def dataset(labelled_set: Path) -> Dataset:
    return load_dataset("folder", labelled_set)


def prepare(*names: str) -> None:
    prepare_worker(WorkerSettings(tuple(Entry(n, n, {}) for n in names), 10**7, "white"))


def trials_of(dataset: Dataset, protocol: str) -> dict[str, Trial]:
    return {t.id: t for t in plan_trials(dataset, dataset.samples, protocol).trials}  # type: ignore[arg-type]


class Fake(Method):
    """Gives the finding that a test wants."""

    name = "fake"
    family = "noise"
    finding = Finding("fake", "noise", "ok")

    def analyze(self, evidence: Evidence) -> Finding:
        return type(self).finding


def run_fake(monkeypatch: pytest.MonkeyPatch, trial: Trial, finding: Finding) -> dict:
    monkeypatch.setattr(Fake, "finding", finding)
    monkeypatch.setattr(evaluate_worker, "_worker", ({"fake": Fake()}, WorkerSettings((), 10**7, "white")))
    (row,) = evaluate_task(Task(trial, {"fake": "digest"}))
    return row


def test_a_record_holds_what_production_says(dataset: Dataset) -> None:
    prepare("ela", "wavelet_noise")
    trial = trials_of(dataset, "raw")["splice1.jpg"]
    rows = evaluate_task(Task(trial, {"ela": "d1", "wavelet_noise": "d2"}))
    evidence = read_evidence(trial.sample.image_path)
    mask = np.zeros((96, 128), np.bool_)
    mask[24:64, 32:88] = True
    for row, method in zip(rows, build_methods({"ela": {}, "wavelet_noise": {}}), strict=True):
        finding = run_method(method, evidence)
        assert finding.map is not None
        expected = localize_metrics(
            finding.map.values, mask, threshold=finding.threshold, valid=finding.map.valid
        )
        assert row["score"] == finding.score
        assert row["pixel"]["auc"] == pytest.approx(expected["auc"], abs=1e-8)  # type: ignore[index,call-overload]
        assert row["mask_area"] == pytest.approx(mask.mean())
        assert (row["status"], row["label"], row["group"]) == ("ok", 1, "s1")
    assert [row["digest"] for row in rows] == ["d1", "d2"]


def test_twin_halves_have_the_same_header_facts_and_other_pixels(dataset: Dataset) -> None:
    trials = trials_of(dataset, "twin")
    tampered = show_trial(trials["splice2.jpg"], max_pixels=10**7)
    host = show_trial(trials["host2.jpg [saved like splice2.jpg]"], max_pixels=10**7)
    assert tampered.jpeg is not None
    assert host.jpeg is not None
    assert [t.tolist() for t in host.jpeg.quantization_tables] == [
        t.tolist() for t in tampered.jpeg.quantization_tables
    ]
    assert host.jpeg.subsampling == tampered.jpeg.subsampling
    outside = np.abs(host.pixels[80:].astype(int) - tampered.pixels[80:])
    assert outside.mean() < 2
    assert np.abs(host.pixels[24:64, 32:88].astype(int) - tampered.pixels[24:64, 32:88]).mean() > 20


def test_a_processed_twin_is_saved_like_its_pair_first(dataset: Dataset) -> None:
    plan = plan_trials(dataset, dataset.samples, "twin", kinds=("resize",))
    trials = {t.id: t for t in plan.trials}
    name = "host2.jpg [saved like splice2.jpg]"
    plain, shown = (show_trial(trials[key], max_pixels=10**7) for key in (name, f"{name} [resize 0.5]"))
    chain = trials[f"{name} [resize 0.5]"].chain
    assert chain is not None
    expected = read_evidence(apply_chain(plain.pixels, chain))
    np.testing.assert_array_equal(shown.pixels, expected.pixels)
    prepare("ela")
    (row,) = evaluate_task(Task(trials[f"{name} [resize 0.5]"], {"ela": "d"}))
    assert row["treatment"] == (
        "saved with the tables and subsampling of its tampered twin, resize x0.5, JPEG ijg tables quality 95 "
        "4:2:0"
    )
    assert (row["condition"], row["strength"], row["pair"]) == ("resize", 0.5, "splice2.jpg")


def test_masks_follow_the_chain(dataset: Dataset) -> None:
    prepare("ela")
    trial = trials_of(dataset, "robustness")["splice1.jpg [resize 0.5]"]
    (row,) = evaluate_task(Task(trial, {"ela": "d"}))
    assert (row["height"], row["width"]) == (48, 64)
    assert row["mask_area"] == pytest.approx(40 * 56 / (96 * 128))
    assert row["treatment"] == "resize x0.5, JPEG ijg tables quality 95 4:2:0"


def test_an_unreadable_picture_is_a_record_for_every_method(dataset: Dataset, tmp_path: Path) -> None:
    from dataclasses import replace

    prepare("ela", "wavelet_noise")
    broken = tmp_path / "broken.jpg"
    broken.write_bytes(b"\xff\xd8 nothing")
    trial = trials_of(dataset, "raw")["host1.jpg"]
    trial = replace(trial, sample=replace(trial.sample, image_path=broken))
    rows = evaluate_task(Task(trial, {"ela": "d", "wavelet_noise": "d"}))
    assert [row["status"] for row in rows] == ["unreadable", "unreadable"]
    assert all(row["note"] and row["score"] is None for row in rows)
    assert {frozenset(row) for row in rows} == {
        frozenset(evaluate_task(Task(trials_of(dataset, "raw")["host2.jpg"], {"ela": "d"}))[0])
    }


def test_a_host_cannot_be_saved_like_a_file_that_is_no_jpeg(dataset: Dataset, labelled_set: Path) -> None:
    from dataclasses import replace

    trial = trials_of(dataset, "twin")["host1.jpg [saved like splice1.jpg]"]
    with pytest.raises(EvidenceError, match="not a JPEG"):
        show_trial(replace(trial, tables_from=labelled_set / "mask1.png"), max_pixels=10**7)


def test_a_mask_that_does_not_fit_costs_the_map_only(
    dataset: Dataset, labelled_set: Path, tmp_path: Path
) -> None:
    from dataclasses import replace

    from PIL import Image

    prepare("ela")
    Image.fromarray(np.zeros((5, 5), np.uint8)).save(tmp_path / "small.png")
    trial = trials_of(dataset, "raw")["splice1.jpg"]
    trial = replace(trial, sample=replace(trial.sample, mask_path=tmp_path / "small.png"))
    (row,) = evaluate_task(Task(trial, {"ela": "d"}))
    assert row["status"] == "ok"
    assert row["score"] is not None
    assert row["pixel"] is None
    assert "5x5" in str(row["mask_note"])


@pytest.mark.parametrize(
    "finding",
    [
        Finding("fake", "noise", "ok", score=1.5),
        Finding("fake", "noise", "ok", score=float("nan")),
        Finding("fake", "noise", "ok", map=LocalizationMap(np.full((96, 128), 2, np.float32))),
        Finding("fake", "noise", "ok", map=LocalizationMap(np.zeros((9, 9), np.float32))),
    ],
)
def test_a_finding_that_breaks_its_contract_counts_as_failed(
    monkeypatch: pytest.MonkeyPatch, dataset: Dataset, finding: Finding
) -> None:
    row = run_fake(monkeypatch, trials_of(dataset, "raw")["splice1.jpg"], finding)
    assert row["status"] == "failed"
    assert row["score"] is None
    assert row["note"]


def test_not_applicable_keeps_its_reason(monkeypatch: pytest.MonkeyPatch, dataset: Dataset) -> None:
    finding = Finding("fake", "noise", "not_applicable", notes=("too flat",))
    row = run_fake(monkeypatch, trials_of(dataset, "raw")["host1.jpg"], finding)
    assert (row["status"], row["note"], row["score"]) == ("not_applicable", "too flat", None)


def test_histograms_lose_no_pixel_and_hardly_any_order() -> None:
    generator = np.random.default_rng(0)
    values = generator.random((64, 64), dtype=np.float32) ** 3
    mask = generator.random((64, 64)) < 0.3
    values[mask] = np.minimum(values[mask] + np.float32(0.05), 1)
    exact = measure_tampered(values, mask, threshold=None)
    table = np.zeros((BINS, 2), dtype=np.int64)
    add_histogram(table, pack_histogram(exact.histogram))
    assert table.sum(axis=0).tolist() == [(~mask).sum(), mask.sum()]
    coarse = PooledPixels(None, pixels=table, counts=exact.counts).metrics()
    assert abs(coarse["auc_pooled"] - exact.metrics["auc"]) <= coarse["auc_pooled_error"] + 1e-12
    assert np.count_nonzero(table.any(axis=1)) <= HISTOGRAM_BINS


def test_an_unprepared_process_says_so(monkeypatch: pytest.MonkeyPatch, dataset: Dataset) -> None:
    monkeypatch.setattr(evaluate_worker, "_worker", None)
    with pytest.raises(RuntimeError, match="prepare_worker"):
        evaluate_task(Task(trials_of(dataset, "raw")["host1.jpg"], {}))
