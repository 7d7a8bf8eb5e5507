"""Windows cover everything on the grid; stitching undoes cutting bit by bit."""

from __future__ import annotations

import numpy as np
import pytest

from imforensics.preprocessing.patches import Window, cut_windows, read_window, stitch_windows


def test_windows_of_a_whole_number_of_steps() -> None:
    windows = cut_windows(32, 48, window=32, overlap=16)
    assert windows == [Window(0, 0, 32, 32), Window(0, 16, 32, 32)]


def test_a_small_image_is_one_window() -> None:
    assert cut_windows(5, 9, window=64, overlap=16) == [Window(0, 0, 5, 9)]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"window": 60, "overlap": 8}, "window to be a multiple of the grid of 8; received 60"),
        ({"window": 0, "overlap": 0}, "received 0"),
        ({"window": 64, "overlap": 64}, "0 to 56; received 64"),
        ({"window": 64, "overlap": 12}, "received 12"),
        ({"window": 64, "overlap": -8}, "received -8"),
    ],
)
def test_wrong_sizes_are_refused(options: dict, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        cut_windows(100, 100, **options)
    with pytest.raises(ValueError, match="at least 1x1"):
        cut_windows(0, 100, window=64, overlap=0)


def test_reading_fills_up_by_mirroring_and_refuses_what_lies_outside() -> None:
    array = np.arange(6).reshape(2, 3)
    window = Window(0, 1, 2, 2)
    assert np.shares_memory(read_window(array, window), array)
    np.testing.assert_array_equal(
        read_window(array, window, size=(3, 4))[:, :3], [[1, 2, 2], [4, 5, 5], [4, 5, 5]]
    )
    assert read_window(np.zeros((1, 1, 3)), Window(0, 0, 1, 1), size=(64, 64)).shape == (64, 64, 3)
    with pytest.raises(ValueError, match="inside the array"):
        read_window(array, Window(1, 0, 2, 2))
    with pytest.raises(ValueError, match="at most"):
        read_window(array, window, size=(1, 4))


def test_seam_between_two_levels_is_smooth() -> None:
    windows = cut_windows(64, 96, window=64, overlap=32)
    values = [np.zeros((64, 64), np.float32), np.ones((64, 64), np.float32)]
    line = stitch_windows((64, 96), windows, values)[10]
    assert line[:32].max() == 0
    assert line[64:].min() == 1
    assert np.diff(line).min() >= 0
    assert np.diff(line).max() < 0.1


def test_stitching_is_the_weighted_mean() -> None:
    windows = cut_windows(40, 56, window=24, overlap=16)
    rng = np.random.default_rng(0)
    values = [rng.random((part.height, part.width)).astype(np.float32) for part in windows]
    total, weights = np.zeros((40, 56)), np.zeros((40, 56))
    for part, value in zip(windows, values, strict=True):
        sines = [np.sin(np.pi * (np.arange(side) + 0.5) / side) ** 2 for side in (part.height, part.width)]
        weight = np.multiply.outer(*sines)
        total[part.slices] += weight * value
        weights[part.slices] += weight
    np.testing.assert_allclose(stitch_windows((40, 56), windows, values), total / weights, atol=1e-5)


def test_values_may_be_filled_up_and_have_channels() -> None:
    array = np.random.default_rng(0).random((45, 70, 2)).astype(np.float32)
    windows = cut_windows(45, 70, window=32, overlap=8)
    parts = (read_window(array, window, size=(32, 32)) for window in windows)
    np.testing.assert_array_equal(stitch_windows((45, 70), windows, parts), array)


def test_values_that_do_not_fit_are_refused() -> None:
    windows = cut_windows(16, 32, window=16, overlap=0)
    part = np.zeros((16, 16), np.float32)
    with pytest.raises(ValueError, match="shorter"):
        stitch_windows((16, 32), windows, [part])
    with pytest.raises(ValueError, match="at least"):
        stitch_windows((16, 32), windows, [part, part[:8]])
    with pytest.raises(ValueError, match="cover all"):
        stitch_windows((16, 40), windows, [part, part])
    with pytest.raises(ValueError, match="cover all"):
        stitch_windows((16, 32), [], [])
