"""Block statistics against slow loops."""

from __future__ import annotations

import numpy as np
import pytest

from imforensics.preprocessing.blocks import (
    block_means,
    find_analysable_blocks,
    find_unclipped_blocks,
    share_reached,
    smooth_blocks,
    spread_blocks,
    upsample_blocks,
)


@pytest.mark.parametrize("shape", [(1, 1), (8, 8), (9, 30), (33, 7, 3), (16, 24, 3)])
@pytest.mark.parametrize("dtype", [np.uint8, np.float32])
def test_block_means_are_means(shape: tuple[int, ...], dtype: type) -> None:
    image = np.random.default_rng(0).integers(0, 256, shape).astype(dtype)
    expected = [
        [image[top : top + 8, left : left + 8].mean() for left in range(0, shape[1], 8)]
        for top in range(0, shape[0], 8)
    ]
    np.testing.assert_allclose(block_means(image, block=8), expected, rtol=1e-5)


def test_smoothing_leaves_blocks_without_weight_out() -> None:
    values = np.array([[1, 100, 3], [1, 1, 5]], np.float32)
    weights = np.array([[1, 0, 1], [1, 1, 1]], np.float32)
    smooth = smooth_blocks(values, weights=weights)
    assert smooth[0, 0] == pytest.approx(1)
    assert smooth[0, 1] == pytest.approx(11 / 5)
    np.testing.assert_array_equal(smooth_blocks(values, weights=np.zeros_like(values)), 0)


def test_upsampling_reproduces_a_ramp_between_the_centres() -> None:
    ramp = np.add.outer(np.arange(3) * 8.0, np.arange(4) * 16.0).astype(np.float32)
    result = upsample_blocks(ramp, (24, 32), block=8)
    expected = np.add.outer(np.arange(4, 20) - 3.5, 2 * (np.arange(4, 28) - 3.5))
    np.testing.assert_allclose(result[4:20, 4:28], expected, atol=1e-4)
    assert result.min() == ramp.min()
    assert result.max() == ramp.max()


@pytest.mark.parametrize("shape", [(1, 1), (1, 20), (20, 1), (17, 31)])
def test_upsampling_keeps_a_constant(shape: tuple[int, int]) -> None:
    blocks = np.full(tuple(-(-side // 8) for side in shape), 0.3, np.float32)
    np.testing.assert_array_equal(upsample_blocks(blocks, shape, block=8), np.full(shape, 0.3, np.float32))


def test_upsampling_refuses_blocks_that_do_not_fit() -> None:
    with pytest.raises(ValueError, match=r"Expected \(2, 3\) blocks of 8"):
        upsample_blocks(np.zeros((2, 2), np.float32), (16, 17), block=8)


def test_flat_and_saturated_blocks_cannot_be_analysed() -> None:
    pixels = np.random.default_rng(0).integers(60, 90, (16, 29, 3), dtype=np.uint8)
    pixels[:8, :8] = 100
    pixels[:8, 8:16] = np.random.default_rng(1).integers(250, 256, (8, 8, 3))
    pixels[8:, 16:24] = np.random.default_rng(1).integers(0, 6, (8, 8, 3))
    expected = np.array([[False, False, True, True], [True, True, False, True]])
    valid = find_analysable_blocks(pixels, block=8)
    np.testing.assert_array_equal(valid, expected)
    spread = spread_blocks(valid, (16, 29), block=8)
    assert spread.shape == (16, 29)
    assert not spread[:8, :16].any()
    assert spread[8:, 24:].all()


def test_blocks_with_many_clipped_pixels_or_cut_by_the_edge_are_left_out() -> None:
    pixels = np.random.default_rng(0).integers(60, 90, (20, 35, 3), dtype=np.uint8)
    pixels[0, :8, 1] = 255  # 8 of 64 pixels, an eighth: still usable
    pixels[0, 8:16, 0], pixels[1, 8, 2] = 0, 255  # one more
    pixels[8:16, :8] = 128  # flat
    expected = np.zeros((3, 5), dtype=bool)
    expected[:2, :4] = True
    expected[0, 1] = expected[1, 0] = False
    np.testing.assert_array_equal(find_unclipped_blocks(pixels, block=8), expected)


def test_the_share_reached_is_that_of_the_pixels() -> None:
    values = np.random.default_rng(2).random((5, 7)).astype(np.float32)
    for threshold in (0.0, 0.3, 0.5, 0.99, 2.0):
        pixels = upsample_blocks(values, (37, 50), block=8) >= np.float32(threshold)
        assert share_reached(values, (37, 50), block=8, threshold=threshold) == pixels.mean()
