"""Luma coefficients as methods take them, and the reasons why there are none."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from fixtures.textures import make_texture
from imforensics.evidence import read_evidence
from imforensics.methods.jpeg.luma_coefficients import (
    LumaCoefficients,
    read_baseline_luma,
    read_luma_coefficients,
)
from imforensics.preprocessing.jpeg import encode_jpeg
from imforensics.types import Evidence

PIXELS = make_texture(100, 77)  # no multiple of 8


def saved(pixels: np.ndarray, quality: int = 85) -> Evidence:
    return read_evidence(encode_jpeg(pixels, quality=quality), name="made.jpg")


def test_the_first_component_comes_with_its_table_and_usable_blocks() -> None:
    pixels = PIXELS.copy()
    pixels[:16, :24] = 255
    evidence = saved(pixels)
    assert evidence.jpeg is not None
    luma = read_luma_coefficients(evidence)
    assert isinstance(luma, LumaCoefficients)
    assert luma.quantized is evidence.jpeg.read_coefficients()[0]
    np.testing.assert_array_equal(luma.table, evidence.jpeg.quantization_tables[0])
    expected = np.zeros((13, 10), dtype=bool)  # 12 whole rows of blocks, 9 columns
    expected[:12, :9] = True
    expected[:2, :3] = False
    np.testing.assert_array_equal(luma.usable, expected)


@pytest.mark.parametrize("quality", [30, 100])
def test_the_divisors_may_be_any_of_8_bits(quality: int) -> None:
    assert isinstance(read_luma_coefficients(saved(PIXELS, quality)), LumaCoefficients)


def test_what_is_too_small_or_flat_says_so() -> None:
    assert isinstance(read_luma_coefficients(saved(PIXELS[:32, :32])), LumaCoefficients)
    assert read_luma_coefficients(saved(PIXELS[:31])) == (
        "The image is 77x31 pixels; at least 32 on each side are needed."
    )
    assert "at least 78 on each side" in str(read_baseline_luma(saved(PIXELS), min_side=78))
    flat = read_luma_coefficients(saved(np.full((64, 64, 3), 90, np.uint8)))
    assert flat == "Flat or clipped all over: there are no coefficients to look at."


@pytest.mark.parametrize("divisor", [0, 256])
def test_other_than_8_bit_tables_are_refused_before_anything_is_decoded(divisor: int) -> None:
    evidence = saved(PIXELS)
    assert evidence.jpeg is not None
    table = evidence.jpeg.quantization_tables[0].copy()
    table[7, 7] = divisor

    def fail() -> tuple[np.ndarray, ...]:
        raise AssertionError

    jpeg = replace(evidence.jpeg, quantization_tables=(table,), coefficient_reader=fail)
    assert "divisors outside 1 to 255" in str(read_luma_coefficients(replace(evidence, jpeg=jpeg)))


def test_subsampled_luma_is_refused() -> None:
    evidence = saved(PIXELS)
    assert evidence.jpeg is not None
    half = replace(evidence.jpeg, coefficient_reader=lambda: (np.zeros((7, 5, 8, 8), np.int16),))
    assert "subsampled" in str(read_luma_coefficients(replace(evidence, jpeg=half)))


def test_no_jpeg_is_a_mistake_of_the_caller() -> None:
    with pytest.raises(ValueError, match="needs a JPEG"):
        read_luma_coefficients(replace(saved(PIXELS), jpeg=None))
