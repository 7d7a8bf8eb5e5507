"""DCT histograms as a method: tell one saving from two, and mark the part that lacks the first."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from fixtures.dead_zone import save_with_dead_zone
from fixtures.textures import make_texture
from imforensics.evidence import read_evidence
from imforensics.methods.jpeg.dct_histograms import DctHistograms, _Facts
from imforensics.methods.jpeg.encoder_rounding import Rounding
from imforensics.preprocessing.coefficient_histograms import Period
from imforensics.preprocessing.jpeg import decode_jpeg, encode_jpeg
from imforensics.types import Evidence

PIXELS = make_texture(260, 325)  # no multiple of 8
PART = np.s_[80:168, 104:216]


def saved(pixels: np.ndarray, *qualities: int) -> Evidence:
    """Saved at each quality in turn and read."""
    data = b""
    for quality in qualities:
        data = encode_jpeg(pixels, quality=quality)
        pixels = decode_jpeg(data)
    return read_evidence(data, name="made.jpg")


def spliced() -> np.ndarray:
    """A host saved once with a part never compressed."""
    pixels = decode_jpeg(encode_jpeg(PIXELS, quality=75))
    pixels[PART] = PIXELS[PART]
    return pixels


@pytest.mark.parametrize("qualities", [(90,), (90, 92)])
def test_a_part_that_lacks_the_first_saving_is_marked(qualities: tuple[int, ...]) -> None:
    finding = DctHistograms().analyze(saved(spliced(), *qualities))
    assert finding.map is not None
    assert finding.mask is not None
    truth = np.zeros(finding.mask.shape, dtype=bool)
    truth[PART] = True
    assert (finding.mask & truth).sum() / (finding.mask | truth).sum() > 0.5
    assert finding.map.values[96:152, 120:200].mean() > finding.map.values[~truth].mean() + 0.5
    assert finding.score is not None
    assert finding.score > 0.7
    assert finding.observations["saved_twice_score"] > 0.9  # type: ignore[operator]


def test_saved_twice_without_an_edit_is_told_and_not_marked() -> None:
    finding = DctHistograms().analyze(saved(PIXELS, 75, 90))
    assert finding.observations["saved_twice_score"] > 0.9  # type: ignore[operator]
    assert finding.observations["first_digit_divergence"] > 0.05  # type: ignore[operator]
    assert "more than once" in finding.notes[0]
    assert finding.score is not None
    assert finding.score < 0.2
    assert finding.mask is not None
    assert finding.mask.mean() < 0.05


def test_saved_once_is_told_and_not_marked() -> None:
    finding = DctHistograms().analyze(saved(PIXELS, 90))
    assert finding.observations["saved_twice_score"] < 0.1  # type: ignore[operator]
    assert finding.observations["first_digit_divergence"] < 0.01  # type: ignore[operator]
    assert "one saving only" in finding.notes[0]
    assert finding.score is not None
    assert finding.score < 0.1


def test_without_shape_there_is_nothing_to_deviate_from() -> None:
    finding = DctHistograms().analyze(saved(PIXELS, 70))
    assert finding.status == "ok"
    assert finding.score == 0.0
    assert finding.map is not None
    assert not finding.map.values.any()
    assert "too little shape" in finding.notes[1]


def test_periods_are_the_ratios_of_the_divisors() -> None:
    finding = DctHistograms().analyze(saved(PIXELS, 50, 75))  # the table of 50 is twice that of 75
    rows = [row for row in finding.observations["frequencies"] if row["period"]]  # type: ignore[union-attr,index,call-overload]
    assert len(rows) >= 4
    for row in rows:
        assert row["period"] == pytest.approx(2, rel=0.15)  # type: ignore[index,call-overload]
        assert row["period_log10_chance"] < -3  # type: ignore[operator,index,call-overload]


def test_what_it_cannot_read_is_declined_with_the_reason() -> None:
    small = DctHistograms().analyze(saved(PIXELS[:31], 80))
    assert small.status == "not_applicable"
    assert "325x31" in small.notes[0]
    flat = DctHistograms().analyze(saved(np.full((64, 64, 3), 90, np.uint8), 80))
    assert flat.status == "not_applicable"
    evidence = saved(PIXELS, 80)
    assert evidence.jpeg is not None
    odd = replace(
        evidence, jpeg=replace(evidence.jpeg, quantization_tables=(np.full((8, 8), 300, np.uint16),))
    )
    assert "divisors" in DctHistograms().analyze(odd).notes[0]
    with pytest.raises(ValueError, match="needs a JPEG"):
        DctHistograms().analyze(replace(evidence, jpeg=None))


@pytest.mark.parametrize("quality", [75, 90, 95])
def test_an_encoder_that_rounds_to_zero_is_no_history(quality: int) -> None:
    finding = DctHistograms().analyze(save_with_dead_zone(PIXELS[:256, :320], quality=quality))
    assert finding.observations["is_saved_twice"] is False
    assert finding.observations["is_encoder_rounding"] is True
    assert finding.observations["support"] >= 0.2  # type: ignore[operator]
    assert finding.score == 0
    assert finding.mask is not None
    assert not finding.mask.any()
    assert "rounded small coefficients to 0" in finding.notes[1]


def test_an_earlier_saving_shows_under_such_an_encoder() -> None:
    once = decode_jpeg(encode_jpeg(PIXELS[:256, :320], quality=75))
    finding = DctHistograms().analyze(save_with_dead_zone(once, quality=92))
    assert finding.observations["is_saved_twice"] is True
    assert finding.observations["is_encoder_rounding"] is False


@pytest.mark.parametrize(
    ("chances", "expected"),
    [
        ([], False),
        ([-3.5, -1], False),  # one period by chance
        ([-3.5, -3.5, -1], True),
        ([-6, -1, -1], True),  # one clear period
        ([-3.5, -6] + [-1] * 28, False),  # 2 of 30
    ],
)
def test_how_many_periods_tell_of_another_saving(chances: list[float], expected: bool) -> None:
    periods = [None, *(Period(2.5, chance) for chance in chances)]
    few_ones = Rounding(0.6, 0.0)
    facts = _Facts([], periods, None, 1.0, few_ones)
    assert facts.is_saved_twice is expected
    assert facts.is_rounding is not expected  # periods tell of a history, few 1s alone of an encoder
    assert facts.has_norm is expected
