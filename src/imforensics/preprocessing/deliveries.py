"""Deliveries: what a picture goes through after its last save, on its way to whoever receives it."""

from __future__ import annotations

import io
from collections.abc import Mapping
from dataclasses import dataclass, replace
from math import ceil
from typing import Literal, TypeVar, get_args

import numpy as np
from PIL import Image

from imforensics.preprocessing.chains import (
    Chain,
    ChainFormat,
    ResizeFilter,
    TableFamily,
    apply_chain,
    transform_mask,
)
from imforensics.preprocessing.jpeg import Subsampling
from imforensics.types import BoolArray, UInt8Array

DeliveryName = Literal["as_saved", "resaved", "resized", "cropped", "png", "webp", "screenshot", "telegram"]
ValueT = TypeVar("ValueT")
DELIVERY_NAMES: tuple[DeliveryName, ...] = get_args(DeliveryName)

QUALITIES = (75, 95)  # of JPEG saves on the way, inclusive
WEBP_QUALITIES = (70, 95)
RESIZE_SCALES = (0.25, 1.5)  # log-uniform
SCREEN_SCALES = (0.3, 0.8)
CROPS = 64  # rows and columns below which a crop cuts off
TWICE_SHARE = 0.3  # of re-saves, those that are saved twice
FAMILIES: tuple[TableFamily, ...] = ("ijg", "ijg", "photoshop", "mozjpeg", "jpegli")
SUBSAMPLINGS: tuple[Subsampling, ...] = ("4:2:0", "4:2:0", "4:4:4", "4:2:2")
FILTERS: tuple[ResizeFilter, ...] = get_args(ResizeFilter)
TELEGRAM = Chain("telegram", max_side=2560, quality=87)  # as measured on photographs sent through it
PERIOD = 16  # pixels: cuts by its multiples keep every grid of a JPEG
SUFFIXES: dict[ChainFormat, str] = {"JPEG": ".jpg", "PNG": ".png", "WEBP": ".webp"}


@dataclass(frozen=True, slots=True)
class Delivery:
    """One way that a file takes.

    Attributes:
        name: of the kind.
        chains: the file is decoded and goes through each of them; the first alone may crop or resize. None
            where the file arrives byte for byte.
    """

    name: DeliveryName
    chains: tuple[Chain, ...] = ()

    @property
    def description(self) -> str:
        """What is done, in words, one line."""
        return "; then ".join(chain.description for chain in self.chains) or "as saved"

    def suffix(self, saved: str) -> str:
        """The name's suffix of a file that was saved with the suffix `saved`."""
        return SUFFIXES[self.chains[-1].format] if self.chains else saved


def deliver(content: bytes, delivery: Delivery) -> bytes:
    """The file as it arrives.

    Args:
        content: a JPEG, PNG or WebP file without metadata.
        delivery: what happens to it.

    Raises:
        ValueError: the delivery's crop leaves nothing.
    """
    for chain in delivery.chains:
        content = apply_chain(_decode(content), chain)
    return content


def deliver_mask(mask: BoolArray, delivery: Delivery) -> BoolArray:
    """The mask of a picture after its delivery, (h, w) bool; see `transform_mask`."""
    for chain in delivery.chains:
        mask = transform_mask(mask, chain)
    return mask


