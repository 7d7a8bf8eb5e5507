"""Processing chains that a picture goes through: pixels in, re-encoded bytes out, all in memory."""

from __future__ import annotations

import io
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal, TypeVar, get_args

import numpy as np
from PIL import Image, ImageFilter

from imforensics.evidence.encoder_formulas import jpegli_distance, jpegli_tables, mozjpeg_tables
from imforensics.evidence.quantization import ijg_tables
from imforensics.evidence.table_families import list_known_tables
from imforensics.preprocessing.jpeg import Subsampling, check_pixels, encode_jpeg
from imforensics.types import BoolArray, UInt8Array, UInt16Array

ArrayT = TypeVar("ArrayT", UInt8Array, BoolArray)
ChainFormat = Literal["JPEG", "PNG", "WEBP"]
TableFamily = Literal["ijg", "ramp", "capped", "photoshop", "mozjpeg", "jpegli"]
ResizeFilter = Literal["lanczos", "bicubic", "bilinear", "box"]

# The distribution of the `resaved` protocol, the same for both classes.
RESAVED_QUALITIES = (70, 95)  # inclusive
RESAVED_FAMILIES: tuple[TableFamily, ...] = ("ijg", "ramp", "capped")
RESAVED_SCALES = (0.7, 1.0)
RESAVED_SCALE_SHARE = 0.5  # of the images are resized before they are saved
MASK_SHARE = 0.5  # a pixel of a resized mask is tampered where at least so much of its area was


@dataclass(frozen=True, slots=True)
class Chain:
    """One way to process and save a picture, in this order: crop, resize, keep, blur, noise, encode.

    Attributes:
        name: of the kind of processing, for example "jpeg" or "resize".
        strength: position on the axis of a robustness curve, in the unit of that kind.
        crop: rows cut from the top and columns cut from the left.
        scale: factor of the resize, above 0; 1 leaves the size.
        max_side: after `scale`, larger pictures are reduced to this longest side; None sets no limit.
        resampling: filter of the resize.
        keep: rows and columns that are kept, from the top left; None keeps all.
        blur: standard deviation of a Gaussian blur, in pixels; 0 for none.
        noise: standard deviation of additive Gaussian noise, in gray levels of [0, 255]; 0 for none.
        noise_seed: of the noise.
        format: file format written.
        quality: 1-100, of JPEG and WebP; without effect on PNG, which is lossless.
        table_family: quantization tables of a JPEG, see `family_tables`.
        subsampling: of a JPEG's chroma.
    """

    name: str
    strength: float = 0.0
    crop: tuple[int, int] = (0, 0)
    scale: float = 1.0
    max_side: int | None = None
    resampling: ResizeFilter = "lanczos"
    keep: tuple[int, int] | None = None
    blur: float = 0.0
    noise: float = 0.0
    noise_seed: int = 0
    format: ChainFormat = "JPEG"
    quality: int = 95
    table_family: TableFamily = "ijg"
    subsampling: Subsampling = "4:2:0"

    def __post_init__(self) -> None:
        """Refuse what no picture can go through."""
        if self.format not in get_args(ChainFormat) or self.table_family not in get_args(TableFamily):
            raise ValueError(
                f"Expected a format of {get_args(ChainFormat)} and tables of {get_args(TableFamily)}; "
                f"received {self.format!r} and {self.table_family!r}"
            )
        if not 1 <= self.quality <= 100:
            raise ValueError(f"Expected quality from 1 to 100; received {self.quality}")
        if self.scale <= 0 or min(self.crop) < 0 or (self.max_side is not None and self.max_side < 1):
            raise ValueError(
                "Expected scale above 0, crop of at least 0 and max_side of at least 1; received "
                f"{self.scale}, {self.crop}, {self.max_side}"
            )
        if self.blur < 0 or self.noise < 0:
            raise ValueError(f"Expected blur and noise of at least 0; received {self.blur}, {self.noise}")

    @property
    def description(self) -> str:
        """What is done, in words, one line."""
        steps = [
            f"crop {self.crop[0]} rows and {self.crop[1]} columns" if any(self.crop) else "",
            f"resize x{self.scale:g}" if self.scale != 1 else "",
            f"longest side at most {self.max_side}" if self.max_side is not None else "",
            f"keep {self.keep[0]} rows and {self.keep[1]} columns" if self.keep is not None else "",
            f"blur sigma {self.blur:g}" if self.blur else "",
            f"noise sigma {self.noise:g}" if self.noise else "",
        ]
        return ", ".join([*(step for step in steps if step), self._encoding])

    @property
    def _encoding(self) -> str:
        if self.format == "PNG":
            return "PNG"
        if self.format == "WEBP":
            return f"WebP quality {self.quality}"
        return f"JPEG {self.table_family} tables quality {self.quality} {self.subsampling}"


