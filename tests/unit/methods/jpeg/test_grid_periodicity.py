"""Lattice sums against slow loops; the right grid and table stand out."""

from __future__ import annotations

import numpy as np
import pytest

from fixtures.textures import make_texture
from imforensics.evidence.block_dct import block_dct
from imforensics.methods.jpeg.grid_periodicity import MAX_DIVISOR, U, V, measure_periodicity
from imforensics.preprocessing.jpeg import decode_jpeg, encode_jpeg

PLANE = make_texture(200, 264)[..., 1].astype(np.float32) - 128


def test_sums_of_the_whole_image_are_those_of_a_loop() -> None:
    found = measure_periodicity(PLANE)
    rows, columns = (200 - 7) // 8, (264 - 7) // 8
    for top, left, index, step in ((0, 0, 0, 16), (3, 5, 1, 11), (7, 7, 14, 3)):
        blocks = block_dct(PLANE, top=top, left=left)[:rows, :columns]
        values = np.abs(blocks[..., U[index], V[index]]).ravel()
        values = np.rint(values[values < 511] / 0.5) * 0.5
        values = values[values >= step / 2]
        place = (8 * top + left, 0, index, step - 1)
        assert found.counts[place] == len(values)
        np.testing.assert_allclose(
            found.cosines[place], np.cos(2 * np.pi * values / step).sum(), rtol=0.01, atol=3
        )


def test_windows_are_the_image_its_tiles_and_squares_of_tiles() -> None:
    found = measure_periodicity(PLANE)
    tiles = found.windows[1:13]  # 3 rows of 4 tiles of 64 pixels
    assert found.windows.shape == (1 + 12 + 6, 4)
    assert found.windows[0].tolist() == [0, 0, 200, 264]
    assert tiles[0].tolist() == [0, 0, 64, 64]
    assert tiles[-1].tolist() == [128, 192, 200, 264]
    assert found.windows[-1].tolist() == [64, 128, 200, 264]
    np.testing.assert_array_equal(found.counts[:, 1:13].sum(axis=1), found.counts[:, 0])
    np.testing.assert_allclose(found.cosines[:, 1:13].sum(axis=1), found.cosines[:, 0], rtol=1e-3, atol=0.1)


def test_the_earlier_grid_and_divisor_stand_out() -> None:
    gray = make_texture(264, 264)[..., 0]
    saved = decode_jpeg(encode_jpeg(gray, quality=60))[3:, 6:, 0].astype(np.float32) - 128
    found = measure_periodicity(saved)
    means = found.cosines[:, 0] / np.maximum(found.counts[:, 0], 1)
    # IJG quality 60: the divisor of (0, 1) is 9, of (1, 0) 10; the grid begins at row 5, column 2.
    frequencies = {(u, v): index for index, (u, v) in enumerate(zip(U, V, strict=True))}
    for frequency, step in (((0, 1), 9), ((1, 0), 10)):
        mean = means[:, frequencies[frequency], step - 1]
        assert int(mean.argmax()) == 8 * 5 + 2
        assert mean.max() > 0.9


def test_rows_of_large_images_are_skipped_evenly(monkeypatch: pytest.MonkeyPatch) -> None:
    whole = measure_periodicity(PLANE)
    monkeypatch.setattr("imforensics.methods.jpeg.grid_periodicity.MAX_BLOCKS", 300)
    some = measure_periodicity(PLANE)
    assert some.counts.shape == whole.counts.shape
    share = some.counts[:, 0, 0, 1].sum() / whole.counts[:, 0, 0, 1].sum()
    assert share == pytest.approx(8 / 24, abs=0.05)


def test_small_and_odd_planes_are_refused() -> None:
    for shape in ((31, 100), (100, 31), (64, 64, 3)):
        with pytest.raises(ValueError, match="at least 32 pixels"):
            measure_periodicity(np.zeros(shape, np.float32))
    assert measure_periodicity(np.zeros((32, 32), np.float32)).counts.shape == (64, 1, len(U), MAX_DIVISOR)
