"""Pixels in whatever mode they are stored to 8-bit RGB, each step named."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from imforensics.types import UInt8Array

_ALPHA_NOTE = "the alpha channel is dropped; colors are as stored under it"


def convert_to_rgb(image: Image.Image) -> tuple[UInt8Array, tuple[str, ...]]:
    """Bring a decoded image to 8-bit RGB.

    Args:
        image: loaded, of any mode that Pillow knows.

    Returns:
        (H, W, 3) uint8 and what was done, in words; nothing for an RGB image.

    Raises:
        ValueError: Pillow has no conversion from the mode.
    """
    mode = image.mode
    if mode == "RGB":
        return np.asarray(image), ()
    if mode in {"RGBA", "RGBX"}:
        pixels = np.ascontiguousarray(np.asarray(image)[:, :, :3])
        return pixels, (_ALPHA_NOTE,) if mode == "RGBA" else ()
    if mode in {"L", "1", "LA"}:
        gray = np.asarray(image.convert("L") if mode == "1" else image)
        note = {"L": "gray expanded to RGB", "1": "black and white expanded to RGB"}.get(mode)
        return _expand(gray[:, :, 0] if gray.ndim == 3 else gray), (
            note or "gray expanded to RGB",
            *_alpha(mode),
        )
    if mode in {"P", "PA"}:
        return _convert_palette(image)
    if mode == "F" or mode.startswith("I"):
        gray, note = _scale_to_8_bit(np.asarray(image))
        return _expand(gray), (note, "gray expanded to RGB")
    if mode in {"La", "RGBa"}:
        straight = image.convert("LA" if mode == "La" else "RGBA")
        pixels, notes = convert_to_rgb(straight)
        return pixels, ("premultiplied alpha undone by the decoder", *notes)
    note = f"{mode} converted to RGB by formula, without a color profile"
    return np.asarray(image.convert("RGB")), (note,)


def _expand(gray: UInt8Array) -> UInt8Array:
    return np.repeat(gray[:, :, np.newaxis], 3, axis=2)


def _alpha(mode: str) -> tuple[str, ...]:
    return (_ALPHA_NOTE,) if mode.endswith("A") else ()


def _convert_palette(image: Image.Image) -> tuple[UInt8Array, tuple[str, ...]]:
    notes = ["palette colors written out as RGB"]
    if image.mode == "PA" or "transparency" in image.info:
        notes.append("palette transparency is dropped; colors are as stored under it")
    pixels = np.ascontiguousarray(np.asarray(image.convert("RGBA"))[:, :, :3])
    return pixels, tuple(notes)


def _scale_to_8_bit(values: NDArray[Any]) -> tuple[UInt8Array, str]:
    """Bring integer or float gray to 8 bits by a rule that depends on the range it is stored in."""
    if values.dtype.kind == "f":
        return _scale_float(values)
    lowest, highest = int(values.min()), int(values.max())
    if values.dtype.itemsize == 2:
        # The low byte is dropped, as the decoder does for 16-bit color.
        return (values.astype(np.uint16) >> 8).astype(np.uint8), "16 bits a channel: the high byte is kept"
    if lowest >= 0 and highest <= 255:
        return values.astype(np.uint8), "32-bit integers within 0-255 kept as they are"
    if lowest >= 0 and highest <= 65535:
        return (values >> 8).astype(np.uint8), "32-bit integers within 0-65535: the high byte is kept"
    return _stretch(values.astype(np.float64)), f"32-bit integers scaled from {lowest}-{highest} to 0-255"


def _scale_float(values: NDArray[Any]) -> tuple[UInt8Array, str]:
    finite = np.isfinite(values)
    suffix = "" if finite.all() else "; values that are not finite are set to the lowest"
    if not finite.any():
        return np.zeros(values.shape, dtype=np.uint8), "no finite value in this float image: set to 0"
    lowest, highest = float(values[finite].min()), float(values[finite].max())
    clean = np.where(finite, values, lowest).astype(np.float64)
    if lowest >= 0 and highest <= 1.0:
        return np.rint(clean * 255.0).astype(np.uint8), f"floats within 0-1 multiplied by 255{suffix}"
    if lowest >= 0 and highest <= 255.0:
        return np.rint(clean).astype(np.uint8), f"floats within 0-255 rounded{suffix}"
    return _stretch(clean), f"floats scaled from {lowest:g}-{highest:g} to 0-255{suffix}"


def _stretch(values: NDArray[np.float64]) -> UInt8Array:
    lowest, highest = float(values.min()), float(values.max())
    factor = 255.0 / (highest - lowest) if highest > lowest else 0.0
    scaled: UInt8Array = np.rint((values - lowest) * factor).astype(np.uint8)
    return scaled
