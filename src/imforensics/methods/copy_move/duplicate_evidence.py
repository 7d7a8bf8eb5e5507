"""How much a duplicate differs from what one saving leaves of a copy, and which of its parts was pasted."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from imforensics.methods.copy_move.duplicate_regions import Box, Duplicate, extract_detail, warp_back
from imforensics.methods.copy_move.local_correlation import box_mean
from imforensics.methods.copy_move.match_clusters import apply_affine, invert_affine
from imforensics.preprocessing.jpeg import decode_jpeg, encode_jpeg
from imforensics.preprocessing.noise import luma as to_luma

if TYPE_CHECKING:
    from collections.abc import Sequence

    from imforensics.types import BoolArray, FloatArray, UInt8Array, UInt16Array

    Matrix = NDArray[np.float64]

Part = Literal["first", "second"]

GRID = 8
NOISE_RADIUS = 8
ROUNDING_VARIANCE = 0.3  # gray levels squared: 8-bit rounding of both parts (2/12), and a margin as large
# Share of the detail's variance that interpolation and an inexact map may take; real repetition leaves more.
TOLERATED_SHARE = 0.03
MIN_FINE_PIXELS = 200
MIN_SELF_COVER = 0.4
MIN_RESCALE = 1.1
# ln of the enlarged part's finest detail over what interpolation gives: 0 for a copy, 2 to 3 for an original.
ENLARGED_EXCESS, SHRUNKEN_EXCESS = 0.6, 1.5
MIN_FINE = 20.0  # times the noise of a saving: below, the saving speaks, not the content
MIN_GRID, MIN_GRID_LEAD = 3.0, 3.5  # standard errors


def make_working_luma(pixels: UInt8Array, *, max_pixels: int) -> tuple[FloatArray, float]:
    """Luma of a picture, made smaller where it has more than `max_pixels` pixels.

    Args:
        pixels: (H, W, 3) uint8 RGB.
        max_pixels: of the result.

    Returns:
        (h, w) float32 in [0, 255], and h / H, at most 1.
    """
    height, width = pixels.shape[:2]
    scale = min(1.0, float(np.sqrt(max_pixels / (height * width))))
    if scale < 1:
        size = max(1, round(width * scale)), max(1, round(height * scale))
        pixels = np.asarray(Image.fromarray(pixels).resize(size, Image.Resampling.LANCZOS, reducing_gap=2.0))
    return to_luma(pixels), scale


def saving_noise(luma: FloatArray, tables: Sequence[UInt16Array], *, scale: float = 1.0) -> FloatArray:
    """What one saving changes in the detail around each pixel: measured by saving once more, off the grid.

    Args:
        luma: (H, W) float32, gray levels.
        tables: quantization tables of the last saving, (8, 8) each; none where it was without loss.
        scale: of `luma` relative to the file: averaging pixels lowers the noise.

    Returns:
        (H, W) float32, mean squared change of the detail, gray levels squared, rounding included.
    """
    if not tables:
        return np.full(luma.shape, ROUNDING_VARIANCE, dtype=np.float32)
    half = GRID // 2
    moved = np.pad(np.clip(np.rint(luma), 0, 255).astype(np.uint8), ((half, 0), (half, 0)), mode="edge")
    divisors = np.clip(tables[0], 1, 255).astype(np.uint16)
    saved = decode_jpeg(encode_jpeg(moved, tables=[divisors]))
    change = _as_plane(saved)[half:, half:].astype(np.float32) - luma
    noise = box_mean(extract_detail(change) ** 2, NOISE_RADIUS) * np.float32(scale * scale)
    return np.asarray(np.maximum(noise, ROUNDING_VARIANCE), dtype=np.float32)


def residual_ratio(duplicate: Duplicate, noise: FloatArray) -> float:
    """Difference of the two parts' detail relative to what separates a copy from its source.

    (1 - correlation) * contrast is half the variance of the difference. Each part carries the noise of the
    last saving, so that a copy has about `noise` there, and a small share of the contrast for interpolation.
    A copy has about 0.2 to 0.9; things that merely look alike have more.

    Args:
        duplicate: the two parts.
        noise: (H, W) float32, see `saving_noise`.

    Returns:
        The ratio, at least 0.
    """
    level = float(noise[duplicate.box.slices][duplicate.mask].mean())
    difference = (1 - duplicate.correlation) * duplicate.contrast
    return difference / (level + TOLERATED_SHARE * duplicate.contrast)


def self_repetition(luma: FloatArray, duplicate: Duplicate) -> float:
    """How well the first part of a duplicate agrees with itself, moved by some pixels.

    Args:
        luma: (H, W) float32, gray levels.
        duplicate: the two parts.

    Returns:
        The highest correlation of the detail over all shifts of 8 pixels and more at which two fifths of the
        part cover themselves, [-1, 1]; about 1 for a regular pattern.
    """
    mask = duplicate.mask.astype(np.float32)
    detail = extract_detail(luma[duplicate.box.slices]) * mask
    size = (2 * mask.shape[0], 2 * mask.shape[1])
    spectrum, energy, cover = (np.fft.rfft2(plane, s=size) for plane in (detail, detail * detail, mask))
    products = np.fft.irfft2(spectrum * spectrum.conj(), s=size)
    counts = np.fft.irfft2(cover * cover.conj(), s=size)
    one, other = np.fft.irfft2(energy * cover.conj(), s=size), np.fft.irfft2(cover * energy.conj(), s=size)
    down, across = (np.minimum(np.arange(side), side - np.arange(side)) for side in size)
    allowed = (counts >= MIN_SELF_COVER * float(mask.sum())) & (np.hypot(down[:, None], across) >= GRID)
    if not allowed.any():
        return 0.0
    return float((products[allowed] / np.sqrt(np.maximum(one * other, 1e-6)[allowed])).max())


def cover_second(duplicate: Duplicate, shape: tuple[int, int]) -> BoolArray:
    """The second part of a duplicate as a mask of the whole picture, (H, W) bool."""
    first = np.zeros(shape, dtype=np.float32)
    first[duplicate.box.slices][duplicate.mask] = 1
    rows, columns = np.nonzero(duplicate.mask)
    points = np.stack([columns + duplicate.box.left, rows + duplicate.box.top], axis=1)
    images = apply_affine(duplicate.transform, points.astype(np.float64))
    low, high = np.floor(images.min(axis=0)).astype(int) - 1, np.ceil(images.max(axis=0)).astype(int) + 2
    box = Box(max(low[1], 0), max(low[0], 0), min(high[1], shape[0]), min(high[0], shape[1]))
    result = np.zeros(shape, dtype=np.bool_)
    values, inside = warp_back(first, invert_affine(duplicate.transform), box)
    result[box.slices] = (values >= 0.5) & inside
    return result


def tell_rescaled(luma: FloatArray, duplicate: Duplicate, noise: FloatArray) -> Part | None:
    """Which part was pasted, where one is an enlarged or a shrunken copy of the other.

    An enlarged part has the finest detail that interpolating the other one gives; a part that was there
    before a smaller copy was made of it has much more.

    Args:
        luma: (H, W) float32, gray levels.
        duplicate: the two parts; the second is not the smaller one.
        noise: (H, W) float32, see `saving_noise`.

    Returns:
        The pasted part; None for copies of nearly equal size, and where the detail does not tell.
    """
    scale = float(np.sqrt(abs(np.linalg.det(duplicate.transform[:, :2]))))
    if scale < MIN_RESCALE or duplicate.area < MIN_FINE_PIXELS:
        return None
    second = cover_second(duplicate, luma.shape)
    if not second.any():
        return None
    rows, columns = np.flatnonzero(second.any(axis=1)), np.flatnonzero(second.any(axis=0))
    box = Box(int(rows[0]), int(columns[0]), int(rows[-1]) + 1, int(columns[-1]) + 1)
    mask = second[box.slices]
    interpolated = warp_back(luma, invert_affine(duplicate.transform), box)[0]
    fine, expected = _fine_energy(luma[box.slices], mask), _fine_energy(interpolated, mask)
    if min(fine, expected) < MIN_FINE * float(noise[box.slices][mask].mean()):
        return None
    excess = float(np.log(fine / expected))
    if excess > SHRUNKEN_EXCESS:
        return "first"
    return "second" if abs(excess) < ENLARGED_EXCESS else None


def tell_off_grid(luma: FloatArray, duplicate: Duplicate) -> Part | None:
    """Which part brought the block grid of an earlier saving to a place where it does not belong.

    For a shift that is no multiple of 8 pixels: block edges of the earlier saving that moved along with the
    copy lie off the grid of the file.

    Args:
        luma: (H, W) float32 at the size of the file, gray levels.
        duplicate: the two parts, of a shift.

    Returns:
        The pasted part; None for other maps and where no displaced grid is seen, or one in both parts.
    """
    shift = np.rint(duplicate.transform[:, 2]).astype(int)
    if np.abs(duplicate.transform[:, :2] - np.eye(2)).max() > 0.01 or not (shift % GRID).any():
        return None
    first = np.zeros(luma.shape, dtype=np.bool_)
    first[duplicate.box.slices] = duplicate.mask
    second = cover_second(duplicate, luma.shape)
    strength_first = _grid_strength(luma, first, -shift)
    strength_second = _grid_strength(luma, second, shift)
    if max(strength_first, strength_second) < MIN_GRID:
        return None
    if abs(strength_first - strength_second) < MIN_GRID_LEAD:
        return None
    return "first" if strength_first > strength_second else "second"


def _grid_strength(luma: FloatArray, mask: BoolArray, shift: NDArray[np.int64]) -> float:
    """How much stronger the steps on a displaced grid are than on other lines, in standard errors."""
    strength, directions = 0.0, 0
    for plane, inside, by in ((luma, mask, int(shift[0])), (luma.T, mask.T, int(shift[1]))):
        if by % GRID == 0:
            continue
        step = np.abs(plane[:, 3:] - plane[:, :-3] - 3 * (plane[:, 2:-1] - plane[:, 1:-2]))
        step = np.minimum(step, 30)
        within = inside[:, 2:-1] & inside[:, 1:-2]
        phase = (np.arange(step.shape[1]) + 2) % GRID  # of the pixel right of the edge
        sums = np.array([step[:, phase == k][within[:, phase == k]].sum() for k in range(GRID)])
        counts = np.array([within[:, phase == k].sum() for k in range(GRID)])
        if counts.min() < 30:
            continue
        means = sums / counts
        others = np.delete(means, sorted({0, by % GRID}))
        spread = float(step[within].std()) / float(np.sqrt(counts[by % GRID]))
        strength += (float(means[by % GRID]) - float(others.mean())) / max(spread, 1e-6)
        directions += 1
    return strength / float(np.sqrt(directions)) if directions else 0.0


def _fine_energy(plane: FloatArray, mask: BoolArray) -> float:
    """Mean square of the mixed second difference inside a mask."""
    inner = plane[1:-1] * 2 - plane[:-2] - plane[2:]
    inner = inner[:, 1:-1] * 2 - inner[:, :-2] - inner[:, 2:]
    chosen = inner[mask[1:-1, 1:-1]]
    return float(np.mean(chosen * chosen)) + 1e-6 if chosen.size else 1e-6


def _as_plane(pixels: UInt8Array) -> UInt8Array:
    return pixels if pixels.ndim == 2 else pixels[..., 0]
