"""Deliveries: each kind gives the file it names, and picture and mask move alike."""

from __future__ import annotations

import io
from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray
from PIL import Image

from imforensics.preprocessing.chains import Chain
from imforensics.preprocessing.deliveries import (
    DELIVERY_NAMES,
    PERIOD,
    TELEGRAM,
    Delivery,
    DeliveryName,
    deliver,
    deliver_mask,
    draw_delivery,
    fit_delivery,
)
from imforensics.preprocessing.jpeg import decode_jpeg, encode_jpeg

Photo = Callable[..., NDArray[np.uint8]]
FORMATS = {"png": "PNG", "screenshot": "PNG", "webp": "WEBP"}


def draw(name: DeliveryName, seed: int) -> Delivery:
    return draw_delivery(np.random.default_rng(seed), {name: 1})


@pytest.mark.parametrize("name", DELIVERY_NAMES)
def test_a_delivery_gives_its_format_and_moves_the_mask_with_the_picture(
    name: DeliveryName, photo_like: Photo
) -> None:
    saved = encode_jpeg(photo_like(160, 240), quality=92)
    mask = np.zeros((160, 240), np.bool_)
    mask[80:140, 100:200] = True
    for seed in range(6):
        delivery = draw(name, seed)
        content = deliver(saved, delivery)
        image = Image.open(io.BytesIO(content))
        assert image.format == FORMATS.get(name, "JPEG")
        assert delivery.suffix(".jpg") == {"PNG": ".png", "WEBP": ".webp"}.get(image.format, ".jpg")
        moved = deliver_mask(mask, delivery)
        assert moved.shape == image.size[::-1]
        assert 0.8 < moved.mean() / mask.mean() < 2.5
        assert (content == saved) == (name == "as_saved")


def test_deliveries_are_what_they_are_named_after(photo_like: Photo) -> None:
    pixels = photo_like(160, 240)
    saved = encode_jpeg(pixels, quality=92)
    png = np.asarray(Image.open(io.BytesIO(deliver(saved, draw("png", 0)))))
    np.testing.assert_array_equal(png, decode_jpeg(saved))
    assert {len(draw("resaved", seed).chains) for seed in range(20)} == {1, 2}
    crops = [draw("cropped", seed).chains[0].crop for seed in range(20)]
    assert all(rows % 8 or columns % 8 for rows, columns in crops)
    scales = [draw("resized", seed).chains[0].scale for seed in range(80)]
    assert 0.25 <= min(scales) < 0.4
    assert 1.2 < max(scales) <= 1.5
    assert draw("telegram", 0).chains == (TELEGRAM,)
    assert draw("telegram", 0).description == "longest side at most 2560, JPEG ijg tables quality 87 4:2:0"
    assert draw("as_saved", 0).description == "as saved"
    families = {draw("resaved", seed).chains[0].table_family for seed in range(60)}
    assert families == {"ijg", "photoshop", "mozjpeg", "jpegli"}


def test_weights_are_followed_and_checked() -> None:
    rng = np.random.default_rng(0)
    names = [draw_delivery(rng, {"png": 1, "webp": 3, "telegram": 0}).name for _ in range(400)]
    assert names.count("webp") == pytest.approx(300, abs=40)
    assert set(names) == {"png", "webp"}
    for weights in ({}, {"png": 0}, {"fax": 1}):
        with pytest.raises(ValueError, match="Expected weights above 0 of"):
            draw_delivery(rng, weights)  # type: ignore[arg-type]


@given(
    st.sampled_from(DELIVERY_NAMES),
    st.integers(0, 2**32 - 1),
    st.integers(64 + PERIOD, 5000),
    st.integers(96 + PERIOD, 5000),
)
def test_a_fitted_delivery_leaves_the_window(name: DeliveryName, seed: int, height: int, width: int) -> None:
    window = (64, 96)
    fitted, part = fit_delivery(draw(name, seed), (height, width), window)
    assert all(64 <= side <= limit for side, limit in zip(part, (height, width), strict=True))
    assert deliver_mask(np.zeros(part, np.bool_), fitted).shape == window
    assert not fitted.chains or fitted.chains[0].max_side is None


def test_a_fitted_delivery_is_that_of_the_whole_picture(photo_like: Photo) -> None:
    """A window from the corner of a picture is delivered as the corner of the delivered picture is."""
    pixels = photo_like(320, 480)
    delivery = Delivery("resized", (Chain("resized", crop=(4, 8), scale=0.5, format="PNG"),))
    whole = np.asarray(Image.open(io.BytesIO(deliver(encode_png(pixels), delivery))))
    fitted, part = fit_delivery(delivery, (320, 480), (64, 96))
    window = np.asarray(Image.open(io.BytesIO(deliver(encode_png(pixels[: part[0], : part[1]]), fitted))))
    assert window.shape == (64, 96, 3)
    np.testing.assert_array_equal(window[:60, :92], whole[:60, :92])
    with pytest.raises(ValueError, match="larger than"):
        fit_delivery(delivery, (70, 480), (64, 96))


def encode_png(pixels: NDArray[np.uint8]) -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(np.ascontiguousarray(pixels)).save(buffer, "PNG")
    return buffer.getvalue()
