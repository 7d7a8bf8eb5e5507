"""Removals: a region filled so that what stood there is gone."""

from __future__ import annotations

from importlib.util import find_spec
from typing import TYPE_CHECKING, Literal

import numpy as np
from PIL import Image, ImageFilter

from imforensics.datasets.synthesis.draws import draw_flag
from imforensics.datasets.synthesis.forgery import Forgery
from imforensics.datasets.synthesis.membranes import fill_membrane
from imforensics.datasets.synthesis.resynthesis import resynthesise
from imforensics.datasets.synthesis.splice import forge_splice, mix, soften
from imforensics.errors import MissingExtraError

if TYPE_CHECKING:
    from imforensics.types import BoolArray, FloatArray, JsonValue, UInt8Array

RemovalKind = Literal["telea", "navier_stokes", "exemplar", "smooth", "regenerated"]
INPAINTINGS: tuple[RemovalKind, ...] = ("telea", "navier_stokes")  # OpenCV's
FILLS: tuple[RemovalKind, ...] = ("exemplar", "smooth")  # need no extra
REMOVAL_KINDS = (*INPAINTINGS, *FILLS)
RADIUS = 3  # pixels, of OpenCV's inpainting
MARGIN = 12  # pixels of surroundings that a fill is made from
MAX_INPAINTED = 60_000  # pixels: OpenCV's inpainting of larger regions takes many seconds
EXEMPLAR_SHARE = 0.6  # of regenerated regions that begin as an exemplar; the others as a membrane
FADE = (0.5, 3.0)  # sigma in pixels of a regenerated region's edge
GRAIN_LIMIT = 2.5  # times the median residual
TRIES = 24  # places compared for an exemplar


def forge_removal(
    pixels: UInt8Array,
    shape: BoolArray,
    rng: np.random.Generator,
    *,
    place: tuple[int, int],
    kind: RemovalKind = "exemplar",
) -> Forgery:
    """Fill a region of a photograph. Saving is the caller's.

    Args:
        pixels: (H, W, 3) uint8 RGB; not modified.
        shape: (h, w) bool, True where the picture is filled.
        rng: gives grain and the places that are compared.
        place: row and column where the shape's top-left pixel lies; the shape must fit.
        kind: "telea" and "navier_stokes" are OpenCV's inpainting; "exemplar" pastes the part of the same
            picture whose surroundings are most alike, blended in; "smooth" is a membrane with the grain of
            the surroundings; "regenerated" is the exemplar or a membrane, resynthesised (see `resynthesise`)
            and with a soft edge, as object erasers leave it.

    Returns:
        The forgery: pixels outside the shape are untouched, the mask is the shape.

    Raises:
        MissingExtraError: inpainting without OpenCV.
        ValueError: the shape does not fit at that place.
    """
    height, width = pixels.shape[:2]
    if min(place) < 0 or place[0] + shape.shape[0] > height or place[1] + shape.shape[1] > width:
        raise ValueError(f"Expected a {shape.shape} shape within {(height, width)}; received place {place}")
    mask = np.zeros((height, width), dtype=np.bool_)
    mask[place[0] : place[0] + shape.shape[0], place[1] : place[1] + shape.shape[1]] = shape
    if kind == "exemplar" or (kind == "regenerated" and draw_flag(rng, EXEMPLAR_SHARE)):
        source = _find_alike(pixels, shape, place, rng)
        part = pixels[source[0] : source[0] + shape.shape[0], source[1] : source[1] + shape.shape[1]]
        forged = forge_splice(pixels, part, shape, place=place, edge="blended").pixels
        if kind == "exemplar":
            return Forgery(forged, mask, facts={"kind": kind, "from": list(source)})
    else:
        forged = pixels.copy()
    window = (
        slice(max(0, place[0] - MARGIN), min(height, place[0] + shape.shape[0] + MARGIN)),
        slice(max(0, place[1] - MARGIN), min(width, place[1] + shape.shape[1] + MARGIN)),
    )
    around, hole = pixels[window], mask[window]
    if kind == "regenerated":
        return _regenerate(forged, pixels, mask, window, rng)
    filled = _fill_smoothly(around, hole, rng) if kind == "smooth" else _inpaint(around, hole, kind)
    forged[window] = np.where(hole[..., np.newaxis], filled, around)
    return Forgery(forged, mask, facts={"kind": kind})


