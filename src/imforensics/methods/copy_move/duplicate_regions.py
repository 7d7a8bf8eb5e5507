"""Is one part of a picture a copy of another? Warp, correlate, and keep what agrees in fine detail."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from imforensics.methods.copy_move.local_correlation import box_mean, gaussian_blur, local_correlation
from imforensics.methods.copy_move.match_clusters import apply_affine, invert_affine, is_plausible
from imforensics.preprocessing.components import label_components

if TYPE_CHECKING:
    from imforensics.types import BoolArray, FloatArray

    Matrix = NDArray[np.float64]

DETAIL_RADIUS = 2  # detail is what a mean over 5x5 pixels leaves: shading alone makes any two skies alike
WINDOW_RADIUS = 6  # of the local correlation
DETAIL_FLOOR, LUMA_FLOOR = 1.0, 2.0  # gray levels below which a window counts as empty
MIN_DETAIL, MIN_LUMA = 0.5, 0.6  # local correlation down to which a part is followed
GROWTH, GROWTH_SHARE = 8, 0.03  # radius that a part is grown in to what differs as little as it
ALIKE = 2.0  # times its mean squared difference
SMOOTHING_RADIUS = 3  # of the majority vote that closes holes and cuts threads
MARGIN = 48  # pixels around the matches that are looked at too, or half their extent
ALIGN_LUMA = 0.75  # local correlation of the parts that the map is refined on
PASSES, REFINEMENTS = 2, 3
SNAP = 0.02  # a map this near to a shift is taken for one: then nothing is interpolated
MAX_SHIFT = 3.0  # pixels that the refinement may move a point


@dataclass(frozen=True, slots=True)
class Box:
    """A part of a picture: rows top to bottom, columns left to right, ends exclusive."""

    top: int
    left: int
    bottom: int
    right: int

    @property
    def slices(self) -> tuple[slice, slice]:
        """For indexing an (H, W) array."""
        return slice(self.top, self.bottom), slice(self.left, self.right)


@dataclass(frozen=True, slots=True)
class Duplicate:
    """Two parts of a picture that show the same in fine detail.

    Attributes:
        transform: (2, 3) float64, [x', y'] = transform @ [x, y, 1] from the first part to the second, which
            is not the smaller one.
        box: where the arrays of the first part lie.
        mask: bool of the box's size, the first part, grown to its rim.
        agreement: float32 of the box's size, local correlation of the detail, [0, 1].
        correlation: of the detail over the whole part, [-1, 1].
        contrast: variance of the detail over the part, gray levels squared.
        area: pixels of the first part whose surroundings agree.
    """

    transform: Matrix
    box: Box
    mask: BoolArray
    agreement: FloatArray
    correlation: float
    contrast: float
    area: int


def find_duplicate(
    luma: FloatArray, transform: Matrix, points: FloatArray | Matrix, *, min_distance: float
) -> Duplicate | None:
    """Verify that the surroundings of some points are a copy of what an affine map leads to.

    The map is refined on the gray values, both parts are compared in windows of 13x13 pixels, in detail and
    in shading, and the connected parts with matching points are kept.

    Args:
        luma: (H, W) float32, gray levels in [0, 255].
        transform: (2, 3), [x', y'] = transform @ [x, y, 1], pixels.
        points: (N, 2) x, y of matches that the map explains.
        min_distance: pixels nearer to their image than this are left out.

    Returns:
        The two parts; None where nothing agrees.
    """
    if np.sqrt(abs(np.linalg.det(transform[:, :2]))) < 1 - 1e-6:  # compare on the grid of the smaller part
        points, transform = apply_affine(transform, points), invert_affine(transform)
    box = surround(points, luma.shape)
    refined = _refine(luma, transform, box, points, min_distance)
    best = None
    for candidate in (refined, *_snap(refined)):
        found = _measure(luma, candidate, box, points, min_distance)
        if found is not None and (best is None or _merit(found) > _merit(best)):
            best = found
    return best


def extract_detail(luma: FloatArray) -> FloatArray:
    """The luma without its local mean.

    Args:
        luma: (H, W) float32, gray levels.

    Returns:
        (H, W) float32, gray levels around 0.
    """
    return np.asarray(luma - box_mean(luma, DETAIL_RADIUS), dtype=np.float32)


def warp_back(plane: FloatArray, transform: Matrix, box: Box) -> tuple[FloatArray, BoolArray]:
    """At each pixel p of a box the value at transform(p), bicubic, blurred first where the map enlarges.

    Args:
        plane: (H, W) float32.
        transform: (2, 3), on x and y with (0, 0) at the centre of the top-left pixel.
        box: which pixels.

    Returns:
        Values, float32, and where transform(p) is inside the plane, bool; both of the box's size.

    >>> values, inside = warp_back(
    ...     np.arange(4, dtype=np.float32)[None], np.array([[1.0, 0, 1], [0, 1, 0]]), Box(0, 0, 1, 4)
    ... )
    >>> values[0, :3].tolist(), inside[0].tolist()
    ([1.0, 2.0, 3.0], [True, True, True, False])
    """
    corners = [(x, y) for x in (box.left, box.right - 1) for y in (box.top, box.bottom - 1)]
    images = apply_affine(transform, np.array(corners, dtype=np.float64))
    reach = _clip_box(images.min(axis=0) - 4, images.max(axis=0) + 4, plane.shape)
    scale = float(np.sqrt(abs(np.linalg.det(transform[:, :2]))))
    part = gaussian_blur(plane[reach.slices], 0.5 * float(np.sqrt(max(scale * scale - 1, 0))))
    # Pillow has (0.5, 0.5) at the centre of the first pixel
    half, origin = np.array([0.5, 0.5]), np.array([box.left, box.top])
    shift = transform[:, :2] @ (origin - half) + transform[:, 2] + half - np.array([reach.left, reach.top])
    numbers = (*transform[0, :2], float(shift[0]), *transform[1, :2], float(shift[1]))
    image = Image.fromarray(np.ascontiguousarray(part, dtype=np.float32))
    size = (box.right - box.left, box.bottom - box.top)
    moved = image.transform(size, Image.Transform.AFFINE, numbers, Image.Resampling.BICUBIC)
    x, y = map_grid(transform, box)
    inside = (x >= 0) & (y >= 0) & (x <= plane.shape[1] - 1) & (y <= plane.shape[0] - 1)
    return np.asarray(moved, dtype=np.float32), inside


def map_grid(transform: Matrix, box: Box) -> tuple[Matrix, Matrix]:
    """x and y of the image of each pixel of a box; float64 of the box's size."""
    x, y = np.arange(box.left, box.right), np.arange(box.top, box.bottom)[:, np.newaxis]
    (a, b, c), (d, e, f) = transform
    return a * x + b * y + c, d * x + e * y + f


