"""Header facts of files, and how well each alone tells a set's classes apart: no pixel is looked at."""

from __future__ import annotations

from collections import Counter
from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from imforensics.errors import DatasetError
from imforensics.evidence.jpeg_structure import build_jpeg_info, walk_jpeg
from imforensics.evidence.library_output import caught_output

N_FOLDS = 5
N_BINS = 20  # quantile bins of bytes per pixel: fine enough for a set of 1,000 files, coarse enough to learn

# Facts in the order in which they are reported.
FACT_NAMES = (
    "format",
    "quantization tables",
    "chroma subsampling",
    "markers",
    "image size",
    "bytes per pixel",
    "EXIF present",
)


@dataclass(frozen=True, slots=True)
class HeaderFacts:
    """What a file's header and size say.

    Attributes:
        format: true format by content, for example "JPEG".
        tables: 64 divisors for each component; empty for other formats.
        subsampling: chroma subsampling such as "4:2:0"; empty for other formats.
        markers: marker names in file order; empty for other formats.
        size: (height, width) in pixels.
        bytes_per_pixel: size of the file over the number of pixels.
        has_exif: an EXIF block is there.
    """

    format: str
    tables: tuple[tuple[int, ...], ...]
    subsampling: str
    markers: tuple[str, ...]
    size: tuple[int, int]
    bytes_per_pixel: float
    has_exif: bool


def read_header_facts(path: Path) -> HeaderFacts:
    """Read one file's header facts; pixels are not decoded.

    Raises:
        DatasetError: the file cannot be read as an image.
    """
    try:
        with caught_output(), Image.open(path) as image:
            name, (width, height) = image.format or "unknown", image.size
            has_exif = bool(image.info.get("exif")) or (name != "JPEG" and bool(image.getexif()))
        content = path.read_bytes()
        jpeg = build_jpeg_info(content, walk_jpeg(content)) if name == "JPEG" else None
    except Exception as error:  # decoders raise of every kind on damaged input
        raise DatasetError(f"{path} cannot be read as an image: {error}") from None
    tables = (
        () if jpeg is None else tuple(tuple(table.ravel().tolist()) for table in jpeg.quantization_tables)
    )
    return HeaderFacts(
        format=name,
        tables=tables,
        subsampling="" if jpeg is None else jpeg.subsampling,
        markers=() if jpeg is None else jpeg.markers,
        size=(height, width),
        bytes_per_pixel=len(content) / (height * width),
        has_exif=has_exif,
    )


def tabulate_facts(facts: Sequence[HeaderFacts]) -> dict[str, list[Hashable]]:
    """Name of each fact to its value in every file; continuous ones in quantile bins, blind to labels."""
    ratios = np.array([fact.bytes_per_pixel for fact in facts])
    edges = np.quantile(ratios, np.linspace(0, 1, N_BINS + 1)[1:-1]) if len(facts) else np.empty(0)
    columns: tuple[list[Hashable], ...] = (
        [fact.format for fact in facts],
        [fact.tables for fact in facts],
        [fact.subsampling for fact in facts],
        [fact.markers for fact in facts],
        [fact.size for fact in facts],
        np.searchsorted(edges, ratios, side="right").tolist(),
        [fact.has_exif for fact in facts],
    )
    return dict(zip(FACT_NAMES, columns, strict=True))


def cross_validate_lookup(
    values: Sequence[Hashable], labels: Sequence[int], groups: Sequence[str], *, seed: int
) -> NDArray[np.float64] | None:
    """Score each file by a look-up of one fact, learned on the other folds; groups stay whole.

    The score is the log odds that files with the same value are tampered, less the log odds of all, both from
    counts with one half added (Krichevsky & Trofimov 1981), so that a value never seen scores 0.

    Args:
        values: (N,) the fact.
        labels: (N,) 0 authentic, 1 tampered.
        groups: (N,) source groups.
        seed: of the folds.

    Returns:
        (N,) float64, higher = more likely tampered, above 0 = tampered; None with fewer than two groups or
        classes.
    """
    names = sorted(set(groups))
    if len(names) < 2 or len(set(labels)) < 2:
        return None
    order = np.random.default_rng(seed).permutation(len(names))
    fold_of = {names[index]: place % N_FOLDS for place, index in enumerate(order)}
    folds = [fold_of[group] for group in groups]
    scores = np.zeros(len(values))
    for fold in sorted(set(folds)):
        train = [(value, label) for value, label, f in zip(values, labels, folds, strict=True) if f != fold]
        counts = Counter(train)
        totals = Counter(label for _, label in train)
        base = _log_odds(totals[1], totals[0])
        for index, value in enumerate(values):
            if folds[index] == fold and counts[value, 0] + counts[value, 1]:
                scores[index] = _log_odds(counts[value, 1], counts[value, 0]) - base
    return scores


def _log_odds(tampered: int, authentic: int) -> float:
    return float(np.log((tampered + 0.5) / (authentic + 0.5)))
