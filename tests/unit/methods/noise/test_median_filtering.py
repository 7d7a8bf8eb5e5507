"""Median filtering as a method: finds a filtered part in lossless files, declines coarse JPEGs."""

from __future__ import annotations

import io

import numpy as np
import pytest
from PIL import Image, ImageFilter

from imforensics.evidence import read_evidence
from imforensics.methods.noise.median_filtering import MedianFiltering, take_plane
from imforensics.types import Evidence, Finding

BOX = (160, 96, 320, 224)  # left, top, right, bottom


def texture(shape: tuple[int, int] = (288, 384), seed: int = 0) -> Image.Image:
    """Texture with detail at several scales and sensor noise, in color."""
    rng = np.random.default_rng(seed)
    plane = np.zeros(shape)
    for side, strength in ((24, 25), (8, 12), (3, 6)):
        coarse = rng.normal(0, strength, (shape[0] // side + 2, shape[1] // side + 2)).astype(np.float32)
        size = (coarse.shape[1] * side, coarse.shape[0] * side)
        plane += np.asarray(Image.fromarray(coarse).resize(size, Image.Resampling.BICUBIC))[
            : shape[0], : shape[1]
        ]
    pixels = 125 + plane[..., None] + rng.normal(0, 1.5, (*shape, 3))
    return Image.fromarray(pixels.round().clip(0, 255).astype(np.uint8))


def with_filtered_part(operation: ImageFilter.Filter) -> Image.Image:
    image = texture()
    image.paste(image.filter(operation).crop(BOX), BOX)
    return image


def evidence_of(image: Image.Image, file_format: str = "PNG", **settings: object) -> Evidence:
    buffer = io.BytesIO()
    image.save(buffer, file_format, **settings)
    return read_evidence(buffer.getvalue(), name=f"made.{file_format.lower()}")


def analyze(image: Image.Image, file_format: str = "PNG", **settings: object) -> Finding:
    return MedianFiltering().analyze(evidence_of(image, file_format, **settings))


@pytest.mark.parametrize("size", [3, 5])
def test_a_filtered_part_of_a_lossless_file_is_in_the_mask_and_the_rest_is_not(size: int) -> None:
    finding = analyze(with_filtered_part(ImageFilter.MedianFilter(size)))
    left, top, right, bottom = BOX
    assert finding.mask[top + 32 : bottom - 32, left + 32 : right - 32].mean() > 0.6
    outside = np.ones(finding.mask.shape, dtype=np.bool_)
    outside[top - 16 : bottom + 16, left - 16 : right + 16] = False
    assert not finding.mask[outside].any()
    assert finding.score > 0.8
    assert finding.threshold_policy == "far_2pct"


@pytest.mark.parametrize("radius", [None, 0.5, 0.8])
def test_untouched_and_blurred_pictures_are_not_marked(radius: float | None) -> None:
    finding = analyze(texture() if radius is None else with_filtered_part(ImageFilter.GaussianBlur(radius)))
    assert finding.score < 0.1
    assert not finding.mask.any()
    assert finding.observations["streaking_ratio"] < 0.7


def test_a_file_filtered_all_over_says_so() -> None:
    finding = analyze(texture().filter(ImageFilter.MedianFilter(3)))
    assert finding.observations["marked_share"] > 0.6
    assert finding.observations["streaking_ratio"] > 0.85


def test_a_fine_jpeg_is_ranked_and_not_decided() -> None:
    finding = analyze(with_filtered_part(ImageFilter.MedianFilter(3)), "JPEG", quality=98)
    left, top, right, bottom = BOX
    inside = finding.map.values[top + 32 : bottom - 32, left + 32 : right - 32]
    assert np.median(inside) > 2 * np.median(finding.map.values[:, : left - 32])
    assert finding.mask is None
    assert finding.observations["weights"] == "jpeg"


@pytest.mark.parametrize(
    ("image", "settings", "reason"),
    [
        (texture(), {"file_format": "JPEG", "quality": 85}, "too coarse"),
        (texture((40, 300)), {}, "300x40 pixels"),
        (Image.new("RGB", (200, 200), (90, 90, 90)), {}, "no texture"),
    ],
)
def test_what_cannot_be_analysed_is_declined_with_the_reason(
    image: Image.Image, settings: dict, reason: str
) -> None:
    finding = analyze(image, **settings)
    assert finding.status == "not_applicable"
    assert finding.score is None
    assert reason in finding.notes[0]


def test_flat_parts_are_not_valid_and_never_in_the_mask() -> None:
    pixels = np.asarray(texture().filter(ImageFilter.MedianFilter(3))).copy()
    pixels[:, :160] = 120
    finding = analyze(Image.fromarray(pixels))
    assert not finding.map.valid[:, :96].any()
    assert finding.map.valid[:, 208:].mean() > 0.9
    assert not (finding.mask & ~finding.map.valid).any()


def test_the_plane_is_luma_for_jpeg_and_green_otherwise() -> None:
    pixels = np.array([[[200, 100, 50]]], np.uint8)
    assert take_plane(pixels, is_jpeg=False)[0, 0] == 100
    assert take_plane(pixels, is_jpeg=True)[0, 0] == round(0.299 * 200 + 0.587 * 100 + 0.114 * 50)
