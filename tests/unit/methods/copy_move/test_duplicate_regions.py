"""Copies are told from parts that merely look alike, placed exactly, and told apart where they can be."""

from __future__ import annotations

import io

import numpy as np
import pytest
from PIL import Image

from fixtures.textures import make_texture
from imforensics.datasets.synthesis.copy_move import forge_copy_move
from imforensics.evidence.quantization import ijg_tables
from imforensics.methods.copy_move.duplicate_evidence import (
    cover_second,
    make_working_luma,
    residual_ratio,
    saving_noise,
    self_repetition,
    tell_off_grid,
    tell_rescaled,
)
from imforensics.methods.copy_move.duplicate_regions import (
    Box,
    Duplicate,
    find_duplicate,
    map_grid,
    warp_back,
)
from imforensics.methods.copy_move.local_correlation import box_mean, gaussian_blur, local_correlation
from imforensics.methods.copy_move.match_clusters import apply_affine, invert_affine


def forged(seed: int = 1, **options: float) -> tuple[np.ndarray, object]:
    made = forge_copy_move(make_texture(240, 320, seed), np.random.default_rng(seed), area=0.06, **options)
    return make_working_luma(made.pixels, max_pixels=10**6)[0], made


def some_points(mask: np.ndarray, count: int = 25, seed: int = 0) -> np.ndarray:
    rows, columns = np.nonzero(mask)
    chosen = np.random.default_rng(seed).choice(rows.size, count, replace=False)
    return np.stack([columns[chosen], rows[chosen]], axis=1).astype(np.float64)


def saved(luma: np.ndarray, quality: int) -> np.ndarray:
    stream = io.BytesIO()
    Image.fromarray(np.rint(luma).clip(0, 255).astype(np.uint8)).save(stream, "JPEG", quality=quality)
    return np.asarray(Image.open(stream), dtype=np.float32)


def parts(duplicate: object, shape: tuple[int, int]) -> np.ndarray:
    result = cover_second(duplicate, shape)
    result[duplicate.box.slices] |= duplicate.mask
    return result


def iou(one: np.ndarray, other: np.ndarray) -> float:
    return float((one & other).sum() / (one | other).sum())


@pytest.mark.parametrize(
    ("rotation", "scale"),
    [(0, 1.0), (25, 1.0), (0, 1.3), (140, 0.75)],
    ids=["shift", "turn", "large", "small"],
)
def test_a_copy_is_found_whole_with_a_small_residual(rotation: float, scale: float) -> None:
    luma, made = forged(rotation=rotation, scale=scale)
    luma = saved(luma, 90)
    # a map a pixel and half a degree off, as matches give it
    turn = np.deg2rad(0.5)
    wrong = np.array([[np.cos(turn), np.sin(turn)], [-np.sin(turn), np.cos(turn)]]) @ made.transform
    points = some_points(made.source_mask)
    wrong[:, 2] += apply_affine(made.transform, points).mean(0) - apply_affine(wrong, points).mean(0) + 0.7
    duplicate = find_duplicate(luma, wrong, points, min_distance=20)
    assert duplicate is not None
    assert iou(parts(duplicate, luma.shape), made.source_mask | made.target_mask) > 0.8
    truth = made.transform if scale >= 1 else invert_affine(made.transform)
    first = made.source_mask if scale >= 1 else made.target_mask
    inner = some_points(first)
    assert np.abs(apply_affine(duplicate.transform, inner) - apply_affine(truth, inner)).max() < 0.6
    assert residual_ratio(duplicate, saving_noise(luma, ijg_tables(90)[:1])) < 0.9


def test_what_merely_looks_alike_has_a_large_residual_or_nothing_in_common() -> None:
    rng = np.random.default_rng(0)
    base = make_texture(240, 320, 3).astype(np.float32) @ np.array([0.299, 0.587, 0.114], np.float32)
    luma = base.copy()
    luma[130:200, 180:280] = luma[20:90, 30:130] + gaussian_blur(rng.normal(0, 25, (70, 100)), 0.7)
    shift = np.array([[1.0, 0, 150], [0, 1.0, 110]])
    area = np.zeros(luma.shape, bool)
    area[25:85, 35:125] = True
    alike = find_duplicate(luma, shift, some_points(area), min_distance=20)
    assert alike is not None
    assert residual_ratio(alike, saving_noise(luma, ijg_tables(90)[:1])) > 1.5
    assert find_duplicate(base, shift, some_points(area), min_distance=20) is None


def test_pixels_near_their_image_are_left_out() -> None:
    luma, made = forged()
    near = np.array([[1.0, 0, 4], [0, 1.0, 3]])
    assert find_duplicate(luma, near, some_points(made.source_mask), min_distance=20) is None
    assert find_duplicate(luma, near, some_points(made.source_mask), min_distance=2) is None


