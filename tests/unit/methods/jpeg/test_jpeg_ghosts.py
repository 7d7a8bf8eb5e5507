"""Ghost curves against a resave done with Pillow, and against the definition."""

from __future__ import annotations

import numpy as np
import pytest

from fixtures.textures import make_texture
from imforensics.evidence.quantization import ijg_tables
from imforensics.methods.jpeg.jpeg_ghosts import (
    block_variances,
    compare_shapes,
    find_dip,
    find_earlier_dip,
    ghost_curves,
    normalise_ghosts,
    saved_once_curve,
    split_curves,
    typical_curve,
)
from imforensics.preprocessing.jpeg import decode_jpeg, encode_jpeg

NOISE = np.random.default_rng(4).normal(0, 5, (96, 128))
GRAY = np.clip(make_texture(96, 128)[..., 1] + NOISE, 0, 255).astype(np.uint8)


def slow_curve(block: np.ndarray, quality: int) -> float:
    """The definition, by sums of cosines: quantize each coefficient, mean squared change of the pixels."""
    table = ijg_tables(quality)[0].astype(float)
    places = np.arange(8)
    basis = np.cos(np.pi * np.outer(places, 2 * places + 1) / 16) / 2
    basis[0] /= np.sqrt(2)
    coefficients = basis @ (block - 128.0) @ basis.T
    restored = basis.T @ (np.rint(coefficients / table) * table) @ basis + 128
    return float(((restored - block) ** 2).mean())


def test_curves_are_those_of_the_definition_on_any_grid() -> None:
    curves = ghost_curves(GRAY.astype(np.float32), qualities=(55, 80, 93), top=3, left=5)
    assert curves.shape == (3, 11, 15)
    for row, column in ((0, 0), (4, 7), (10, 14)):
        block = GRAY[3 + row * 8 : 11 + row * 8, 5 + column * 8 : 13 + column * 8].astype(float)
        expected = [slow_curve(block, quality) for quality in (55, 80, 93)]
        np.testing.assert_allclose(curves[:, row, column], expected, rtol=2e-3)


def test_curves_are_near_to_the_change_of_a_saved_file() -> None:
    curves = ghost_curves(GRAY.astype(np.float32), qualities=(60,))
    saved = decode_jpeg(encode_jpeg(GRAY, quality=60))[..., 0].astype(float)
    change = ((saved - GRAY) ** 2).reshape(12, 8, 16, 8).mean(axis=(1, 3))
    np.testing.assert_allclose(curves[0], change, rtol=0.2, atol=0.3)  # files hold whole gray levels


def test_bands_of_a_tall_image_join() -> None:
    tall = np.tile(GRAY, (12, 1)).astype(np.float32)  # taller than one band
    curves = ghost_curves(tall, qualities=(70,))
    np.testing.assert_array_equal(curves[0, 60:120], curves[0, :60][:60])


def test_a_saved_image_dips_at_its_quality() -> None:
    saved = decode_jpeg(encode_jpeg(GRAY, quality=73))[..., 0].astype(np.float32)
    qualities = range(50, 96)
    curve = np.log(np.median(ghost_curves(saved, qualities=qualities), axis=(1, 2)) + 2)
    index, depth = find_dip(curve)
    assert qualities[index] == 73
    assert depth > 0.3


def test_no_dip_in_short_or_straight_curves() -> None:
    assert find_dip(np.zeros(6, np.float32)) == (0, 0.0)
    assert find_dip(-(np.arange(12, dtype=np.float32) ** 2)) == (0, 0.0)


def test_normalised_ghosts_span_zero_to_one() -> None:
    ghosts = normalise_ghosts(ghost_curves(GRAY.astype(np.float32), qualities=(50, 70, 90)))
    np.testing.assert_array_equal(ghosts.min(axis=0), 0)
    np.testing.assert_array_equal(ghosts.max(axis=0), 1)


def test_comparison_ignores_texture_and_finds_another_history() -> None:
    rng = np.random.default_rng(3)
    texture = rng.uniform(1, 200, (40, 40)).astype(np.float32)
    shape = np.array([4.0, 3.0, 2.0, 1.0], np.float32)[:, None, None]
    curves = texture * shape
    odd = curves.copy()
    odd[:, 5:9, 5:9] *= np.array([0.5, 1, 1, 2], np.float32)[:, None, None]
    usable = np.ones((40, 40), bool)
    usable[0] = False
    same, other = (compare_shapes(split_curves(each)[1], texture, usable) for each in (curves, odd))
    assert np.abs(same).mean() < 0.03
    assert other[0, 5:9, 5:9].max() < -0.4
    assert other[3, 5:9, 5:9].min() > 0.4
    assert not other[:, 0].any()


def test_textures_are_the_mean_log_curve_and_the_log_variance() -> None:
    plane = GRAY.astype(np.float32)
    curves = ghost_curves(plane, qualities=(60, 90), top=2, left=1)
    logs = np.log(curves[:, 3, 4] + 2)
    heights, shapes = split_curves(curves)
    np.testing.assert_allclose(heights[3, 4], logs.mean(), rtol=1e-5)
    np.testing.assert_allclose(shapes[:, 3, 4], logs - logs.mean(), atol=1e-5)
    variances = block_variances(plane, top=2, left=1)
    np.testing.assert_allclose(variances[3, 4], np.log(plane[26:34, 33:41].var() + 2), rtol=1e-4)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"qualities": ()}, "at least one quality"),
        ({"qualities": (50,), "top": 8}, "from 0 to 7"),
        ({"qualities": (50,), "left": -1}, "from 0 to 7"),
        ({"qualities": (0,)}, "1 to 100"),
    ],
)
def test_wrong_arguments_are_refused(options: dict[str, object], words: str) -> None:
    with pytest.raises(ValueError, match=words):
        ghost_curves(np.zeros((16, 16), np.float32), **options)  # type: ignore[arg-type]


def test_a_dip_that_the_last_saving_leaves_is_explained() -> None:
    dip = np.zeros(21, np.float32)
    dip[12] = -1
    assert find_earlier_dip(dip, np.zeros(21, np.float32)) == (12, 1.0)
    assert find_earlier_dip(dip, dip) == (0, 0.0)
    assert find_earlier_dip(dip, dip / 3) == (0, 0.0)
    assert find_earlier_dip(np.zeros(21, np.float32), -dip) == (0, 0.0)  # the image itself does not dip
    other = np.roll(dip, -6)
    index, depth = find_earlier_dip(dip + other, dip)
    assert (index, depth) == (6, 1.0)


def test_the_curve_of_one_saving_does_not_show_the_saving_before() -> None:
    qualities, plane = range(50, 96), GRAY
    for quality in (70, 92):
        plane = decode_jpeg(encode_jpeg(plane, quality=quality))[..., 0]
    luma = plane.astype(np.float32)
    pixels = np.repeat(plane[..., None], 3, axis=2)
    own = saved_once_curve(pixels, np.ones((11, 15), bool), table=ijg_tables(92)[0], qualities=qualities)
    assert own.shape == (46,)
    assert find_dip(own)[0] + 50 == 92
    typical = typical_curve(ghost_curves(luma, qualities=qualities).reshape(46, -1))
    index, depth = find_earlier_dip(typical, own)
    assert abs(index + 50 - 70) <= 1
    assert depth > 0.1
