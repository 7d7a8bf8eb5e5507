"""Windows of the localizer: whatever their size, the map is that of one pass over the whole picture."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pytest

from fixtures.noise_localizer import numpy_runtime
from imforensics.models.localizer import runtime as localizer_runtime
from imforensics.models.localizer.runtime import BlockMaps, WindowSizes, cut_windows, find_peak
from imforensics.models.localizer.traces import CHANNELS, TABLE_FACTS, BlockTraces, describe_uncompressed

WHOLE = WindowSizes(stem=10_000, trunk=10_000)


def picture(height: int, width: int, seed: int = 0) -> tuple[BlockTraces, np.ndarray]:
    rng = np.random.default_rng(seed)
    shape = (-(-height // 8), -(-width // 8))
    traces = BlockTraces(
        rng.normal(0, 1, (*shape, CHANNELS)).astype(np.float16), rng.random(TABLE_FACTS).astype(np.float32)
    )
    return traces, rng.integers(0, 256, (height, width, 3), dtype=np.uint8)


def assert_alike(first: BlockMaps, second: BlockMaps, tolerance: float) -> None:
    np.testing.assert_allclose(first.marks, second.marks, atol=tolerance, rtol=0)
    np.testing.assert_allclose(first.reliability, second.reliability, atol=tolerance, rtol=0)
    assert first.score == pytest.approx(second.score, abs=tolerance)


@pytest.mark.parametrize("size", [(176, 264), (171, 257), (64, 300), (301, 65)])
@pytest.mark.parametrize("windows", [WindowSizes(5, 7), WindowSizes(1, 3), WindowSizes(50, 4)])
def test_windows_give_the_map_of_the_whole(size: tuple[int, int], windows: WindowSizes) -> None:
    runtime, (traces, pixels) = numpy_runtime(), picture(*size)
    whole = runtime.localize(traces, pixels, windows=WHOLE)
    assert whole.marks.std() > 0.05
    assert whole.reliability.std() > 0.05
    assert_alike(runtime.localize(traces, pixels, windows=windows), whole, 1e-5)


def test_a_halo_that_is_too_small_shows() -> None:
    runtime, (traces, pixels) = numpy_runtime(), picture(176, 264)
    short = localizer_runtime.LocalizerRuntime(runtime.parts, (runtime.reach[0], runtime.reach[1] - 1))
    whole = runtime.localize(traces, pixels, windows=WHOLE).marks
    found = short.localize(traces, pixels, windows=WindowSizes(50, 7)).marks
    assert np.abs(found - whole).max() > 1e-3


def test_one_pass_is_the_network_itself() -> None:
    runtime, (traces, pixels) = numpy_runtime(), picture(64, 80)
    fixed = {"table": traces.table[None], "typical": traces.values.astype(np.float64).mean((0, 1))[None]}
    inputs = {"traces": traces.values.astype(np.float32)[None], "pixels": pixels.astype(np.float32)[None]}
    features = runtime.parts["stem"](inputs | fixed, is_last=True)[0]
    means = {"features": features, "mean": features.mean((1, 2))}
    marks, _, context = runtime.parts["trunk"](means, is_last=True)
    seen = {"largest": context.max((1, 2)), "average": context.mean((1, 2))}
    score = runtime.parts["scorer"](seen, is_last=True)[0]
    found = runtime.localize(traces, pixels)
    np.testing.assert_allclose(found.marks, 1 / (1 + np.exp(-marks[0, ..., 0])), atol=1e-6)
    assert found.score == pytest.approx(1 / (1 + np.exp(-score.item())), abs=1e-6)


def test_a_peak_counts_less_where_samples_are_clipped() -> None:
    logits = np.full((6, 7), -4, np.float32)
    logits[3, 3] = 20
    gray = np.full((48, 56, 3), 128, np.uint8)
    assert find_peak(logits, gray) == pytest.approx((20 - 8 * 4) / 9)
    for level, loss in ((255, 3), (254, 3), (253, 0), (2, 0), (1, 3), (0, 3)):
        clipped = gray.copy()
        clipped[24:32, 24:32, 1] = level  # one channel of the block: its eight neighbours count less too
        expected = (20 - 8 * 4 - 4 * loss) / 9  # of the mean that has the block in its corner
        assert find_peak(logits, clipped) == pytest.approx(expected)
    part = gray.copy()
    part[24:26, 24:28] = 255  # an eighth of the block
    assert find_peak(logits, part) == pytest.approx((20 - 8 * 4 - 4 * 3 * (8 / 64) / 0.3) / 9)
    corner = np.full((2, 2), -4, np.float32)
    corner[0, 0] = 20
    assert find_peak(corner, gray[:16, :16]) == pytest.approx((4 * 20 - 5 * 4) / 9), "the edge is repeated"


@pytest.mark.parametrize("windows", [None, WindowSizes(5, 7)])
def test_a_score_may_rest_on_the_peak_too(windows: WindowSizes | None) -> None:
    runtime, (traces, pixels) = numpy_runtime(), picture(176, 264)
    plain = runtime.localize(traces, pixels)
    logits = np.log(plain.marks / (1 - plain.marks))
    score = np.log(plain.score / (1 - plain.score))
    both = localizer_runtime.LocalizerRuntime(runtime.parts, runtime.reach, uses_peak=True)
    found = both.localize(traces, pixels, windows=windows)
    expected = (score + find_peak(logits, pixels)) / 2
    assert np.log(found.score / (1 - found.score)) == pytest.approx(expected, abs=1e-4)
    np.testing.assert_allclose(found.marks, plain.marks, atol=1e-5)


def test_blocks_that_the_edge_cuts_take_what_their_neighbours_have() -> None:
    runtime, (traces, pixels) = numpy_runtime(), picture(69, 101)
    inner = runtime.localize(BlockTraces(traces.values[:8, :12], traces.table), pixels[:64, :96])
    found = runtime.localize(traces, pixels)
    assert found.marks.shape == (9, 13)
    np.testing.assert_array_equal(found.marks[:8, :12], inner.marks)
    np.testing.assert_array_equal(found.marks[8], found.marks[7])
    np.testing.assert_array_equal(found.reliability[:, 12], found.reliability[:, 11])
    assert found.score == inner.score


def test_features_of_large_pictures_are_kept_as_float16(monkeypatch: pytest.MonkeyPatch) -> None:
    runtime, (traces, pixels) = numpy_runtime(), picture(176, 264)
    exact = runtime.localize(traces, pixels, windows=WindowSizes(9, 9))
    monkeypatch.setattr(localizer_runtime, "EXACT_BYTES", 0)
    kept = runtime.localize(traces, pixels, windows=WindowSizes(9, 9))
    assert 0 < np.abs(kept.marks - exact.marks).max() < 2e-3
    assert_alike(kept, exact, 2e-3)


def test_windows_cover_a_grid_once_and_look_only_at_it() -> None:
    seen = np.zeros((23, 31), int)
    for window in cut_windows(seen.shape, size=7, reach=4):
        seen[window.inner] += 1
        outer = seen[window.outer]
        assert max(outer.shape) <= 7 + 2 * 4
        np.testing.assert_array_equal(
            np.arange(23)[window.outer[0]][window.inside[0]], np.arange(23)[window.inner[0]]
        )
        np.testing.assert_array_equal(
            np.arange(31)[window.outer[1]][window.inside[1]], np.arange(31)[window.inner[1]]
        )
    assert (seen == 1).all()


def test_no_call_is_larger_than_a_window_and_its_halo() -> None:
    runtime, (traces, pixels) = numpy_runtime(), picture(320, 480)
    sides: list[int] = []
    lasts: list[bool] = []

    def watched(feeds: Mapping[str, np.ndarray], *, is_last: bool) -> list[np.ndarray]:
        lasts.append(is_last)
        sides.extend(feeds["traces"].shape[1:3])
        assert feeds["pixels"].shape[1:3] == tuple(8 * side for side in feeds["traces"].shape[1:3])
        return runtime.parts["stem"](feeds, is_last=is_last)

    watching = localizer_runtime.LocalizerRuntime({**runtime.parts, "stem": watched}, runtime.reach)
    watching.localize(traces, pixels, windows=WindowSizes(10, 10))
    assert 10 < max(sides) <= 10 + 2 * runtime.reach[0]
    assert lasts == [False] * 23 + [True]


def test_traces_and_pixels_must_be_of_one_picture() -> None:
    runtime, (_, pixels) = numpy_runtime(), picture(65, 80)
    with pytest.raises(ValueError, match=r"traces of \(9, 10\) blocks .* received \(8, 10\)"):
        runtime.localize(describe_uncompressed(8, 10), pixels)


def test_extreme_logits_stay_probabilities() -> None:
    runtime, (traces, pixels) = numpy_runtime(), picture(64, 64)

    def loud(feeds: Mapping[str, np.ndarray], *, is_last: bool) -> list[np.ndarray]:
        marks, reliability, context = runtime.parts["trunk"](feeds, is_last=is_last)
        return [np.sign(marks) * np.float32(1e6), reliability, context]

    found = localizer_runtime.LocalizerRuntime({**runtime.parts, "trunk": loud}, runtime.reach).localize(
        traces, pixels
    )
    assert set(np.round(np.unique(found.marks), 6)) == {0.0, 1.0}
