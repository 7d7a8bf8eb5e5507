"""Resampling: parts that were scaled or rotated before they were put in."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np

from imforensics.methods.base import Method, MethodOptions, Reference, describe_too_small
from imforensics.methods.camera.interpolation_spectrum import (
    prediction_error,
    relative_power,
    usable_frequencies,
)
from imforensics.preprocessing.logistic import logistic
from imforensics.preprocessing.noise import luma
from imforensics.types import BoolArray, Evidence, Finding, FloatArray, JsonValue, LocalizationMap

FEW_PIXELS, MANY_PIXELS = 1_000_000, 4_000_000
BATCH = 64  # windows transformed at a time
MAX_SHARED = 12  # peaks of a resized image: the frequency itself, its multiples, both directions
WHOLE_SHARE = 0.5  # of the windows with one and the same peak: then the whole image was resized
# Number of false alarms at which the map reads 0.5. In noise 1 would do; regular textures peak higher, and
# at this limit 3 of 169 photographs (train, val) have a marked region, at 1 they are 7.
MAX_NFA = 5e-4
SAME_BINS = 2  # peaks within so many bins are one frequency


@dataclass(frozen=True, slots=True)
class _Peaks:
    """The strongest peak of each window.

    Attributes:
        tops: (N,) first row of each window.
        lefts: (N,) first column.
        log_nfa: (N,) log10 of the number of windows of noise that peak as high anywhere, among all tests.
        rows, columns: (N,) bins of the peaks.
    """

    tops: FloatArray
    lefts: FloatArray
    log_nfa: FloatArray
    rows: FloatArray
    columns: FloatArray


class Resampling(Method):
    """Windows in which the prediction error has a period, by a number of false alarms.

    P(power / expected >= t) = exp(-t) in noise without a period; with as many tests as windows times
    frequencies, NFA = tests x exp(-t). A peak that more than half of the windows share is the whole image's.
    """

    name = "resampling"
    family = "resampling"
    question = "Was a region scaled or rotated before it was inserted into this image?"
    idea = (
        "Scaling and rotation compute new pixels from weighted neighbours, with weights that repeat after a "
        "few pixels. The accuracy with which neighbours predict each pixel is then periodic too, which "
        "appears as a peak in the spectrum of a window. Peaks far above their surroundings are compared with "
        "the number expected by chance over all windows and frequencies; a peak shared by the whole image is "
        "only reported."
    )
    limitations = (
        "It needs pixels that were compressed only slightly after the edit: at JPEG quality 95 only some "
        "peaks remain, at 90 hardly any. Scaling to half or double the size is hidden by the JPEG grid, and "
        "reduction leaves weaker traces than enlargement. Fine regular textures (fabric, screens, facades) "
        "are periodic themselves and are flagged. Resizing of whole images is common and harmless."
    )
    reference = Reference(
        "M. Kirchner, Fast and reliable resampling detection by spectral analysis of fixed linear predictor "
        "residue, ACM Workshop on Multimedia and Security, 2008",
        doi="10.1145/1411328.1411333",
    )

    class Options(MethodOptions):
        """Options of the resampling method.

        Attributes:
            window: side of the windows in pixels; larger ones see weaker traces and place worse.
        """

        window: Literal[64, 128, 256] = 128

    options: Options

    def analyze(self, evidence: Evidence) -> Finding:
        """Find the peaks of all windows, set the whole image's aside, and mark what is left."""
        side = self.options.window
        shape = (evidence.height, evidence.width)
        if min(shape) < side:
            return self._decline(describe_too_small(evidence, side))
        error = prediction_error(luma(evidence.pixels))
        peaks, whole = self._find_peaks(error)
        levels = logistic((np.float32(np.log10(MAX_NFA)) - peaks.log_nfa) * np.float32(np.log(10)))
        values, mask = _paint(peaks, levels, shape, side=side)
        found = int((peaks.log_nfa < np.log10(MAX_NFA)).sum())
        return Finding(
            self.name,
            self.family,
            "ok",
            score=float(levels.max()),
            map=LocalizationMap(values),
            mask_source=mask,
            threshold=0.5,
            threshold_policy="nfa_5e-4",
            observations=self._observe(peaks, whole, found),
            notes=_notes(found, whole),
        )

    def _find_peaks(self, error: FloatArray) -> tuple[_Peaks, tuple[int, int] | None]:
        """The strongest peak of each window without those that the whole image shares; the first of these."""
        side = self.options.window
        tops, lefts = _places(error.shape, side=side)
        powers = [
            relative_power(np.stack([error[t : t + side, x : x + side] for t, x in pairs]))
            for pairs in _batches(list(zip(tops.tolist(), lefts.tolist(), strict=True)))
        ]
        tests = len(tops) * int(usable_frequencies(side).sum())
        shared: list[tuple[int, int]] = []
        found = np.concatenate([_strongest(power) for power in powers], axis=1)
        while len(shared) < MAX_SHARED and (whole := _shared(found, tests)) is not None:
            shared.append(whole)
            for power in powers:
                _remove(power, whole)
            found = np.concatenate([_strongest(power) for power in powers], axis=1)
        heights, rows, columns = found
        log_nfa = (np.log(tests) - heights) / np.log(10)
        return _Peaks(tops, lefts, log_nfa.astype(np.float32), rows, columns), next(iter(shared), None)

    def _observe(self, peaks: _Peaks, whole: tuple[int, int] | None, found: int) -> dict[str, JsonValue]:
        side = self.options.window
        best = int(peaks.log_nfa.argmin())
        facts: dict[str, JsonValue] = {
            "windows": len(peaks.tops),
            "windows_with_peak": found,
            "lowest_log10_nfa": round(float(peaks.log_nfa[best]), 2),
            "whole_image_resampled": whole is not None,
        }
        if whole is not None:
            facts["whole_image_frequency"] = _frequency(*whole, side)
        if found:
            facts["peak_frequency"] = _frequency(int(peaks.rows[best]), int(peaks.columns[best]), side)
        return facts