def _merit(duplicate: Duplicate) -> float:
    return duplicate.area * max(duplicate.correlation, 0.0) ** 4


def surround(points: FloatArray | Matrix, shape: tuple[int, ...]) -> Box:
    """The part of a picture of that shape in which a copy around some points x, y is looked for."""
    low, high = points.min(axis=0), points.max(axis=0)
    margin = np.maximum(MARGIN, (high - low) / 2)
    return _clip_box(low - margin, high + margin, shape)


def _clip_box(low: Matrix, high: Matrix, shape: tuple[int, ...]) -> Box:
    left, top = (max(0, int(np.floor(value))) for value in low)
    right, bottom = (int(np.ceil(value)) + 1 for value in high)
    top, left = min(top, shape[0] - 1), min(left, shape[1] - 1)
    return Box(top, left, max(top + 1, min(bottom, shape[0])), max(left + 1, min(right, shape[1])))


def _snap(transform: Matrix) -> list[Matrix]:
    """The whole-pixel shift, with or without a mirror, that a map is nearly."""
    for exact in (np.eye(2), np.diag([-1.0, 1.0]), np.diag([1.0, -1.0])):
        if np.abs(transform[:, :2] - exact).max() < SNAP:
            return [np.column_stack([exact, np.rint(transform[:, 2])])]
    return []


def _agreement(
    luma: FloatArray, transform: Matrix, box: Box, min_distance: float
) -> tuple[FloatArray, BoolArray, FloatArray, FloatArray, FloatArray]:
    """Local correlation of the detail; where both parts agree; detail of both parts; squared difference."""
    warped, inside = warp_back(luma, transform, box)
    own = luma[box.slices]
    detail, other = extract_detail(own), extract_detail(warped)
    fine = local_correlation(detail, other, radius=WINDOW_RADIUS, floor=DETAIL_FLOOR)
    coarse = local_correlation(own, warped, radius=WINDOW_RADIUS, floor=LUMA_FLOOR)
    inside &= _is_far(transform, box, min_distance)
    votes = (fine > MIN_DETAIL) & (coarse > MIN_LUMA) & inside
    agrees = (box_mean(votes.astype(np.float32), SMOOTHING_RADIUS) > 0.5) & inside
    return np.maximum(fine, 0), agrees, detail, other, np.where(inside, (own - warped) ** 2, np.inf)


