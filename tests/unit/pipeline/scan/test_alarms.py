"""Alarms of a scan rest on what is stated; one that can never be raised is refused."""

import pytest

from imforensics.config import AnalyzeConfig
from imforensics.errors import ConfigError
from imforensics.pipeline.analyze import build_analyzer
from imforensics.pipeline.scan.alarms import Alarms, describe_silence

SHIPPED = AnalyzeConfig().fusion
METHODS = {"localizer": {}, "double_quantization": {}}


def make_row(**fields):
    return {"probability": None, "score": None, "marked_percent": None, **fields}


def test_only_stated_probabilities_raise_an_alarm():
    rows = [make_row(probability=0.95), make_row(probability=0.5), make_row(score=0.99), make_row()]
    assert Alarms(probability=0.9).find(rows) == rows[:1]
    assert Alarms().find(rows) == []


def test_marked_area_raises_an_alarm_of_its_own():
    rows = [make_row(marked_percent=percent) for percent in (None, 0.0, 0.4, 2.0)]
    assert Alarms(marked_percent=1.0).find(rows) == rows[3:]
    assert Alarms(marked_percent=0.0).find(rows) == rows[2:], "nothing marked is no alarm"


@pytest.fixture(scope="module")
def analyzer():
    return build_analyzer(AnalyzeConfig(methods=METHODS, fusion=SHIPPED))


def test_a_probability_within_the_bounds_can_be_reached(analyzer):
    Alarms(probability=0.9, marked_percent=1.0).check(analyzer)


def test_a_probability_beyond_the_bounds_is_refused(analyzer):
    with pytest.raises(ConfigError, match=r"--fail-above 0.9999 can never .* up to 0\.\d+"):
        Alarms(probability=0.9999).check(analyzer)


@pytest.mark.parametrize(
    ("config", "reason"),
    [
        ({"methods": {"ela": {}}, "fusion": None}, "none of the methods has a calibrated probability"),
        ({"methods": {"double_quantization": {}}, "fusion": SHIPPED}, "localizer, which the fusion rests on"),
        (
            {"methods": {"localizer": {}, "double_quantization": {"undo": False}}, "fusion": SHIPPED},
            "double_quantization runs with another undo",
        ),
    ],
)
def test_a_configuration_without_probabilities_is_refused(config, reason):
    silent = build_analyzer(AnalyzeConfig(**config))
    assert reason in describe_silence(silent, 0.0)
    for alarms in (Alarms(probability=0.5), Alarms(marked_percent=1.0)):
        with pytest.raises(ConfigError, match="can never raise an alarm"):
            alarms.check(silent)


def test_a_method_with_its_own_calibration_is_enough():
    alone = build_analyzer(AnalyzeConfig(methods={"localizer": {}}, fusion=None))
    assert describe_silence(alone, 0.5) is None
