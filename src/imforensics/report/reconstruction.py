"""A picture beside its reconstruction: the panels, and the extent of what differs."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from imforensics.preprocessing.ela import DEFAULT_QUALITY, PICTURE_SCALE, ela_picture, iterate_residual
from imforensics.report.figures import display_picture, orient, overlay, reduce_area, reduce_map
from imforensics.report.regions import find_regions
from imforensics.types import BoolArray, FloatArray, LocalizationMap, Region, UInt8Array

PANEL = 512  # longest side of a panel
EXTENT_SIDE = 1024  # regions are looked for on the map reduced to this longest side
REGION_LIMIT = 20
DIFFERENCE_SCALE = 4  # a difference of 64 of 255 gray levels shows white
_GAP, _CAPTION = 8, 34  # pixels; two lines of caption
_COLUMNS = 3


@dataclass(frozen=True, slots=True)
class Extent:
    """How much of an image a map marks, in pixels as stored.

    Attributes:
        share: of the image's area.
        count: number of connected regions.
        regions: the largest, largest first.
        threshold: of the map.
        policy: how it was chosen.
    """

    share: float
    count: int
    regions: tuple[Region, ...]
    threshold: float
    policy: str


@dataclass(frozen=True, slots=True)
class Reconstruction:
    """An image, what a network made of it, and how they differ.

    Attributes:
        name: of the file, as received.
        sha256: of the file.
        pixels: (H, W, 3) uint8 RGB as stored.
        orientation: EXIF orientation, for display.
        made: (H, W, 3) uint8 RGB, the reconstruction.
        map: of the error; higher = more likely tampered.
        extent: None where the bundle holds no threshold.
        bundle: name, kind and digest of the bundle.
        mode: how it was reconstructed.
        similarity: mse and psnr of values in [0, 1], ssim of luma; None where not defined.
        seconds: name of a stage to the time it took.
        notes: what a reader has to know.
    """

    name: str
    sha256: str
    pixels: UInt8Array = field(repr=False)
    orientation: int
    made: UInt8Array = field(repr=False)
    map: LocalizationMap = field(repr=False)
    extent: Extent | None
    bundle: Mapping[str, str]
    mode: Mapping[str, str]
    similarity: Mapping[str, float | None]
    seconds: Mapping[str, float]
    notes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Panel:
    """One picture with its caption.

    Attributes:
        name: fixed word, becomes the file's name.
        pixels: (h, w, 3) uint8, upright.
        caption: what is shown and on which scale; two lines.
    """

    name: str
    pixels: UInt8Array
    caption: str


def measure_extent(map_: LocalizationMap, *, threshold: float, policy: str) -> Extent:
    """Area, boxes and regions of a map at its threshold.

    Maps with a longer side than 1024 are averaged over squares first: regions are found to that precision.

    Args:
        map_: (H, W) in [0, 1].
        threshold: values at or above it are marked, where the map is valid.
        policy: how the threshold was chosen.

    Returns:
        Connected regions (sides and corners) in pixels as stored.
    """
    values = map_.values if map_.valid is None else np.where(map_.valid, map_.values, np.float32(0))
    height, width = values.shape
    side = max(1, math.ceil(max(height, width) / EXTENT_SIDE))
    small = _square_means(values, side)
    mask: BoolArray = small >= threshold
    count, regions = find_regions(mask, small, limit=REGION_LIMIT)
    cells = np.multiply.outer(_counts(height, side), _counts(width, side))
    return Extent(
        share=float(cells[mask].sum() / (height * width)),
        count=count,
        regions=tuple(_enlarge(region, side, height, width) for region in regions),
        threshold=threshold,
        policy=policy,
    )


def draw_panels(found: Reconstruction) -> tuple[Panel, ...]:
    """Original, reconstruction, difference, ELA of both, overlay of the map; all on fixed scales."""
    turn, threshold = found.orientation, found.extent.threshold if found.extent else None

    def shrink(pixels: UInt8Array) -> UInt8Array:
        return display_picture(pixels, longest=PANEL, orientation=turn)

    mask = None if threshold is None else _mask(found.map, threshold)
    base = reduce_area(found.pixels, longest=PANEL)
    marked = overlay(base, reduce_map(found.map, mask=mask, longest=PANEL), orientation=turn)
    outlined = "no threshold" if threshold is None else f"outlined: at or above {threshold:.3g}"
    ela = f"ELA, quality {DEFAULT_QUALITY}, x {PICTURE_SCALE}"
    return (
        Panel("original", orient(base, turn), "Original"),
        Panel("reconstruction", shrink(found.made), f"Reconstruction\n{_describe_mode(found)}"),
        Panel("difference", shrink(_difference(found)), f"Difference\n|original - it| x {DIFFERENCE_SCALE}"),
        Panel("ela_original", shrink(_ela(found.pixels)), f"ELA of the original\n{ela}"),
        Panel("ela_reconstruction", shrink(_ela(found.made)), f"ELA of the reconstruction\n{ela}"),
        Panel("overlay", marked, f"Error over the original, range 0 to 1\n{outlined}"),
    )


def draw_side_by_side(panels: tuple[Panel, ...]) -> UInt8Array:
    """All panels in one picture, three in a row, each with its caption below: (h, w, 3) uint8."""
    height = max(panel.pixels.shape[0] for panel in panels)
    width = max(200, *(panel.pixels.shape[1] for panel in panels))  # room for the captions
    rows = math.ceil(len(panels) / _COLUMNS)
    size = (_GAP + _COLUMNS * (width + _GAP), _GAP + rows * (height + _CAPTION + _GAP))
    sheet = Image.new("RGB", size, "white")
    draw, font = ImageDraw.Draw(sheet), ImageFont.load_default(12)
    for index, panel in enumerate(panels):
        left = _GAP + index % _COLUMNS * (width + _GAP)
        top = _GAP + index // _COLUMNS * (height + _CAPTION + _GAP)
        sheet.paste(Image.fromarray(panel.pixels), (left, top))
        draw.multiline_text((left, top + height + 3), panel.caption, fill="black", font=font, spacing=2)
    return np.asarray(sheet)


def _describe_mode(found: Reconstruction) -> str:
    return ", ".join((found.bundle["name"], *found.mode.values()))


def _mask(map_: LocalizationMap, threshold: float) -> BoolArray:
    mask: BoolArray = map_.values >= threshold
    return mask if map_.valid is None else mask & map_.valid


def _difference(found: Reconstruction) -> UInt8Array:
    pixels, made = found.pixels, found.made
    larger = np.maximum(pixels, made)
    larger -= np.minimum(pixels, made)
    return ela_picture(larger, scale=DIFFERENCE_SCALE)


def _ela(pixels: UInt8Array) -> UInt8Array:
    picture = np.empty_like(pixels)
    for top, band in iterate_residual(pixels):
        picture[top : top + len(band)] = ela_picture(band)
    return picture


def _square_means(values: FloatArray, side: int) -> FloatArray:
    if side == 1:
        return values
    tops, lefts = (np.arange(0, extent, side) for extent in values.shape)
    sums = np.add.reduceat(np.add.reduceat(values, tops, axis=0), lefts, axis=1)
    counts = np.multiply.outer(_counts(values.shape[0], side), _counts(values.shape[1], side))
    return np.asarray(sums / counts, np.float32)


def _counts(extent: int, side: int) -> FloatArray:
    starts = np.arange(0, extent, side)
    return np.asarray(np.minimum(starts + side, extent) - starts, np.float32)


def _enlarge(region: Region, side: int, height: int, width: int) -> Region:
    """From squares to pixels; boxes are cut at the image's edge."""
    top, left = region.top * side, region.left * side
    return Region(
        top,
        left,
        min(region.height * side, height - top),
        min(region.width * side, width - left),
        min(region.area * side * side, height * width),
        region.mean,
        region.max,
    )
