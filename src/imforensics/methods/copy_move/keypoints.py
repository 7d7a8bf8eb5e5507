"""Keypoints of one picture and their matches within it. Needs OpenCV, which is in the extra "copy-move"."""

from __future__ import annotations

from dataclasses import dataclass
from importlib import import_module
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from imforensics.types import FloatArray, UInt8Array

    IndexArray = NDArray[np.int64]

CONTRAST = 0.01  # of SIFT's detector; its own 0.04 leaves smooth objects without a keypoint
NEIGHBOURS = 4  # most copies of one part that are told apart
CHUNK = 1024  # keypoints matched at a time: the table of distances stays below 40 MB
SIDE, BINS = 4, 8  # SIFT's grid of cells and its directions a cell


@dataclass(frozen=True, slots=True)
class Keypoints:
    """Points of interest with what is around them.

    Attributes:
        positions: (N, 2) float32, x and y in pixels, (0, 0) at the centre of the top-left one.
        descriptors: (N, 128) float32, Hellinger-normalised: unit length, so that d^2 = 2 - 2 dot.
    """

    positions: FloatArray
    descriptors: FloatArray


def has_opencv() -> bool:
    """OpenCV can be imported."""
    try:
        import_module("cv2")
    except ImportError:
        return False
    return True


def find_keypoints(plane: UInt8Array, *, limit: int) -> Keypoints:
    """SIFT keypoints of a gray picture, those of the strongest response first.

    Args:
        plane: (H, W) uint8.
        limit: at most so many.

    Returns:
        The keypoints, in an order that depends on the picture alone.

    Raises:
        ImportError: OpenCV is not installed.

    Reference: D. G. Lowe, Distinctive image features from scale-invariant keypoints, IJCV 60(2), 2004, doi
        10.1023/B:VISI.0000029664.99615.94; R. Arandjelovic, A. Zisserman, Three things everyone should know
        to improve object retrieval, CVPR 2012, doi 10.1109/CVPR.2012.6248018 (the Hellinger kernel).
    """
    import cv2

    detector = cv2.SIFT.create(nfeatures=limit, contrastThreshold=CONTRAST)
    found, descriptors = detector.detectAndCompute(plane, None)
    if descriptors is None or len(found) == 0:
        return Keypoints(np.empty((0, 2), np.float32), np.empty((0, 128), np.float32))
    order = sorted(range(len(found)), key=lambda i: (-found[i].response, found[i].pt, found[i].angle))[:limit]
    positions = np.array([found[i].pt for i in order], dtype=np.float32)
    return Keypoints(positions, _normalize(np.asarray(descriptors, dtype=np.float32)[order]))


def mirror_descriptors(descriptors: FloatArray) -> FloatArray:
    """The descriptors of the same points in the mirrored picture.

    A mirror reverses one axis of the grid of cells and the sense of the directions; nothing is computed anew.

    Args:
        descriptors: (N, 128) float32 as SIFT lays them out: rows, columns, directions.

    Returns:
        (N, 128) float32.
    """
    cells = descriptors.reshape(-1, SIDE, SIDE, BINS)
    directions = -np.arange(BINS) % BINS
    return np.ascontiguousarray(cells[:, ::-1, :, directions]).reshape(-1, SIDE * SIDE * BINS)


def match_keypoints(
    keypoints: Keypoints, *, min_distance: float, ratio: float, mirrored: bool = False
) -> IndexArray:
    """Pairs of keypoints that resemble each other more than anything else in the picture (g2NN).

    The nearest descriptors of each keypoint are taken in order as long as each is nearer than `ratio` times
    the next: several copies of a part all match, a part of a regular pattern does not.

    Args:
        keypoints: of one picture.
        min_distance: in pixels; points nearer to each other are never compared.
        ratio: in (0, 1), of distances of neighbours in rank.
        mirrored: look for points that resemble the mirror image.

    Returns:
        (M, 2) int64 indices of keypoints, both orders of a pair once each, sorted.

    Reference: I. Amerini et al., A SIFT-based forensic method for copy-move attack detection and
        transformation recovery, IEEE TIFS 6(3), 2011, doi 10.1109/TIFS.2011.2129512.
    """
    count = len(keypoints.positions)
    if count <= NEIGHBOURS + 1:
        return np.empty((0, 2), dtype=np.int64)
    sought = mirror_descriptors(keypoints.descriptors) if mirrored else keypoints.descriptors
    pairs = []
    for start in range(0, count, CHUNK):
        chunk = slice(start, start + CHUNK)
        likeness = sought[chunk] @ keypoints.descriptors.T
        near = _within(keypoints.positions[chunk], keypoints.positions, min_distance)
        likeness[near] = -1
        ranks, distances = _take_nearest(likeness, NEIGHBOURS + 1)
        is_nearer = distances[:, :-1] < ratio * distances[:, 1:]
        accepted = np.logical_and.accumulate(is_nearer, axis=1)
        rows, columns = np.nonzero(accepted)
        pairs.append(np.stack([rows + start, ranks[rows, columns]], axis=1))
    forth = np.concatenate(pairs)
    return np.unique(np.concatenate([forth, forth[:, ::-1]]), axis=0)


def _normalize(descriptors: FloatArray) -> FloatArray:
    sums = np.maximum(descriptors.sum(axis=1, keepdims=True), np.float32(1e-6))
    return np.asarray(np.sqrt(descriptors / sums), dtype=np.float32)


def _within(some: FloatArray, others: FloatArray, distance: float) -> NDArray[np.bool_]:
    """Pairs nearer than `distance`: |a|^2 - 2 a b + |b|^2 as one product of matrices."""
    left = np.column_stack([-2 * some, (some * some).sum(axis=1), np.ones(len(some), np.float32)])
    right = np.column_stack([others, np.ones(len(others), np.float32), (others * others).sum(axis=1)])
    return np.asarray(left @ right.T < np.float32(distance * distance))


def _take_nearest(likeness: FloatArray, count: int) -> tuple[IndexArray, FloatArray]:
    """Indices and distances of the `count` most alike, nearest first; `likeness` is used up."""
    rows = np.arange(len(likeness))
    ranks = np.empty((len(likeness), count), dtype=np.int64)
    distances = np.empty((len(likeness), count), dtype=np.float32)
    for rank in range(count):
        ranks[:, rank] = likeness.argmax(axis=1)
        best = likeness[rows, ranks[:, rank]]
        distances[:, rank] = np.sqrt(np.maximum(2 - 2 * best, 0))
        likeness[rows, ranks[:, rank]] = -1
    return ranks, distances
