"""Every pixel mode to 8-bit RGB, and that each conversion is named."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

from fixtures import synthetic as make
from imforensics.evidence import read_evidence

PHOTO = make.make_photo_like(20, 30, seed=2)
GRAY = PHOTO[:, :, 0]


def read(content: bytes) -> tuple[np.ndarray, str, tuple[str, ...]]:
    evidence = read_evidence(content)
    return evidence.pixels, evidence.mode, evidence.notes


def test_gray_is_expanded() -> None:
    pixels, mode, notes = read(make.encode(GRAY, "PNG"))
    assert mode == "L"
    assert all(np.array_equal(pixels[:, :, channel], GRAY) for channel in range(3))
    assert notes == ("gray expanded to RGB",)


def test_one_bit_is_black_and_white() -> None:
    pixels, mode, _ = read(make.encode(PHOTO, "PNG", mode="1"))
    assert mode == "1"
    assert set(np.unique(pixels)) == {0, 255}


def test_alpha_is_dropped_without_compositing() -> None:
    rgba = np.dstack([PHOTO, np.zeros((20, 30), np.uint8)])
    pixels, mode, notes = read(make.encode(rgba, "PNG"))
    assert mode == "RGBA"
    assert np.array_equal(pixels, PHOTO)
    assert any("alpha" in note for note in notes)
    pixels, mode, notes = read(make.encode(np.dstack([GRAY, np.zeros_like(GRAY)]), "PNG"))
    assert mode == "LA"
    assert np.array_equal(pixels[:, :, 1], GRAY)
    assert any("alpha" in note for note in notes)


def test_palette_with_transparency_keeps_the_palette_colors() -> None:
    quantized = Image.fromarray(PHOTO).quantize(64)
    pixels, mode, notes = read(make.encode(PHOTO, "PNG", mode="P", transparency=bytes(256)))
    assert mode == "P"
    assert np.array_equal(pixels, np.asarray(Image.fromarray(PHOTO).convert("P").convert("RGB")))
    assert any("transparency is dropped" in note for note in notes)
    assert quantized.mode == "P"


def test_16_bit_keeps_the_high_byte() -> None:
    deep = GRAY.astype(np.uint16) * 256 + 200
    pixels, mode, notes = read(make.make_png16(deep))
    assert mode.startswith("I;16")
    assert np.array_equal(pixels[:, :, 2], GRAY)
    assert any("high byte" in note for note in notes)
    pixels, mode, notes = read(make.make_png16(PHOTO.astype(np.uint16) * 256 + 200))
    assert mode == "RGB"
    assert np.array_equal(pixels, PHOTO)
    assert any("high byte" in note for note in notes)


@pytest.mark.parametrize(
    ("values", "expected", "words"),
    [
        (GRAY.astype(np.float32) / 255, GRAY, "multiplied by 255"),
        (GRAY.astype(np.float32), GRAY, "rounded"),
        (np.full((20, 30), 1000, np.float32), np.zeros((20, 30), np.uint8), "scaled from 1000-1000"),
        (np.full((20, 30), np.nan, np.float32), np.zeros((20, 30), np.uint8), "no finite value"),
        (GRAY.astype(np.int32), GRAY, "kept as they are"),
        (GRAY.astype(np.int32) * 256, GRAY, "high byte"),
    ],
)
def test_float_and_32_bit_rules(values: np.ndarray, expected: np.ndarray, words: str) -> None:
    pixels, _, notes = read(make.encode(values, "TIFF"))
    assert np.array_equal(pixels[:, :, 0], expected)
    assert any(words in note for note in notes), notes


def test_infinities_become_the_lowest() -> None:
    values = GRAY.astype(np.float32) / 255
    values[0, 0] = np.inf
    pixels, _, notes = read(make.encode(values, "TIFF"))
    assert pixels[0, 0, 0] == pixels.min()
    assert any("not finite" in note for note in notes)


def test_cmyk_jpeg_of_adobe_is_not_inverted() -> None:
    # Adobe stores CMYK inverted: white paper must come out white.
    white = np.full((16, 16, 3), 250, np.uint8)
    pixels, mode, notes = read(make.encode(white, "JPEG", mode="CMYK", quality=95))
    assert mode == "CMYK"
    assert pixels.mean() > 240
    assert any("CMYK converted" in note for note in notes)


def test_ycck_jpeg_is_read() -> None:
    content = make.encode(np.full((16, 16, 3), 250, np.uint8), "JPEG", mode="CMYK", quality=95)
    at = content.index(b"Adobe") + 11
    pixels, mode, _ = read(content[:at] + b"\x02" + content[at + 1 :])
    assert mode == "CMYK"
    assert pixels.shape == (16, 16, 3)
