"""Made forgeries: deterministic, exact in mask and transform, and refused where they cannot be made."""

from __future__ import annotations

import numpy as np
import pytest

from fixtures.textures import make_texture
from imforensics.datasets.synthesis.copy_move import forge_copy_move
from imforensics.datasets.synthesis.shapes import draw_blob


def mapped(transform: np.ndarray, mask: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Rows and columns that the pixels of a mask are mapped to."""
    rows, columns = np.nonzero(mask)
    x, y = transform @ np.stack([columns, rows, np.ones_like(rows)])
    return np.rint(y).astype(int), np.rint(x).astype(int)


def test_a_shift_is_exact_inside_a_hard_edge() -> None:
    pixels = make_texture(160, 200, seed=1)
    forged = forge_copy_move(pixels, np.random.default_rng(3), feather=0)
    rows, columns = mapped(forged.transform, forged.source_mask)
    np.testing.assert_array_equal(forged.pixels[rows, columns], pixels[forged.source_mask])
    expected = np.zeros_like(forged.target_mask)
    expected[rows, columns] = True
    np.testing.assert_array_equal(forged.target_mask, expected)
    np.testing.assert_array_equal(forged.pixels[~expected], pixels[~expected])


@pytest.mark.parametrize(("rotation", "scale"), [(30, 1.0), (90, 1.0), (0, 1.4), (180, 0.7), (-60, 1.2)])
def test_the_copy_is_where_mask_and_transform_say(rotation: float, scale: float) -> None:
    pixels = make_texture(240, 320, seed=2)
    forged = forge_copy_move(
        pixels, np.random.default_rng(5), rotation=rotation, scale=scale, area=0.04, feather=0
    )
    turn = forged.transform[:, :2]
    assert np.sqrt(np.linalg.det(turn)) == pytest.approx(scale)
    # counter-clockwise as seen: with y down, the x axis turns towards negative y
    assert np.degrees(np.arctan2(-turn[1, 0], turn[0, 0])) % 360 == pytest.approx(rotation % 360)
    assert forged.target_mask.sum() == pytest.approx(forged.source_mask.sum() * scale**2, rel=0.05)
    assert not (forged.target_mask & forged.source_mask).any()
    rows, columns = mapped(forged.transform, forged.source_mask)
    assert forged.target_mask[rows, columns].mean() > 0.95
    copied, source = forged.pixels[rows, columns].astype(float), pixels[forged.source_mask].astype(float)
    if rotation % 90 == 0 and scale == 1:
        np.testing.assert_array_equal(copied, source)
    else:
        assert np.corrcoef(copied.ravel(), source.ravel())[0, 1] > 0.9


def test_same_seed_same_forgery_and_the_input_is_unchanged() -> None:
    pixels = make_texture(120, 160, seed=4)
    before = pixels.copy()
    one, two, other = (forge_copy_move(pixels, np.random.default_rng(s), rotation=20) for s in (7, 7, 8))
    np.testing.assert_array_equal(one.pixels, two.pixels)
    np.testing.assert_array_equal(one.target_mask, two.target_mask)
    assert (one.target_mask != other.target_mask).any()
    np.testing.assert_array_equal(pixels, before)


def test_the_feather_softens_inwards_only() -> None:
    pixels = make_texture(160, 200, seed=1)
    hard, soft = (forge_copy_move(pixels, np.random.default_rng(3), feather=f) for f in (0, 2.0))
    np.testing.assert_array_equal(hard.transform, soft.transform)
    changed = (soft.pixels != pixels).any(axis=2)
    assert not changed[~hard.target_mask].any()
    assert soft.target_mask.sum() <= hard.target_mask.sum()
    assert (soft.pixels != hard.pixels).any()


def test_what_cannot_be_made_is_refused_with_the_reason() -> None:
    pixels = make_texture(96, 96, seed=0)
    rng = np.random.default_rng(0)
    flat = np.full((96, 96, 3), 90, np.uint8)
    with pytest.raises(ValueError, match="Found no place"):
        forge_copy_move(flat, rng)
    with pytest.raises(ValueError, match="scale"):
        forge_copy_move(pixels, rng, scale=9)
    with pytest.raises(ValueError, match="area"):
        forge_copy_move(pixels, rng, area=0.5)
    with pytest.raises(ValueError, match="at least 48"):
        forge_copy_move(pixels[:20], rng)
    with pytest.raises(TypeError, match="uint8"):
        forge_copy_move(pixels.astype(float), rng)


@pytest.mark.parametrize("area", [200, 3000])
def test_a_blob_has_its_area_in_one_piece_and_a_tight_box(area: int) -> None:
    shapes = []
    for seed in range(6):
        blob = draw_blob(area, np.random.default_rng(seed))
        assert blob.sum() == pytest.approx(area, rel=0.06)
        assert blob.any(axis=1).all()
        assert blob.any(axis=0).all()
        shapes.append(blob.shape)
    assert len(set(shapes)) > 1
    with pytest.raises(ValueError, match="at least 16"):
        draw_blob(3, np.random.default_rng(0))
