"""All pictures of one report: the evidence as shown, each method's artifacts, maps and overlays."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from typing import Literal

from imforensics.report.encoding import encode_jpeg, encode_png
from imforensics.report.figures import (
    LONGEST,
    display_picture,
    heatmap,
    orient,
    overlay,
    reduce_area,
    reduce_map,
)
from imforensics.report.map_statistics import threshold_mask
from imforensics.types import Artifact, Finding, LocalizationMap, Report, UInt8Array

PictureKind = Literal["original", "artifact", "map", "overlay"]
_FIXED_WORD = re.compile(r"[a-z0-9][a-z0-9_-]*")
_THREADS = 2  # resizing and encoding release the interpreter lock
_MAP_CAPTION = "Map on the fixed range 0 to 1; higher = more likely tampered."
_OVERLAY_CAPTION = "Map over the picture in gray; the higher the value, the denser the colour."


@dataclass(frozen=True, slots=True)
class Picture:
    """One encoded picture.

    Attributes:
        file: path in the report's folder, made of fixed words and method names only.
        method: the method that it belongs to, None for the original.
        kind: original, artifact, map or overlay.
        name: name of the artifact, otherwise the kind.
        caption: what is shown and on which scale.
        height: as shown.
        width: as shown.
        png: lossless, for the folder.
        jpeg: small, for the page.
    """

    file: str
    method: str | None
    kind: PictureKind
    name: str
    caption: str
    height: int
    width: int
    png: bytes
    jpeg: bytes


# One piece of work for a thread: it draws and encodes one or more pictures.
Job = Callable[[], list[Picture]]


def draw_pictures(report: Report, *, longest: int = LONGEST) -> tuple[Picture, ...]:
    """Draw and encode every picture of a report.

    Args:
        report: the report.
        longest: longest side of each picture; nothing is enlarged.

    Returns:
        The original first, then per finding its artifacts, map and overlay.

    Raises:
        ValueError: a method or artifact has a name that is not a fixed word (lower-case letters, digits,
            "_" and "-"), two pictures share one name, or an artifact is not uint8.
    """
    base = reduce_area(report.evidence.pixels, longest=longest)
    jobs = list(_jobs(report, base, longest))
    with ThreadPoolExecutor(max_workers=_THREADS) as pool:
        pictures = tuple(picture for drawn in pool.map(_run, jobs) for picture in drawn)
    files = [picture.file for picture in pictures]
    if repeated := {file for file in files if files.count(file) > 1}:
        raise ValueError(f"several pictures would be written to {sorted(repeated)}; rename the artifacts")
    return pictures


def has_shown_map(finding: Finding) -> bool:
    """Whether a finding's map is drawn: there is one and the method was done."""
    return finding.status == "ok" and finding.map is not None


def check_fixed_word(word: str) -> str:
    """A word that may become part of a file name.

    Raises:
        ValueError: it is not made of lower-case letters, digits, "_" and "-".
    """
    if not _FIXED_WORD.fullmatch(word):
        raise ValueError(
            f"{word!r} would become a file name: only lower-case letters, digits, '_' and '-' are allowed"
        )
    return word


def _jobs(report: Report, base: UInt8Array, longest: int) -> Iterator[Job]:
    yield partial(_draw_original, report, base)
    for finding in report.findings:
        for name, artifact in finding.artifacts.items():
            yield partial(_draw_artifact, report, finding.method, name, artifact, longest)
        if finding.map is not None and has_shown_map(finding):
            level = _outline_level(report, finding)
            yield partial(_draw_map, finding, finding.map, level, base, longest, report.evidence.orientation)


def _outline_level(report: Report, finding: Finding) -> float | None:
    """From where on a map is outlined, in line with the statement; None for nowhere."""
    if report.statement.label == "authentic":
        return None
    is_marked = report.marks is not None and report.marks.method == finding.method
    return report.marks.threshold if report.marks is not None and is_marked else finding.threshold


def _run(job: Job) -> list[Picture]:
    return job()


def _draw_original(report: Report, base: UInt8Array) -> list[Picture]:
    evidence = report.evidence
    caption = f"The evidence, {evidence.width} × {evidence.height} pixels as stored."
    if evidence.orientation != 1:
        caption += f" Turned for display (EXIF orientation {evidence.orientation})."
    return [_encode(orient(base, evidence.orientation), None, "original", "original", caption)]


def _draw_artifact(report: Report, method: str, name: str, artifact: Artifact, longest: int) -> list[Picture]:
    """Artifacts of the shape of the evidence are turned upright with it; others (plots) stay as they are."""
    height, width = artifact.pixels.shape[:2]
    has_shape_of_evidence = height * report.evidence.width == width * report.evidence.height
    orientation = report.evidence.orientation if has_shape_of_evidence else 1
    pixels = display_picture(artifact.pixels, longest=longest, orientation=orientation)
    return [_encode(pixels, method, "artifact", name, artifact.caption)]


def _draw_map(
    finding: Finding,
    map_: LocalizationMap,
    level: float | None,
    base: UInt8Array,
    longest: int,
    orientation: int,
) -> list[Picture]:
    values = map_.values  # held, so that it is drawn once for the mask and the picture
    reduced = reduce_map(map_, mask=threshold_mask(finding, threshold=level), longest=longest)
    del values
    outline = "" if level is None else f" Outlined: at or above {level:.3g}."
    hatched = "" if reduced.valid is None or reduced.valid.all() else " Hatched: cannot be analysed."
    after = outline + hatched
    coloured = heatmap(reduced, orientation=orientation)
    laid_over = overlay(base, reduced, orientation=orientation)
    return [
        _encode(coloured, finding.method, "map", "map", _MAP_CAPTION + after),
        _encode(laid_over, finding.method, "overlay", "overlay", _OVERLAY_CAPTION + after),
    ]


def _encode(pixels: UInt8Array, method: str | None, kind: PictureKind, name: str, caption: str) -> Picture:
    stem = name if method is None else f"{check_fixed_word(method)}-{check_fixed_word(name)}"
    return Picture(
        file=f"images/{stem}.png",
        method=method,
        kind=kind,
        name=name,
        caption=caption,
        height=pixels.shape[0],
        width=pixels.shape[1],
        png=encode_png(pixels),
        jpeg=encode_jpeg(pixels),
    )
