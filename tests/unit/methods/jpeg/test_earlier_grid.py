"""The earlier grid, its table and its significance; the evidence of each block."""

from __future__ import annotations

import numpy as np
import pytest

from fixtures.textures import make_texture
from imforensics.evidence import read_evidence
from imforensics.evidence.quantization import ijg_tables
from imforensics.methods.jpeg.earlier_grid import (
    EarlierGrid,
    _against_mirrors,
    _concentration,
    _log10_tail,
    block_evidence,
    expected_strengths,
    find_earlier_grid,
)
from imforensics.methods.jpeg.grid_periodicity import measure_periodicity
from imforensics.preprocessing.jpeg import decode_jpeg, encode_jpeg
from imforensics.preprocessing.noise import luma

PIXELS = make_texture(300, 340)


def look(pixels: np.ndarray, quality: int) -> tuple[np.ndarray, np.ndarray, EarlierGrid]:
    """Plane, strengths and best candidate after a last saving."""
    evidence = read_evidence(encode_jpeg(pixels, quality=quality), name="made.jpg")
    assert evidence.jpeg is not None
    plane = luma(evidence.pixels) - np.float32(128)
    table = evidence.jpeg.quantization_tables[0]
    strengths = expected_strengths(evidence.jpeg.read_coefficients()[0], table)
    return plane, strengths, find_earlier_grid(measure_periodicity(plane), strengths)


@pytest.mark.parametrize("crop", [(3, 6), (0, 5), (2, 4)])
def test_a_crop_of_a_jpeg_gives_offset_and_quality(crop: tuple[int, int]) -> None:
    saved = decode_jpeg(encode_jpeg(PIXELS, quality=70))
    _, _, found = look(saved[crop[0] :, crop[1] :], 92)
    assert found.is_found
    assert found.offset == (-crop[0] % 8, -crop[1] % 8)
    assert abs(int(found.table_name.split()[-1]) - 70) <= 1
    assert found.log10_nfa < -20
    assert np.abs(found.divisors[:3, :3] - ijg_tables(70)[0][:3, :3]).max() <= 1


@pytest.mark.parametrize("qualities", [(75,), (92,), (70, 92)])
def test_saved_on_one_grid_alone_nothing_is_found(qualities: tuple[int, ...]) -> None:
    pixels = PIXELS
    for quality in qualities[:-1]:
        pixels = decode_jpeg(encode_jpeg(pixels, quality=quality))
    _, _, found = look(pixels, qualities[-1])
    assert not found.is_found
    assert found.log10_nfa > -1


def test_evidence_tells_the_blocks_that_were_on_the_grid() -> None:
    saved = np.zeros_like(PIXELS)
    saved[5:, 3:] = decode_jpeg(encode_jpeg(PIXELS[:-5, :-3], quality=65))
    pixels = PIXELS.copy()
    pixels[101:261, 99:259] = saved[101:261, 99:259]  # 20 x 20 blocks of the grid at (5, 3)
    plane, strengths, found = look(pixels, 92)
    assert found.offset == (5, 3)
    evidence, information = block_evidence(plane, found, strengths)
    assert evidence.shape == information.shape == ((300 - 5) // 8, (340 - 3) // 8)
    inside = np.zeros(evidence.shape, bool)
    inside[12:32, 12:32] = True
    tells = information > 1
    assert (evidence[inside & tells] > 0).mean() > 0.9
    assert (evidence[~inside & tells] < 0).mean() > 0.9
    assert (information >= 0).all()


def test_expected_strengths_fall_with_rounding_and_rise_with_the_divisor() -> None:
    rng = np.random.default_rng(0)
    coefficients = np.rint(rng.laplace(0, 3, (40, 40, 8, 8))).astype(np.int16)
    fine, coarse = (expected_strengths(coefficients, ijg_tables(quality)[0]) for quality in (95, 60))
    assert fine.shape == (8, 8, 48)
    assert ((fine >= 0) & (fine <= 1)).all()
    assert (np.diff(fine[1, 1]) >= 0).all()
    assert (fine >= coarse).all()
    assert fine[1, 1, 15] > 0.8
    assert not coarse[1, 1, 3]


def test_a_lattice_seen_on_the_mirrored_grids_too_does_not_count() -> None:
    deviations = np.zeros((64, 1, 1), np.float32)
    deviations[[8 * 1 + 2, 8 * 7 + 2, 8 * 1 + 6, 8 * 7 + 6]] = 20  # a quartet
    deviations[8 * 3 + 5] = 6
    deviations[[0, 4, 32, 36]] = 50  # their own mirror images
    result = _against_mirrors(deviations)[:, 0, 0]
    assert int(result.argmax()) == 8 * 3 + 5
    assert result[8 * 3 + 5] == 6
    assert result[8 + 2] == -10
    assert (result[[0, 4, 32, 36]] < -1e5).all()


def test_the_tail_of_the_normal_distribution_is_continuous_and_right() -> None:
    assert _log10_tail(0.0) == pytest.approx(np.log10(0.5))
    assert _log10_tail(1.959964) == pytest.approx(np.log10(0.025), abs=1e-6)
    assert _log10_tail(29.999) == pytest.approx(_log10_tail(30.0), abs=0.05)
    assert _log10_tail(60.0) == pytest.approx(-783.9, abs=0.2)


def test_concentration_gives_back_its_mean_cosine() -> None:
    angles = np.linspace(-np.pi, np.pi, 20001)
    for mean in (-0.3, 0.0, 0.2, 0.7, 0.95):
        weights = np.exp(float(_concentration(np.array(mean))) * np.cos(angles))
        assert (np.cos(angles) * weights).sum() / weights.sum() == pytest.approx(mean, abs=0.01)


def test_nothing_told_where_the_divisors_drown_in_rounding() -> None:
    plane, strengths, found = look(decode_jpeg(encode_jpeg(PIXELS, quality=70))[3:, 6:], 92)
    evidence, information = block_evidence(plane, found, np.zeros_like(strengths))
    assert not evidence.any()
    assert not information.any()
