"""Copy-move forgeries: an irregular part of a photograph, turned, scaled and pasted elsewhere in it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from PIL import Image, ImageFilter

from imforensics.datasets.synthesis.forgery import Forgery
from imforensics.datasets.synthesis.shapes import draw_blob

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from imforensics.types import BoolArray, UInt8Array

    Matrix = NDArray[np.float64]

ATTEMPTS = 200  # places tried before giving up
SHRINK_BLUR = 0.5  # sigma = 0.5 sqrt(1 / scale^2 - 1) pixels before shrinking keeps fine detail from aliasing
TOUCHED = 8  # pixels beyond the source that bicubic interpolation and a softened edge may read
MIN_SIDE = 48


def forge_copy_move(  # noqa: PLR0913 - each is a property of the copy of its own
    pixels: UInt8Array,
    rng: np.random.Generator,
    *,
    rotation: float = 0.0,
    scale: float = 1.0,
    area: float = 0.05,
    feather: float = 1.0,
    min_change: float = 4.0,
    shape: BoolArray | None = None,
    attempts: int = ATTEMPTS,
) -> Forgery:
    """Copy a part of a photograph to another place of it. Saving is the caller's.

    The part is a random blob, or the shape given. With another turn or a scale the copy is interpolated
    (bicubic, blurred before shrinking); shifts and quarter turns are exact inside the feathered edge. Source
    and target lie inside the picture and do not overlap.

    Args:
        pixels: (H, W, 3) uint8 RGB, at least 48 pixels on each side; not modified.
        rng: gives outline and places.
        rotation: in degrees, counter-clockwise as seen.
        scale: size of the copy relative to its source, in [0.25, 4].
        area: of the source, as share of the picture, in (0, 0.25].
        feather: sigma in pixels of the Gaussian that softens the edge; 0 leaves it hard.
        min_change: mean absolute change in gray levels under the target; a copy that nobody could see (sky
            on sky) is placed anew.
        shape: (h, w) bool, the part instead of a random blob of that area, (h, w) within the picture.
        attempts: places tried before giving up.

    Returns:
        The forgery; its masks and transform are exact.

    Raises:
        TypeError: pixels of another dtype.
        ValueError: arguments out of range, or no two places for the copy in the picture.

    >>> picture = np.random.default_rng(0).integers(0, 256, (96, 128, 3), dtype=np.uint8)
    >>> forged = forge_copy_move(picture, np.random.default_rng(1), feather=0)
    >>> bool((forged.pixels != picture).any(axis=2)[~forged.target_mask].any())
    False
    """
    _check(pixels, scale, area)
    height, width = pixels.shape[:2]
    blob = draw_blob(max(16, round(area * height * width)), rng) if shape is None else shape
    turn = _turn(rotation, scale)
    for _ in range(attempts):
        placed = _place(blob, turn, (height, width), rng)
        if placed is None:
            continue
        source, transform = placed
        alpha = _cover(source, transform, feather)
        target = np.asarray(alpha >= 0.5)
        if not target.any() or (target & source).any() or _touches_edge(target):
            continue
        forged = _paste(pixels, transform, alpha, source, scale)
        if np.abs(forged[target].astype(np.int16) - pixels[target]).mean() >= min_change:
            return Forgery(forged, target, source, transform)
    share = blob.sum() / (height * width)
    raise ValueError(
        f"Found no place for a copy of {share:.0%} of a {width}x{height} picture at scale {scale:g} that "
        f"changes it by {min_change:g} gray levels in {attempts} attempts. Ask for a smaller area or change"
    )


def _check(pixels: UInt8Array, scale: float, area: float) -> None:
    if pixels.dtype != np.uint8:
        raise TypeError(f"Expected uint8 pixels in [0, 255]; received {pixels.dtype}")
    if pixels.ndim != 3 or pixels.shape[2] != 3 or min(pixels.shape[:2]) < MIN_SIDE:
        raise ValueError(f"Expected (H, W, 3) with sides of at least {MIN_SIDE}; received {pixels.shape}")
    if not 0.25 <= scale <= 4:
        raise ValueError(f"Expected a scale in [0.25, 4]; received {scale:g}")
    if not 0 < area <= 0.25:
        raise ValueError(f"Expected an area in (0, 0.25] of the picture; received {area:g}")


def _turn(rotation: float, scale: float) -> Matrix:
    """(2, 2) matrix on (x, y) with y down; exact for multiples of 90 degrees."""
    angle = np.deg2rad(rotation)
    cosine, sine = np.cos(angle), np.sin(angle)
    exact = np.round(np.array([[cosine, sine], [-sine, cosine]]), 12)
    return np.asarray(scale * exact, dtype=np.float64)


def _place(
    blob: BoolArray, turn: Matrix, shape: tuple[int, int], rng: np.random.Generator
) -> tuple[BoolArray, Matrix] | None:
    """Source mask, and transform to a random place; exact for quarter turns. None where too big."""
    height, width = shape
    free = height - blob.shape[0], width - blob.shape[1]
    if min(free) < 0:
        return None
    top, left = int(rng.integers(free[0] + 1)), int(rng.integers(free[1] + 1))
    source = np.zeros(shape, dtype=np.bool_)
    source[top : top + blob.shape[0], left : left + blob.shape[1]] = blob
    centre = np.array([left + (blob.shape[1] - 1) / 2, top + (blob.shape[0] - 1) / 2])
    corner = np.array([blob.shape[1], blob.shape[0]]) / 2
    reach = np.abs(turn) @ corner
    low, high = reach, np.array([width - 1, height - 1]) - reach
    # A blob seldom fills its box when turned: half a reach beyond the edge is tried, the caller checks.
    target = rng.uniform(low - reach / 2, high + reach / 2)
    shift = target - turn @ centre
    if (turn == np.rint(turn)).all():  # shifts and quarter turns need no interpolation
        shift = np.rint(shift)
    return source, np.column_stack([turn, shift])


def _invert(transform: Matrix) -> tuple[float, ...]:
    """The six numbers that Pillow wants: output to input, (0.5, 0.5) at the centre of the first pixel."""
    inverse = np.linalg.inv(transform[:, :2])
    half = np.array([0.5, 0.5])
    shift = half - inverse @ (transform[:, 2] + half)
    return (*inverse[0], float(shift[0]), *inverse[1], float(shift[1]))


def _cover(source: BoolArray, transform: Matrix, feather: float) -> NDArray[np.float32]:
    """Opacity of the copy at each pixel, [0, 1], softened inwards so that it stays within the blob."""
    plane = Image.fromarray(source.astype(np.float32))
    cover = plane.transform(plane.size, Image.Transform.AFFINE, _invert(transform), Image.Resampling.BILINEAR)
    values = np.array(cover, dtype=np.float32)
    if feather <= 0:
        return np.asarray(values >= 0.5, dtype=np.float32)
    box = _bounds(values > 0, _reach(feather))
    as_gray = Image.fromarray(np.rint(values[box] * 255).astype(np.uint8))
    soft = np.asarray(as_gray.filter(ImageFilter.GaussianBlur(feather)), dtype=np.float32) / 255
    values[box] = np.where(values[box] > 0, soft, 0)
    return values


def _touches_edge(mask: BoolArray) -> bool:
    return bool(mask[0].any() or mask[-1].any() or mask[:, 0].any() or mask[:, -1].any())


def _paste(
    pixels: UInt8Array, transform: Matrix, alpha: NDArray[np.float32], source: BoolArray, scale: float
) -> UInt8Array:
    box = _bounds(alpha > 0, 0)
    share, below = alpha[box][..., np.newaxis], pixels[box]
    moved = _move(pixels, transform, source, scale, box).astype(np.float32)
    forged = pixels.copy()
    forged[box] = np.where(share > 0, np.clip(np.rint(share * moved + (1 - share) * below), 0, 255), below)
    return forged


def _move(
    pixels: UInt8Array, transform: Matrix, source: BoolArray, scale: float, box: tuple[slice, slice]
) -> UInt8Array:
    """What the copy shows in a box of the picture; a shift by whole pixels needs no interpolation."""
    right, down = (round(shift) for shift in transform[:, 2].tolist())
    if np.array_equal(transform, [[1, 0, right], [0, 1, down]]):
        rows, columns = (
            np.clip(np.arange(side.start, side.stop) - shift, 0, limit - 1)
            for side, shift, limit in zip(box, (down, right), pixels.shape[:2], strict=True)
        )
        return np.asarray(pixels[np.ix_(rows, columns)])
    image = Image.fromarray(pixels)
    if scale < 1:
        sigma = SHRINK_BLUR * float(np.sqrt(1 / scale**2 - 1))
        rows, columns = _bounds(source, _reach(sigma) + TOUCHED)
        part = image.crop((columns.start, rows.start, columns.stop, rows.stop))
        image.paste(part.filter(ImageFilter.GaussianBlur(sigma)), (columns.start, rows.start))
    moved = image.transform(image.size, Image.Transform.AFFINE, _invert(transform), Image.Resampling.BICUBIC)
    return np.asarray(moved)[box]


def _bounds(mask: BoolArray, margin: int) -> tuple[slice, slice]:
    """Rows and columns that hold all True pixels, with a margin, within the picture; all of an empty mask."""
    if not mask.any():
        return slice(0, mask.shape[0]), slice(0, mask.shape[1])
    rows, columns = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
    return (
        slice(max(0, int(rows[0]) - margin), min(mask.shape[0], int(rows[-1]) + margin + 1)),
        slice(max(0, int(columns[0]) - margin), min(mask.shape[1], int(columns[-1]) + margin + 1)),
    )


def _reach(sigma: float) -> int:
    """Pixels beyond which Pillow's Gaussian blur (three box blurs) sees nothing."""
    return int(np.ceil(4 * sigma)) + 4
