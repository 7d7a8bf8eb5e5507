"""One calibration for each class of evidence: shared where data are few, its own where they are many."""

import numpy as np
import pytest

from imforensics.metrics.calibration import fit_calibration
from imforensics.metrics.calibration_curves import LN10, BetaCurve, IsotonicCurve, PlattCurve
from imforensics.metrics.class_calibration import (
    BORROWED_SHARE,
    ClassCalibration,
    borrow,
    fit_classes,
    fit_shift,
    shift_curve,
)
from imforensics.metrics.likelihood_ratio import cllr


def draw_logs(n, *, offset=0.0, slope=1.0, seed=0, distance=4.0):
    """Calibrated log ratios of two normal classes, seen through a slope and an offset."""
    generator = np.random.default_rng(seed)
    is_tampered = np.repeat([False, True], n)
    x = generator.normal(np.where(is_tampered, distance / 2, -distance / 2))
    return (x * distance - offset) / slope, is_tampered  # ln LR of two unit normals is distance · x


@pytest.mark.parametrize(("slope", "offset"), [(1.0, 0.0), (0.6, 1.5), (1.4, -1.0)])
def test_many_cases_show_the_shift_of_their_class(slope, offset):
    logs, is_tampered = draw_logs(4000, slope=slope, offset=offset, distance=2.0)
    found = fit_shift(logs, is_tampered)
    assert found == pytest.approx((slope, offset), abs=0.12)


def test_few_cases_are_held_to_all():
    logs, is_tampered = draw_logs(3, offset=3.0, distance=2.0)
    slope, offset = fit_shift(logs, is_tampered)
    many = fit_shift(*draw_logs(3000, offset=3.0, distance=2.0))
    assert abs(offset) < abs(many[1])
    assert 0.3 < slope < 1.7


def test_separable_cases_give_a_finite_shift():
    logs = np.array([-9.0] * 40 + [9.0] * 40)
    slope, offset = fit_shift(logs, logs > 0)
    assert 1 <= slope < 3
    assert offset == pytest.approx(0, abs=1e-6)


@pytest.mark.parametrize(
    "curve",
    [
        PlattCurve(slope=1.2, intercept=0.3),
        BetaCurve(a=1.0, b=2.0, c=-0.4),
        IsotonicCurve(knots=((0.1, -1.0), (0.5, 0.2), (0.9, 1.4))),
    ],
)
def test_a_shifted_curve_is_the_curve_scaled_and_moved(curve):
    scores = np.linspace(0.01, 0.99, 25)
    shifted = shift_curve(curve, slope=0.7, offset=0.5)
    assert shifted.kind == curve.kind
    np.testing.assert_allclose(shifted.log10_lr(scores), 0.7 * curve.log10_lr(scores) + 0.5 / LN10)


@pytest.fixture(scope="module")
def material():
    """Two large classes, one of which scores higher, and a tiny one."""
    pytest.importorskip("sklearn", reason="needs the train extra")
    parts = {"jpeg_small": (300, 0.0), "jpeg_large": (300, 1.5), "no_jpeg_small": (4, 0.0)}
    logits, labels, names = [], [], []
    for number, (name, (n, shift)) in enumerate(parts.items()):
        logs, is_tampered = draw_logs(n, seed=number, distance=2.0)
        logits.append(logs + shift)
        labels.append(is_tampered.astype(int))
        names += [name] * (2 * n)
    scores = 1 / (1 + np.exp(-np.concatenate(logits)))
    return scores, np.concatenate(labels), np.array(names)


def test_each_class_is_calibrated_by_itself_or_borrows(material):
    scores, labels, names = material
    groups = [str(number) for number in range(len(labels))]
    pooled = fit_calibration(scores, labels, protocol="twin", population="made images", kinds=("platt",))
    classes = {name: names == name for name in ("jpeg_small", "jpeg_large", "no_jpeg_small", "no_jpeg_large")}
    found = fit_classes(pooled, scores, labels, classes=classes, groups=groups)
    assert [each.is_borrowed for each in found.values()] == [False, False, True, True]
    for name in ("jpeg_small", "jpeg_large"):
        inside = names == name
        own = cllr(found[name].log10_lrs, labels[inside])
        assert own < cllr(pooled.log10_lrs(scores[inside]), labels[inside])
        assert found[name].calibration.n_tampered == 300
        low, high = found[name].calibration.log10_lr_bounds
        assert -np.log10(301) <= low < 0 < high <= np.log10(301)
    tiny = found["no_jpeg_small"].calibration
    np.testing.assert_allclose(tiny.log10_lr_bounds, BORROWED_SHARE * np.array(pooled.log10_lr_bounds))
    assert (tiny.n_tampered, tiny.n_authentic) == (4, 4)
    assert tiny.label(0.999) == "inconclusive"
    empty = found["no_jpeg_large"]
    assert empty.log10_lrs.size == 0
    assert empty.calibration.log10_lr(0.999) > 0, "a class without data is not silent"


def test_a_class_of_one_source_borrows(material):
    scores, labels, names = material
    pooled = fit_calibration(scores, labels, protocol="twin", population="made images", kinds=("platt",))
    members = {"jpeg_small": names == "jpeg_small"}
    found = fit_classes(pooled, scores, labels, classes=members, groups=["one"] * len(labels))
    assert found["jpeg_small"].is_borrowed


def test_what_is_borrowed_says_so(material):
    scores, labels, _ = material
    pooled = fit_calibration(scores, labels, protocol="twin", population="made images", kinds=("platt",))
    calibration = borrow(pooled, "inferred_jpeg_large", 3, 2)
    assert ClassCalibration(calibration=calibration).describe() is None
    told = ClassCalibration(calibration=calibration, is_borrowed=True).describe()
    assert told is not None
    assert told.startswith("Only 3 tampered and 2 authentic images of this kind")
    assert "borrowed for other formats whose pixels show an earlier JPEG over 4" in calibration.population
