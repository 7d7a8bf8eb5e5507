"""The ELA residual against its definition, and the fixed scale of its picture."""

from __future__ import annotations

import numpy as np
import pytest

from imforensics.preprocessing import ela
from imforensics.preprocessing.ela import ela_picture, ela_residual, iterate_residual
from imforensics.preprocessing.jpeg import resave_jpeg


def photo(height: int, width: int, seed: int = 3) -> np.ndarray:
    rng = np.random.default_rng(seed)
    base = np.add.outer(np.arange(height) * 0.7, np.arange(width) * 0.3)[..., None] % 200
    return np.clip(base + rng.normal(20, 6, (height, width, 3)), 0, 255).astype(np.uint8)


@pytest.mark.parametrize("shape", [(1, 1), (1, 40), (40, 1), (67, 93), (300, 2001)])
@pytest.mark.parametrize(("quality", "subsampling"), [(90, "4:2:0"), (75, "4:4:4")])
def test_residual_is_the_absolute_difference_to_the_resave(
    shape: tuple[int, int], quality: int, subsampling: str
) -> None:
    pixels = photo(*shape)
    before = pixels.copy()
    residual = ela_residual(pixels, quality=quality, subsampling=subsampling)
    resaved = resave_jpeg(pixels, quality=quality, subsampling=subsampling)
    np.testing.assert_array_equal(residual, np.abs(pixels.astype(np.int16) - resaved))
    assert residual.dtype == np.float32
    np.testing.assert_array_equal(pixels, before)


@pytest.mark.parametrize("quality", [30, 90, 100])
@pytest.mark.parametrize("subsampling", ["4:4:4", "4:2:2", "4:2:0"])
@pytest.mark.parametrize("height", [32, 33, 47, 48, 200])
def test_strips_give_the_residual_of_one_resave(
    monkeypatch: pytest.MonkeyPatch, height: int, subsampling: str, quality: int
) -> None:
    monkeypatch.setattr(ela, "_BAND_BYTES", 1)
    monkeypatch.setattr(ela, "_STRIP_PIXELS", 32 * 61)
    pixels = photo(height, 61)
    pixels[:, :, 0] = np.random.default_rng(0).integers(0, 256, (height, 61))  # busy chroma
    resaved = resave_jpeg(pixels, quality=quality, subsampling=subsampling)
    residual = ela_residual(pixels, quality=quality, subsampling=subsampling)
    np.testing.assert_array_equal(residual, np.abs(pixels.astype(np.int16) - resaved))


def test_bands_follow_one_another_on_the_jpeg_grid() -> None:
    bands = [(top, len(band)) for top, band in iterate_residual(photo(300, 2001))]
    assert len(bands) > 2
    assert all(top % 8 == 0 for top, _ in bands)
    assert [top for top, _ in bands] == np.cumsum([0, *[rows for _, rows in bands]])[:-1].tolist()
    assert sum(rows for _, rows in bands) == 300


def test_a_patch_of_another_history_stands_out() -> None:
    pixels = resave_jpeg(photo(128, 128), quality=60)
    pixels[48:80, 48:80] = photo(32, 32, seed=9)
    residual = ela_residual(pixels, quality=60)
    assert residual[56:72, 56:72].mean() > 2 * residual[:32].mean()


def test_picture_is_on_a_fixed_scale() -> None:
    residual = np.array([[0, 1, 8, 25, 26, 255]], np.float32)
    expected = [[0, 10, 80, 250, 255, 255]]
    np.testing.assert_array_equal(ela_picture(residual, scale=10), expected)
    np.testing.assert_array_equal(ela_picture(residual.astype(np.uint8), scale=10), expected)
    np.testing.assert_array_equal(ela_picture(residual[:, :3], scale=10), np.array(expected)[:, :3])


@pytest.mark.parametrize("scale", [0, 256])
def test_picture_refuses_a_scale_out_of_range(scale: int) -> None:
    with pytest.raises(ValueError, match="from 1 to 255"):
        ela_picture(np.zeros((2, 2), np.float32), scale=scale)


def test_wrong_input_is_refused() -> None:
    with pytest.raises(ValueError, match="received 0"):
        ela_residual(photo(8, 8), quality=0)
    with pytest.raises(ValueError, match=r"\(H, W, 3\)"):
        ela_residual(photo(8, 8)[..., 0])
    with pytest.raises(TypeError, match="float32"):
        ela_residual(photo(8, 8).astype(np.float32))
