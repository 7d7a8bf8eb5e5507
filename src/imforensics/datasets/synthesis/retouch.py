"""Retouching: a region whose content stays and whose pixels are changed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, get_args

import numpy as np
from PIL import Image, ImageFilter

from imforensics.datasets.synthesis.forgery import Forgery
from imforensics.datasets.synthesis.resynthesis import resynthesise
from imforensics.datasets.synthesis.splice import mix, soften
from imforensics.preprocessing.jpeg import resave_jpeg

if TYPE_CHECKING:
    from imforensics.types import BoolArray, FloatArray, UInt8Array

RetouchKind = Literal[
    "blur",
    "sharpen",
    "noise",
    "median",
    "contrast",
    "gamma",
    "tone",
    "colour",
    "saturation",
    "jpeg",
    "reduce",
    "resynthesised",
]
RETOUCH_KINDS: tuple[RetouchKind, ...] = get_args(RetouchKind)
MARGIN = 16  # pixels around the region that filters reach into


def forge_retouch(
    pixels: UInt8Array,
    shape: BoolArray,
    rng: np.random.Generator,
    *,
    place: tuple[int, int],
    kind: RetouchKind = "blur",
    feather: float = 0.0,
) -> Forgery:
    """Change the pixels of a region by one filter of random strength. Saving is the caller's.

    Args:
        pixels: (H, W, 3) uint8 RGB; not modified.
        shape: (h, w) bool, True where the picture is changed.
        rng: gives the strength.
        place: row and column where the shape's top-left pixel lies; the shape must fit.
        kind: blur, sharpen, noise, median, contrast, gamma, tone (shadows lifted or highlights pressed),
            colour (gains of the channels), saturation, jpeg (saved once more by itself, on a grid of its
            own), reduce (shrunk and enlarged again), resynthesised (see `resynthesise`).
        feather: sigma in pixels of an edge softened inwards; 0 leaves it hard.

    Returns:
        The forgery: pixels outside the shape are untouched; the mask is where the change counts for at least
        half.

    Raises:
        ValueError: the shape does not fit at that place.
    """
    height, width = pixels.shape[:2]
    if min(place) < 0 or place[0] + shape.shape[0] > height or place[1] + shape.shape[1] > width:
        raise ValueError(f"Expected a {shape.shape} shape within {(height, width)}; received place {place}")
    top, left = max(0, place[0] - MARGIN), max(0, place[1] - MARGIN)
    bottom = min(height, place[0] + shape.shape[0] + MARGIN)
    right = min(width, place[1] + shape.shape[1] + MARGIN)
    around = pixels[top:bottom, left:right]
    alpha = np.zeros(around.shape[:2], dtype=np.float32)
    inner = place[0] - top, place[1] - left
    alpha[inner[0] : inner[0] + shape.shape[0], inner[1] : inner[1] + shape.shape[1]] = soften(shape, feather)
    changed, strength = _change(around, kind, rng)
    forged = pixels.copy()
    forged[top:bottom, left:right] = mix(around, changed, alpha)
    mask = np.zeros((height, width), dtype=np.bool_)
    mask[top:bottom, left:right] = alpha >= 0.5
    facts = {"kind": kind, "strength": round(strength, 3), "feather": round(feather, 2)}
    return Forgery(forged, mask, facts=facts)


def _change(pixels: UInt8Array, kind: RetouchKind, rng: np.random.Generator) -> tuple[FloatArray, float]:
    """The changed pixels, float32 in gray levels, and the strength drawn."""
    if kind in {"blur", "sharpen", "median", "reduce"}:
        return _filter(pixels, kind, rng)
    if kind == "jpeg":
        return _resave(pixels, rng)
    if kind == "resynthesised":
        remade, factor = resynthesise(pixels, rng)
        return remade.astype(np.float32), factor
    if kind == "noise":
        sigma = float(rng.uniform(3, 14))
        noise = rng.standard_normal(pixels.shape, dtype=np.float32)
        return np.asarray(pixels + np.float32(sigma) * noise), sigma
    if kind in {"colour", "saturation"}:
        return _recolour(pixels, kind, rng)
    return _retone(pixels, kind, rng)


def _retone(pixels: UInt8Array, kind: RetouchKind, rng: np.random.Generator) -> tuple[FloatArray, float]:
    values = pixels.astype(np.float32)
    if kind == "contrast":
        gain = float(rng.choice([rng.uniform(0.55, 0.85), rng.uniform(1.15, 1.6)]))
        middle = values.mean(axis=(0, 1))
        return np.asarray((values - middle) * np.float32(gain) + middle), gain
    if kind == "gamma":
        gamma = float(rng.choice([rng.uniform(0.6, 0.85), rng.uniform(1.2, 1.7)]))
        return np.asarray(255 * (values / 255) ** np.float32(gamma)), gamma
    lift = float(rng.choice([rng.uniform(25, 80), rng.uniform(-80, -25)]))
    share = values / 255 if lift < 0 else 1 - values / 255  # highlights, or shadows
    return np.asarray(values + np.float32(lift) * share * share), lift


def _recolour(pixels: UInt8Array, kind: RetouchKind, rng: np.random.Generator) -> tuple[FloatArray, float]:
    values = pixels.astype(np.float32)
    if kind == "saturation":
        gain = float(rng.choice([rng.uniform(0, 0.6), rng.uniform(1.4, 2)]))
        gray = values.mean(axis=2, keepdims=True)
        return np.asarray(gray + np.float32(gain) * (values - gray)), gain
    gains = rng.uniform(0.75, 1.3, 3).astype(np.float32)
    return np.asarray(values * gains), float(gains.max() / gains.min())


def _filter(pixels: UInt8Array, kind: RetouchKind, rng: np.random.Generator) -> tuple[FloatArray, float]:
    image = Image.fromarray(np.ascontiguousarray(pixels))
    if kind == "reduce":
        strength = float(rng.uniform(1.5, 4))
        small = tuple(max(1, round(side / strength)) for side in image.size)
        changed = image.resize((small[0], small[1]), Image.Resampling.BOX)
        changed = changed.resize(image.size, Image.Resampling.BICUBIC)
    elif kind == "median":
        strength = 3.0 if min(image.size) < 8 else float(rng.choice([3, 5]))
        changed = image.filter(ImageFilter.MedianFilter(int(strength)))
    elif kind == "blur":
        strength = float(rng.uniform(0.8, 4))
        changed = image.filter(ImageFilter.GaussianBlur(strength))
    else:
        strength = float(rng.uniform(60, 220))
        changed = image.filter(ImageFilter.UnsharpMask(float(rng.uniform(0.8, 2.5)), round(strength), 0))
    return np.asarray(changed, dtype=np.float32), strength


def _resave(pixels: UInt8Array, rng: np.random.Generator) -> tuple[FloatArray, float]:
    quality = int(rng.integers(40, 86))
    down, right = (int(value) for value in rng.integers(0, 8, 2))
    padded = np.pad(pixels, ((down, 0), (right, 0), (0, 0)), mode="edge")
    saved = resave_jpeg(padded, quality=quality, subsampling="4:2:0")
    return saved[down:, right:].astype(np.float32), float(quality)
