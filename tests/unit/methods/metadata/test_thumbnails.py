"""Thumbnails against their images: the same, turned, cropped, another picture."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

from fixtures import synthetic as make
from imforensics.methods.metadata.thumbnails import (
    compare_thumbnail,
    correlate,
    cut_bars,
    cut_dark_edges,
)
from imforensics.types import UInt8Array

PHOTO = make.make_photo_like(360, 480, seed=4)


def shrink(pixels: UInt8Array, width: int = 160, height: int = 120) -> UInt8Array:
    return np.asarray(Image.fromarray(pixels).resize((width, height), Image.Resampling.LANCZOS))


def test_the_same_picture() -> None:
    comparison = compare_thumbnail(PHOTO, shrink(PHOTO))
    assert comparison is not None
    assert comparison.similarity > 0.98
    assert comparison.turn is None
    assert comparison.aspect_ratio == pytest.approx(1.0)


@pytest.mark.parametrize(
    ("turned", "expected"),
    [
        (PHOTO[::-1, ::-1], "turned by 180 degrees"),
        (np.rot90(PHOTO, 1), "turned by 90 degrees clockwise"),
        (np.rot90(PHOTO, -1), "turned by 90 degrees counterclockwise"),
        (PHOTO[:, ::-1], "mirrored"),
        (PHOTO[::-1], "mirrored upside down"),
    ],
)
def test_a_turned_image_is_named(turned: UInt8Array, expected: str) -> None:
    """The turn brings the image to the thumbnail, so it undoes what was done to the image."""
    comparison = compare_thumbnail(np.ascontiguousarray(turned), shrink(PHOTO))
    assert comparison is not None
    assert comparison.turn == expected
    assert comparison.turned_similarity > 0.98
    assert comparison.similarity < 0.9


def test_a_crop_is_placed() -> None:
    top, left, bottom, right = 0.25, 0.2, 0.85, 0.8
    part = PHOTO[round(top * 360) : round(bottom * 360), round(left * 480) : round(right * 480)]
    comparison = compare_thumbnail(np.ascontiguousarray(part), shrink(PHOTO))
    assert comparison is not None
    assert comparison.crop_similarity > 0.95
    assert comparison.crop_box == pytest.approx((top, left, bottom, right), abs=0.05)


def test_another_picture_fits_nowhere() -> None:
    rng = np.random.default_rng(1)
    coarse = rng.integers(0, 256, (12, 16, 3), dtype=np.uint8)
    other = np.asarray(Image.fromarray(coarse).resize((480, 360), Image.Resampling.NEAREST))
    comparison = compare_thumbnail(other, shrink(PHOTO))
    assert comparison is not None
    assert max(comparison.similarity, comparison.turned_similarity, comparison.crop_similarity) < 0.8


def test_bars_are_cut_and_only_bars() -> None:
    wide = PHOTO[:270]  # 16:9 in a thumbnail of 4:3
    padded = np.zeros((120, 160, 3), np.uint8)
    padded[15:105] = shrink(np.ascontiguousarray(wide), 160, 90)
    assert cut_bars(padded, 270 / 480).shape == (90, 160, 3)
    bright = np.full((120, 160, 3), 200, np.uint8)
    assert cut_bars(bright, 270 / 480).shape == (120, 160, 3)
    comparison = compare_thumbnail(np.ascontiguousarray(wide), padded)
    assert comparison is not None
    assert comparison.similarity > 0.98


def test_stretching_shows_in_the_ratio() -> None:
    comparison = compare_thumbnail(np.ascontiguousarray(np.repeat(PHOTO, 2, axis=1)), shrink(PHOTO))
    assert comparison is not None
    assert comparison.similarity > 0.95
    assert comparison.aspect_ratio == pytest.approx(0.5)


def test_correlation_against_numpy_and_flat_pictures() -> None:
    rng = np.random.default_rng(2)
    first, second = rng.normal(size=(2, 9, 7))
    assert correlate(first, second) == pytest.approx(
        np.corrcoef(first.ravel(), second.ravel())[0, 1], abs=1e-4
    )
    assert correlate(first, np.ones((9, 7))) is None
    flat = np.full((40, 40, 3), 9, np.uint8)
    assert compare_thumbnail(PHOTO, flat) is None
    assert compare_thumbnail(flat, shrink(PHOTO)) is None


@pytest.mark.parametrize("size", [(1, 1), (1, 40), (40, 1), (3, 5)])
def test_tiny_images_and_thumbnails(size: tuple[int, int]) -> None:
    tiny = np.ascontiguousarray(PHOTO[: size[0], : size[1]])
    for pair in ((tiny, shrink(PHOTO)), (PHOTO, tiny), (tiny, tiny)):
        comparison = compare_thumbnail(*pair)
        assert comparison is None or -1.0 <= comparison.similarity <= 1.0001


@pytest.mark.parametrize(
    ("top", "bottom", "left", "right"),
    [(16, 0, 0, 0), (0, 17, 0, 0), (9, 7, 0, 0), (10, 10, 4, 4), (0, 0, 0, 20)],
)
def test_bars_are_cut_where_they_are(top: int, bottom: int, left: int, right: int) -> None:
    padded = np.zeros((120, 160, 3), np.uint8)
    height, width = 120 - top - bottom, 160 - left - right
    padded[top : top + height, left : left + width] = shrink(PHOTO, width, height)
    cut = cut_dark_edges(padded)
    assert cut.shape[0] == pytest.approx(height, abs=2)
    assert cut.shape[1] == pytest.approx(width, abs=2)
    image = np.asarray(Image.fromarray(PHOTO).resize((3 * width, 3 * height)))
    comparison = compare_thumbnail(image, padded)
    assert comparison is not None
    assert comparison.similarity > 0.95
    assert comparison.aspect_ratio == pytest.approx(1.0, abs=0.03)


def test_a_dark_picture_has_no_bars() -> None:
    dark = np.zeros((120, 160, 3), np.uint8)
    dark[80:100, 40:60] = 200
    assert cut_dark_edges(dark) is dark
    assert cut_dark_edges(np.zeros((120, 160, 3), np.uint8)).shape == (120, 160, 3)


def test_a_smaller_or_shifted_view_is_found() -> None:
    smaller = np.ascontiguousarray(PHOTO[22:338, 29:451])  # 88 % of the sides
    comparison = compare_thumbnail(PHOTO, shrink(smaller))
    assert comparison is not None
    assert comparison.similarity < 0.85
    assert comparison.shifted_similarity > 0.9
    corner = compare_thumbnail(PHOTO, shrink(np.ascontiguousarray(PHOTO[:250, :333])))
    assert corner is not None
    assert corner.shifted_similarity < 0.8


def test_contrast_and_fine_detail_are_measured() -> None:
    comparison = compare_thumbnail(PHOTO, shrink(PHOTO))
    assert comparison is not None
    assert comparison.contrast > 10
    assert comparison.fine_share < 0.3
    checks = np.zeros((360, 480, 3), np.uint8)
    checks[(np.arange(360)[:, None] // 2 + np.arange(480) // 2) % 2 == 0] = 255
    fine = compare_thumbnail(checks // 2 + PHOTO // 2, shrink(PHOTO))
    assert fine is not None
    assert fine.fine_share > 0.6
