"""Encoders that round small coefficients to 0 are told by the 1s that are missing."""

from __future__ import annotations

import numpy as np
import pytest

from fixtures.dead_zone import save_with_dead_zone
from fixtures.textures import make_texture
from imforensics.evidence import read_evidence
from imforensics.methods.jpeg.encoder_rounding import Rounding, estimate_rounding
from imforensics.preprocessing.coefficient_histograms import Histogram, count_coefficients
from imforensics.preprocessing.jpeg import decode_jpeg, encode_jpeg
from imforensics.types import Evidence

PIXELS = make_texture(256, 320)


def rounding_of(evidence: Evidence) -> Rounding:
    assert evidence.jpeg is not None
    coefficients, table = evidence.jpeg.read_coefficients()[0], evidence.jpeg.quantization_tables[0]
    return estimate_rounding(count_coefficients(coefficients, table))


@pytest.mark.parametrize("quality", [70, 85, 95])
def test_plain_rounding_keeps_the_ones(quality: int) -> None:
    found = rounding_of(read_evidence(encode_jpeg(PIXELS, quality=quality), name="made.jpg"))
    assert found.kept_ones == pytest.approx(1, abs=0.1)
    assert not found.is_towards_zero


@pytest.mark.parametrize("quality", [70, 85, 95])
def test_a_dead_zone_takes_ones_at_all_frequencies(quality: int) -> None:
    found = rounding_of(save_with_dead_zone(PIXELS, quality=quality))
    assert 0.4 < found.kept_ones < 0.75
    assert found.exceeding == 0
    assert found.is_towards_zero


def test_a_coarser_earlier_saving_takes_nearly_all() -> None:
    once = decode_jpeg(encode_jpeg(PIXELS, quality=60))
    found = rounding_of(read_evidence(encode_jpeg(once, quality=92), name="made.jpg"))
    assert found.kept_ones < 0.3
    assert not found.is_towards_zero


def test_shares_are_those_of_the_counts() -> None:
    def histogram(ones: float) -> Histogram:
        expected = np.array([900.0, 100.0, 40.0])
        return Histogram((0, 1), np.array([900.0, ones, 40.0]), expected, 1.0, np.zeros(9, np.int64))

    found = estimate_rounding([histogram(50), histogram(40), histogram(70), histogram(200)])
    assert found.kept_ones == pytest.approx(360 / 400)
    assert found.exceeding == 0.25
    assert not Rounding(0.6, 0.25).is_towards_zero
    assert Rounding(0.6, 0.0).is_towards_zero


def test_no_ones_to_expect_say_nothing() -> None:
    nothing = Histogram((0, 1), np.array([9.0, 0.0]), np.array([9.0, 0.0]), 1.0, np.zeros(9, np.int64))
    assert estimate_rounding([nothing]) == Rounding(1.0, 0.0)