def apply_chain(pixels: UInt8Array, chain: Chain) -> bytes:
    """Process a picture and encode it.

    Args:
        pixels: (H, W, 3) uint8 RGB; not modified.
        chain: what is done.

    Returns:
        The bytes of a file of `chain.format`, without metadata; the same arguments give the same bytes with
        one version of the encoder.

    Raises:
        TypeError: `pixels` is not uint8.
        ValueError: wrong shape, or the crop leaves nothing.

    >>> apply_chain(np.zeros((16, 16, 3), np.uint8), Chain("jpeg", quality=80))[:2].hex()
    'ffd8'
    """
    check_pixels(pixels)
    processed = _add_noise(_resize_and_blur(_crop(pixels, chain), chain), chain)
    if chain.format == "JPEG":
        tables = family_tables(chain.table_family, quality=chain.quality)
        return encode_jpeg(processed, tables=tables, subsampling=chain.subsampling)
    buffer = io.BytesIO()
    options = {"compress_level": 1} if chain.format == "PNG" else {"quality": chain.quality}
    Image.fromarray(processed).save(buffer, chain.format, **options)
    return buffer.getvalue()


def transform_mask(mask: BoolArray, chain: Chain) -> BoolArray:
    """The mask of a picture after the chain, cropped and resized alike; nothing else moves pixels.

    Args:
        mask: (H, W) bool, True = tampered.
        chain: what is done to the picture.

    Returns:
        (h, w) bool of the processed picture's size, True where at least half of the area was tampered.

    Raises:
        ValueError: the crop leaves nothing.
    """
    cropped = _crop(mask, chain)
    size = _target_size(cropped.shape[0], cropped.shape[1], chain)
    if size != cropped.shape:
        picture = Image.fromarray(np.where(cropped, np.uint8(255), np.uint8(0)))
        resized = np.asarray(picture.resize((size[1], size[0]), Image.Resampling.BOX))
        cropped = np.asarray(resized >= round(255 * MASK_SHARE))
    return np.ascontiguousarray(_keep(cropped, chain))


def family_tables(family: TableFamily, *, quality: int) -> tuple[UInt16Array, UInt16Array]:
    """Luminance and chrominance tables by formula, of about the coarseness of IJG's at a quality.

    "ijg" are the tables of libjpeg (ITU-T T.81, Annex K). "ramp" rises evenly with frequency,
    1 + (row + column) / 2, as in table designs of the textbook kind that cameras use. "capped" are IJG's with
    every divisor above their median set to it, as editors that keep high frequencies do. "ramp" is scaled to
    the geometric mean of IJG's. These two stand for encoders unlike libjpeg; no vendor's tables are copied.
    "photoshop" is the setting of Photoshop whose luminance divisors have the geometric mean nearest to IJG's,
    "mozjpeg" that encoder's default set at the same quality, "jpegli" the tables of its quality for 4:2:0.

    Args:
        family: which formula.
        quality: 1-100, on IJG's scale.

    Returns:
        Two (8, 8) uint16 tables in [1, 255], natural order.

    Raises:
        ValueError: unknown family, or quality out of range.

    >>> family_tables("capped", quality=75)[0].max()
    np.uint16(28)
    """
    if family not in get_args(TableFamily):
        raise ValueError(f"Expected a family of {get_args(TableFamily)}; received {family!r}")
    standard = ijg_tables(quality)
    if family == "ijg":
        return standard
    if family == "photoshop":
        return _photoshop(quality)
    if family == "mozjpeg":
        return mozjpeg_tables(quality)
    if family == "jpegli":
        luma, chroma = jpegli_tables(jpegli_distance(quality), is_420=True)
        return luma, chroma
    luma, chroma = (_ramp(table) if family == "ramp" else _cap(table) for table in standard)
    return luma, chroma