def test_the_rescaled_part_is_told_from_the_original() -> None:
    for scale, expected in ((1.5, "second"), (0.66, "first")):
        luma, made = forged(seed=2, scale=scale)
        duplicate = find_duplicate(luma, made.transform, some_points(made.source_mask), min_distance=20)
        assert tell_rescaled(luma, duplicate, saving_noise(luma, ())) == expected
    luma, made = forged(seed=2)
    duplicate = find_duplicate(luma, made.transform, some_points(made.source_mask), min_distance=20)
    assert tell_rescaled(luma, duplicate, saving_noise(luma, ())) is None


def test_a_copy_that_brought_its_block_grid_is_told() -> None:
    luma = saved(make_texture(256, 320, 5)[..., 1].astype(np.float32), 40)
    told = {}
    for name, shift in (("off", (157, 101)), ("on", (160, 104))):
        picture = luma.copy()
        picture[20 + shift[1] : 100 + shift[1], 30 + shift[0] : 140 + shift[0]] = luma[20:100, 30:140]
        area = np.zeros(luma.shape, bool)
        area[30:90, 40:130] = True
        transform = np.array([[1.0, 0, shift[0]], [0, 1.0, shift[1]]])
        points = some_points(area)
        forth = find_duplicate(picture, transform, points, min_distance=20)
        back = find_duplicate(
            picture, invert_affine(transform), apply_affine(transform, points), min_distance=20
        )
        told[name] = tell_off_grid(picture, forth), tell_off_grid(picture, back)
    assert told == {"off": ("second", "first"), "on": (None, None)}


def test_a_pattern_repeats_itself_and_a_texture_does_not() -> None:
    area = np.ones((96, 120), dtype=np.bool_)
    shift = np.array([[1.0, 0, 150], [0, 1.0, 0]])
    for period, expected in ((24, 0.99), (0, 0.0)):
        texture = make_texture(128, 128, 1)[..., 1].astype(np.float32)
        luma = (
            np.tile(texture[:period, :period], (6, 12)) if period else make_texture(96, 300, 1)[..., 1] * 1.0
        )
        part = Duplicate(shift, Box(0, 0, 96, 120), area, area.astype(np.float32), 1.0, 1.0, area.size)
        found = self_repetition(luma.astype(np.float32), part)
        assert found == pytest.approx(expected, abs=0.15)


def test_saving_noise_is_what_a_saving_off_the_grid_changes() -> None:
    luma = make_texture(120, 160, 2)[..., 1].astype(np.float32)
    levels = [float(saving_noise(luma, ijg_tables(q)[:1]).mean()) for q in (95, 80, 60)]
    assert levels == sorted(levels)
    change = saved(luma, 80) - luma
    detail = change - box_mean(change, 2)
    assert levels[1] == pytest.approx(float((detail**2).mean()), rel=0.1)
    assert saving_noise(luma, ()).max() == saving_noise(luma, ()).min() > 0


def test_warps_and_means_are_the_slow_ones() -> None:
    plane = make_texture(64, 80, 1)[..., 0].astype(np.float32)
    box = Box(5, 7, 40, 60)
    shift = np.array([[1.0, 0, 9], [0, 1.0, -4]])
    values, inside = warp_back(plane, shift, box)
    np.testing.assert_allclose(values[inside], plane[1:36, 16:69][inside], atol=1e-3)
    x, y = map_grid(np.array([[0.0, 2, 1], [3, 0, -1]]), box)
    assert (x[3, 4], y[3, 4]) == (2 * 8 + 1, 3 * 11 - 1)
    assert box_mean(plane, 2)[10, 20] == pytest.approx(plane[8:13, 18:23].mean(), rel=1e-5)
    other = np.roll(plane, 1, axis=0)
    expected = np.corrcoef(plane[8:15, 18:25].ravel(), other[8:15, 18:25].ravel())[0, 1]
    assert local_correlation(plane, other, radius=3, floor=0)[11, 21] == pytest.approx(expected, abs=1e-3)
    flat = np.full((20, 20), 7, np.float32)
    assert np.abs(local_correlation(flat, flat, radius=3, floor=1)).max() < 1e-3


def test_large_pictures_are_made_smaller_to_the_size_asked_for() -> None:
    pixels = make_texture(300, 400, 0)
    luma, scale = make_working_luma(pixels, max_pixels=30_000)
    assert luma.shape == (150, 200)
    assert scale == pytest.approx(0.5)
    same, whole = make_working_luma(pixels, max_pixels=120_000)
    assert whole == 1
    assert same.shape == (300, 400)
