"""Splices: a part of one photograph pasted into another one."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from PIL import Image, ImageFilter

from imforensics.datasets.synthesis.forgery import Forgery
from imforensics.datasets.synthesis.membranes import fill_membrane

if TYPE_CHECKING:
    from imforensics.datasets.synthesis.config import EdgeKind
    from imforensics.types import BoolArray, FloatArray, JsonValue, UInt8Array


def forge_splice(
    host: UInt8Array,
    part: UInt8Array,
    shape: BoolArray,
    *,
    place: tuple[int, int],
    edge: EdgeKind = "hard",
    feather: float = 1.0,
    match: float = 0.0,
) -> Forgery:
    """Paste a part of another picture into a host. Saving is the caller's.

    Args:
        host: (H, W, 3) uint8 RGB; not modified.
        part: (h, w, 3) uint8 RGB of the donor.
        shape: (h, w) bool, True where `part` shows the object.
        place: row and column of the host where the part's top-left pixel comes; what lies outside is cut.
        edge: "hard"; "feathered" (softened inwards); "blended" (the donor's gradients on the host's values at
            the outline: a membrane of the differences is added).
        feather: sigma of a feathered edge, in pixels.
        match: how far the part's mean and spread of colour move to those of the host within the part's box,
            [0, 1].

    Returns:
        The forgery. Pixels outside the shape are the host's; the mask holds those that show at least half
        of the donor.

    Raises:
        ValueError: part and shape of different sizes, or nothing of the shape lies within the host.
    """
    if part.shape[:2] != shape.shape:
        raise ValueError(f"Expected part and shape of one size; received {part.shape[:2]} and {shape.shape}")
    (rows, row_part), (columns, column_part) = (
        _overlap(start, side, limit)
        for start, side, limit in zip(place, shape.shape, host.shape[:2], strict=True)
    )
    covered = shape[row_part, column_part]
    if not covered.any():
        raise ValueError(f"Expected a place where the shape lies within {host.shape[:2]}; received {place}")
    pasted = part[row_part, column_part].astype(np.float32)
    below = host[rows, columns]
    if match > 0:
        pasted = _match_colours(pasted, covered, below, match)
    if edge == "blended":
        pasted = _blend(pasted, covered, below)
    alpha = soften(covered, feather if edge == "feathered" else 0)
    mixed = mix(below, pasted, alpha)
    pixels = host.copy()
    pixels[rows, columns] = mixed
    mask = np.zeros(host.shape[:2], dtype=np.bool_)
    mask[rows, columns] = alpha >= 0.5
    facts: dict[str, JsonValue] = {"edge": edge, "colour_match": round(match, 2)}
    if edge == "feathered":
        facts["feather"] = round(feather, 2)
    return Forgery(pixels, mask, facts=facts)


def _overlap(start: int, side: int, limit: int) -> tuple[slice, slice]:
    """What lies within a host's side: the range there, and the same range of the part."""
    first = min(max(start, 0), limit)
    last = max(first, min(start + side, limit))
    return slice(first, last), slice(first - start, last - start)


def soften(shape: BoolArray, sigma: float) -> FloatArray:
    """Opacity of a shape with an edge softened inwards: (h, w) float32 in [0, 1], 0 outside the shape."""
    if sigma <= 0:
        return shape.astype(np.float32)
    margin = int(np.ceil(3 * sigma))  # the blur would take what lies beyond the border for more of the shape
    padded = np.pad(shape.astype(np.uint8) * 255, margin)
    soft = np.asarray(Image.fromarray(padded).filter(ImageFilter.GaussianBlur(sigma)), dtype=np.float32)
    return np.asarray(np.where(shape, soft[margin:-margin, margin:-margin] / 255, 0), dtype=np.float32)


def mix(below: UInt8Array, above: FloatArray, alpha: FloatArray) -> UInt8Array:
    """`above` over `below` at an opacity; (h, w, 3) uint8, `below` itself where the opacity is 0."""
    share = alpha[..., np.newaxis]
    mixed = share * above + (1 - share) * below
    return np.where(share > 0, np.clip(np.rint(mixed), 0, 255), below).astype(np.uint8)


def _match_colours(part: FloatArray, shape: BoolArray, below: UInt8Array, strength: float) -> FloatArray:
    inside, around = part[shape], below.reshape(-1, 3).astype(np.float32)
    gain = (around.std(axis=0) + 8) / (inside.std(axis=0) + 8)
    matched = (part - inside.mean(axis=0)) * np.clip(gain, 0.5, 2) + around.mean(axis=0)
    return np.asarray(part + strength * (matched - part), dtype=np.float32)


def _blend(part: FloatArray, shape: BoolArray, below: UInt8Array) -> FloatArray:
    """The part plus a membrane of the host's differences from it around the shape."""
    ring = ((1, 1), (1, 1))
    hole = np.pad(shape, ring)
    difference = np.pad(below - part, (*ring, (0, 0)), mode="edge")
    return np.asarray(part + fill_membrane(difference, hole)[1:-1, 1:-1])