def _places(shape: tuple[int, ...], *, side: int) -> tuple[FloatArray, FloatArray]:
    """Top left corners of the windows: denser in small images, the last ones at the edge."""
    pixels = shape[0] * shape[1]
    step = side // 4 if pixels <= FEW_PIXELS else side // 2 if pixels <= MANY_PIXELS else side
    lines = [np.unique(np.append(np.arange(0, size - side + 1, step), size - side)) for size in shape[:2]]
    tops, lefts = np.meshgrid(*lines, indexing="ij")
    return tops.ravel(), lefts.ravel()


def _batches(pairs: list[tuple[int, int]]) -> list[list[tuple[int, int]]]:
    return [pairs[start : start + BATCH] for start in range(0, len(pairs), BATCH)]


def _remove(power: FloatArray, frequency: tuple[int, int]) -> None:
    """Set a frequency and those within SAME_BINS of it to 0, in place."""
    (_, side, columns), (row, column) = power.shape, frequency
    away = np.abs((np.arange(side) - row + side // 2) % side - side // 2)
    power[:, (away[:, None] <= SAME_BINS) & (np.abs(np.arange(columns) - column) <= SAME_BINS)] = 0


def _strongest(power: FloatArray) -> FloatArray:
    """Height, row and column of each window's highest peak, (3, N)."""
    count, side, columns = power.shape
    flat = power.reshape(count, -1)
    best = flat.argmax(axis=1)
    heights = flat[np.arange(count), best]
    return np.stack([heights, *np.unravel_index(best, (side, columns))]).astype(np.float32)


def _shared(peaks: FloatArray, tests: int) -> tuple[int, int] | None:
    """The frequency at which more than WHOLE_SHARE of the windows peak with an NFA below 1, if any."""
    heights, rows, columns = peaks
    significant = heights > np.log(tests)
    if significant.mean() <= WHOLE_SHARE:
        return None
    pairs, counts = np.unique(np.stack([rows, columns])[:, significant], axis=1, return_counts=True)
    row, column = pairs[:, counts.argmax()]
    near = (np.abs(rows - row) <= SAME_BINS) & (np.abs(columns - column) <= SAME_BINS) & significant
    return (int(row), int(column)) if near.mean() > WHOLE_SHARE else None


def _paint(
    peaks: _Peaks, levels: FloatArray, shape: tuple[int, int], *, side: int
) -> tuple[FloatArray, BoolArray]:
    """Each pixel takes the mean over the windows that hold it; the mask is the map at 0.5."""
    total, count = np.zeros(shape, dtype=np.float32), np.zeros(shape, dtype=np.float32)
    for top, left, level in zip(peaks.tops.tolist(), peaks.lefts.tolist(), levels.tolist(), strict=True):
        place = (slice(top, top + side), slice(left, left + side))
        total[place] += level
        count[place] += 1
    values = total / count
    return values, values >= 0.5


def _frequency(row: int, column: int, side: int) -> list[JsonValue]:
    """Cycles a pixel down and across."""
    return [round((row - side if row > side // 2 else row) / side, 4), round(column / side, 4)]


def _notes(found: int, whole: tuple[int, int] | None) -> tuple[str, ...]:
    notes = []
    if whole is not None:
        notes.append("More than half of the windows share one peak: the whole image was resized or rotated.")
    if found:
        notes.append(
            f"{found} windows have a peak expected by chance less than {MAX_NFA:g} times in an image of "
            "noise. Check for regular texture there before concluding that they were scaled."
        )
    else:
        notes.append("No window has a peak beyond chance, which means little after JPEG compression.")
    notes.append(
        f"Map: mean over windows of 1 / (1 + NFA / {MAX_NFA:g}), NFA each window's number of false alarms."
    )
    return tuple(notes)
