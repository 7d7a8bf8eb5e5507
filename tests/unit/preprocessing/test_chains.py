import io
from collections.abc import Callable
from typing import get_args

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray
from PIL import Image

from imforensics.evidence import read_evidence
from imforensics.evidence.encoder_formulas import find_jpegli
from imforensics.evidence.quantization import ijg_tables
from imforensics.evidence.table_families import identify_tables
from imforensics.preprocessing.chains import (
    RESAVED_QUALITIES,
    RESAVED_SCALES,
    Chain,
    TableFamily,
    apply_chain,
    draw_chain,
    family_tables,
    transform_mask,
)
from imforensics.preprocessing.jpeg import decode_jpeg, encode_jpeg

Photo = Callable[..., NDArray[np.uint8]]


def decode(content: bytes) -> NDArray[np.uint8]:
    return np.asarray(Image.open(io.BytesIO(content)).convert("RGB"))


def test_plain_jpeg_chain_equals_encoding_with_the_same_settings(photo_like: Photo) -> None:
    pixels = photo_like(48, 64)
    assert apply_chain(pixels, Chain("jpeg", quality=83)) == encode_jpeg(pixels, tables=ijg_tables(83))
    jpeg = read_evidence(apply_chain(pixels, Chain("jpeg", quality=83, subsampling="4:2:2"))).jpeg
    assert jpeg is not None
    assert (jpeg.estimated_quality, jpeg.is_standard_tables, jpeg.subsampling) == (83, True, "4:2:2")


def test_png_crop_is_the_exact_part_and_the_input_is_not_touched(photo_like: Photo) -> None:
    pixels = photo_like(40, 50)
    before = pixels.copy()
    content = apply_chain(pixels, Chain("screenshot", crop=(3, 5), noise=2.0, format="PNG"))
    exact = apply_chain(pixels, Chain("screenshot", crop=(3, 5), format="PNG"))
    assert np.array_equal(decode(exact), pixels[3:, 5:])
    assert not np.array_equal(decode(content), pixels[3:, 5:])
    assert np.array_equal(pixels, before)


def test_noise_has_the_asked_deviation_and_follows_its_seed() -> None:
    gray = np.full((128, 128, 3), 128, np.uint8)
    noisy = [
        decode(apply_chain(gray, Chain("noise", noise=4.0, noise_seed=seed, format="PNG"))).astype(float)
        for seed in (1, 1, 2)
    ]
    assert abs((noisy[0] - 128).std() - 4.0) < 0.1
    assert np.array_equal(noisy[0], noisy[1])
    assert not np.array_equal(noisy[0], noisy[2])


def test_blur_lowers_contrast(photo_like: Photo) -> None:
    pixels = photo_like(64, 64)
    deviations = [
        decode(apply_chain(pixels, Chain("blur", blur=sigma, format="PNG"))).astype(float).std()
        for sigma in (0.0, 1.0, 3.0)
    ]
    assert deviations[0] > deviations[1] > deviations[2]


@pytest.mark.parametrize(
    ("chain", "size"),
    [
        (Chain("resize", scale=0.5), (20, 30)),
        (Chain("resize", scale=1.25), (50, 75)),
        (Chain("messenger", max_side=45), (30, 45)),
        (Chain("messenger", max_side=1600), (40, 60)),
        (Chain("screenshot", crop=(4, 6), scale=0.5, format="PNG"), (18, 27)),
        (Chain("resize", scale=0.001), (1, 1)),
    ],
)
def test_picture_and_mask_change_size_alike(chain: Chain, size: tuple[int, int], photo_like: Photo) -> None:
    assert decode(apply_chain(photo_like(40, 60), chain)).shape == (*size, 3)
    assert transform_mask(np.zeros((40, 60), np.bool_), chain).shape == size


