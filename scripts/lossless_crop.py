"""Cut a window from a JPEG file without loss: the DCT coefficients of whole MCUs are copied as they are."""

from __future__ import annotations

import tempfile
from pathlib import Path

import jpeglib
import numpy as np

MAX_SIDE = 768


class CropError(Exception):
    """Why a file cannot be cut without loss."""


def write_crop(data: bytes, path: Path, sha256: str) -> tuple[int, int]:
    """Cut a window of at most 768x768 pixels from a JPEG file's coefficients; markers are kept.

    Returns:
        Left and top of the window, in pixels.

    Raises:
        CropError: the coefficients read back are not those written.
    """
    with tempfile.NamedTemporaryFile(suffix=".jpg") as file:
        file.write(data)
        file.flush()
        image = jpeglib.read_dct(file.name)
        image.load()
    factors = [(int(v), int(h)) for v, h in np.asarray(image.samp_factor)]
    most_v, most_h = (max(axis) for axis in zip(*factors, strict=True))
    left, width = place(image.width, 8 * most_h, int(sha256[:8], 16))
    top, height = place(image.height, 8 * most_v, int(sha256[8:16], 16))
    cut = {}
    for channel, (v, h) in zip(("Y", "Cb", "Cr"), factors, strict=False):
        rows = window_blocks(top, height, v, most_v)
        columns = window_blocks(left, width, h, most_h)
        cut[channel] = np.ascontiguousarray(getattr(image, channel)[rows, columns])
        setattr(image, channel, cut[channel])
    image.width, image.height = width, height
    image.write_dct(str(path))
    written = jpeglib.read_dct(str(path))
    if not all(np.array_equal(getattr(written, channel), blocks) for channel, blocks in cut.items()):
        raise CropError(f"the crop of {sha256[:12]} is not lossless: its sampling is not supported")
    return left, top


def place(side: int, step: int, draw: int) -> tuple[int, int]:
    """Start and length of the window along one side.

    Args:
        side: of the picture, in pixels.
        step: of an MCU, in pixels; the start is one of its multiples.
        draw: a number drawn from the file, at or above zero; every start is about equally likely.

    Returns:
        Start and length (at most 768), in pixels.
    """
    if side <= MAX_SIDE:
        return 0, side
    starts = (side - MAX_SIDE) // step + 1
    return draw % starts * step, MAX_SIDE


def window_blocks(start: int, length: int, factor: int, most: int) -> slice:
    """The 8x8 blocks of a component that a window covers.

    Args:
        start: of the window, in pixels, at an MCU.
        length: of the window, in pixels.
        factor: the component's sampling factor along this axis.
        most: the largest sampling factor along this axis.
    """
    first = start // 8 * factor // most
    return slice(first, first - (-length * factor // (8 * most)))
