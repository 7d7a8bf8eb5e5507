"""Dense matching: rotation-invariant features, nearest neighbours, parts that one map explains."""

from __future__ import annotations

import numpy as np
import pytest

from fixtures.textures import make_texture
from imforensics.methods.copy_move.circular_harmonics import zernike_features, zernike_kernels
from imforensics.methods.copy_move.offset_field import find_field_regions, fit_errors
from imforensics.methods.copy_move.patch_match import MatchField, match_patches


def luma_of(height: int, width: int, seed: int = 0) -> np.ndarray:
    return make_texture(height, width, seed)[..., 1].astype(np.float32)


def test_kernels_are_of_unit_length_and_nearly_orthogonal() -> None:
    kernels = zernike_kernels(8, max_order=5)
    assert len(kernels) == 12
    gram = np.array([[abs((a * b.conj()).sum()) for b in kernels] for a in kernels])
    np.testing.assert_allclose(np.diag(gram), 1)
    assert (gram - np.diag(np.diag(gram))).max() < 0.1  # sampled on a small disc, not exactly orthogonal


def test_features_are_the_direct_correlation() -> None:
    luma = luma_of(100, 104)
    features = zernike_features(luma, radius=5)
    patch = luma[20 - 5 : 20 + 6, 17 - 5 : 17 + 6]
    direct = [abs((patch * kernel).sum()) for kernel in zernike_kernels(5, max_order=5)]
    np.testing.assert_allclose(np.abs(features[20, 17]), direct, rtol=1e-3, atol=0.05)


@pytest.mark.parametrize("change", ["turn", "mirror"])
def test_features_do_not_see_turns_and_mirrors(change: str) -> None:
    luma = luma_of(64, 64)
    moved = np.rot90(luma) if change == "turn" else luma[:, ::-1]
    features, changed = (zernike_features(np.ascontiguousarray(p), radius=8) for p in (luma, moved))
    back = np.rot90(changed, -1) if change == "turn" else changed[:, ::-1]
    inner = (slice(10, -10), slice(10, -10))
    np.testing.assert_allclose(np.abs(back[inner]), np.abs(features[inner]), rtol=1e-3, atol=0.3)


def test_a_radius_too_small_is_refused() -> None:
    with pytest.raises(ValueError, match="at least 2"):
        zernike_features(luma_of(20, 20), radius=1)


def test_the_field_finds_a_shifted_part_and_keeps_its_distance() -> None:
    luma = luma_of(110, 140, seed=3)
    luma[60:100, 80:130] = luma[10:50, 20:70]
    field = match_patches(zernike_features(luma, radius=6), margin=6, step=1, min_distance=20)
    rows, columns = field.rows, field.columns
    inside = np.ix_((rows >= 68) & (rows < 92), (columns >= 88) & (columns < 122))
    right = (field.down[inside] == -50) & (field.across[inside] == -60)
    assert right.mean() > 0.9
    assert field.cost[inside][right].max() < 1
    assert (field.down**2 + field.across**2)[np.isfinite(field.cost)].min() >= 400
    again = match_patches(zernike_features(luma, radius=6), margin=6, step=1, min_distance=20)
    np.testing.assert_array_equal(again.down, field.down)


def test_the_field_is_near_the_true_nearest_neighbours() -> None:
    features = zernike_features(luma_of(48, 56, seed=5), radius=5)
    field = match_patches(features, margin=5, step=2, min_distance=12)
    own = features[np.ix_(field.rows, field.columns)].reshape(-1, features.shape[2])
    y, x = (grid.ravel() for grid in np.meshgrid(field.rows, field.columns, indexing="ij"))
    all_y, all_x = (grid.ravel() for grid in np.mgrid[5:43, 5:51])
    cost = ((own[:, None] - features[all_y, all_x][None]) ** 2).sum(axis=2)
    cost[(all_y - y[:, None]) ** 2 + (all_x - x[:, None]) ** 2 < 144] = np.inf
    found, best = field.cost.ravel(), cost.min(axis=1)
    assert (found >= best * (1 - 1e-3) - 1e-2).all()  # no one can be nearer than the nearest
    assert np.median(found / best) < 1.5


@pytest.mark.parametrize("shape", [(13, 13), (12, 40), (30, 14)])
def test_pictures_without_room_give_an_empty_or_unmatched_field(shape: tuple[int, int]) -> None:
    field = match_patches(zernike_features(luma_of(*shape), radius=6), margin=6, step=1, min_distance=20)
    assert not np.isfinite(field.cost).any()
    assert find_field_regions(field, min_cells=4, limit=3) == []


def test_fit_errors_are_those_of_least_squares() -> None:
    plane = np.random.default_rng(0).normal(0, 3, (9, 11)).astype(np.float32)
    rows, columns = np.mgrid[0:7, 0:7]
    design = np.stack([np.ones(49), rows.ravel(), columns.ravel()], axis=1)
    window = plane[1:8, 2:9].ravel()
    rest = window - design @ np.linalg.lstsq(design, window, rcond=None)[0]
    errors = fit_errors(plane)
    assert errors[4, 5] == pytest.approx(float((rest**2).mean()), rel=1e-4)
    assert np.isinf(errors[:3]).all()
    assert np.isinf(errors[:, -3:]).all()


def test_regions_of_a_made_field_have_their_maps() -> None:
    rng = np.random.default_rng(1)
    rows, columns = np.arange(60, dtype=np.int32), np.arange(80, dtype=np.int32)
    down, across = (rng.integers(-200, 200, (60, 80)).astype(np.int32) for _ in range(2))
    y, x = np.mgrid[10:40, 10:30]
    # turned by a quarter: (x, y) -> (200 - y, 50 + x)
    down[10:40, 10:30], across[10:40, 10:30] = 50 + x - y, 200 - y - x
    down[10:40, 50:75], across[10:40, 50:75] = 33, -44
    field = MatchField(rows, columns, down, across, np.ones((60, 80), np.float32))
    regions = find_field_regions(field, min_cells=100, limit=5)
    assert len(regions) == 2
    np.testing.assert_allclose(regions[0].transform, [[1, 0, -44], [0, 1, 33]], atol=1e-6)
    np.testing.assert_allclose(regions[1].transform, [[0, -1, 200], [1, 0, 50]], atol=1e-6)
    assert regions[0].cells >= regions[1].cells >= 300
    assert len(find_field_regions(field, min_cells=100, limit=1)) == 1
    assert find_field_regions(field, min_cells=5000, limit=5) == []
