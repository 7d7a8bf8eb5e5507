"""Each alteration by itself: what it does inside its shape, and nothing outside."""

from __future__ import annotations

import numpy as np
import pytest

from fixtures.textures import make_texture
from imforensics.datasets.synthesis.copy_move import forge_copy_move
from imforensics.datasets.synthesis.membranes import fill_membrane
from imforensics.datasets.synthesis.removal import forge_removal
from imforensics.datasets.synthesis.retouch import RETOUCH_KINDS, forge_retouch
from imforensics.datasets.synthesis.segments import grow_segment
from imforensics.datasets.synthesis.shapes import SHAPE_KINDS, draw_shape
from imforensics.datasets.synthesis.splice import forge_splice
from imforensics.datasets.synthesis.text import forge_text

PLACE = (40, 60)


@pytest.fixture(scope="module")
def host() -> np.ndarray:
    pixels = make_texture(160, 240, seed=1)
    pixels.flags.writeable = False
    return pixels


@pytest.fixture(scope="module")
def disc() -> np.ndarray:
    rows, columns = np.mgrid[-25:26, -25:26]
    return rows**2 + columns**2 <= 25**2


def placed(shape: np.ndarray, size: tuple[int, int], place: tuple[int, int]) -> np.ndarray:
    mask = np.zeros(size, dtype=bool)
    mask[place[0] : place[0] + shape.shape[0], place[1] : place[1] + shape.shape[1]] = shape
    return mask


@pytest.mark.parametrize("kind", SHAPE_KINDS)
def test_shapes_have_the_area_and_fit(kind: str) -> None:
    for seed in range(10):
        rng = np.random.default_rng(seed)
        shape, name = draw_shape(1500, rng, limits=(300, 300), kinds={kind: 1})
        assert name == kind
        assert shape.sum() == pytest.approx(1500, rel=0.12)
        assert all(line.any() for line in (shape[0], shape[-1], shape[:, 0], shape[:, -1]))
        small, _ = draw_shape(1500, rng, limits=(20, 30), kinds={kind: 1})
        assert small.shape[0] <= 20
        assert small.shape[1] <= 30


