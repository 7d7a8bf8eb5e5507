"""Which known encoders write a file's quantization tables: a match says *consistent with*, never *is*."""

from __future__ import annotations

import csv
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from importlib.resources import files

import numpy as np

from imforensics.evidence.encoder_formulas import find_ffmpeg, find_jpegli, find_mozjpeg
from imforensics.evidence.quantization import find_base_percent, find_ijg_quality
from imforensics.types import JsonValue, Metadata, UInt16Array

MAX_CANDIDATES = 8  # tables of all ones are shared by many encoders
META_IPTC_PREFIX = "FBMD"  # Facebook and Instagram write it into IPTC's special instructions

_IJG_SOURCE = "ITU-T T.81, Annex K, scaled as in libjpeg 6b"
_MOZJPEG_SOURCE = "base tables of mozjpeg, scaled as in libjpeg 6b; seen in its output"
_FFMPEG_SOURCE = "the intra matrix of MPEG-1, scaled as in FFmpeg's output"
_JPEGLI_SOURCE = "base tables and scaling of google/jpegli, lib/jpegli/quant.cc"


@dataclass(frozen=True, slots=True)
class TableCandidate:
    """One known origin of a set of tables.

    Attributes:
        family: "ijg", "ijg_separate", "annex_k_scaled", "photoshop_save_as", "photoshop_save_for_web",
            "mozjpeg", "jpegli", "ffmpeg", "apple", "camera" or "service".
        setting: the encoder's setting, the cameras, or the service.
        source: where the tables are published, or in which files they were seen.
    """

    family: str
    setting: str
    source: str

    @property
    def words(self) -> str:
        """What the match says, for a reader: "consistent with …" stands before it."""
        return {
            "ijg": f"the IJG encoder at {self.setting}",
            "ijg_separate": f"the IJG encoder at separate qualities: {self.setting}",
            "annex_k_scaled": f"the example tables of the JPEG standard, scaled: {self.setting}",
            "photoshop_save_as": f"Adobe Photoshop or Lightroom, save as or export, {self.setting}",
            "photoshop_save_for_web": f"Adobe Photoshop, save for web, {self.setting}",
            "mozjpeg": f"mozjpeg, {self.setting}",
            "jpegli": f"jpegli at {self.setting}",
            "ffmpeg": f"FFmpeg's MJPEG encoder at {self.setting}",
            "apple": f"Apple's encoder in {self.setting}",
            "camera": f"files of {self.setting}",
            "service": f"a download from {self.setting}",
        }[self.family]

    def as_json(self) -> dict[str, JsonValue]:
        """The candidate as an observation."""
        return {"family": self.family, "setting": self.setting, "source": self.source}


def identify_tables(tables: Sequence[UInt16Array]) -> tuple[TableCandidate, ...]:
    """Every known origin of a file's quantization tables.

    Args:
        tables: one (8, 8) uint16 table a component, natural order, the first for luminance.

    Returns:
        Candidates, exact matches only, most specific first; none where no known encoder writes them. A gray
        file has a luminance table only and is compared by that.

    >>> from imforensics.evidence.quantization import ijg_tables
    >>> [candidate.family for candidate in identify_tables((ijg_tables(90)[0], ijg_tables(80)[1]))]
    ['ijg_separate']
    """
    if not tables:
        return ()
    luma = _flatten(tables[0])
    chroma = {_flatten(table) for table in tables[1:3]}  # a fourth component (black) shares the first table
    if len(chroma) > 1:  # of the known encoders, jpegli alone writes two chrominance tables
        return tuple(_formulas(tables[:3]))
    pair = luma, next(iter(chroma), None)
    listed = (
        TableCandidate(family, setting, source)
        for family, setting, known, source in _known_tables()
        if luma == known[0] and pair[1] in {known[1], None}
    )
    return (*_scaled(tables), *listed, *_formulas(tables[:2]))[:MAX_CANDIDATES]


def identify_services(
    size: tuple[int, int], quality: int | None, metadata: Metadata
) -> tuple[TableCandidate, ...]:
    """Social networks and messengers whose downloads look like this file.

    They strip EXIF, shrink to a longest side of their own and save with IJG tables; what they do changes
    with time, and anybody can do the same.

    Args:
        size: (height, width).
        quality: the IJG quality whose tables these are exactly, None for other tables.
        metadata: what the file says of itself.
    """
    found = []
    if metadata.iptc.get("Special Instructions", "").startswith(META_IPTC_PREFIX):
        source = f"IPTC special instructions start with {META_IPTC_PREFIX}"
        found.append(TableCandidate("service", "Facebook or Instagram", source))
    if metadata.exif or metadata.camera or quality is None:
        return tuple(found)
    for service, sides, lowest, highest, source in _known_services():
        if max(size) in sides and lowest <= quality <= highest:
            words = f"longest side {max(size)}, no EXIF, IJG quality {quality}; {source}"
            found.append(TableCandidate("service", service, words))
    return tuple(found)


