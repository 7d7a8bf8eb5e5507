"""What synthetic forgeries are drawn from: shares of manipulations, saves, sizes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Literal, Self, TypeVar

from pydantic import Field, model_validator

from imforensics.config import ConfigModel
from imforensics.datasets.lists import Split
from imforensics.preprocessing.deliveries import RESIZE_SCALES, DeliveryName
from imforensics.preprocessing.jpeg import Subsampling
from imforensics.types import Manipulation

TableSource = Literal["ijg", "ramp", "capped", "mozjpeg", "jpegli", "photoshop", "real"]
KeyT = TypeVar("KeyT", bound=str)
EdgeKind = Literal["hard", "feathered", "blended"]
Range = tuple[float, float]
Share = Annotated[float, Field(ge=0, le=1)]

MANIPULATIONS: dict[Manipulation, float] = {
    "splicing": 0.55,
    "copy_move": 0.2,
    "removal": 0.1,
    "retouch": 0.1,
    "text": 0.05,
}
NATIVE_MANIPULATIONS: dict[Manipulation, float] = {
    "splicing": 0.4,
    "copy_move": 0.15,
    "removal": 0.2,
    "retouch": 0.15,
    "text": 0.1,
}
DELIVERIES: dict[DeliveryName, float] = {
    "as_saved": 0.35,
    "resaved": 0.2,
    "resized": 0.15,
    "cropped": 0.05,
    "png": 0.06,
    "webp": 0.08,
    "screenshot": 0.04,
    "telegram": 0.07,
}
EDGES: dict[EdgeKind, float] = {"hard": 0.35, "feathered": 0.5, "blended": 0.15}
SPLIT_SHARES: dict[Split, float] = {"train": 0.7, "val": 0.15, "test": 0.15}
FIRST_TABLES: dict[TableSource, float] = {
    "ijg": 0.6,
    "ramp": 0.04,
    "capped": 0.04,
    "photoshop": 0.12,
    "real": 0.2,
}
FIRST_SUBSAMPLINGS: dict[Subsampling, float] = {"4:2:0": 0.6, "4:2:2": 0.15, "4:4:4": 0.25}


def check_weights(name: str, weights: Mapping[KeyT, float]) -> None:
    """Refuse weights that cannot be drawn from.

    Raises:
        ValueError: one is negative, or all are zero; it names them.
    """
    if any(weight < 0 for weight in weights.values()) or sum(weights.values()) <= 0:
        raise ValueError(f"{name} must be weights of at least 0, one of them above 0")


def check_range(name: str, values: Range, limit: float) -> None:
    """Refuse a range that is not above 0, ascending and within a limit.

    Raises:
        ValueError: it names the range.
    """
    if not 0 < values[0] <= values[1] <= limit:
        raise ValueError(f"{name} must be two numbers, 0 < low <= high <= {limit:g}")


class SaveConfig(ConfigModel):
    """How a picture may be saved once.

    Attributes:
        jpeg: share of pictures saved as JPEG; the others are not compressed (a last save is then a PNG).
        quality: lowest and highest quality of the tables made by a formula.
        usual_quality: the range that most qualities are from.
        usual: share of qualities drawn from `usual_quality`; the others are from `quality`, evenly.
        tables: weights of where quantization tables are from: "ijg" (libjpeg's), "ramp", "capped", "mozjpeg"
            and "jpegli" (other formulas, see `preprocessing.chains.family_tables`), "photoshop" (its
            levels from 5 on, save for web from 60 on), "real" (of the pool's own files and of known cameras).
        subsampling: weights of the chroma subsamplings, for tables that are not tied to one.
        dead_zone: share of JPEGs by an encoder that rounds towards zero (`Save.rounding`), as phones have.
    """

    jpeg: float = Field(1.0, ge=0, le=1)
    quality: tuple[int, int] = (50, 98)
    usual_quality: tuple[int, int] = (75, 95)
    usual: float = Field(0.75, ge=0, le=1)
    tables: dict[TableSource, float] = Field(default_factory=lambda: dict(FIRST_TABLES))
    subsampling: dict[Subsampling, float] = Field(default_factory=lambda: dict(FIRST_SUBSAMPLINGS))
    dead_zone: float = Field(0.0, ge=0, le=1)

    @model_validator(mode="after")
    def _check(self) -> Self:
        for name in ("quality", "usual_quality"):
            low, high = getattr(self, name)
            if not 1 <= low <= high <= 100:
                raise ValueError(f"{name} must be two qualities, 1 <= low <= high <= 100")
        check_weights("tables", self.tables)
        check_weights("subsampling", self.subsampling)
        return self


class AlterationConfig(ConfigModel):
    """What alterations are drawn from; all shares are probabilities.

    Attributes:
        manipulations: weights of the kinds.
        area: smallest and largest wanted area of the alteration, as shares of the picture; log-uniform.
            Copies cover at most 0.12, removals 0.15 and text 0.08, even where larger ones are wanted.
        min_area: pairs whose mask covers less of the picture are drawn anew.
        min_change: pairs whose pixels in the mask change by less, in gray levels on average, are drawn anew.
        native: share of donors, and of hosts cut to a size, taken from a photograph at its own resolution,
            with its own past in it; the others are reduced by a random factor, which removes that past.
        on_own_grid: share of native cuts that are made on the JPEG grid of their own file.
        max_reduction: of pictures that are reduced, at most by this factor.
        donor_save: of the picture that a splice is cut from.
        same_camera: share of splices whose donor was taken by a camera of the host's make and model, where
            there is one.
        regenerated: share of splices whose content is resynthesised before it is pasted, as generated
            objects are, and of removals that are filled so, as object erasers do.
        edges: weights of how pasted content meets the host: "hard", "feathered", "blended" (in the gradient
            domain).
        feather: range of the sigma of a feathered edge, in pixels.
        colour_match: share of splices whose colours are moved towards those of the host at that place.
        turned: share of splices and copies that are turned.
        scaled: share of splices and copies that are scaled.
        inpainting: removals may be filled by OpenCV's inpainting (Telea, Navier-Stokes); needs the extra
            "copy-move".
    """

    manipulations: dict[Manipulation, float] = Field(default_factory=lambda: dict(MANIPULATIONS))
    area: Range = (0.005, 0.3)
    min_area: float = Field(0.003, gt=0, lt=0.5)
    min_change: float = Field(1.5, ge=0)
    native: float = Field(0.5, ge=0, le=1)
    on_own_grid: float = Field(0.5, ge=0, le=1)
    max_reduction: float = Field(4.0, ge=1)
    donor_save: SaveConfig = SaveConfig(jpeg=0.75)
    same_camera: float = Field(0.0, ge=0, le=1)
    regenerated: float = Field(0.15, ge=0, le=1)
    edges: dict[EdgeKind, float] = Field(default_factory=lambda: dict(EDGES))
    feather: Range = (0.4, 2.5)
    colour_match: float = Field(0.35, ge=0, le=1)
    turned: float = Field(0.3, ge=0, le=1)
    scaled: float = Field(0.5, ge=0, le=1)
    inpainting: bool = True

    @model_validator(mode="after")
    def _check(self) -> Self:
        check_weights("manipulations", self.manipulations)
        check_weights("edges", self.edges)
        for name, limit in (("area", 0.5), ("feather", 20.0)):
            check_range(name, getattr(self, name), limit)
        if self.min_area > self.area[1]:
            raise ValueError("min_area must not be above the largest area")
        return self


class SynthesisConfig(AlterationConfig):
    """What forgeries of one size are drawn from; all shares are probabilities.

    Attributes:
        first_save: of the host, before it is altered.
        off_grid: share of first saves whose 8x8 grid is not the one of the last save.
        middle_save: share of pictures saved once more after the alteration, before the last save.
        resized: share of pictures resized after the alteration (and after the middle save).
        resize: range of that factor.
        last_save: of the altered picture and its twin alike.
    """

    first_save: SaveConfig = SaveConfig(jpeg=0.75)
    off_grid: float = Field(0.08, ge=0, le=1)
    middle_save: float = Field(0.1, ge=0, le=1)
    resized: float = Field(0.12, ge=0, le=1)
    resize: Range = (0.6, 1.3)
    last_save: SaveConfig = SaveConfig(
        jpeg=0.9,
        quality=(60, 100),
        usual_quality=(80, 97),
        tables={"ijg": 0.5, "ramp": 0.05, "capped": 0.05, "photoshop": 0.2, "real": 0.2},
        subsampling={"4:2:0": 0.5, "4:2:2": 0.15, "4:4:4": 0.35},
    )

    @model_validator(mode="after")
    def _check_resize(self) -> Self:
        check_range("resize", self.resize, 4.0)
        return self


class NativeConfig(AlterationConfig):
    """What forgeries at their hosts' own size and on their own JPEG grid are drawn from.

    Attributes:
        megapixels: smallest and largest size of a host, in 10^6 pixels.
        last_save: of the altered picture and its twin alike.
        own_tables: share of last saves with the tables and subsampling of the host's own file.
        deliveries: weights of what happens to both files after the last save, see
            `preprocessing.deliveries`.
        delivery_scales: range of the factor of the delivery "resized", log-uniform.
        working_set: parts of photographs are cut from so many of them at a time, which stay in memory.
        working_pairs: pairs after which other photographs take their place.
    """

    manipulations: dict[Manipulation, float] = Field(default_factory=lambda: dict(NATIVE_MANIPULATIONS))
    area: Range = (0.001, 0.3)
    min_area: float = Field(0.0005, gt=0, lt=0.5)
    donor_save: SaveConfig = SaveConfig(jpeg=0.3)
    same_camera: float = Field(0.3, ge=0, le=1)
    regenerated: float = Field(0.35, ge=0, le=1)
    feather: Range = (0.4, 8.0)
    megapixels: Range = (1.0, 64.0)
    last_save: SaveConfig = SaveConfig(
        jpeg=0.95,
        quality=(78, 98),
        usual_quality=(85, 97),
        tables={"ijg": 0.5, "photoshop": 0.25, "mozjpeg": 0.1, "jpegli": 0.1, "real": 0.05},
        subsampling={"4:2:0": 0.55, "4:2:2": 0.1, "4:4:4": 0.35},
    )
    own_tables: float = Field(0.25, ge=0, le=1)
    deliveries: dict[DeliveryName, float] = Field(default_factory=lambda: dict(DELIVERIES))
    delivery_scales: Range = RESIZE_SCALES
    working_set: int = Field(24, ge=2)
    working_pairs: int = Field(256, ge=1)

    @model_validator(mode="after")
    def _check_deliveries(self) -> Self:
        check_weights("deliveries", self.deliveries)
        check_range("megapixels", self.megapixels, 1000.0)
        check_range("delivery_scales", self.delivery_scales, 4.0)
        return self


class MadeSetConfig(ConfigModel):
    """How `synthesize` goes through the pairs of a set.

    Attributes:
        splits: weights of train, val and test; photographs are parted first, so that hosts and donors of one
            split are in no other.
        copies: share of the pairs that are written once more as they arrive by a delivery, for each kind of
            `preprocessing.deliveries`.
        copy_scales: range of the factor of the delivery "resized", log-uniform.
        cache_mb: decoded photographs that each process keeps, in 2^20 bytes.
        timeout_seconds: a pair that takes longer is counted as failed.
    """

    splits: dict[Split, float] = Field(default_factory=lambda: dict(SPLIT_SHARES))
    copies: dict[DeliveryName, Share] = Field(default_factory=dict)
    copy_scales: Range = RESIZE_SCALES
    cache_mb: int = Field(512, ge=16)
    timeout_seconds: float = Field(60.0, gt=0)

    @model_validator(mode="after")
    def _check_splits(self) -> Self:
        check_weights("splits", self.splits)
        check_range("copy_scales", self.copy_scales, 4.0)
        return self


class SynthesizeConfig(SynthesisConfig, MadeSetConfig):
    """What `synthesize` draws pairs of one size from.

    Attributes:
        size: height and width of every file.
        max_side: of larger photographs the middle is used, at most so many pixels a side; null uses all.
    """

    size: tuple[int, int] = (256, 384)
    max_side: int | None = Field(2048, ge=64)

    @model_validator(mode="after")
    def _check_size(self) -> Self:
        if min(self.size) < 64:
            raise ValueError("size must be two sides of at least 64 pixels")
        return self


class SynthesizeNativeConfig(NativeConfig, MadeSetConfig):
    """What `synthesize --native` draws pairs at their hosts' own size from; splits are by camera."""

    timeout_seconds: float = Field(300.0, gt=0)
