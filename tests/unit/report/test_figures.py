import io

import matplotlib as mpl
import numpy as np
import pytest
from PIL import Image, ImageOps

from imforensics.report.colormap import colormap
from imforensics.report.encoding import data_uri, encode_jpeg, encode_png
from imforensics.report.figures import (
    HATCH_DARK,
    HATCH_LIGHT,
    display_picture,
    encode_preview,
    heatmap,
    orient,
    overlay,
    reduce_area,
    reduce_map,
)
from imforensics.types import FloatArray, LocalizationMap


def gradient(height: int = 20, width: int = 256) -> np.ndarray:
    return np.tile(np.linspace(0, 1, width, dtype=np.float32), (height, 1))


def test_colormap_is_viridis() -> None:
    expected = mpl.colormaps["viridis"](np.arange(256), bytes=True)[:, :3]
    assert np.array_equal(colormap(), expected)
    assert not colormap().flags.writeable


def test_heatmap_range_is_fixed_and_not_stretched() -> None:
    low = LocalizationMap(np.full((4, 4), 0.5, dtype=np.float32))
    assert np.array_equal(heatmap(reduce_map(low)), np.broadcast_to(colormap()[128], (4, 4, 3)))
    assert np.array_equal(heatmap(reduce_map(LocalizationMap(gradient())))[3], colormap())


def test_invalid_is_hatched_not_low() -> None:
    valid = np.ones((32, 256), dtype=bool)
    valid[:, :64] = False
    shown = heatmap(reduce_map(LocalizationMap(gradient(32), valid)))
    hatched = shown[:, :64]
    assert set(np.unique(hatched)) == {HATCH_LIGHT, HATCH_DARK}
    assert np.array_equal(shown[0, 64:], colormap()[64:])


def test_reduction_averages_over_what_is_valid() -> None:
    values = np.zeros((8, 8), dtype=np.float32)
    values[:, ::2] = 0.8
    valid = np.zeros((8, 8), dtype=bool)
    valid[:, ::2] = True
    reduced = reduce_map(LocalizationMap(values, valid), longest=2)
    assert reduced.valid is not None
    assert reduced.valid.all()
    assert np.abs(reduced.level.astype(int) - 204).max() <= 2  # 0.8 of 255


def test_threshold_is_outlined_inside_white_outside_black() -> None:
    mask = np.zeros((40, 40), dtype=bool)
    mask[10:30, 10:30] = True
    shown = heatmap(reduce_map(LocalizationMap(mask.astype(np.float32) * 0.8), mask=mask))
    assert (shown[10, 10:30] == 255).all()
    assert (shown[9, 10:30] == 0).all()
    assert np.array_equal(shown[20, 20], colormap()[204])


def test_overlay_keeps_more_of_the_picture_where_the_map_is_low() -> None:
    picture = np.full((10, 256, 3), 200, dtype=np.uint8)
    shown = overlay(picture, reduce_map(LocalizationMap(gradient(10)))).astype(float)
    distance = np.abs(shown[0] - 200).mean(axis=1)
    assert np.abs(shown[0, 0] - (0.85 * 200 + 0.15 * colormap()[0])).max() <= 1
    assert np.abs(shown[0, 255] - (0.25 * 200 + 0.75 * colormap()[255])).max() <= 1
    assert distance[255] > distance[0]


def test_overlay_needs_one_size() -> None:
    with pytest.raises(ValueError, match="same size"):
        overlay(np.zeros((3, 3, 3), np.uint8), reduce_map(LocalizationMap(gradient())))


@pytest.mark.parametrize("orientation", range(1, 9))
def test_orientation_as_pillow_does_it(orientation: int) -> None:
    pixels = np.random.default_rng(orientation).integers(0, 256, (5, 7, 3), dtype=np.uint8)
    image = Image.fromarray(pixels)
    exif = image.getexif()
    exif[0x0112] = orientation
    buffer = io.BytesIO()
    image.save(buffer, "PNG", exif=exif)
    with Image.open(buffer) as opened:
        expected = np.asarray(ImageOps.exif_transpose(opened))
    assert np.array_equal(orient(pixels, orientation), expected)


def test_orientation_out_of_range() -> None:
    with pytest.raises(ValueError, match="from 1 to 8, received 9"):
        orient(np.zeros((2, 2, 3), np.uint8), 9)


@pytest.mark.parametrize(
    ("height", "width"), [(1, 1), (1, 5000), (5000, 1), (300, 200), (2500, 40), (700, 1500)]
)
def test_reduced_size(height: int, width: int) -> None:
    picture = np.full((height, width, 3), 90, dtype=np.uint8)
    small = reduce_area(picture, longest=1024)
    assert max(small.shape) <= 1024
    assert min(small.shape) >= 1
    assert max(small.shape[:2]) >= min(683, height, width)
    assert (small == 90).all()
    assert reduce_map(LocalizationMap(np.zeros((height, width), np.float32))).level.shape == small.shape[:2]


def test_reduction_is_the_mean_of_blocks() -> None:
    picture = np.random.default_rng(1).integers(0, 256, (60, 90), dtype=np.uint8)
    means = picture.reshape(20, 3, 30, 3).mean(axis=(1, 3))
    assert np.abs(reduce_area(picture, longest=30) - means).max() <= 0.6  # Pillow rounds the factor 1/9


def test_display_refuses_other_arrays() -> None:
    with pytest.raises(ValueError, match="expected uint8"):
        display_picture(np.zeros((4, 4, 3), np.float32))  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="received uint8"):
        display_picture(np.zeros((4, 4, 4), np.uint8))


def test_functions_leave_their_input_alone() -> None:
    values, pixels = gradient(), np.full((20, 256, 3), 9, np.uint8)
    before = values.copy()
    mask = values > 0.5
    reduced = reduce_map(LocalizationMap(values), mask=mask)
    level = reduced.level.copy()
    heatmap(reduced)
    overlay(pixels, reduced)
    assert np.array_equal(values, before)
    assert np.array_equal(reduced.level, level)
    assert (pixels == 9).all()


def test_png_is_lossless_and_jpeg_small() -> None:
    picture = np.random.default_rng(3).integers(0, 256, (30, 50, 3), dtype=np.uint8)
    with Image.open(io.BytesIO(encode_png(picture))) as image:
        assert np.array_equal(np.asarray(image), picture)
    with Image.open(io.BytesIO(encode_jpeg(picture))) as image:
        assert image.size == (50, 30)


def test_preview_is_a_small_upright_jpeg() -> None:
    preview = encode_preview(np.zeros((400, 800, 3), np.uint8), longest=160, orientation=6)
    with Image.open(io.BytesIO(preview)) as image:
        assert image.format == "JPEG"
        assert image.size == (80, 160)


def test_data_uri_takes_only_our_pictures() -> None:
    assert data_uri(encode_png(np.zeros((2, 2), np.uint8))).startswith("data:image/png;base64,")
    with pytest.raises(ValueError, match="PNG or JPEG"):
        data_uri(b"<svg onload=alert(1)>")


def test_a_map_is_drawn_once_for_those_who_hold_it() -> None:
    drawn = []

    def draw() -> FloatArray:
        drawn.append(1)
        return gradient(8)

    map_ = LocalizationMap(draw)
    values = map_.values
    np.testing.assert_array_equal(map_.reach(0.5), values >= 0.5)
    assert map_.values is values
    assert len(drawn) == 1
    del values
    assert map_.values.shape == gradient(8).shape
    assert len(drawn) == 2
