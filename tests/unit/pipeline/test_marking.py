"""What a report marks agrees with what it states."""

import numpy as np
import pytest

from imforensics.metrics.calibration import Calibration
from imforensics.metrics.calibration_curves import PlattCurve
from imforensics.metrics.class_calibration import NOTHING, ClassCalibration, MapThreshold
from imforensics.metrics.fusion_model import FusionInput, FusionModel
from imforensics.pipeline.marking import mark_regions
from imforensics.types import Finding, LocalizationMap, Statement

SHAPE = (60, 80)


def make_calibration():
    return Calibration(
        curve=PlattCurve(slope=1.0, intercept=0.0),
        population="made images",
        protocol="twin",
        n_authentic=99,
        n_tampered=99,
        log10_lr_bounds=(-1.5, 1.5),
    )


def make_fusion(level=0.8, *, regions=True):
    threshold = MapThreshold(value=level, note="At so much, few are marked.")
    return FusionModel(
        inputs=(FusionInput(method="net", mean=0.0, scale=1.0, weight=1.0),),
        intercept=0.0,
        calibration=make_calibration(),
        classes={"jpeg_small": ClassCalibration(calibration=make_calibration(), map_threshold=threshold)},
        regions=make_calibration() if regions else None,
    )


def make_statement(label, **changes):
    values = {
        "label": label,
        "probability": 0.5,
        "log10_lr": 0.0,
        "log10_lr_bounds": (-1.5, 1.5),
        "phrase": "Words.",
        "population": "made images",
        "basis": ("other", "net"),
        "reasons": (),
        "evidence_class": "jpeg_small",
    }
    return Statement(**(values | changes))


def make_findings():
    """A map with a strong region of 100 pixels and a weaker one of 50; another marks the strong one."""
    values = np.full(SHAPE, 0.1, np.float32)
    values[10:20, 10:20] = 0.9
    values[40:45, 50:60] = 0.6
    net = Finding("net", "learned", "ok", score=0.7, map=LocalizationMap(values), threshold=0.5)
    own = np.zeros(SHAPE, np.float32)
    own[8:20, 10:20] = 1.0
    near = Finding("near", "noise", "ok", map=LocalizationMap(own), threshold=0.5)
    loud = Finding("loud", "jpeg", "ok", map=LocalizationMap(np.ones(SHAPE, np.float32)), threshold=0.5)
    return net, near, loud


def test_nothing_is_marked_where_no_alteration_was_found():
    marks = mark_regions(make_findings(), make_statement("authentic"), make_fusion())
    assert (marks.threshold, marks.area, marks.count, marks.regions) == (None, 0, 0, ())
    assert marks.why.startswith("Nothing is marked")


def test_an_inconclusive_picture_is_marked_from_the_threshold_of_its_class():
    marks = mark_regions(make_findings(), make_statement("inconclusive"), make_fusion(0.8))
    assert (marks.threshold, marks.count, marks.area) == (0.8, 1, 100)
    assert marks.why == "At so much, few are marked."


def test_a_tampered_picture_is_marked_from_the_methods_own_threshold():
    marks = mark_regions(make_findings(), make_statement("tampered"), make_fusion(0.8))
    assert (marks.threshold, marks.count, marks.area) == (0.5, 2, 150)


def test_a_class_threshold_under_the_methods_own_does_not_lower_it():
    marks = mark_regions(make_findings(), make_statement("inconclusive"), make_fusion(0.3))
    assert marks.threshold == 0.5


def test_a_class_may_have_no_level_that_is_quiet_enough():
    marks = mark_regions(make_findings(), make_statement("inconclusive"), make_fusion(NOTHING))
    assert (marks.threshold, marks.count) == (None, 0)


def test_each_region_says_where_how_strong_and_which_traces():
    marks = mark_regions(make_findings(), make_statement("tampered"), make_fusion())
    strong, weak = marks.regions
    assert (strong.top, strong.left, strong.height, strong.width, strong.area) == (10, 10, 10, 10, 100)
    assert strong.mean == pytest.approx(0.9)
    assert strong.supported_by == ("near",), "a method that marks everything supports nothing"
    assert weak.supported_by == ()
    assert strong.log10_lr > weak.log10_lr > 0
    assert strong.log10_lr_bounds == (-1.5, 1.5)


def test_without_calibrated_regions_there_is_no_ratio():
    marks = mark_regions(make_findings(), make_statement("tampered"), make_fusion(regions=False))
    assert marks.regions[0].log10_lr is None
    marks = mark_regions(make_findings(), make_statement("tampered", evidence_class=None), None)
    assert (marks.threshold, marks.regions[0].log10_lr) == (0.5, None)


def test_a_statement_without_a_map_marks_nothing():
    findings = make_findings()
    assert mark_regions(findings, make_statement("inconclusive", basis=()), make_fusion()) is None
