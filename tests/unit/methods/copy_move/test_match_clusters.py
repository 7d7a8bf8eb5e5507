"""Matches grouped by the affine map that they agree on; keypoints where OpenCV is there."""

from __future__ import annotations

import numpy as np
import pytest

from fixtures.textures import make_texture
from imforensics.methods.copy_move.keypoints import (
    Keypoints,
    find_keypoints,
    has_opencv,
    match_keypoints,
    mirror_descriptors,
)
from imforensics.methods.copy_move.match_clusters import (
    apply_affine,
    cluster_matches,
    fit_affine,
    invert_affine,
    is_plausible,
)

TURNED = np.array([[0.9, -0.5, 120.0], [0.5, 0.9, 40.0]])
MIRRORED = np.array([[-1.0, 0.1, 300.0], [0.1, 1.0, 15.0]])


def matches(*parts: tuple[np.ndarray, int], noise: int = 60, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Points that follow each map, among points that follow none; both orders of each pair."""
    rng = np.random.default_rng(seed)
    sources = [rng.uniform(0, 200, (noise, 2))]
    targets = [rng.uniform(0, 400, (noise, 2))]
    for transform, count in parts:
        points = rng.uniform(0, 100, (count, 2))
        sources.append(points)
        targets.append(apply_affine(transform, points) + rng.normal(0, 0.3, (count, 2)))
    forth, back = np.concatenate(sources), np.concatenate(targets)
    return np.concatenate([forth, back]).astype(np.float32), np.concatenate([back, forth]).astype(np.float32)


def near(transform: np.ndarray, expected: np.ndarray) -> bool:
    points = np.array([[0, 0], [100, 0], [0, 100], [100, 100]], dtype=float)
    return bool(np.abs(apply_affine(transform, points) - apply_affine(expected, points)).max() < 2)


def test_two_maps_are_found_among_noise_and_each_once() -> None:
    shifted = np.array([[1.0, 0, -150], [0, 1.0, 90]])
    sources, targets = matches((TURNED, 40), (shifted, 25))
    clusters = cluster_matches(sources, targets, tolerance=3, min_matches=6, limit=5)
    assert len(clusters) == 2
    for cluster, expected, count in zip(clusters, (TURNED, shifted), (40, 25), strict=True):
        assert near(cluster.transform, expected) or near(cluster.transform, invert_affine(expected))
        assert len(cluster.sources) >= 0.9 * count
        off = np.linalg.norm(apply_affine(cluster.transform, cluster.sources) - cluster.targets, axis=1)
        assert off.max() < 3
    assert len(cluster_matches(sources, targets, tolerance=3, min_matches=6, limit=1)) == 1


def test_half_a_turn_keeps_one_order_of_each_pair() -> None:
    half_turn = np.array([[-1.0, 0, 330.0], [0, -1.0, 240.0]])
    sources, targets = matches((half_turn, 40))
    (cluster,) = cluster_matches(sources, targets, tolerance=3, min_matches=6, limit=5)
    assert near(cluster.transform, half_turn)
    assert 36 <= len(cluster.sources) <= 44
    apart = np.linalg.norm(cluster.sources[:, None] - cluster.targets[None], axis=2)
    assert apart.min() > 20


def test_a_mirror_is_found_only_where_it_is_looked_for() -> None:
    sources, targets = matches((MIRRORED, 30))
    assert cluster_matches(sources, targets, tolerance=3, min_matches=8, limit=3) == []
    (cluster,) = cluster_matches(sources, targets, tolerance=3, min_matches=8, limit=3, mirrored=True)
    assert near(cluster.transform, MIRRORED) or near(cluster.transform, invert_affine(MIRRORED))


@pytest.mark.parametrize("count", [0, 1, 3])
def test_few_matches_give_nothing(count: int) -> None:
    points = np.random.default_rng(0).uniform(0, 50, (count, 2)).astype(np.float32)
    assert cluster_matches(points, points + 60, tolerance=3, min_matches=4, limit=3) == []


def test_the_number_of_matches_is_bounded() -> None:
    sources, targets = matches((TURNED, 3000), noise=2000)
    (cluster, *_) = cluster_matches(sources, targets, tolerance=3, min_matches=50, limit=2)
    assert near(cluster.transform, TURNED) or near(cluster.transform, invert_affine(TURNED))
    assert len(cluster.sources) <= 3000


def test_affine_maps_are_fitted_inverted_and_judged() -> None:
    points = np.random.default_rng(2).uniform(0, 50, (9, 2))
    np.testing.assert_allclose(fit_affine(points, apply_affine(TURNED, points)), TURNED, atol=1e-9)
    np.testing.assert_allclose(
        apply_affine(invert_affine(TURNED), apply_affine(TURNED, points)), points, atol=1e-9
    )
    assert is_plausible(TURNED)
    assert is_plausible(MIRRORED)
    assert not is_plausible(np.array([[3.0, 0, 0], [0, 3.0, 0]]))
    assert not is_plausible(np.array([[1.0, 0, 0], [0, 0.5, 0]]))


def made_keypoints(descriptors: np.ndarray) -> Keypoints:
    spread = np.arange(len(descriptors), dtype=np.float32)[:, None] * [50, 0]
    unit = descriptors / np.linalg.norm(descriptors, axis=1, keepdims=True)
    return Keypoints(spread.astype(np.float32), unit.astype(np.float32))


def test_copies_match_and_a_regular_pattern_does_not() -> None:
    rng = np.random.default_rng(0)
    kinds = rng.uniform(0, 1, (30, 128)) ** 4
    copied = np.concatenate([kinds, kinds[:3] + rng.uniform(0, 0.01, (3, 128)), kinds[:1]])
    pairs = match_keypoints(made_keypoints(copied), min_distance=20, ratio=0.6)
    found = {tuple(pair) for pair in pairs.tolist()}
    assert found == {p for a, b in ((0, 30), (1, 31), (2, 32), (0, 33), (30, 33)) for p in ((a, b), (b, a))}
    pattern = np.concatenate([kinds[:10] * 0 + kinds[0] + rng.uniform(0, 0.05, (10, 128)), kinds[1:]])
    assert not any(
        a < 10 or b < 10 for a, b in match_keypoints(made_keypoints(pattern), min_distance=20, ratio=0.6)
    )


def test_points_too_near_are_never_compared() -> None:
    kinds = np.random.default_rng(0).uniform(0, 1, (20, 128)) ** 4
    keypoints = made_keypoints(np.concatenate([kinds, kinds[-1:]]))  # 50 pixels apart
    assert len(match_keypoints(keypoints, min_distance=20, ratio=0.6)) == 2
    assert len(match_keypoints(keypoints, min_distance=60, ratio=0.6)) == 0


def test_without_opencv_it_is_known(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, "cv2", None)
    assert not has_opencv()
    with pytest.raises(ImportError):
        find_keypoints(np.zeros((64, 64), np.uint8), limit=10)


def test_mirrored_descriptors_are_those_of_the_mirrored_picture() -> None:
    pytest.importorskip("cv2", reason="needs the extra copy-move")
    plane = np.ascontiguousarray(make_texture(160, 160, seed=6)[..., 1])
    here, there = (find_keypoints(p, limit=300) for p in (plane, np.ascontiguousarray(plane[:, ::-1])))
    turned = there.positions * [-1, 1] + [159, 0]
    distance = np.linalg.norm(here.positions[:, None] - turned[None], axis=2)
    likeness = mirror_descriptors(here.descriptors) @ there.descriptors.T
    plain = here.descriptors @ there.descriptors.T
    # A point may have several directions: the most alike among those at its place counts.
    best = np.where(distance < 1.5, likeness, -1).max(axis=1)
    unmirrored = np.where(distance < 1.5, plain, -1).max(axis=1)
    seen = best > -1
    assert seen.sum() > 50
    assert np.median(best[seen]) > 0.95
    assert np.median(unmirrored[seen]) < 0.9


def test_keypoints_are_bounded_ordered_and_of_unit_length() -> None:
    pytest.importorskip("cv2", reason="needs the extra copy-move")
    plane = make_texture(160, 200, seed=6)[..., 1].copy()
    keypoints = find_keypoints(plane, limit=40)
    assert len(keypoints.positions) == 40
    np.testing.assert_allclose(np.linalg.norm(keypoints.descriptors, axis=1), 1, atol=1e-3)
    np.testing.assert_array_equal(find_keypoints(plane, limit=40).positions, keypoints.positions)
    assert len(find_keypoints(np.full((64, 64), 9, np.uint8), limit=40).positions) == 0
