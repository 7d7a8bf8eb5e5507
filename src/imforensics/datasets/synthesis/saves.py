"""One save of a picture: where its quantization tables are from, how it rounds, and writing it."""

from __future__ import annotations

import io
import tempfile
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, cast

import numpy as np
from PIL import Image

from imforensics.datasets.synthesis.draws import draw_flag, pick
from imforensics.evidence.block_dct import BLOCK, block_dct
from imforensics.evidence.table_families import list_known_tables
from imforensics.preprocessing.chains import family_tables
from imforensics.preprocessing.jpeg import decode_own_jpeg, encode_jpeg

if TYPE_CHECKING:
    from collections.abc import Sequence

    from imforensics.datasets.synthesis.config import SaveConfig
    from imforensics.preprocessing.chains import TableFamily
    from imforensics.preprocessing.jpeg import Subsampling
    from imforensics.types import JsonValue, UInt8Array, UInt16Array

WEB_QUALITIES = ("quality 60", "quality 80", "quality 100")  # of Photoshop's "Save for Web"
PHOTOSHOP_SETTINGS = (*(f"level {level}" for level in range(5, 13)), *WEB_QUALITIES)
DEAD_ZONES = (0.0, 0.45)  # range of the rounding of encoders that do not round to the nearest
NEAREST = 0.5  # what libjpeg adds to |coefficient| / divisor before the fraction is cut off
FULL_CHROMA_SETTINGS = (*(f"level {level}" for level in range(7, 13)), *WEB_QUALITIES)


@dataclass(frozen=True, slots=True, eq=False)
class TableSet:
    """The tables that one encoder wrote at one setting.

    Attributes:
        name: the encoder and the setting, or the file they are from.
        tables: luma and chroma, (8, 8) uint16 in [1, 255], natural order.
        subsampling: of the chroma with them; None where it is not tied to the tables.
    """

    name: str
    tables: tuple[UInt16Array, UInt16Array]
    subsampling: Subsampling | None = None


@dataclass(frozen=True, slots=True, eq=False)
class Save:
    """How a picture is saved.

    Attributes:
        table_set: of a JPEG; None writes a PNG.
        subsampling: of a JPEG's chroma.
        quality: of tables made by a formula; None for others.
        rounding: added to |coefficient| / divisor of a JPEG's luma before the fraction is cut off, in
            [0, 0.5]; below 0.5 small values become 0, as the encoders of phones and cameras do to spare bits.
    """

    table_set: TableSet | None = None
    subsampling: Subsampling = "4:4:4"
    quality: int | None = None
    rounding: float = NEAREST

    @property
    def suffix(self) -> str:
        """Of the file's name."""
        return ".png" if self.table_set is None else ".jpg"

    def encode(self, pixels: UInt8Array) -> bytes:
        """The bytes of the file, without metadata, of (H, W, 3) uint8 RGB pixels."""
        if self.table_set is not None:
            content = encode_jpeg(pixels, tables=self.table_set.tables, subsampling=self.subsampling)
            return content if self.rounding == NEAREST else _round_luma(content, pixels, self.rounding)
        buffer = io.BytesIO()
        Image.fromarray(pixels).save(buffer, "PNG", compress_level=1)
        return buffer.getvalue()

    def pass_through(self, pixels: UInt8Array) -> UInt8Array:
        """The pixels, (H, W, 3) uint8, as a reader of the saved file sees them."""
        if self.table_set is None:
            return pixels
        return np.asarray(decode_own_jpeg(self.encode(pixels)), dtype=np.uint8)

    def describe(self) -> JsonValue:
        """The save as JSON; None for an uncompressed one."""
        if self.table_set is None:
            return None
        return {
            "tables": self.table_set.name,
            "quality": self.quality,
            "subsampling": self.subsampling,
            "mean_divisor": round(float(self.table_set.tables[0].mean()), 2),
            "rounding": round(self.rounding, 2),
        }


def draw_save(rng: np.random.Generator, config: SaveConfig, real: Sequence[TableSet]) -> Save:
    """One save; without tables where the picture is left uncompressed.

    Args:
        rng: source of randomness.
        config: ranges and weights.
        real: tables of real files; known cameras' are used beside them.
    """
    if not draw_flag(rng, config.jpeg):
        return Save()
    source = pick(rng, config.tables)
    quality = None
    if source in {"photoshop", "real"}:
        known = photoshop_tables() if source == "photoshop" else (*real, *camera_tables())
        table_set = known[int(rng.integers(len(known)))]
    else:
        low, high = config.usual_quality if draw_flag(rng, config.usual) else config.quality
        quality = int(rng.integers(low, high + 1))
        table_set = _formula_tables(cast("TableFamily", source), quality)
    subsampling = table_set.subsampling or pick(rng, config.subsampling)
    rounding = rng.uniform(*DEAD_ZONES) if config.dead_zone and draw_flag(rng, config.dead_zone) else NEAREST
    return Save(table_set, subsampling, quality, rounding)


def _round_luma(content: bytes, pixels: UInt8Array, rounding: float) -> bytes:
    """The same file with its luma's coefficients, but for the means of the blocks, rounded in another way."""
    import jpeglib

    luma = pixels.astype(np.float32) @ np.array([0.299, 0.587, 0.114], np.float32) - np.float32(128)
    luma = np.pad(luma, [(0, -side % BLOCK) for side in luma.shape], mode="edge")
    with tempfile.TemporaryDirectory() as folder:
        source, target = Path(folder) / "nearest.jpg", Path(folder) / "rounded.jpg"
        source.write_bytes(content)
        jpeg = jpeglib.read_dct(str(source))
        scaled = block_dct(luma) / jpeg.qt[0].astype(np.float32)
        kept = np.copysign(np.floor(np.abs(scaled) + np.float32(rounding)), scaled).astype(np.int16)
        rows, columns = jpeg.Y.shape[:2]  # whole MCUs: there may be a row or column more than of the picture
        changed = np.array(jpeg.Y)
        part = changed[: kept.shape[0], : kept.shape[1]]
        means = part[..., 0, 0].copy()
        part[...] = kept[:rows, :columns]
        part[..., 0, 0] = means
        jpeg.Y = changed
        jpeg.write_dct(str(target))
        return target.read_bytes()


@lru_cache(maxsize=1)
def photoshop_tables() -> tuple[TableSet, ...]:
    """Tables of Photoshop's usual settings; it keeps the chroma whole from level 7, or 51 for the web."""
    return tuple(
        TableSet(
            f"photoshop {known.setting}",
            known.tables,
            "4:4:4" if known.setting.startswith(FULL_CHROMA_SETTINGS) else "4:2:0",
        )
        for known in list_known_tables()
        if known.family.startswith("photoshop") and known.setting.startswith(PHOTOSHOP_SETTINGS)
    )


@lru_cache(maxsize=1)
def camera_tables() -> tuple[TableSet, ...]:
    """Tables that cameras were seen to write."""
    return tuple(
        TableSet(f"camera {known.setting}", known.tables)
        for known in list_known_tables()
        if known.family == "camera"
    )


@lru_cache(maxsize=400)
def _formula_tables(family: TableFamily, quality: int) -> TableSet:
    return TableSet(family, family_tables(family, quality=quality))