def draw_delivery(
    rng: np.random.Generator,
    weights: Mapping[DeliveryName, float],
    *,
    scales: tuple[float, float] = RESIZE_SCALES,
) -> Delivery:
    """A delivery of a random kind and strength.

    Args:
        rng: source of randomness.
        weights: of the kinds.
        scales: range of the factor of "resized", log-uniform.

    Raises:
        ValueError: a kind that does not exist, or no weight above 0.

    >>> draw_delivery(np.random.default_rng(0), {"telegram": 1}).description
    'longest side at most 2560, JPEG ijg tables quality 87 4:2:0'
    """
    unknown = set(weights).difference(DELIVERY_NAMES)
    shares = np.array([max(0.0, weight) for weight in weights.values()], dtype=np.float64)
    if unknown or shares.sum() <= 0:
        raise ValueError(f"Expected weights above 0 of {DELIVERY_NAMES}; received {dict(weights)}")
    name = list(weights)[int(rng.choice(len(shares), p=shares / shares.sum()))]
    save = _draw_save(rng, name)
    if name == "as_saved":
        return Delivery(name)
    if name == "telegram":
        return Delivery(name, (TELEGRAM,))
    if name == "resaved":
        is_twice = rng.random() < TWICE_SHARE
        return Delivery(name, (save, _draw_save(rng, name)) if is_twice else (save,))
    if name == "resized":
        save = replace(save, scale=_draw_scale(rng, scales), resampling=_choose(rng, FILTERS))
    elif name == "cropped":
        save = replace(save, crop=_draw_crop(rng))
    elif name == "png":
        save = Chain(name, format="PNG")
    elif name == "webp":
        quality = int(rng.integers(WEBP_QUALITIES[0], WEBP_QUALITIES[1] + 1))
        save = Chain(name, format="WEBP", quality=quality)
    else:
        scale, resampling = _draw_scale(rng, SCREEN_SCALES), _choose(rng, FILTERS)
        save = Chain(name, crop=_draw_crop(rng), scale=scale, resampling=resampling, format="PNG")
    return Delivery(name, (save,))


def fit_delivery(
    delivery: Delivery, picture: tuple[int, int], window: tuple[int, int]
) -> tuple[Delivery, tuple[int, int]]:
    """A delivery for a part of a picture that gives the part of the delivered picture of a wanted size.

    A limit on the longest side is that of the whole picture; a crop is taken modulo the period of JPEG's
    grids; a reduction is less where the picture is too small for it.

    Args:
        delivery: of the whole picture.
        picture: (H, W) of it.
        window: (h, w) wanted after the delivery.

    Returns:
        The delivery, and the (height, width) of the part that it is applied to, within `picture`.

    Raises:
        ValueError: the picture does not hold the window and a period beside it.

    >>> fit_delivery(Delivery("telegram", (TELEGRAM,)), (3840, 5120), (768, 1024))[1]
    (1536, 2048)
    """
    if min(side - part for side, part in zip(picture, window, strict=True)) < PERIOD:
        raise ValueError(f"Expected a picture larger than {window} by {PERIOD}; received {picture}")
    if not delivery.chains:
        return delivery, window
    first = delivery.chains[0]
    scale = first.scale if first.max_side is None else min(first.scale, first.max_side / max(picture))
    crop = (first.crop[0] % PERIOD, first.crop[1] % PERIOD)
    rooms = [side - cut for side, cut in zip(picture, crop, strict=True)]
    scale = max(scale, *(part / room for part, room in zip(window, rooms, strict=True)))
    height, width = (
        min(ceil(part / scale - 1e-9), room) + cut
        for part, room, cut in zip(window, rooms, crop, strict=True)
    )
    first = replace(first, crop=crop, scale=scale, max_side=None, keep=window)
    return Delivery(delivery.name, (first, *delivery.chains[1:])), (height, width)


def _decode(content: bytes) -> UInt8Array:
    with Image.open(io.BytesIO(content), formats=get_args(ChainFormat)) as image:
        return np.array(image if image.mode == "RGB" else image.convert("RGB"))


def _draw_save(rng: np.random.Generator, name: str) -> Chain:
    return Chain(
        name,
        quality=int(rng.integers(QUALITIES[0], QUALITIES[1] + 1)),
        table_family=_choose(rng, FAMILIES),
        subsampling=_choose(rng, SUBSAMPLINGS),
    )


def _choose(rng: np.random.Generator, values: tuple[ValueT, ...]) -> ValueT:
    return values[int(rng.integers(len(values)))]


def _draw_scale(rng: np.random.Generator, scales: tuple[float, float]) -> float:
    return round(float(np.exp(rng.uniform(*np.log(scales)))), 3)


def _draw_crop(rng: np.random.Generator) -> tuple[int, int]:
    """Rows and columns, not both multiples of 8."""
    while True:
        rows, columns = (int(value) for value in rng.integers(0, CROPS, 2))
        if rows % 8 or columns % 8:
            return rows, columns
