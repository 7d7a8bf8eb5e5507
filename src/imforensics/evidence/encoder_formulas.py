"""Tables that encoders compute from a base table and one setting: mozjpeg, jpegli, FFmpeg's MJPEG."""

from __future__ import annotations

import csv
from collections.abc import Iterator, Sequence
from functools import lru_cache
from importlib.resources import files

import numpy as np
from numpy.typing import NDArray

from imforensics.evidence.quantization import scale_base
from imforensics.types import UInt16Array

MOZJPEG_DEFAULT = "3 (the default, N. Robidoux's)"  # table set
MOST_SCALE = 31  # FFmpeg's -q:v goes from 1 to 31
# jpegli: the distance from which coarser tables grow by a power of it, and the scale of all bases.
JPEGLI_LINEAR, JPEGLI_SCALE, JPEGLI_SCALE_420 = 1.5, 1.73966010, 1.22
ROUNDING = 1e-4  # of a distance: jpegli computes in float32

Values = NDArray[np.float64]


def find_mozjpeg(tables: Sequence[UInt16Array]) -> Iterator[str]:
    """Sets and qualities at which mozjpeg writes these tables, in words.

    mozjpeg scales one of nine base tables as the IJG encoder does. Two are not looked for here: the IJG's
    own, and the flat one, which anybody writes.

    Args:
        tables: luminance, and chrominance where there is one; (8, 8) each, natural order.
    """
    for (name, part), stack in _mozjpeg_stacks().items():
        if part == "chroma":
            continue
        same = (stack == tables[0].ravel()).all(axis=1)
        if len(tables) > 1:
            same &= (_mozjpeg_stacks()[name, "chroma"] == tables[1].ravel()).all(axis=1)
        qualities = np.flatnonzero(same) + 1
        if len(qualities):
            last = f" to {qualities[-1]}" if len(qualities) > 1 else ""
            yield f"table set {name}, quality {qualities[0]}{last}"


def mozjpeg_tables(quality: int) -> tuple[UInt16Array, UInt16Array]:
    """Luminance and chrominance tables, (8, 8) each, that mozjpeg writes by default at a quality, 1-100.

    >>> next(find_mozjpeg(mozjpeg_tables(80))).endswith("quality 80")
    True
    """
    luma, chroma = (_mozjpeg_stacks()[MOZJPEG_DEFAULT, part][quality - 1] for part in ("luma", "chroma"))
    return luma.reshape(8, 8), chroma.reshape(8, 8)


def find_ffmpeg(tables: Sequence[UInt16Array]) -> int | None:
    """FFmpeg's quantizer scale that gives these tables: one for all components, DC always 8.

    >>> find_ffmpeg([ffmpeg_table(4)] * 2)
    4
    """
    scales = range(1, MOST_SCALE + 1)
    return next((q for q in scales if all(np.array_equal(ffmpeg_table(q), each) for each in tables)), None)


def ffmpeg_table(scale: int) -> UInt16Array:
    """The (8, 8) table of FFmpeg's MJPEG encoder at a quantizer scale, 1 (finest) to 31."""
    base = _bases()["ffmpeg", "intra", "all"].astype(np.int64)
    table: UInt16Array = np.clip((base * scale) >> 3, 1, 255).astype(np.uint16)
    table[0] = 8
    return table.reshape(8, 8)


def find_jpegli(tables: Sequence[UInt16Array]) -> tuple[float, bool] | None:
    """The distance at which jpegli writes these tables, and whether for 4:2:0.

    Every divisor is a base value times a function of the distance, so each confines the distance to an
    interval; the tables are jpegli's where the intervals of all have a distance in common.

    Args:
        tables: luminance alone, with one chrominance table, or with two; (8, 8) each, natural order.

    Returns:
        The middle of what the intervals share, None where they share nothing.

    Reference:
        https://github.com/google/jpegli, lib/jpegli/quant.cc.
    """
    parts = ("luma", "cr") if len(tables) <= 2 else ("luma", "cb", "cr")
    for is_420 in (False, True):
        lowest, highest = 0.0, np.inf
        for part, table in zip(parts, tables, strict=False):
            low, high = _confine_distance(table.ravel().astype(np.float64), part, is_420=is_420)
            lowest, highest = max(lowest, low), min(highest, high)
        if lowest <= highest * (1 + ROUNDING) and np.isfinite(highest) and lowest > 0:
            return (lowest + highest) / 2, is_420
    return None


