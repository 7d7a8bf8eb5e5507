"""What the paper's networks eat: [0, 1] arrays of 128x128, made alike in training and in production."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, get_args

import numpy as np
from PIL import Image

from imforensics.preprocessing.ela import DEFAULT_QUALITY, iterate_residual
from imforensics.preprocessing.jpeg import check_pixels
from imforensics.preprocessing.wavelet import noise_residual

if TYPE_CHECKING:
    from imforensics.types import FloatArray, UInt8Array

InputKind = Literal["rgb", "ela", "wavelet", "ela_wavelet"]
INPUT_KINDS: tuple[InputKind, ...] = get_args(InputKind)
INPUT_CHANNELS: dict[InputKind, int] = {"rgb": 3, "ela": 3, "wavelet": 3, "ela_wavelet": 6}
PAPER_SIZE = (128, 128)
# Gray levels of the ELA residual that become 1. Dividing by 255 would press nearly all of it below 0.05.
ELA_INPUT_SCALE = 32
# Gray levels of the noise residual that become 0 and 1, around 0.5.
WAVELET_INPUT_SCALE = 8


def normalize(pixels: UInt8Array) -> FloatArray:
    """Pixels from [0, 255] to [0, 1].

    Args:
        pixels: uint8, any shape.

    Returns:
        float32 of the same shape.

    Raises:
        TypeError: not uint8.

    >>> normalize(np.array([0, 255], np.uint8))
    array([0., 1.], dtype=float32)
    """
    if pixels.dtype != np.uint8:
        raise TypeError(f"Expected uint8 pixels in [0, 255]; received {pixels.dtype}")
    return np.multiply(pixels, np.float32(1 / 255), dtype=np.float32)


def resize_image(array: FloatArray | UInt8Array, size: tuple[int, int] = PAPER_SIZE) -> FloatArray:
    """Bilinear resize with anti-aliasing: when shrinking, each output pixel averages all that it covers.

    Pillow does it channel by channel in 32-bit float, so that nothing is rounded to 8 bits on the way.

    Args:
        array: (H, W) or (H, W, C), float32 or uint8.
        size: (height, width) of the result; the aspect ratio is not kept.

    Returns:
        (height, width) or (height, width, C) float32, within the range of `array`.

    Raises:
        ValueError: wrong shape or size.

    >>> resize_image(np.array([[[0.0], [1.0]]], np.float32), (1, 1))
    array([[[0.5]]], dtype=float32)
    """
    if array.ndim not in (2, 3) or array.size == 0:
        raise ValueError(
            f"Expected (H, W) or (H, W, C) with at least one pixel; received shape {array.shape}"
        )
    height, width = size
    if height < 1 or width < 1:
        raise ValueError(f"Expected size (height, width) of at least (1, 1); received {size}")
    planes = array[..., np.newaxis] if array.ndim == 2 else array
    result = np.empty((height, width, planes.shape[2]), dtype=np.float32)
    for channel in range(planes.shape[2]):
        plane = Image.fromarray(np.ascontiguousarray(planes[..., channel], dtype=np.float32))
        result[..., channel] = np.asarray(plane.resize((width, height), Image.Resampling.BILINEAR))
    return result[..., 0] if array.ndim == 2 else result


def build_network_input(
    pixels: UInt8Array,
    kind: InputKind,
    *,
    size: tuple[int, int] = PAPER_SIZE,
    ela_quality: int = DEFAULT_QUALITY,
) -> FloatArray:
    """Make a network's input from the pixels of one image, one way for training and for production.

    The traces are computed at native resolution, put on a fixed scale, and only then resized:
        rgb: pixels / 255.
        ela: ELA residual (4:2:0), clipped at 32 gray levels, / 32.
        wavelet: noise residual (BayesShrink), 0.5 + residual / 16, clipped to [0, 1]. It is signed and its
            mean is near 0, so that shrinking a large photo leaves little of it.
        ela_wavelet: both, ELA first.

    Args:
        pixels: (H, W, 3) uint8 RGB, as stored.
        kind: which traces.
        size: (height, width) of the input.
        ela_quality: IJG quality of the resave.

    Returns:
        (height, width, C) float32 in [0, 1]; C = 3, or 6 for "ela_wavelet".

    Raises:
        TypeError, ValueError: wrong pixels or an unknown kind.

    >>> build_network_input(np.zeros((20, 30, 3), np.uint8), "ela_wavelet").shape
    (128, 128, 6)
    """
    check_pixels(pixels)
    if kind not in INPUT_KINDS:
        raise ValueError(f"Expected kind to be one of {INPUT_KINDS}; received {kind!r}")
    if kind == "rgb":
        return _to_unit_range(resize_image(pixels, size), 255)
    parts = []
    if kind in ("ela", "ela_wavelet"):
        parts.append(_to_unit_range(resize_image(_clipped_ela(pixels, ela_quality), size), ELA_INPUT_SCALE))
    if kind in ("wavelet", "ela_wavelet"):
        parts.append(_resized_noise(pixels, size))
    return np.concatenate(parts, axis=-1)


def _clipped_ela(pixels: UInt8Array, quality: int) -> UInt8Array:
    residual = np.empty(pixels.shape, dtype=np.uint8)
    for top, band in iterate_residual(pixels, quality=quality):
        np.minimum(band, ELA_INPUT_SCALE, out=residual[top : top + len(band)])
    return residual


def _resized_noise(pixels: UInt8Array, size: tuple[int, int]) -> FloatArray:
    """Channel by channel, so that one full-size float plane and its transform are held at a time."""
    result = np.empty((*size, 3), dtype=np.float32)
    for channel in range(3):
        residual = noise_residual(pixels[..., channel].astype(np.float32))
        np.clip(residual, -WAVELET_INPUT_SCALE, WAVELET_INPUT_SCALE, out=residual)
        result[..., channel] = resize_image(residual, size)
    result += WAVELET_INPUT_SCALE
    return _to_unit_range(result, 2 * WAVELET_INPUT_SCALE)


def _to_unit_range(values: FloatArray, scale: float) -> FloatArray:
    """Divide in place; the clip takes away rounding of the resize beyond the range."""
    values /= np.float32(scale)
    return np.clip(values, 0, 1, out=values)
