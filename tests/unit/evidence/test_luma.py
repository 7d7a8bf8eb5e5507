"""The one rule of when a JPEG's luma blocks are those of the image."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from fixtures.textures import make_texture
from imforensics.evidence import read_evidence
from imforensics.evidence.luma import LumaBlocks, read_luma
from imforensics.preprocessing.jpeg import encode_jpeg
from imforensics.types import Evidence, Int16Array


@pytest.fixture(scope="module")
def saved() -> Evidence:
    return read_evidence(encode_jpeg(make_texture(100, 77), quality=85), name="made.jpg")


@pytest.mark.parametrize("subsampling", ["4:4:4", "4:2:0"])
def test_luma_comes_with_its_table_on_the_grid_of_the_image(subsampling: str) -> None:
    data = encode_jpeg(make_texture(100, 77), quality=85, subsampling=subsampling)  # type: ignore[arg-type]
    evidence = read_evidence(data, name="made.jpg")
    assert evidence.jpeg is not None
    luma = read_luma(evidence)
    assert isinstance(luma, LumaBlocks)
    assert luma.quantized is evidence.jpeg.read_coefficients()[0]
    assert luma.quantized.shape == (13, 10, 8, 8)
    assert luma.table is evidence.jpeg.quantization_tables[0]


@pytest.mark.parametrize("divisor", [0, 256])
def test_other_tables_are_refused_before_anything_is_decoded(saved: Evidence, divisor: int) -> None:
    def fail() -> tuple[Int16Array, ...]:
        raise AssertionError

    assert saved.jpeg is not None
    table = saved.jpeg.quantization_tables[0].copy()
    table[7, 7] = divisor
    jpeg = replace(saved.jpeg, quantization_tables=(table,), coefficient_reader=fail)
    assert str(read_luma(replace(saved, jpeg=jpeg))).startswith(
        "luminance table has divisors outside 1 to 255"
    )


@pytest.mark.parametrize("shape", [(7, 5), (13, 5), (7, 10)])
def test_a_first_component_on_another_grid_is_refused(saved: Evidence, shape: tuple[int, int]) -> None:
    assert saved.jpeg is not None
    jpeg = replace(saved.jpeg, coefficient_reader=lambda: (np.zeros((*shape, 8, 8), np.int16),))
    assert str(read_luma(replace(saved, jpeg=jpeg))).startswith("first component is subsampled")


def test_no_jpeg_is_a_mistake_of_the_caller(saved: Evidence) -> None:
    with pytest.raises(ValueError, match="Expected a JPEG"):
        read_luma(replace(saved, jpeg=None))