def jpegli_distance(quality: int) -> float:
    """The distance that jpegli takes for a quality on IJG's scale, 1-100.

    Reference:
        https://github.com/google/jpegli, lib/jpegli/encode.cc, jpegli_quality_to_distance.

    >>> jpegli_distance(90)
    1.0
    """
    if quality >= 100:
        return 0.01
    if quality >= 30:
        return round(0.1 + (100 - quality) * 0.09, 6)
    return 53 / 3000 * quality * quality - 23 / 20 * quality + 25


def jpegli_tables(distance: float, *, is_420: bool, two_chroma: bool = False) -> tuple[UInt16Array, ...]:
    """jpegli's luminance and chrominance tables at a distance, (8, 8) uint16 in [1, 255].

    >>> find_jpegli(jpegli_tables(2.0, is_420=True))[1]
    True
    """
    exponent = _bases()["jpegli", "exponent", "all"]
    power = JPEGLI_LINEAR ** (1 - exponent) * distance**exponent
    scale = distance if distance < JPEGLI_LINEAR else np.maximum(0.5 * distance, power)
    parts = ("luma", "cb", "cr") if two_chroma else ("luma", "cr")
    return tuple(
        np.clip(np.floor(_jpegli_base(part, is_420=is_420) * scale + 0.5), 1, 255)
        .astype(np.uint16)
        .reshape(8, 8)
        for part in parts
    )


def _confine_distance(values: Values, part: str, *, is_420: bool) -> tuple[float, float]:
    """The distances between which one table of 64 divisors is written."""
    base = _jpegli_base(part, is_420=is_420)
    lows = np.where(values > 1, _to_distance(np.maximum(values - 0.5, 0) / base), 0.0)
    highs = np.where(values < 255, _to_distance((values + 0.5) / base), np.inf)
    return float(lows.max()), float(highs.min())


def _to_distance(scale: Values) -> Values:
    """The distance that gives a scale: the inverse of jpegli's function, a value a coefficient."""
    exponent = 1 / _bases()["jpegli", "exponent", "all"]
    power = JPEGLI_LINEAR ** (1 - exponent) * scale**exponent
    distance: Values = np.where(scale < JPEGLI_LINEAR, scale, np.minimum(2 * scale, power))
    return distance


def _jpegli_base(part: str, *, is_420: bool) -> Values:
    base = _bases()["jpegli", "base", part] * JPEGLI_SCALE
    if is_420:
        base = base * JPEGLI_SCALE_420
        base = base if part == "luma" else base * _bases()["jpegli", "rescale for 4:2:0", "chroma"]
    return base


def mozjpeg_luma_tables() -> UInt16Array:
    """All luminance tables of mozjpeg's own sets: (sets x 100, 64), quality 1-100 within a set."""
    return np.concatenate([stack for (_, part), stack in _mozjpeg_stacks().items() if part != "chroma"])


@lru_cache(maxsize=1)
def _mozjpeg_stacks() -> dict[tuple[str, str], UInt16Array]:
    """Set and part to all tables, (100, 64): quality 1-100 x entry."""
    return {
        (name, part): np.stack([scale_base(values.astype(np.int64), quality) for quality in range(1, 101)])
        for (encoder, name, part), values in _bases().items()
        if encoder == "mozjpeg"
    }


@lru_cache(maxsize=1)
def _bases() -> dict[tuple[str, str, str], Values]:
    text = files("imforensics.evidence").joinpath("encoder_bases.csv").read_text(encoding="utf-8")
    return {
        (row["encoder"], row["set"], row["part"]): np.array(row["values"].split(), dtype=np.float64)
        for row in csv.DictReader(text.splitlines())
    }
