"""What both copy-move methods do with candidates: verify, tell the parts apart, report. No method itself."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, cast

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from imforensics.evidence.quantization import ijg_tables
from imforensics.methods.base import describe_too_small
from imforensics.methods.copy_move.duplicate_evidence import (
    Part,
    cover_second,
    residual_ratio,
    saving_noise,
    self_repetition,
    tell_off_grid,
    tell_rescaled,
)
from imforensics.methods.copy_move.duplicate_regions import Duplicate, find_duplicate, surround
from imforensics.methods.copy_move.local_correlation import box_mean
from imforensics.preprocessing.first_quantization import find_first_quantization
from imforensics.types import Artifact, Finding, LocalizationMap

if TYPE_CHECKING:
    from collections.abc import Iterable

    from imforensics.types import BoolArray, Evidence, Family, FloatArray, JsonValue

    Candidate = tuple[NDArray[np.float64], NDArray[np.float64]]

MIN_SIDE = 48
# Chosen on train and val of CASIA v1 and of photos, see docs/experiments/copy_move.md
HALF_WAY = 1.15  # residual ratio at which the score is 0.5
STEEPNESS = 4
MIN_CORRELATION = 0.7
MAX_STRETCH = 1.15  # of the map; those of chance matches are sheared more often than not
MAX_GLIDE, MAX_SYMMETRY_SCALE = 2.0, 0.02  # pixels; of a reflection that is taken for a symmetry
MIN_AREA = 300  # pixels of the working picture
MAX_OVERLAP = 0.2  # of the two parts, as share of the first: a regular pattern covers itself when shifted
MAX_REPETITION = 0.9  # of a part with itself when moved, relative to that with the other part
THRESHOLD = 0.5
MIN_CONTRAST = 0.5  # gray levels, standard deviation over 13x13 pixels: below, nothing can be compared
# Pixels of the working picture in which candidates are verified, together: a wall of one motif gives many
# candidates as large as the picture, and each takes a second.
MAX_SEARCHED = 1_600_000
SEEN_BEFORE = 0.7  # share of a duplicate's pixels that a better one has covered
FALLBACK_QUALITY = 90  # least noise that is allowed for: a file saved without loss may have been a JPEG


@dataclass(frozen=True, slots=True)
class Verified:
    """A duplicate that was looked at, with its masks on the working picture.

    Attributes:
        duplicate: the two parts.
        ratio: residual ratio.
        score: [0, 1].
        first: (h, w) bool.
        second: (h, w) bool.
        target: the pasted part, None where it cannot be told.
    """

    duplicate: Duplicate
    ratio: float
    score: float
    first: BoolArray
    second: BoolArray
    target: Part | None


def find_blindness(evidence: Evidence) -> str | None:
    """Why no copy can be looked for in this picture; None where one can."""
    if min(evidence.height, evidence.width) < MIN_SIDE:
        return describe_too_small(evidence, MIN_SIDE)
    if int(evidence.pixels.max()) - int(evidence.pixels.min()) <= 2:
        return "Flat all over: nothing can be told from anything else."
    return None


def min_shift(shape: tuple[int, int]) -> float:
    """Pixels that a copy must lie from its source: nearer, everything looks like itself."""
    return max(20.0, 0.04 * min(shape))


def report_duplicates(
    name: str,
    family: Family,
    evidence: Evidence,
    working: tuple[FloatArray, float],
    candidates: Iterable[Candidate],
    notes: tuple[str, ...],
) -> Finding:
    """Verify candidates and make the finding.

    Args:
        name: of the method.
        family: of the method.
        evidence: the file.
        working: luma (h, w) float32 that was searched, and its scale relative to the file.
        candidates: maps (2, 3) with (N, 2) points x, y that follow them, on the working picture.
        notes: put before the others.

    Returns:
        A finding with status "ok".
    """
    luma, scale = working
    verified, left_out = _verify(evidence, luma, scale, candidates)
    found = [one for one in verified if one.score >= THRESHOLD]
    values = np.zeros(luma.shape, dtype=np.float32)
    for one in reversed(verified):
        values[one.first | one.second] = one.score
    size = (evidence.height, evidence.width)
    full = _enlarge(values, size)
    contrast = np.maximum(box_mean(luma * luma, 6) - box_mean(luma, 6) ** 2, 0)
    valid = _enlarge((contrast >= MIN_CONTRAST**2).astype(np.float32), size) > 0
    marks, caption = _draw(luma.shape, found)
    return Finding(
        name,
        family,
        "ok",
        score=max((one.score for one in verified), default=0.0),
        map=LocalizationMap(full, valid | (full > 0)),
        mask_source=full >= THRESHOLD,
        threshold=THRESHOLD,
        threshold_policy="far_2pct",
        artifacts={"copies": Artifact(_enlarge(marks, size).astype(np.uint8), caption)} if found else {},
        observations={
            "copies": [_describe(one, scale) for one in found],
            "candidates_verified": len(verified),
            "candidates_left_out": left_out,
            "working_scale": round(scale, 4),
        },
        notes=(*notes, *_explain(found, scale, left_out)),
    )


def _verify(
    evidence: Evidence, luma: FloatArray, scale: float, candidates: Iterable[Candidate]
) -> tuple[list[Verified], int]:
    """All candidates that hold two parts, best first, without those that a better one covers.

    And how many were not looked at, because MAX_SEARCHED was used up.
    """
    distance = min_shift(luma.shape)
    noise: FloatArray | None = None
    verified = []
    searched = left_out = 0
    for transform, points in candidates:
        box = surround(points, luma.shape)
        size = (box.bottom - box.top) * (box.right - box.left)
        if searched and searched + size > MAX_SEARCHED:
            left_out += 1
            continue
        searched += size
        duplicate = find_duplicate(luma, transform, points, min_distance=distance)
        if duplicate is None or duplicate.area < MIN_AREA or not _is_regular(duplicate):
            continue
        second = cover_second(duplicate, luma.shape)
        first = np.zeros(luma.shape, dtype=np.bool_)
        first[duplicate.box.slices] = duplicate.mask
        if int((first & second).sum()) > MAX_OVERLAP * duplicate.area:
            continue
        noise = _noise(evidence, luma, scale) if noise is None else noise
        ratio = residual_ratio(duplicate, noise)
        score = 1 / (1 + (ratio / HALF_WAY) ** STEEPNESS)
        if score >= THRESHOLD and self_repetition(luma, duplicate) > MAX_REPETITION * duplicate.correlation:
            continue
        target = _tell(luma, duplicate, noise, scale) if score >= THRESHOLD else None
        verified.append(Verified(duplicate, ratio, score, first, second, target))
    return _drop_repeats(sorted(verified, key=lambda one: -one.score)), left_out


def _is_regular(duplicate: Duplicate) -> bool:
    turn, shift = duplicate.transform[:, :2], duplicate.transform[:, 2]
    large, small = np.linalg.svd(turn, compute_uv=False)
    if large > MAX_STRETCH * small or duplicate.correlation < MIN_CORRELATION:
        return False
    # A reflection done twice is a shift along its axis, which is 0 for a symmetric thing or a mirror image.
    is_reflection = np.linalg.det(turn) < 0 and abs(np.sqrt(large * small) - 1) < MAX_SYMMETRY_SCALE
    return not (is_reflection and np.abs(turn @ shift + shift).max() < 2 * MAX_GLIDE)


def _noise(evidence: Evidence, luma: FloatArray, scale: float) -> FloatArray:
    """What the last saving leaves, and where the file was saved before, that saving too."""
    table = ijg_tables(FALLBACK_QUALITY)[0].astype(np.int64)
    if evidence.jpeg is not None:
        own = evidence.jpeg.quantization_tables[0]
        coefficients = evidence.jpeg.read_coefficients()[0]
        table = np.maximum(own, table)
        if own.min() >= 1 and own.max() <= 255 and min(coefficients.shape[:2]) >= 4:
            earlier = find_first_quantization(coefficients, own)
            if earlier.is_found:
                table = np.rint(np.hypot(table, np.where(earlier.used, earlier.divisors, 0)))
    return saving_noise(luma, (np.clip(table, 1, 255).astype(np.uint16),), scale=scale)


def _tell(luma: FloatArray, duplicate: Duplicate, noise: FloatArray, scale: float) -> Part | None:
    target = tell_rescaled(luma, duplicate, noise)
    if target is None and scale == 1:
        target = tell_off_grid(luma, duplicate)
    return target


def _drop_repeats(verified: list[Verified]) -> list[Verified]:
    kept: list[Verified] = []
    for one in verified:
        both = one.first | one.second
        if all((both & (k.first | k.second)).sum() < SEEN_BEFORE * both.sum() for k in kept):
            kept.append(one)
    return kept


def _enlarge(plane: FloatArray, size: tuple[int, int]) -> FloatArray:
    if plane.shape == size:
        return plane
    image = Image.fromarray(plane).resize((size[1], size[0]), Image.Resampling.NEAREST)
    return np.array(image, dtype=np.float32)


def _draw(shape: tuple[int, ...], found: list[Verified]) -> tuple[FloatArray, str]:
    marks = np.zeros(shape, dtype=np.float32)
    for one in reversed(found):
        bright = {"first": (255, 110), "second": (110, 255), None: (180, 180)}[one.target]
        marks[one.first], marks[one.second] = bright
    return (
        marks,
        "Parts that show the same: white the pasted one, dark gray its source, light gray not told apart",
    )


def _describe(one: Verified, scale: float) -> JsonValue:
    turn = one.duplicate.transform[:, :2]
    is_mirrored = bool(np.linalg.det(turn) < 0)
    if is_mirrored:
        turn = turn @ np.diag([-1.0, 1.0])  # mirrored left to right, then turned
    angle = np.degrees(np.arctan2(turn[0, 1] - turn[1, 0], turn[0, 0] + turn[1, 1]))
    return {
        "transform": _to_file(one.duplicate.transform, scale),
        "first_box": _box(one.first, scale),
        "second_box": _box(one.second, scale),
        "target": cast("JsonValue", one.target),
        "scale": round(float(np.sqrt(abs(np.linalg.det(turn)))), 3),
        "rotation_degrees": round(float(angle), 1) + 0.0,
        "is_mirrored": is_mirrored,
        "area": round(one.duplicate.area / scale**2),
        "correlation": round(one.duplicate.correlation, 3),
        "residual_ratio": round(one.ratio, 3),
    }


def _to_file(transform: NDArray[np.float64], scale: float) -> JsonValue:
    """The map from the first part to the second, rows of [x', y'] = A [x, y, 1], in pixels of the file."""
    turn = transform[:, :2]
    half = np.array([0.5, 0.5])  # of a pixel: centres are at whole numbers in both sizes
    shift = (transform[:, 2] + half - turn @ half) / scale + turn @ half - half
    return [[round(float(value), 4) for value in row] for row in np.column_stack([turn, shift])]


def _box(mask: BoolArray, scale: float) -> JsonValue:
    """[left, top, right, bottom] in pixels of the file, ends exclusive."""
    rows, columns = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
    if rows.size == 0:
        return None
    edges = (columns[0], rows[0], columns[-1] + 1, rows[-1] + 1)
    return [round(float(edge) / scale) for edge in edges]


def _explain(found: list[Verified], scale: float, left_out: int) -> tuple[str, ...]:
    notes = []
    if left_out:
        notes.append(f"{left_out} further candidates were not verified: so many repeats take too long.")
    if scale < 1:
        notes.append(
            f"Searched at {scale:.2f} times the size; copies that are too small at that size are missed."
        )
    if not found:
        return (
            *notes,
            "No two regions agree like a copy and its source. That is no evidence of authenticity.",
        )
    told = sum(one.target is not None for one in found)
    notes.append(
        f"{len(found)} pair{'s' if len(found) > 1 else ''} of regions agree in fine detail as far as the "
        f"last save allows. Source and copy are both flagged; they could be distinguished for {told} of "
        f"{len(found)}."
    )
    notes.append("Manufactured repetition (printed patterns, identical articles, text) can agree as well.")
    return tuple(notes)