def _regenerate(
    forged: UInt8Array,
    pixels: UInt8Array,
    mask: BoolArray,
    window: tuple[slice, slice],
    rng: np.random.Generator,
) -> Forgery:
    """A region made anew at a low resolution, from an exemplar in `forged` or else from a membrane."""
    around, hole, filled = pixels[window], mask[window], forged[window]
    if np.array_equal(filled, around):
        smooth = fill_membrane(around.astype(np.float32), hole)
        filled = np.clip(np.rint(smooth), 0, 255).astype(np.uint8)
    made, factor = resynthesise(filled, rng)
    fade = float(rng.uniform(*FADE))
    forged = pixels.copy()
    forged[window] = mix(around, made.astype(np.float32), soften(hole, fade))
    facts: dict[str, JsonValue] = {"kind": "regenerated", "factor": round(factor, 2), "fade": round(fade, 2)}
    return Forgery(forged, mask, facts=facts)


def require_fills(*, inpainting: bool) -> None:
    """Check that regions can be filled as configured, before a process is started for it.

    Raises:
        MissingExtraError: inpainting without OpenCV.
    """
    if inpainting and find_spec("cv2") is None:
        raise _missing_opencv()


def _missing_opencv() -> MissingExtraError:
    return MissingExtraError("copy-move", "Inpainting (OpenCV)", instead="do without: --set inpainting=false")


def _inpaint(pixels: UInt8Array, hole: BoolArray, kind: RemovalKind) -> UInt8Array:
    try:
        import cv2
    except ImportError:
        raise _missing_opencv() from None
    flag = cv2.INPAINT_TELEA if kind == "telea" else cv2.INPAINT_NS
    filled = cv2.inpaint(np.ascontiguousarray(pixels), hole.astype(np.uint8), RADIUS, flag)
    return np.asarray(filled, dtype=np.uint8)


def _fill_smoothly(pixels: UInt8Array, hole: BoolArray, rng: np.random.Generator) -> UInt8Array:
    smooth = fill_membrane(pixels.astype(np.float32), hole)
    known = _grain(pixels)[~hole]
    limit = GRAIN_LIMIT * np.median(np.abs(known), axis=0) + 1  # detail is no grain
    known = np.clip(known, -limit, limit)
    noise = known[rng.integers(0, len(known), int(hole.sum()))]  # real residuals, in another order
    smooth[hole] += noise
    return np.clip(np.rint(smooth), 0, 255).astype(np.uint8)


def _grain(pixels: UInt8Array) -> FloatArray:
    blurred = Image.fromarray(pixels).filter(ImageFilter.MedianFilter(3))
    return np.asarray(pixels.astype(np.float32) - np.asarray(blurred))


def _find_alike(
    pixels: UInt8Array, shape: BoolArray, place: tuple[int, int], rng: np.random.Generator
) -> tuple[int, int]:
    """The place, of some, whose surroundings of the shape differ least from those of the hole."""
    height, width = pixels.shape[:2]
    rows, columns = np.nonzero(_ring(shape))
    inside = (
        (rows + place[0] >= 0)
        & (rows + place[0] < height)
        & (columns + place[1] >= 0)
        & (columns + place[1] < width)
    )
    rows, columns = rows[inside], columns[inside]
    wanted = pixels[rows + place[0], columns + place[1]].astype(np.int16)
    free = height - shape.shape[0], width - shape.shape[1]
    best, least = place, np.inf
    for _ in range(TRIES):
        top, left = int(rng.integers(free[0] + 1)), int(rng.integers(free[1] + 1))
        overlap = abs(top - place[0]) < shape.shape[0] // 2 and abs(left - place[1]) < shape.shape[1] // 2
        if overlap:
            continue
        found = pixels[rows + top, columns + left]
        difference = float(np.abs(found - wanted).mean())
        if difference < least:
            best, least = (top, left), difference
    if best == place:
        raise ValueError("Expected room for a second region of that shape; ask for a smaller one")
    return best


def _ring(shape: BoolArray) -> BoolArray:
    """The pixels of a shape that touch what lies outside it."""
    padded = np.pad(shape, 1)
    inner = padded[:-2, 1:-1] & padded[2:, 1:-1] & padded[1:-1, :-2] & padded[1:-1, 2:]
    return np.asarray(shape & ~inner)