def test_a_mask_follows_its_region_and_keeps_its_share() -> None:
    mask = np.zeros((80, 80), np.bool_)
    mask[24:56, 40:72] = True
    half = transform_mask(mask, Chain("resize", scale=0.5))
    expected = np.zeros((40, 40), np.bool_)
    expected[12:28, 20:36] = True
    assert np.array_equal(half, expected)
    cropped = transform_mask(mask, Chain("crop", crop=(24, 40)))
    assert cropped[:32, :32].all()
    assert cropped.sum() == mask.sum()
    untouched = transform_mask(mask, Chain("jpeg", quality=50, blur=2.0, noise=3.0))
    assert np.array_equal(untouched, mask)


def test_webp_is_webp(photo_like: Photo) -> None:
    assert (
        read_evidence(apply_chain(photo_like(32, 32), Chain("webp", format="WEBP", quality=80))).format
        == "WEBP"
    )


@given(st.sampled_from(get_args(TableFamily)), st.integers(1, 100))
def test_tables_are_baseline_and_coarser_at_lower_quality(family: TableFamily, quality: int) -> None:
    luma, chroma = family_tables(family, quality=quality)
    for table in (luma, chroma):
        assert table.shape == (8, 8)
        assert table.dtype == np.uint16
        assert table.min() >= 1
        assert table.max() <= 255
    coarser = family_tables(family, quality=max(1, quality - 20))[0].astype(int)
    assert coarser.mean() >= luma.mean() - 1
    assert family == "photoshop" or (coarser >= luma).all()  # Photoshop's settings differ in shape


def test_families_differ_from_the_standard_and_keep_its_coarseness() -> None:
    standard = ijg_tables(80)
    for family in ("ramp", "capped"):
        tables = family_tables(family, quality=80)  # type: ignore[arg-type]
        assert not np.array_equal(tables[0], standard[0])
    ramp = family_tables("ramp", quality=80)[0]
    assert abs(np.log(ramp).mean() - np.log(standard[0]).mean()) < 0.05
    names = [identify_tables(family_tables(f, quality=80))[0].family for f in ("photoshop", "mozjpeg")]
    assert names == ["photoshop_save_as", "mozjpeg"]
    assert find_jpegli(family_tables("jpegli", quality=80)) == (pytest.approx(1.9, abs=0.1), True)
    assert decode_jpeg(
        encode_jpeg(np.zeros((16, 16, 3), np.uint8), tables=family_tables("ramp", quality=5))
    ).shape


def test_drawn_chains_cover_the_distribution_and_stay_in_it() -> None:
    generator = np.random.default_rng(0)
    chains = [draw_chain(generator) for _ in range(600)]
    assert {c.table_family for c in chains} == {"ijg", "ramp", "capped"}
    assert {c.subsampling for c in chains} == {"4:4:4", "4:2:2", "4:2:0"}
    assert {c.quality for c in chains} == set(range(RESAVED_QUALITIES[0], RESAVED_QUALITIES[1] + 1))
    scales = [c.scale for c in chains if c.scale != 1]
    assert 0.42 < len(scales) / len(chains) < 0.58
    assert min(scales) >= RESAVED_SCALES[0]
    assert max(scales) <= RESAVED_SCALES[1]
    again = np.random.default_rng(0)
    assert chains == [draw_chain(again) for _ in range(600)]


@pytest.mark.parametrize(
    "wrong",
    [{"quality": 0}, {"scale": 0.0}, {"crop": (-1, 0)}, {"max_side": 0}, {"blur": -1}, {"format": "GIF"}],
)
def test_impossible_chains_are_refused(wrong: dict[str, object]) -> None:
    with pytest.raises(ValueError, match="Expected"):
        Chain("x", **wrong)  # type: ignore[arg-type]


def test_a_crop_that_leaves_nothing_is_an_error() -> None:
    with pytest.raises(ValueError, match="larger than the crop"):
        apply_chain(np.zeros((4, 4, 3), np.uint8), Chain("crop", crop=(4, 0)))


def test_description_names_every_step() -> None:
    chain = Chain("x", crop=(1, 2), scale=0.8, max_side=100, blur=1.0, noise=2.0, quality=70)
    words = "crop 1 rows and 2 columns, resize x0.8, longest side at most 100, blur sigma 1, noise sigma 2"
    assert chain.description == f"{words}, JPEG ijg tables quality 70 4:2:0"