@dataclass(frozen=True, slots=True, eq=False)
class KnownTables:
    """Listed tables of one encoder at one setting.

    Attributes:
        family: see `TableCandidate`.
        setting: the encoder's setting, or the cameras.
        tables: luminance and chrominance, (8, 8) uint16, natural order.
    """

    family: str
    setting: str
    tables: tuple[UInt16Array, UInt16Array]


def list_known_tables() -> tuple[KnownTables, ...]:
    """All listed tables of encoders that scale no table of the standard, in the order of the list."""
    return tuple(
        KnownTables(
            family,
            setting,
            (
                np.array(known[0], dtype=np.uint16).reshape(8, 8),
                np.array(known[1], dtype=np.uint16).reshape(8, 8),
            ),
        )
        for family, setting, known, _ in _known_tables()
    )


def _scaled(tables: Sequence[UInt16Array]) -> Iterator[TableCandidate]:
    """Tables that are those of the standard's Annex K times a percentage."""
    luma_quality = find_ijg_quality(tables[0], is_luma=True)
    if len(tables) == 1:
        if luma_quality is not None:
            yield TableCandidate("ijg", f"quality {luma_quality}", _IJG_SOURCE)
        return
    chroma_quality = find_ijg_quality(tables[1], is_luma=False)
    if luma_quality is not None and luma_quality == chroma_quality:
        yield TableCandidate("ijg", f"quality {luma_quality}", _IJG_SOURCE)
    elif luma_quality is not None and chroma_quality is not None:
        setting = f"{luma_quality} for luminance, {chroma_quality} for chrominance"
        yield TableCandidate("ijg_separate", setting, _IJG_SOURCE)
    else:
        percents = [find_base_percent(table, is_luma=n == 0) for n, table in enumerate(tables[:2])]
        if None not in percents:
            setting = f"luminance by {percents[0]} %, chrominance by {percents[1]} %"
            yield TableCandidate("annex_k_scaled", setting, "ITU-T T.81, Annex K")


def _formulas(tables: Sequence[UInt16Array]) -> Iterator[TableCandidate]:
    """Tables that other encoders than the IJG's compute; the finest and the coarsest of all name none."""
    if all(int(table.max()) == 1 or int(table.min()) == 255 for table in tables):
        return
    if len(tables) < 3:
        for setting in find_mozjpeg(tables):
            yield TableCandidate("mozjpeg", setting, _MOZJPEG_SOURCE)
        scale = find_ffmpeg(tables)
        if scale is not None:
            yield TableCandidate("ffmpeg", f"quantizer scale {scale}", _FFMPEG_SOURCE)
    found = find_jpegli(tables)
    if found is not None:
        words = f"distance {found[0]:.2f}{' with 4:2:0' if found[1] else ''}"
        yield TableCandidate("jpegli", words, _JPEGLI_SOURCE)


def _flatten(table: UInt16Array) -> tuple[int, ...]:
    return tuple(int(value) for value in np.asarray(table).ravel())


_Row = tuple[str, str, tuple[tuple[int, ...], tuple[int, ...]], str]


@lru_cache(maxsize=1)
def _known_tables() -> tuple[_Row, ...]:
    """The list: family, setting, (luminance, chrominance) of 64 divisors each, source."""
    rows = []
    for row in _read_list("table_families.csv"):
        luma, chroma = (tuple(int(value) for value in row[name].split()) for name in ("luma", "chroma"))
        rows.append((row["family"], row["setting"], (luma, chroma), row["source"]))
    return tuple(rows)


@lru_cache(maxsize=1)
def _known_services() -> tuple[tuple[str, frozenset[int], int, int, str], ...]:
    return tuple(
        (
            row["service"],
            frozenset(int(side) for side in row["longest_sides"].split()),
            int(row["lowest_quality"]),
            int(row["highest_quality"]),
            row["source"],
        )
        for row in _read_list("service_families.csv")
    )


def _read_list(name: str) -> list[dict[str, str]]:
    text = files("imforensics.evidence").joinpath(name).read_text(encoding="utf-8")
    return list(csv.DictReader(text.splitlines()))
