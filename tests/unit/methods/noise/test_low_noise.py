"""Quiet blocks: energies against SciPy's DCT, shares that no order of pixels decides, made noise."""

from __future__ import annotations

import numpy as np
import pytest

from imforensics.methods.noise import low_noise
from imforensics.methods.noise.low_noise import count_quiet_blocks, find_quiet_blocks, find_unclipped_blocks


def noise(shape: tuple[int, ...], sigma: float = 4, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).normal(128, sigma, shape).round().clip(1, 254).astype(np.uint8)


@pytest.mark.parametrize("step", [1, 3])
def test_energies_are_those_of_the_dct(step: int) -> None:
    fft = pytest.importorskip("scipy.fft")
    channel = np.random.default_rng(0).integers(0, 256, (301, 23), dtype=np.uint8)
    shape = tuple(-(-(side - 2) // step) for side in channel.shape)
    sums, low, total = low_noise._block_energies(channel, shape, step)
    for row, column in [(0, 0), (1, 3), (shape[0] - 1, shape[1] - 1), (shape[0] // 2, 2)]:
        top, left = row * step, column * step
        block = channel[top : top + 3, left : left + 3].astype(np.float64)
        energy = fft.dctn(block, norm="ortho") ** 2
        assert sums[row, column] == block.sum()
        lowest = energy[0, 1] + energy[1, 0] + energy[1, 1] + energy[0, 2] + energy[2, 0]
        assert low[row, column] == pytest.approx(36 * lowest, abs=0.1)
        assert total[row, column] == pytest.approx(36 * 9 * block.var(), abs=0.1)


def test_blocks_with_a_clipped_pixel_are_left_out() -> None:
    pixels = np.full((5, 6, 3), 90, np.uint8)
    pixels[2, 4, 1] = 255
    expected = np.ones((3, 4), bool)
    expected[:, 2:] = False
    np.testing.assert_array_equal(find_unclipped_blocks(pixels), expected)
    assert find_unclipped_blocks(np.zeros((1, 2, 3), np.uint8)).shape == (0, 0)


def test_half_of_the_smooth_blocks_are_quiet_and_ties_are_shared() -> None:
    channel = noise((150, 200), sigma=0.9)  # few values: most energies are tied
    found = find_quiet_blocks(channel, np.ones((148, 198), bool))
    assert len(found.rows) >= 0.1 * 148 * 198
    assert found.quiet.sum() == pytest.approx(len(found.rows) / 2, rel=1e-5)
    top = found.rows < 74
    assert found.quiet[top].mean() == pytest.approx(found.quiet[~top].mean(), abs=0.05)


def test_bins_without_noise_say_nothing() -> None:
    flat = np.full((40, 50), 100, np.uint8)
    assert find_quiet_blocks(flat, np.ones((38, 48), bool)).quiet.size == 0
    assert not count_quiet_blocks(np.full((64, 64, 3), 100, np.uint8), cell=32)[0].any()


def test_even_noise_is_quiet_by_half_everywhere_and_a_quiet_patch_more() -> None:
    pixels = noise((256, 320, 3))
    smooth, quiet = count_quiet_blocks(pixels, cell=64)
    assert smooth.shape == (4, 5)
    assert np.abs(quiet / smooth - 0.5).max() < 0.1
    pixels[64:128, 128:192] = noise((64, 64, 3), sigma=2, seed=1)
    smooth, quiet = count_quiet_blocks(pixels, cell=64)
    share = quiet / smooth
    assert share[1, 2] > 0.8
    assert np.delete(share.ravel(), 7).max() < 0.55


def test_large_images_are_sampled_and_counted_alike(monkeypatch: pytest.MonkeyPatch) -> None:
    pixels = noise((256, 320, 3))
    whole = count_quiet_blocks(pixels, cell=64)[0].sum()
    monkeypatch.setattr(low_noise, "MAX_BLOCKS", 20_000)
    sampled, quiet = count_quiet_blocks(pixels, cell=64)
    assert sampled.sum() == pytest.approx(whole, rel=0.1)
    assert quiet.sum() == pytest.approx(sampled.sum() / 2, rel=1e-4)


@pytest.mark.parametrize("shape", [(1, 1, 3), (2, 90, 3), (3, 3, 3), (9, 40, 3)])
def test_tiny_images_have_a_grid(shape: tuple[int, ...]) -> None:
    smooth, quiet = count_quiet_blocks(noise(shape), cell=16)
    assert smooth.shape == quiet.shape == tuple(-(-side // 16) for side in shape[:2])


def test_wrong_cell_is_refused() -> None:
    with pytest.raises(ValueError, match="at least 3"):
        count_quiet_blocks(noise((9, 9, 3)), cell=2)