def test_a_segment_follows_the_outline_of_an_object() -> None:
    rng = np.random.default_rng(0)
    pixels = rng.normal(90, 6, (150, 150, 3))
    rows, columns = np.mgrid[:150, :150]
    inside = (np.abs(rows - 70) < 35) & (np.abs(columns - 80 - (rows - 70) // 3) < 20)
    pixels[inside] += (60, 20, -30)
    found = [
        grow_segment(np.clip(pixels, 0, 255).astype(np.uint8), inside.sum(), np.random.default_rng(seed))
        for seed in range(40)
    ]
    overlaps = [(mask & inside).sum() / (mask | inside).sum() for mask in found if mask is not None]
    assert max(overlaps) > 0.9
    assert np.mean(np.array(overlaps) > 0.75) > 0.2


def test_a_segment_of_clear_sky_is_none() -> None:
    sky = np.full((120, 120, 3), 200, dtype=np.uint8)
    assert grow_segment(sky, 2000, np.random.default_rng(0)) is None


def test_a_membrane_is_the_solution_of_laplace() -> None:
    rows, columns = np.mgrid[:60, :70] / 30.0
    harmonic = (rows**2 - columns**2 + 3 * rows * columns).astype(np.float32)[..., np.newaxis]
    hole = np.zeros((60, 70), dtype=bool)
    hole[12:50, 9:58] = True
    spoiled = np.where(hole[..., np.newaxis], np.float32(99), harmonic)
    filled = fill_membrane(spoiled, hole)
    np.testing.assert_array_equal(filled[~hole], harmonic[~hole])
    assert np.abs(filled - harmonic).max() < 0.013 * np.ptp(harmonic)  # without relaxation 0.27
    with pytest.raises(ValueError, match="nothing known"):
        fill_membrane(harmonic, np.ones((60, 70), dtype=bool))


def test_a_hard_splice_is_the_part_and_only_there(host: np.ndarray, disc: np.ndarray) -> None:
    part = make_texture(51, 51, seed=5)
    forged = forge_splice(host, part, disc, place=PLACE)
    mask = placed(disc, host.shape[:2], PLACE)
    np.testing.assert_array_equal(forged.target_mask, mask)
    np.testing.assert_array_equal(forged.pixels[mask], part[disc])
    np.testing.assert_array_equal(forged.pixels[~mask], host[~mask])


def test_a_splice_may_reach_over_the_border(host: np.ndarray, disc: np.ndarray) -> None:
    part = make_texture(51, 51, seed=5)
    forged = forge_splice(host, part, disc, place=(-20, 215))
    np.testing.assert_array_equal(forged.pixels[:31, 215:][disc[20:, :25]], part[20:, :25][disc[20:, :25]])
    assert forged.target_mask.sum() == disc[20:, :25].sum()
    with pytest.raises(ValueError, match="where the shape lies within"):
        forge_splice(host, part, disc, place=(-60, 0))
    with pytest.raises(ValueError, match="of one size"):
        forge_splice(host, part[:-1], disc, place=PLACE)


def test_blending_keeps_gradients_and_takes_the_level_of_the_host(disc: np.ndarray) -> None:
    rows, columns = np.mgrid[:160, :240]
    host = np.repeat((60 + rows / 2 + columns / 4)[..., np.newaxis], 3, axis=2).astype(np.uint8)
    part = np.clip(host[40:91, 60:111].astype(int) + 70, 0, 255).astype(np.uint8)
    part[20:30, 20:30] += 20
    forged = forge_splice(host, part, disc, place=PLACE, edge="blended").pixels.astype(int)
    change = forged[40:91, 60:111] - host[40:91, 60:111]
    assert np.abs(np.delete(change, np.s_[18:32], axis=0)).max() <= 3  # an offset of 70 is taken back
    assert change[20:30, 20:30].mean() == pytest.approx(20, abs=3)


def test_matched_colours_move_to_the_surroundings(host: np.ndarray, disc: np.ndarray) -> None:
    part = np.clip(make_texture(51, 51, seed=5).astype(int) // 2 + 120, 0, 255).astype(np.uint8)
    mask = placed(disc, host.shape[:2], PLACE)
    raw, matched = (forge_splice(host, part, disc, place=PLACE, match=m).pixels[mask] for m in (0.0, 1.0))
    around = host[40:91, 60:111].reshape(-1, 3).mean(axis=0)
    assert np.abs(matched.mean(axis=0) - around).max() < 4
    assert np.abs(raw.mean(axis=0) - around).max() > 20


@pytest.mark.parametrize("kind", ["telea", "navier_stokes", "exemplar", "smooth"])
def test_a_removal_takes_an_object_away(kind: str, disc: np.ndarray) -> None:
    if kind in {"telea", "navier_stokes"}:
        pytest.importorskip("cv2", reason="needs the extra copy-move")
    rng = np.random.default_rng(3)
    clean = np.clip(rng.normal(120, 2, (160, 240, 3)), 0, 255).astype(np.uint8)
    host = clean.copy()
    mask = placed(disc, (160, 240), PLACE)
    inner = placed(disc[::2, ::2], (160, 240), (53, 73))
    host[inner] = 250
    forged = forge_removal(host, disc, np.random.default_rng(0), place=PLACE, kind=kind)  # type: ignore[arg-type]
    np.testing.assert_array_equal(forged.target_mask, mask)
    np.testing.assert_array_equal(forged.pixels[~mask], host[~mask])
    assert np.abs(forged.pixels[mask].astype(int) - 120).mean() < 4
    with pytest.raises(ValueError, match="shape within"):
        forge_removal(host, disc, rng, place=(140, 0), kind=kind)  # type: ignore[arg-type]


def test_a_smooth_fill_has_the_grain_of_its_surroundings(disc: np.ndarray) -> None:
    rng = np.random.default_rng(3)
    host = np.clip(rng.normal(120, 4, (160, 240, 3)), 0, 255).astype(np.uint8)
    filled = forge_removal(host, disc, rng, place=PLACE, kind="smooth")
    spread = filled.pixels[filled.target_mask].astype(float).std()
    assert 2 < spread < 6


@pytest.mark.parametrize("kind", RETOUCH_KINDS)
def test_retouching_changes_the_shape_and_nothing_else(kind: str, host: np.ndarray, disc: np.ndarray) -> None:
    forged = forge_retouch(host, disc, np.random.default_rng(2), place=PLACE, kind=kind)  # type: ignore[arg-type]
    mask = placed(disc, host.shape[:2], PLACE)
    np.testing.assert_array_equal(forged.target_mask, mask)
    np.testing.assert_array_equal(forged.pixels[~mask], host[~mask])
    assert (forged.pixels[mask] != host[mask]).any(axis=1).mean() > 0.7
    fine = np.abs(np.diff(forged.pixels[50:81, 70:101].astype(int), axis=1)).mean()
    before = np.abs(np.diff(host[50:81, 70:101].astype(int), axis=1)).mean()
    if kind in {"blur", "median", "reduce"}:
        assert fine < 0.9 * before
    elif kind in {"sharpen", "noise"}:
        assert fine > 1.1 * before


def test_text_is_within_its_mask_and_reads_against_the_picture(host: np.ndarray) -> None:
    for seed in range(6):
        forged = forge_text(host, np.random.default_rng(seed), area=0.04)
        differs = (forged.pixels != host).any(axis=2)
        assert not (differs & ~forged.target_mask).any()
        assert 0.003 < forged.target_mask.mean() < 0.2
        assert differs.sum() > 0.3 * forged.target_mask.sum()


def test_a_copy_of_a_given_shape_has_that_shape(host: np.ndarray, disc: np.ndarray) -> None:
    forged = forge_copy_move(host, np.random.default_rng(0), shape=disc, feather=0)
    assert forged.source_mask is not None
    assert forged.source_mask.sum() == forged.target_mask.sum() == disc.sum()
    with pytest.raises(ValueError, match=r"in 3 attempts"):
        forge_copy_move(
            np.full((96, 96, 3), 7, np.uint8), np.random.default_rng(0), shape=disc[::2, ::2], attempts=3
        )


def test_pillow_turns_as_the_donor_is_turned() -> None:
    """The mask turns with the pixels: a marked part lies within its turned shape."""
    from imforensics.datasets.synthesis.manipulations import _transform

    shape = np.zeros((60, 80), dtype=bool)
    shape[20:40, 15:65] = True
    part = np.where(shape[..., np.newaxis], np.uint8(255), np.uint8(0)).repeat(3, axis=2)
    for scale, turn in ((1.0, 30.0), (0.6, 0.0), (1.5, -40.0)):
        pixels, turned = _transform(part, shape, scale, turn)
        assert pixels.shape[:2] == turned.shape
        assert turned.sum() == pytest.approx(shape.sum() * scale**2, rel=0.06)
        assert ((pixels[..., 0] >= 128) == turned).mean() > 0.98
