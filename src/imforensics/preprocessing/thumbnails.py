"""Does a thumbnail show its image: the same way up, turned, or more than the image shows."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray
from PIL import Image

from imforensics.types import UInt8Array

Gray = NDArray[np.float64]

TURNS: dict[str, Callable[[Gray], Gray]] = {
    "turned by 180 degrees": lambda gray: gray[::-1, ::-1],
    "turned by 90 degrees clockwise": lambda gray: np.rot90(gray, -1),
    "turned by 90 degrees counterclockwise": lambda gray: np.rot90(gray, 1),
    "mirrored": lambda gray: gray[:, ::-1],
    "mirrored upside down": lambda gray: gray[::-1],
}
MAX_BAR_LEVEL = 24  # bars are black but for the ringing of JPEG
COMPARED_SIDE = 64  # longest side that is compared: content, not the sharpness of the thumbnail's maker
CROP_SIDE = 48  # longest side of the thumbnail in the search for a crop
CROP_SHARES = tuple(np.round(np.arange(0.3, 0.96, 0.05), 2))  # of the thumbnail's sides that the image covers


@dataclass(frozen=True, slots=True)
class ThumbnailComparison:
    """How a thumbnail and its image agree.

    Attributes:
        similarity: correlation of gray values as stored, [-1, 1].
        turn: key of `TURNS` that brings the image nearest to the thumbnail, where that is better than as
            stored; None otherwise.
        turned_similarity: correlation after that turn, `similarity` without one.
        crop_similarity: best correlation of the whole image with a part of the thumbnail, -1 where no part
            was compared.
        crop_box: that part as (top, left, bottom, right), shares of the thumbnail's sides.
        aspect_ratio: (width / height of the thumbnail without its bars) / (that of the image).
    """

    similarity: float
    turn: str | None
    turned_similarity: float
    crop_similarity: float
    crop_box: tuple[float, float, float, float] | None
    aspect_ratio: float


def compare_thumbnail(pixels: UInt8Array, thumbnail: UInt8Array) -> ThumbnailComparison | None:
    """Compare the gray values of a thumbnail with the image brought to its size.

    Cameras pad thumbnails with black bars to a fixed aspect ratio: the bars are cut off first.

    Args:
        pixels: (H, W, 3) uint8, the image.
        thumbnail: (h, w, 3) uint8.

    Returns:
        None where one of the two is flat.
    """
    height, width = pixels.shape[:2]
    small = cut_bars(thumbnail, height / width)
    target = _reduce(small, COMPARED_SIDE)
    rows, columns = target.shape
    image = _reduce(pixels, 4 * COMPARED_SIDE)
    similarity = correlate(_resize(image, rows, columns), target)
    if similarity is None:
        return None
    turns = {
        name: correlate(_resize(turn(image), rows, columns), target) or 0.0 for name, turn in TURNS.items()
    }
    turn = max(turns, key=lambda name: turns[name])
    is_turned = turns[turn] > similarity
    crop_similarity, crop_box = find_crop(image, target)
    return ThumbnailComparison(
        similarity=similarity,
        turn=turn if is_turned else None,
        turned_similarity=turns[turn] if is_turned else similarity,
        crop_similarity=crop_similarity,
        crop_box=crop_box,
        aspect_ratio=(small.shape[1] / small.shape[0]) / (width / height),
    )


def find_crop(image: Gray, target: Gray) -> tuple[float, tuple[float, float, float, float] | None]:
    """Where in a larger picture a whole image lies: normalized cross-correlation over sizes and places.

    Args:
        image: (H, W) gray, the possible part.
        target: (h, w) gray, the possible whole.

    Returns:
        The best correlation, -1 where nothing could be compared, and the place as (top, left, bottom,
        right), shares of the target's sides.
    """
    scale = min(1.0, CROP_SIDE / max(target.shape))
    target = _resize(target, max(1, round(target.shape[0] * scale)), max(1, round(target.shape[1] * scale)))
    best: tuple[float, tuple[float, float, float, float] | None] = (-1.0, None)
    for share in CROP_SHARES:
        size = min(share * target.shape[0] / image.shape[0], share * target.shape[1] / image.shape[1])
        rows, columns = round(image.shape[0] * size), round(image.shape[1] * size)
        if min(rows, columns) < 8:
            continue
        values = _slide(_resize(image, rows, columns), target)
        top, left = np.unravel_index(int(values.argmax()), values.shape)
        if values[top, left] > best[0]:
            down, across = target.shape
            box = (top / down, left / across, (top + rows) / down, (left + columns) / across)
            best = float(values[top, left]), tuple(round(float(edge), 3) for edge in box)  # type: ignore[assignment]
    return best


def correlate(first: Gray, second: Gray) -> float | None:
    """Pearson correlation of two gray pictures of one size, None where one is flat."""
    first, second = first - first.mean(), second - second.mean()
    norm = float(np.sqrt((first**2).sum() * (second**2).sum()))
    return round(float((first * second).sum()) / norm, 4) if norm > 1e-6 else None


def cut_bars(thumbnail: UInt8Array, aspect: float) -> UInt8Array:
    """The middle of a thumbnail that has the image's height / width, where what is cut away is dark."""
    height, width = thumbnail.shape[:2]
    kept_height, kept_width = min(height, round(width * aspect)), min(width, round(height / aspect))
    if min(kept_height, kept_width) < 8 or (kept_height, kept_width) == (height, width):
        return thumbnail
    top, left = (height - kept_height) // 2, (width - kept_width) // 2
    inside = np.zeros((height, width), dtype=bool)
    inside[top : top + kept_height, left : left + kept_width] = True
    if float(thumbnail[~inside].mean()) > MAX_BAR_LEVEL:
        return thumbnail
    return np.ascontiguousarray(thumbnail[top : top + kept_height, left : left + kept_width])


def _slide(part: Gray, whole: Gray) -> Gray:
    """Correlation of `part` with every place of `whole`, -1 where that place is flat."""
    windows = sliding_window_view(whole, part.shape)
    part = part - part.mean()
    norm = np.sqrt((part**2).sum())
    spread = np.sqrt(np.maximum(windows.var(axis=(2, 3)) * part.size, 0.0))
    products = np.einsum("ijkl,kl->ij", windows, part)
    values: Gray = np.where(spread * norm > 1e-6, products / np.maximum(spread * norm, 1e-6), -1.0)
    return values


def _reduce(pixels: UInt8Array, side: int) -> Gray:
    """The image as gray, brought near to a longest side; sampled first, which four samples a pixel allow."""
    height, width = pixels.shape[:2]
    step = max(1, max(height, width) // (4 * side))
    image = Image.fromarray(np.ascontiguousarray(pixels[::step, ::step])).convert("L")
    scale = min(1.0, side / max(image.size))
    size = max(1, round(image.width * scale)), max(1, round(image.height * scale))
    return np.asarray(image.resize(size, Image.Resampling.BOX), dtype=np.float64)


def _resize(gray: Gray, rows: int, columns: int) -> Gray:
    picture = Image.fromarray(np.ascontiguousarray(gray, dtype=np.float32))
    return np.asarray(picture.resize((columns, rows), Image.Resampling.BOX), dtype=np.float64)