def draw_chain(generator: np.random.Generator, *, name: str = "resaved", may_scale: bool = True) -> Chain:
    """One chain of the `resaved` protocol: tables, quality, subsampling, for half of them a resize first.

    Args:
        generator: source of randomness.
        name: of the chain.
        may_scale: False keeps the size.

    Returns:
        The chain: family (of RESAVED_FAMILIES) and subsampling uniform; quality uniform over the integers of
        RESAVED_QUALITIES; scale 1, or uniform over RESAVED_SCALES rounded to three decimals.
    """
    is_resized = generator.random() < RESAVED_SCALE_SHARE and may_scale
    scale = round(float(generator.uniform(*RESAVED_SCALES)), 3) if is_resized else 1.0
    subsamplings = get_args(Subsampling)
    return Chain(
        name,
        scale=scale,
        quality=int(generator.integers(RESAVED_QUALITIES[0], RESAVED_QUALITIES[1] + 1)),
        table_family=RESAVED_FAMILIES[int(generator.integers(len(RESAVED_FAMILIES)))],
        subsampling=subsamplings[int(generator.integers(len(subsamplings)))],
    )


def _crop(array: ArrayT, chain: Chain) -> ArrayT:
    rows, columns = chain.crop
    cropped = array[rows:, columns:]
    if cropped.size == 0:
        raise ValueError(f"Expected a picture larger than the crop {chain.crop}; received {array.shape[:2]}")
    return cropped


def _target_size(height: int, width: int, chain: Chain) -> tuple[int, int]:
    """(H, W) after the resize; never under one pixel."""
    scale = chain.scale
    if chain.max_side is not None:
        scale = min(scale, chain.max_side / max(height, width))
    return max(1, round(height * scale)), max(1, round(width * scale))


def _keep(array: ArrayT, chain: Chain) -> ArrayT:
    return array if chain.keep is None else array[: chain.keep[0], : chain.keep[1]]


def _resize_and_blur(pixels: UInt8Array, chain: Chain) -> UInt8Array:
    height, width = _target_size(pixels.shape[0], pixels.shape[1], chain)
    if (height, width) != pixels.shape[:2]:
        picture = Image.fromarray(np.ascontiguousarray(pixels))
        pixels = np.array(picture.resize((width, height), Image.Resampling[chain.resampling.upper()]))
    pixels = _keep(pixels, chain)
    if chain.blur:
        picture = Image.fromarray(np.ascontiguousarray(pixels))
        pixels = np.array(picture.filter(ImageFilter.GaussianBlur(chain.blur)))
    return np.ascontiguousarray(pixels)


def _add_noise(pixels: UInt8Array, chain: Chain) -> UInt8Array:
    if not chain.noise:
        return pixels
    generator = np.random.default_rng(chain.noise_seed)
    noisy = pixels + chain.noise * generator.standard_normal(pixels.shape, dtype=np.float32)
    return np.clip(np.rint(noisy), 0, 255).astype(np.uint8)


def _ramp(standard: UInt16Array) -> UInt16Array:
    shape = 1 + np.add.outer(np.arange(8), np.arange(8)) / 2
    factor = np.exp(np.log(standard).mean() - np.log(shape).mean())
    table: UInt16Array = np.clip(np.rint(shape * factor), 1, 255).astype(np.uint16)
    return table


def _cap(standard: UInt16Array) -> UInt16Array:
    capped: UInt16Array = np.minimum(standard, np.uint16(np.median(standard)))
    return capped


def _photoshop(quality: int) -> tuple[UInt16Array, UInt16Array]:
    wanted = np.log(ijg_tables(quality)[0]).mean()
    return min(_photoshop_settings(), key=lambda tables: float(abs(np.log(tables[0]).mean() - wanted)))


@lru_cache(maxsize=1)
def _photoshop_settings() -> tuple[tuple[UInt16Array, UInt16Array], ...]:
    return tuple(known.tables for known in list_known_tables() if known.family.startswith("photoshop"))
