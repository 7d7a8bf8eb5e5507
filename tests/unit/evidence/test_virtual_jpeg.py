"""The JPEG behind a picture's pixels: against the JPEG that was decoded, and where there is none."""

from __future__ import annotations

import io
import pickle

import numpy as np
import pytest
from PIL import Image, ImageFilter
from tests.fixtures.textures import make_texture

from imforensics.evidence import read_evidence
from imforensics.evidence.luma_samples import to_luma
from imforensics.evidence.quantization import ijg_tables
from imforensics.evidence.virtual_jpeg import MIN_FIT, infer_jpeg, quantize_luma, view_inferred
from imforensics.types import Evidence, UInt8Array

HEIGHT, WIDTH = 200, 264


@pytest.fixture(scope="module")
def scene() -> UInt8Array:
    return make_texture(HEIGHT, WIDTH)


def save_jpeg(pixels: UInt8Array, quality: int = 85, **settings: object) -> Evidence:
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, "JPEG", quality=quality, **settings)  # type: ignore[arg-type]
    return read_evidence(buffer.getvalue(), name="made.jpg")


def save_as(pixels: UInt8Array, file_format: str, **settings: object) -> Evidence:
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, file_format, **settings)  # type: ignore[arg-type]
    return read_evidence(buffer.getvalue(), name="made")


