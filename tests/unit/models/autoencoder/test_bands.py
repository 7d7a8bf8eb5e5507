"""The stack of bands against PyWavelets, and its layout."""

from __future__ import annotations

import numpy as np
import pytest
import pywt

from imforensics.models.autoencoder.bands import BAND_COUNT, group_means, residual_bands


def noise(height: int, width: int) -> np.ndarray:
    return np.random.default_rng(3).integers(0, 256, (height, width, 3), dtype=np.uint8)


def test_bands_are_haars() -> None:
    pixels = noise(16, 24)
    stack = residual_bands(pixels)
    assert stack.shape == (4, 6, BAND_COUNT)
    luma = pixels.astype(np.float64) @ [0.299, 0.587, 0.114]
    mean, (rows, columns, diagonal) = pywt.dwt2(luma, "haar")
    _, (coarse_rows, _, _) = pywt.dwt2(mean, "haar")
    # PyWavelets' "horizontal" detail is the difference between rows: our second direction.
    fine = np.arcsinh(np.stack([columns, rows, diagonal], -1) / 2) / 2.0
    for place, (down, across) in enumerate([(0, 0), (0, 1), (1, 0), (1, 1)]):
        found = stack[..., place * 9 : place * 9 + 3]
        np.testing.assert_allclose(found, fine[down::2, across::2], atol=1e-4)
    np.testing.assert_allclose(stack[..., 37], np.arcsinh(coarse_rows / 4) / 2.1, atol=1e-4)


def test_gray_has_no_chroma_and_flat_has_nothing() -> None:
    gray = np.repeat(noise(16, 16)[..., :1], 3, axis=-1)
    energy = group_means(residual_bands(gray) ** 2)
    assert energy[..., [1, 2, 4, 5]].max() < 1e-6
    assert energy[..., [0, 3]].min() > 0.01
    assert np.abs(residual_bands(np.full((3, 40, 3), 200, np.uint8))).max() < 1e-4


def test_groups_take_their_own_channels() -> None:
    squares = np.zeros((1, 1, 45), np.float32)
    squares[..., 12:15] = 4  # second place, Cb
    squares[..., 42:45] = 6  # second level, Cr
    np.testing.assert_allclose(group_means(squares)[0, 0], [0, 1, 0, 0, 0, 6])


@pytest.mark.parametrize(("height", "width"), [(1, 1), (7, 9), (8, 8), (17, 3)])
def test_any_size_is_completed_to_whole_cells(height: int, width: int) -> None:
    stack = residual_bands(noise(height, width))
    assert stack.shape == (-(-height // 8) * 2, -(-width // 8) * 2, BAND_COUNT)
    assert np.isfinite(stack).all()


def test_wrong_input_is_refused() -> None:
    with pytest.raises(TypeError, match="uint8"):
        residual_bands(np.zeros((8, 8, 3), np.float32))  # type: ignore[arg-type]
    with pytest.raises(ValueError, match=r"\(H, W, 3\)"):
        residual_bands(np.zeros((8, 8), np.uint8))
