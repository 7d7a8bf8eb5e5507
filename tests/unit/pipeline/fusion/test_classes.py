"""What each class of evidence gets of its own, and what it borrows."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from imforensics.metrics.class_calibration import NOTHING
from imforensics.pipeline.evaluate.marks import LEVELS, describe_marks
from imforensics.pipeline.evaluate.protocols import limit_samples
from imforensics.pipeline.fusion.cases import FusionCase, collect_cases, pair_made
from imforensics.pipeline.fusion.config import TrainFusionConfig
from imforensics.pipeline.fusion.fit import describe_fit, fit
from imforensics.pipeline.fusion.map_thresholds import calibrate_regions, choose_map_threshold
from imforensics.types import Finding, LocalizationMap, Sample

pytest.importorskip("sklearn", reason="needs the train extra")

NAMES = {"small": ("jpeg_small_coarse", "jpeg_small"), "large": ("jpeg_large_coarse", "jpeg_large")}


def config_of(**values):
    return TrainFusionConfig.model_validate({"methods": ["net"], "map_method": "net", **values})


def make_marks(share, *, own=0.5, regions=()):
    """Marks of a picture whose map reaches 0.9 over a share of it, and nothing beyond."""
    at = [{"level": own, "share": share, "regions": list(regions)}]
    at += [{"level": level, "share": share if level <= 0.9 else 0.0, "regions": []} for level in LEVELS]
    return {"net": at}


def make_cases(n, size, *, labels=(0, 1), shift=0.0, seed=0, start=0, share=0.0):
    generator = np.random.default_rng(seed)
    cases = []
    for number in range(start, start + n):
        for label in labels:
            logit = generator.normal(7 * (label - 0.5)) + shift
            regions = [[0.05, float(generator.uniform(0.5 + 0.3 * label, 1.0)), 1.0, float(label)]]
            cases.append(
                FusionCase(
                    trial=f"{size}{label}{number}",
                    label=label,
                    group=f"{size}{number}",
                    pair=f"{size}{number}",
                    is_exact=True,
                    is_jpeg=True,
                    height=2400 if size == "large" else 300,
                    width=2400 if size == "large" else 300,
                    scores={"net": float(1 / (1 + np.exp(-logit)))},
                    classes=NAMES[size],
                    marks=make_marks(share, regions=regions),
                )
            )
    return cases


@pytest.fixture(scope="module")
def fitted():
    """Many small pairs, many large ones that score higher, none of another format; photographs of both."""
    twins = make_cases(160, "small", seed=1) + make_cases(160, "large", shift=3.0, seed=2)
    camera = make_cases(150, "small", labels=(0,), seed=3) + make_cases(
        40, "large", labels=(0,), shift=3.0, seed=4
    )
    web = make_cases(160, "small", labels=(0,), seed=5)
    config = config_of(max_far=0.02)
    return config, twins, fit(config, twins, {"camera": camera, "web": web}, population="made images")


def test_each_class_keeps_its_own_rates(fitted):
    _, _, found = fitted
    classes = found.model.classes
    assert not classes["jpeg_small"].is_borrowed
    assert not classes["jpeg_large"].is_borrowed
    small, large = (classes[name].calibration.thresholds for name in ("jpeg_small", "jpeg_large"))
    assert large.tampered_above > small.tampered_above
    assert small.notes[0].startswith("0 of 150 camera photographs")
    assert large.notes[0].startswith("0 of 40 camera photographs")
    assert any(note.startswith("0 of 350 photographs of every class above it") for note in large.notes)
    score = 0.5 * (large.tampered_above + small.tampered_above)
    assert found.model.calibration_of("jpeg_small").label(score) == "tampered"
    assert found.model.calibration_of("jpeg_large").label(score) != "tampered"


def test_ratios_are_measured_by_class(fitted):
    _, _, found = fitted
    assert set(found.by_class) == {"jpeg_small", "jpeg_large"}
    assert found.model.classes["jpeg_small"].measured["ece_5_bins"] < 0.08
    assert found.log10_lrs.shape == found.labels.shape


def test_a_class_without_data_borrows_and_gets_no_label(fitted):
    _, _, found = fitted
    empty = found.model.classes["no_jpeg_large"]
    assert empty.is_borrowed
    assert empty.measured == {}
    assert empty.calibration.thresholds is None
    assert empty.calibration.log10_lr(0.9999) > 0


@pytest.mark.parametrize(("shift", "is_split"), [(0.0, False), (4.0, True)])
def test_a_class_is_split_by_fineness_where_that_makes_its_ratios_better(shift, is_split):
    fine = make_cases(100, "small", shift=shift, seed=6, start=500)
    fine = [replace(case, classes=("jpeg_small_fine", "jpeg_small")) for case in fine]
    twins = make_cases(100, "small", seed=1) + fine
    camera = make_cases(80, "small", labels=(0,), seed=3, start=900)
    found = fit(config_of(), twins, {"camera": camera}, population="made images")
    assert ({"jpeg_small_fine", "jpeg_small_coarse"} <= set(found.model.classes)) == is_split
    assert "jpeg_small" in found.model.classes


def test_the_log_says_it_for_every_class(fitted):
    config, twins, found = fitted
    log = describe_fit(found, twins, twins, seed=config.seed)
    assert log["classes"]["jpeg_large"]["n_tampered"] == 160
    assert log["classes"]["no_jpeg_small"]["is_borrowed"]
    assert log["regions"]["n_tampered"] >= 320


def test_a_borrowing_class_with_photographs_of_its_own_gets_labels():
    twins = make_cases(160, "small", seed=1)
    camera = make_cases(150, "small", labels=(0,), seed=3) + make_cases(60, "large", labels=(0,), seed=4)
    found = fit(config_of(max_far=0.02), twins, {"camera": camera}, population="made images")
    large = found.model.classes["jpeg_large"]
    assert large.is_borrowed
    assert large.calibration.thresholds is not None
    assert large.calibration.thresholds.notes[0].startswith("0 of 60 camera photographs")
    assert found.model.classes["jpeg_medium"].calibration.thresholds is None


def test_the_map_is_marked_from_where_few_authentic_pictures_are():
    loud = make_cases(60, "small", labels=(0,), share=0.2)
    found = choose_map_threshold(config_of(), loud, {}, [loud])
    assert found.value == min(level for level in LEVELS if level > 0.9)
    assert found.note.startswith(f"At {found.value:g}, 0 of 60 authentic images of this kind are marked")
    quiet = make_cases(60, "small", labels=(0,), share=0.005)
    assert choose_map_threshold(config_of(), quiet, {}, [quiet]).value == LEVELS[0]


def test_a_class_of_few_pictures_keeps_the_rate_of_all():
    loud = make_cases(60, "small", labels=(0,), share=0.2)
    few = make_cases(3, "large", labels=(0,), share=0.0)
    found = choose_map_threshold(config_of(), few, {}, [loud])
    assert found.value > 0.9
    assert "on images of every other kind" in found.note


def test_a_map_that_is_always_loud_marks_nothing():
    loud = [
        replace(
            case, marks={"net": [{"level": level, "share": 0.5, "regions": []} for level in (0.5, *LEVELS)]}
        )
        for case in make_cases(40, "small", labels=(0,))
    ]
    assert choose_map_threshold(config_of(), loud, {}, [loud]).value == NOTHING
    assert choose_map_threshold(config_of(map_method=None), loud, {}, [loud]) is None


def test_strong_regions_speak_for_an_alteration(fitted):
    config, twins, found = fitted
    regions = found.model.regions
    assert regions.log10_lr(0.99) > 0 > regions.log10_lr(0.55)
    assert calibrate_regions(config, twins[:20], {}) is None, "too few regions"


def test_marks_of_a_map_are_its_regions_at_every_level():
    values = np.zeros((160, 240), np.float32)
    values[32:96, 40:120] = 0.92
    mask = np.zeros(values.shape, bool)
    mask[32:96, 40:80] = True
    own, *levels = describe_marks(
        Finding("net", "learned", "ok", map=LocalizationMap(values), threshold=0.4), mask
    )
    assert own["level"] == 0.4
    ((area, mean, largest, hit),) = own["regions"]
    assert area == pytest.approx(64 * 80 / values.size, abs=0.01)
    assert (mean, largest) == pytest.approx((0.92, 0.92))
    assert hit == pytest.approx(0.5)
    assert [each["share"] > 0 for each in levels] == [level <= 0.92 for level in LEVELS]
    assert describe_marks(Finding("net", "learned", "ok", map=LocalizationMap(values)), mask) is None


def test_made_pairs_are_paired_by_their_host():
    row = {"entry": "net", "group": "g", "pair": None, "status": "ok", "score": 0.5, "is_usable": True}
    row |= {"settings": ["PNG", [], ""], "format": "PNG", "height": 2000, "width": 3000, "label": 0}
    row |= {"history": "inferred_jpeg", "graphic": False, "marks": None}
    cases, _ = collect_cases([row | {"trial": "a.png"}, row | {"trial": "b.png", "label": 1}], ["net"])
    first, second = pair_made(cases, {"a.png": "000012_png", "b.png": "000012_png"})
    assert first.pair == second.pair == "000012_png"
    assert first.classes == ("inferred_jpeg_large",)


def test_a_share_of_made_pairs_keeps_both_halves_and_every_group():
    samples = [
        Sample(Path(f"{label}/{number}.jpg"), label, f"g{number % 8}", host=f"{number:06d}")
        for number in range(400)
        for label in (0, 1)
    ]
    kept = limit_samples(samples, None, seed=3, share=0.25)
    assert 120 < len(kept) < 280
    assert {s.host for s in kept if s.label == 0} == {s.host for s in kept if s.label == 1}
    assert {s.group for s in kept} == {s.group for s in samples}
    assert limit_samples(samples, None, seed=3) == tuple(samples)