@pytest.mark.parametrize("quality", [60, 85, 95])
@pytest.mark.parametrize(("top", "left"), [(0, 0), (3, 5), (8, 1)])
def test_grid_table_and_coefficients_are_those_of_the_jpeg(
    scene: UInt8Array, quality: int, top: int, left: int
) -> None:
    jpeg = save_jpeg(scene, quality)
    inferred = infer_jpeg(jpeg.pixels[top:, left:])
    assert inferred is not None
    assert inferred.offset == (-top % 8, -left % 8)
    np.testing.assert_array_equal(inferred.table, ijg_tables(quality)[0])
    assert (inferred.estimated_quality, inferred.is_standard_table) == (quality, True)
    assert inferred.encoder == f"the IJG encoder at quality {quality}"
    assert inferred.fit == 1.0
    assert jpeg.jpeg is not None
    whole = jpeg.jpeg.read_coefficients()[0][-(-top // 8) : HEIGHT // 8, -(-left // 8) : WIDTH // 8]
    found = inferred.read_coefficients()
    assert found.shape == whole.shape
    assert not found.flags.writeable
    assert (found == whole).mean() > (0.995 if quality < 95 else 0.98)  # divisors of 1 and 2: some are lost


@pytest.mark.parametrize(
    ("file_format", "settings"),
    [("PNG", {}), ("TIFF", {"compression": "tiff_lzw"}), ("BMP", {}), ("WEBP", {"lossless": True})],
)
def test_every_lossless_format_shows_it(
    scene: UInt8Array, file_format: str, settings: dict[str, object]
) -> None:
    evidence = save_as(save_jpeg(scene, 80).pixels, file_format, **settings)
    assert evidence.jpeg is None
    assert evidence.inferred_jpeg is not None
    assert evidence.inferred_jpeg.estimated_quality == 80
    again = pickle.loads(pickle.dumps(evidence)).inferred_jpeg  # noqa: S301 — our own
    assert again.offset == (0, 0)


def test_a_gray_jpeg_in_a_gif_shows_it(scene: UInt8Array) -> None:
    gray = np.array(Image.fromarray(scene).convert("L"))
    evidence = save_as(np.array(Image.open(io.BytesIO(_gray_jpeg(gray)))), "GIF")
    assert evidence.inferred_jpeg is not None


def _gray_jpeg(gray: UInt8Array) -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(gray).save(buffer, "JPEG", quality=85)
    return buffer.getvalue()


def test_a_jpeg_tells_its_own_coding(scene: UInt8Array) -> None:
    assert save_jpeg(scene).inferred_jpeg is None


def test_the_last_of_two_savings_is_found(scene: UInt8Array) -> None:
    twice = save_jpeg(save_jpeg(scene, 80).pixels, 90)  # its divisors are half those of the first
    inferred = infer_jpeg(twice.pixels)
    assert inferred is not None
    np.testing.assert_array_equal(inferred.table, ijg_tables(90)[0])


def test_a_part_that_was_altered_since_lowers_the_fit(scene: UInt8Array) -> None:
    pixels = save_jpeg(scene, 80).pixels.copy()
    part = Image.fromarray(np.ascontiguousarray(pixels[40:120, 60:150]))
    pixels[40:120, 60:150] = np.array(part.filter(ImageFilter.GaussianBlur(1)))
    inferred = infer_jpeg(pixels)
    assert inferred is not None
    np.testing.assert_array_equal(inferred.table, ijg_tables(80)[0])
    assert MIN_FIT < inferred.fit < 0.95


def _resize(pixels: UInt8Array) -> UInt8Array:
    return np.array(Image.fromarray(pixels).resize((211, 160), Image.Resampling.BICUBIC))


def _tone(pixels: UInt8Array) -> UInt8Array:
    return np.rint(255 * (np.arange(256) / 255) ** 0.8).astype(np.uint8)[pixels]


def _add_noise(pixels: UInt8Array) -> UInt8Array:
    noise = np.random.default_rng(0).normal(0, 2, pixels.shape)
    return np.clip(np.rint(pixels + noise), 0, 255).astype(np.uint8)


@pytest.mark.parametrize("change", [_resize, _tone, _add_noise])
def test_a_picture_that_was_changed_all_over_shows_none(scene: UInt8Array, change: object) -> None:
    assert infer_jpeg(change(save_jpeg(scene, 80).pixels)) is None  # type: ignore[operator]


def test_a_picture_that_never_was_a_jpeg_shows_none(scene: UInt8Array) -> None:
    assert infer_jpeg(scene) is None
    assert save_as(scene, "WEBP", quality=90).inferred_jpeg is None


@pytest.mark.parametrize("side", [1, 7, 8, 9, 40])
def test_tiny_flat_and_noisy_pictures_show_none(side: int) -> None:
    rng = np.random.default_rng(side)
    assert infer_jpeg(np.full((side, side, 3), 130, dtype=np.uint8)) is None
    assert infer_jpeg(rng.integers(0, 256, (side, side, 3), dtype=np.uint8)) is None


def test_graphics_show_none() -> None:
    ramp = np.tile(np.linspace(20, 235, 320).astype(np.uint8)[None, :, None], (240, 1, 3))
    assert infer_jpeg(ramp) is None
    cells = np.random.default_rng(0).integers(40, 200, (30, 40, 3), dtype=np.uint8)
    assert infer_jpeg(cells.repeat(8, axis=0).repeat(8, axis=1)) is None
    assert infer_jpeg(cells.repeat(5, axis=0).repeat(5, axis=1)) is None
    tile = np.random.default_rng(1).integers(40, 200, (16, 16, 3), dtype=np.uint8)
    assert infer_jpeg(np.tile(tile, (20, 20, 1))) is None


def test_luma_is_undone_exactly() -> None:
    luma = np.arange(256, dtype=np.uint8)
    np.testing.assert_array_equal(to_luma(np.stack([luma] * 3, axis=-1)), luma)


def test_strips_do_not_show_in_large_pictures(scene: UInt8Array, monkeypatch: pytest.MonkeyPatch) -> None:
    pixels, table = save_jpeg(scene, 75).pixels, ijg_tables(75)[0]
    whole = quantize_luma(pixels, (2, 3), table)
    monkeypatch.setattr("imforensics.evidence.virtual_jpeg._STRIP_BLOCKS", 70)
    np.testing.assert_array_equal(quantize_luma(pixels, (2, 3), table), whole)


def test_the_view_is_cut_to_whole_blocks(scene: UInt8Array) -> None:
    evidence = save_as(save_jpeg(scene, 80).pixels[3:, 5:-2], "PNG")
    assert evidence.inferred_jpeg is not None
    view = view_inferred(evidence, evidence.inferred_jpeg)
    assert view.pixels.shape == ((HEIGHT - 8) // 8 * 8, (WIDTH - 2 - 8) // 8 * 8, 3)
    assert view.jpeg is not None
    assert view.jpeg.read_coefficients()[0].shape[:2] == (view.height // 8, view.width // 8)
    assert evidence.jpeg is None
