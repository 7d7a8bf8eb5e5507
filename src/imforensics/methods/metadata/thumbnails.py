"""Does a thumbnail show its image: the same way up, turned, or more than the image shows."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
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
BAR_SHARE = 0.95  # of a line's pixels that are dark in a bar
MOST_BARS = 0.5  # of a side: a picture that is darker than that is a dark picture
COMPARED_SIDE = 64  # longest side that is compared: content, not the sharpness of the thumbnail's maker
MARGIN = 0.06  # of a side: cameras take the thumbnail before they correct the lens, or from the viewfinder
CROP_SIDE = 48  # longest side of the thumbnail in the search for a crop
CROP_SHARES = tuple(np.round(np.arange(0.3, 0.96, 0.05), 2))  # of the thumbnail's sides that the image covers
SHOWN_SHARES = (0.76, 0.8, 0.84, 0.88, 0.92, 0.96)  # of the image's sides that a thumbnail may cover


@dataclass(frozen=True, slots=True)
class ThumbnailComparison:
    """How a thumbnail and its image agree.

    Attributes:
        similarity: correlation of gray values as stored, [-1, 1].
        turn: key of `TURNS` that brings the image nearest to the thumbnail, where that is better than as
            stored; None otherwise.
        turned_similarity: correlation after that turn, `similarity` without one.
        shifted_similarity: best correlation of the thumbnail or its middle with a part of the image that lies
            in the middle too: high for a thumbnail of a slightly other or smaller view.
        crop_similarity: best correlation of the whole image with a part of the thumbnail, -1 where no part
            was compared.
        crop_box: that part as (top, left, bottom, right), shares of the thumbnail's sides.
        aspect_ratio: (width / height of the thumbnail without its bars) / (that of the image), by the way to
            cut the bars that brings it nearest to 1.
        contrast: standard deviation of gray values, the lower of the two pictures', at the compared size.
        fine_share: share of the image's variance that is finer than a pixel of the compared size, [0, 1]:
            text and patterns, of which thumbnails show moire.
    """

    similarity: float
    turn: str | None
    turned_similarity: float
    shifted_similarity: float
    crop_similarity: float
    crop_box: tuple[float, float, float, float] | None
    aspect_ratio: float
    contrast: float
    fine_share: float


def compare_thumbnail(pixels: UInt8Array, thumbnail: UInt8Array) -> ThumbnailComparison | None:
    """Compare the gray values of a thumbnail with the image brought to its size.

    Cameras pad thumbnails with black bars to a fixed aspect ratio, on one side or on all: the bars are cut
    off first, in the way that fits the image best.

    Args:
        pixels: (H, W, 3) uint8, the image.
        thumbnail: (h, w, 3) uint8.

    Returns:
        None where one of the two is flat.
    """
    height, width = pixels.shape[:2]
    image = _reduce(pixels, 4 * COMPARED_SIDE)
    tried = [_compare(image, small) for small in _cut_every_way(thumbnail, height / width)]
    fits = [fit for fit in tried if fit is not None]
    if not fits:
        return None
    best = max(fits, key=lambda fit: max(fit.similarity, fit.turned_similarity))
    rows, columns = best.target.shape
    small_image = _resize(image, rows, columns)
    crop_similarity, crop_box = find_crop(image, fits[-1].target)
    return ThumbnailComparison(
        similarity=best.similarity,
        turn=best.turn,
        turned_similarity=best.turned_similarity,
        shifted_similarity=max(
            find_crop(part, small_image, shares=SHOWN_SHARES, shift=MARGIN)[0]
            for part in (best.target, _cut_margin(best.target))
        ),
        crop_similarity=crop_similarity,
        crop_box=crop_box,
        aspect_ratio=min((fit.aspect * height / width for fit in fits), key=lambda ratio: abs(np.log(ratio))),
        contrast=round(min(float(best.target.std()), float(small_image.std())), 1),
        fine_share=_measure_fine_share(pixels, small_image),
    )


@dataclass(frozen=True, slots=True)
class _Fit:
    """One way to cut the bars: the thumbnail without them, and how well it fits."""

    target: Gray
    similarity: float
    turn: str | None
    turned_similarity: float
    aspect: float


def _compare(image: Gray, small: UInt8Array) -> _Fit | None:
    target = _reduce(small, COMPARED_SIDE)
    rows, columns = target.shape
    similarity = correlate(_resize(image, rows, columns), target)
    if similarity is None:
        return None
    turns = {
        name: correlate(_resize(turn(image), rows, columns), target) or 0.0 for name, turn in TURNS.items()
    }
    turn = max(turns, key=lambda name: turns[name])
    is_turned = turns[turn] > similarity
    return _Fit(
        target=target,
        similarity=similarity,
        turn=turn if is_turned else None,
        turned_similarity=turns[turn] if is_turned else similarity,
        aspect=small.shape[1] / small.shape[0],
    )


def find_crop(
    image: Gray, target: Gray, *, shares: Sequence[float] = CROP_SHARES, shift: float = 1.0
) -> tuple[float, tuple[float, float, float, float] | None]:
    """Where in a larger picture a whole image lies: normalized cross-correlation over sizes and places.

    Args:
        image: (H, W) gray, the possible part.
        target: (h, w) gray, the possible whole.
        shares: sizes to try, as shares of the whole's sides.
        shift: how far from the middle the part's middle may lie, as a share of the whole's sides.

    Returns:
        The best correlation, -1 where nothing could be compared, and the place as (top, left, bottom,
        right), shares of the target's sides.
    """
    scale = min(1.0, CROP_SIDE / max(target.shape))
    target = _resize(target, max(1, round(target.shape[0] * scale)), max(1, round(target.shape[1] * scale)))
    best: tuple[float, tuple[float, float, float, float] | None] = (-1.0, None)
    for share in shares:
        size = min(share * target.shape[0] / image.shape[0], share * target.shape[1] / image.shape[1])
        rows, columns = round(image.shape[0] * size), round(image.shape[1] * size)
        if min(rows, columns) < 8:
            continue
        values = _slide(_resize(image, rows, columns), target)
        values = np.where(_is_central(values.shape, target.shape, shift), values, -1.0)
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


def cut_dark_edges(thumbnail: UInt8Array) -> UInt8Array:
    """A thumbnail without the dark rows and columns at its edges.

    Nothing is cut where that would take more than `MOST_BARS` of a side: a dark picture has no bars.
    """
    gray = thumbnail.mean(axis=2)
    rows, columns = (_measure_bars((gray <= MAX_BAR_LEVEL).mean(axis=axis) >= BAR_SHARE) for axis in (1, 0))
    if rows is None or columns is None:
        return thumbnail
    return np.ascontiguousarray(thumbnail[rows[0] : rows[1], columns[0] : columns[1]])


def _measure_bars(is_dark: NDArray[np.bool_]) -> tuple[int, int] | None:
    """Where the picture between the bars starts and stops along one axis, None without a picture."""
    bright = np.flatnonzero(~is_dark)
    if len(bright) == 0:
        return None
    start, stop = int(bright[0]), int(bright[-1]) + 1
    return (start, stop) if stop - start >= max(8, (1 - MOST_BARS) * len(is_dark)) else None


def _cut_every_way(thumbnail: UInt8Array, aspect: float) -> Iterator[UInt8Array]:
    """As it is, with even bars cut to the image's shape, and with every dark edge cut: without repeats."""
    ways = thumbnail, cut_bars(thumbnail, aspect), cut_dark_edges(thumbnail)
    yield from {way.shape: way for way in ways}.values()


def _cut_margin(gray: Gray) -> Gray:
    top, left = (round(MARGIN * side) for side in gray.shape)
    return gray[top : gray.shape[0] - top, left : gray.shape[1] - left]


def _measure_fine_share(pixels: UInt8Array, small: Gray) -> float:
    """1 - variance of the reduced image / variance of the image, 0 for a flat one."""
    step = max(1, max(pixels.shape[:2]) // (16 * COMPARED_SIDE))
    whole = float(pixels[::step, ::step].mean(axis=2).var())
    return 0.0 if whole < 1e-6 else round(max(0.0, 1.0 - float(small.var()) / whole), 3)


def _is_central(places: tuple[int, ...], whole: tuple[int, ...], shift: float) -> NDArray[np.bool_]:
    """Which places of a part lie within `shift` of the middle, both ways."""
    down, across = (
        np.abs(np.arange(count) - (count - 1) / 2) <= max(shift * side, 0.5)
        for count, side in zip(places, whole, strict=True)
    )
    places_inside: NDArray[np.bool_] = np.logical_and.outer(down, across)
    return places_inside


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
