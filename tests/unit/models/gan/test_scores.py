"""Kernel distance, diversity, views and grids on made arrays."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from imforensics.models.gan.config import GanImagesConfig
from imforensics.models.gan.images import iterate_epoch, middle_patches, whole_views
from imforensics.models.gan.pictures import draw_grid
from imforensics.models.gan.scores import feature_scale, kernel_distance, mean_distance, random_features


def slow_kernel_distance(x: NDArray[np.float64], y: NDArray[np.float64]) -> float:
    """Binkowski et al. 2018, eq. 4, term by term, on features as they are."""

    def k(a: NDArray[np.float64], b: NDArray[np.float64]) -> float:
        return float((a @ b / len(a) + 1) ** 3)

    n, m = len(x), len(y)
    first = sum(k(x[i], x[j]) for i in range(n) for j in range(n) if i != j) / (n * (n - 1))
    second = sum(k(y[i], y[j]) for i in range(m) for j in range(m) if i != j) / (m * (m - 1))
    return first + second - 2 * sum(k(a, b) for a in x for b in y) / (n * m)


def test_kernel_distance_is_its_formula() -> None:
    rng = np.random.default_rng(0)
    x, y = rng.normal(0, 1, (7, 4)), rng.normal(0.5, 2, (9, 4))
    as_they_are = np.stack([np.zeros(4), np.ones(4)])
    assert kernel_distance(x, y, scale=as_they_are) == pytest.approx(slow_kernel_distance(x, y), rel=1e-9)


def test_kernel_distance_grows_with_the_shift_and_is_near_0_without() -> None:
    rng = np.random.default_rng(1)
    y = rng.normal(0, 1, (300, 6))
    near, shifted, far = (kernel_distance(rng.normal(shift, 1, (300, 6)), y) for shift in (0, 1, 2))
    assert abs(near) < 0.1 < shifted < far


def test_kernel_distance_needs_two() -> None:
    with pytest.raises(ValueError, match="at least two images on each side; received 1 and 3"):
        kernel_distance(np.zeros((1, 2), np.float32), np.zeros((3, 2), np.float32))


def test_constant_features_do_not_divide_by_nothing() -> None:
    scale = feature_scale(np.array([[1, 0], [1, 2]], np.float32))
    np.testing.assert_array_equal(scale, [[1, 1], [1, 1]])


@pytest.mark.train
def test_random_features_tell_blur_from_detail() -> None:
    pytest.importorskip("tensorflow")
    rng = np.random.default_rng(2)
    noise = rng.random((24, 32, 32, 3)).astype(np.float32)
    others = rng.random((24, 32, 32, 3)).astype(np.float32)
    smooth = (noise + np.roll(noise, 1, 1) + np.roll(noise, 1, 2) + np.roll(noise, (1, 1), (1, 2))) / 4
    features = [random_features(images) for images in (noise, others, smooth.astype(np.float32))]
    assert features[0].shape == (24, 384)
    np.testing.assert_array_equal(features[0], random_features(noise))
    scale = feature_scale(features[0])
    same, different = (kernel_distance(other, features[0], scale=scale) for other in features[1:])
    assert different > 100 * abs(same)


def test_mean_distance_is_that_of_the_pairs() -> None:
    images = np.random.default_rng(3).random((5, 64, 64, 3)).astype(np.float32)
    small = images.reshape(5, 32, 2, 32, 2, 3).mean((2, 4))
    pairs = [
        np.sqrt(np.mean((small[i] - small[j]) ** 2, dtype=np.float64)) for i in range(5) for j in range(i)
    ]
    assert mean_distance(images) == pytest.approx(np.mean(pairs), rel=1e-5)
    assert mean_distance(np.repeat(images[:1], 4, 0)) == pytest.approx(0, abs=1e-6)


def pictures(count: int) -> list[NDArray[np.uint8]]:
    rng = np.random.default_rng(4)
    return [rng.integers(0, 256, (24 + index, 40, 3), dtype=np.uint8) for index in range(count)]


def epoch_of(config: GanImagesConfig, *, seed: int = 1, epoch: int = 1) -> NDArray[np.float32]:
    batches = list(iterate_epoch(pictures(11), config, batch_size=4, seed=seed, epoch=epoch))
    assert [len(batch) for batch in batches] == [4, 4], "a rest that fills no batch is left out"
    return np.concatenate(batches)


def test_an_epoch_is_a_function_of_seed_and_number() -> None:
    config = GanImagesConfig(size=16, patch_share=0.5)
    first = epoch_of(config)
    assert first.dtype == np.float32
    assert 0 <= first.min() < first.max() <= 1
    np.testing.assert_array_equal(first, epoch_of(config))
    assert not np.array_equal(first, epoch_of(config, epoch=2))
    assert not np.array_equal(first, epoch_of(config, seed=2))


def test_patches_are_native_and_whole_images_are_not_cut_where_told() -> None:
    images = pictures(11)
    patches = (epoch_of(GanImagesConfig(size=16, patch_share=1, flips=False)) * 255).round().astype(np.uint8)
    for patch in patches:
        places = [
            (index, top, left)
            for index, image in enumerate(images)
            for top, left in np.argwhere((image == patch[0, 0]).all(2))
            if image[top : top + 16, left : left + 16].shape == patch.shape
            and np.array_equal(image[top : top + 16, left : left + 16], patch)
        ]
        assert places
    views = epoch_of(GanImagesConfig(size=16, patch_share=0, min_crop=1, flips=False))
    whole = whole_views(images, 16)
    for view in views:
        assert np.abs(whole - view).max((1, 2, 3)).min() < 1.5 / 255


def test_small_images_are_mirrored_to_a_patch() -> None:
    image = np.arange(5 * 4 * 3, dtype=np.uint8).reshape(5, 4, 3)
    patch = middle_patches([image], 16)[0]
    np.testing.assert_allclose(patch[:5, :4], image / 255, atol=1e-6)
    np.testing.assert_array_equal(patch[:, 4:8], patch[:, :4][:, ::-1])


def test_grid_places_images_row_by_row() -> None:
    images = np.stack([np.full((3, 4, 3), value, np.float32) for value in (0.0, 0.2, 0.4)])
    grid = draw_grid(images, columns=2)
    assert grid.shape == (8, 10, 3)
    assert (grid[:3, :4] == 0).all()
    assert (grid[:3, 6:] == 51).all()
    assert (grid[5:, :4] == 102).all()
    assert (grid[5:, 6:] == 255).all()
    assert (grid[3:5] == 255).all()
