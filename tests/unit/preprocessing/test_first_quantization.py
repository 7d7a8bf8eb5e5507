"""The first table is found, blocks without it stand out, and a last saving is taken back."""

from __future__ import annotations

import numpy as np
import pytest

from fixtures.textures import make_texture
from imforensics.evidence import read_evidence
from imforensics.evidence.quantization import ijg_tables
from imforensics.preprocessing.first_quantization import (
    find_first_quantization,
    known_tables,
    undo_last_saving,
)
from imforensics.preprocessing.jpeg import decode_jpeg, encode_jpeg


def coefficients_of(data: bytes) -> tuple[np.ndarray, np.ndarray]:
    jpeg = read_evidence(data, name="made.jpg").jpeg
    assert jpeg is not None
    return jpeg.read_coefficients()[0], jpeg.quantization_tables[0]


def save(pixels: np.ndarray, *qualities: int) -> bytes:
    """Saved at each quality in turn."""
    data = b""
    for quality in qualities:
        data = encode_jpeg(pixels, quality=quality)
        pixels = decode_jpeg(data)
    return data


PIXELS = make_texture(256, 320)


@pytest.mark.parametrize(("first", "last"), [(75, 90), (60, 85), (90, 95), (80, 92)])
def test_the_first_quality_is_named(first: int, last: int) -> None:
    found = find_first_quantization(*coefficients_of(save(PIXELS, first, last)))
    assert found.is_found
    assert found.table_name == f"IJG quality {first}"
    np.testing.assert_array_equal(found.divisors[:3, :3], ijg_tables(first)[0][:3, :3])
    assert found.evidence.mean() < 0  # the blocks support it
    assert found.used.sum() >= 5
    assert not found.used[0, 0]


@pytest.mark.parametrize("quality", [50, 75, 90, 98])
def test_saved_once_nothing_is_found(quality: int) -> None:
    found = find_first_quantization(*coefficients_of(save(PIXELS, quality)))
    assert not found.is_found
    assert found.gain == 0
    assert not found.used.any()
    assert not found.evidence.any()


def test_a_table_that_is_not_known_is_found_by_its_divisors() -> None:
    table = (6 + 4 * (np.indices((8, 8)).sum(axis=0) % 3)).astype(np.uint16)
    once = decode_jpeg(encode_jpeg(PIXELS, tables=[table]))
    found = find_first_quantization(*coefficients_of(encode_jpeg(once, quality=97)))
    assert found.is_found
    assert found.table_name is None
    assert (found.divisors == table)[found.used].mean() > 0.7


def test_blocks_from_elsewhere_have_evidence_against_it() -> None:
    once = decode_jpeg(save(PIXELS, 75))
    once[64:128, 96:192] = PIXELS[64:128, 96:192]
    evidence = find_first_quantization(*coefficients_of(save(once, 92))).evidence
    inside = np.zeros(evidence.shape, dtype=bool)
    inside[8:16, 12:24] = True
    assert evidence[inside].mean() > 3
    assert evidence[~inside].mean() < -3


def test_the_last_saving_is_taken_back() -> None:
    before, table = coefficients_of(save(PIXELS, 70))
    after, last = coefficients_of(save(PIXELS, 70, 92))
    found = find_first_quantization(after, last)
    restored = undo_last_saving(after, last, found)
    assert restored is not None
    coefficients, divisors, known = restored
    assert known.sum() > 15
    np.testing.assert_array_equal(divisors[known], table[known])
    assert (coefficients[:, :, known] != before[:, :, known]).mean() < 0.005
    np.testing.assert_array_equal(coefficients[:, :, ~known], after[:, :, ~known])


def test_a_coarser_last_saving_cannot_be_taken_back() -> None:
    after, last = coefficients_of(save(PIXELS, 92, 75))
    assert undo_last_saving(after, last, find_first_quantization(after, last)) is None


def test_known_tables_hold_ijg_and_photoshop() -> None:
    tables = known_tables()
    assert {"IJG quality 30", "IJG quality 97", "Photoshop medium"} <= set(tables)
    for table in tables.values():
        assert table.shape == (64,)
        assert table.min() >= 1
        assert table.max() <= 48


def test_large_divisors_are_left_out() -> None:
    coefficients, table = coefficients_of(save(PIXELS, 10))
    found = find_first_quantization(coefficients, table)
    assert table.max() > 96
    assert not found.used[table > 96].any()