def _grow(core: BoolArray, difference: FloatArray) -> BoolArray:
    """The core with what is near it and differs as little: its rim, where windows look beyond; flat spots."""
    near = box_mean(core.astype(np.float32), GROWTH) > GROWTH_SHARE
    limit = ALIKE * float(difference[core].mean()) + 1
    alike = box_mean(np.minimum(difference, 1e6).astype(np.float32), 2) <= limit
    return core | (near & alike)


def _is_far(transform: Matrix, box: Box, distance: float) -> BoolArray:
    """Pixels at least so far from their image."""
    x, y = map_grid(transform, box)
    x -= np.arange(box.left, box.right)
    y -= np.arange(box.top, box.bottom)[:, np.newaxis]
    return np.asarray(x * x + y * y >= distance * distance)


def _pick(mask: BoolArray, box: Box, points: FloatArray | Matrix) -> BoolArray:
    """The connected parts of a mask that hold a point."""
    labels = label_components(mask[np.newaxis])[0][0]
    columns = np.clip(np.rint(points[:, 0]).astype(np.int64) - box.left, 0, mask.shape[1] - 1)
    rows = np.clip(np.rint(points[:, 1]).astype(np.int64) - box.top, 0, mask.shape[0] - 1)
    hit = np.unique(labels[rows, columns])
    return np.isin(labels, hit[hit > 0])


def _measure(
    luma: FloatArray, transform: Matrix, box: Box, points: FloatArray | Matrix, min_distance: float
) -> Duplicate | None:
    fine, agrees, detail, other, difference = _agreement(luma, transform, box, min_distance)
    mask = _pick(agrees, box, points)
    if not mask.any():
        return None
    one, two = detail[mask].astype(np.float64), other[mask].astype(np.float64)
    energy = float(np.sqrt((one @ one) * (two @ two)))
    correlation = float(one @ two) / energy if energy > 0 else 0.0
    contrast = energy / one.size
    return Duplicate(transform, box, _grow(mask, difference), fine, correlation, contrast, int(mask.sum()))


def _refine(
    luma: FloatArray, transform: Matrix, box: Box, points: FloatArray | Matrix, min_distance: float
) -> Matrix:
    """Gauss-Newton on the gray values inside the part that agrees (Lucas and Kanade 1981, affine)."""
    for _ in range(PASSES):
        refined = _descend(luma, transform, box, points, min_distance)
        if refined is transform:
            break
        transform = refined
    return transform


def _descend(
    luma: FloatArray, transform: Matrix, box: Box, points: FloatArray | Matrix, min_distance: float
) -> Matrix:
    """Some steps on the part that agrees in shading: detail agrees only when the map is good already."""
    warped, inside = warp_back(luma, transform, box)
    alike = local_correlation(luma[box.slices], warped, radius=WINDOW_RADIUS, floor=LUMA_FLOOR) > ALIGN_LUMA
    mask = _pick(alike & inside & _is_far(transform, box, min_distance), box, points)
    if mask.sum() < 64:
        return transform
    rows, columns = np.nonzero(mask)
    centre = np.array([columns.mean(), rows.mean()])
    basis = np.stack([columns - centre[0], rows - centre[1], np.ones(rows.size)]).astype(np.float64)
    own = luma[box.slices][mask].astype(np.float64)
    refined = transform
    for _ in range(REFINEMENTS):
        step = _step(luma, refined, box, mask, own, basis)
        moved = refined + _uncentre(step, centre + np.array([box.left, box.top]))
        drift = apply_affine(moved, points) - apply_affine(transform, points)
        if np.abs(drift).max() > MAX_SHIFT or not is_plausible(moved):
            break
        refined = moved
    return refined


def _step(
    luma: FloatArray, transform: Matrix, box: Box, mask: BoolArray, own: Matrix, basis: Matrix
) -> Matrix:
    """(2, 3) change of the map in coordinates about the centre."""
    warped, _ = warp_back(luma, transform, box)
    down, across = np.gradient(warped, axis=0), np.gradient(warped, axis=1)
    # the gradient in the frame of the second part: chain rule through the map
    inverse = np.linalg.inv(transform[:, :2])
    slopes = np.stack([across[mask], down[mask]]).astype(np.float64)
    slopes = inverse.T @ slopes
    design = np.concatenate([slopes[0] * basis, slopes[1] * basis]).T
    residual = own - warped[mask]
    residual -= residual.mean()
    change = np.linalg.lstsq(design, residual, rcond=1e-8)[0]
    return np.asarray(change, dtype=np.float64).reshape(2, 3)


def _uncentre(step: Matrix, centre: Matrix) -> Matrix:
    return np.column_stack([step[:, :2], step[:, 2] - step[:, :2] @ centre])
