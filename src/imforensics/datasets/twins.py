"""Twins: each tampered image with its own host, found by name, checked by pixels, saved alike."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, cast

import numpy as np

from imforensics.datasets.base import Dataset
from imforensics.datasets.lists import DOCS, file_key, plain_key, read_list
from imforensics.datasets.rasters import read_mask, read_rgb
from imforensics.errors import DatasetError
from imforensics.evidence import read_evidence
from imforensics.evidence.quantization import estimate_quality
from imforensics.preprocessing.jpeg import encode_jpeg
from imforensics.preprocessing.noise import luma
from imforensics.types import DEFAULT_MAX_PIXELS

if TYPE_CHECKING:
    from imforensics.datasets.base import MaskEncoding
    from imforensics.preprocessing.jpeg import Subsampling
    from imforensics.types import BoolArray, Sample, UInt8Array

UNCHANGED_DIFFERENCE = 24  # grey levels: above the noise of one more JPEG generation at quality 75
# Measured on CASIA v1: the host shares 0.36 to 1.00 of its pixels with the tampered image, the other named
# image less than 0.35, or at least 0.3 less than the host (two photographs of one place). Outside the mask a
# host shares 0.94 to 1.00 of the pixels, and 0.25 where mask and name contradict each other.
MINIMUM_SHARE = 0.35
MINIMUM_LEAD = 0.1
MINIMUM_SHARE_OUTSIDE = 0.85


@dataclass(frozen=True, slots=True)
class Twin:
    """A tampered image and the authentic image it was made from.

    Attributes:
        tampered: the tampered sample.
        host_path: its host, of the same size.
        share_unchanged: share of pixels within UNCHANGED_DIFFERENCE of the host's in every channel, [0, 1].
    """

    tampered: Sample
    host_path: Path
    share_unchanged: float


@dataclass(frozen=True, slots=True)
class DroppedPair:
    """A tampered image without a twin, and why."""

    tampered: Sample
    reason: str


@dataclass(frozen=True, slots=True)
class TwinSearch:
    """What `find_twins` found: every tampered sample is in one of the two."""

    pairs: tuple[Twin, ...]
    dropped: tuple[DroppedPair, ...]


def find_twins(dataset: Dataset) -> TwinSearch:
    """Find the host of each tampered image among the authentic images that its name gives.

    Both named images (`Sample.host` and `Sample.donor`) are compared pixel by pixel, because names carry
    swapped ids. A pair needs the same size, at least MINIMUM_SHARE of unchanged pixels, MINIMUM_LEAD over the
    other named image, and where there is a mask MINIMUM_SHARE_OUTSIDE of unchanged pixels outside it.

    Args:
        dataset: its authentic samples carry their own id as `host`.

    Returns:
        The twins in the order of `dataset.samples`, and the dropped ones with their reasons.

    Raises:
        DatasetError: an image cannot be decoded.
    """
    hosts = {s.host: s.image_path for s in dataset.samples if s.label == 0 and s.host is not None}
    pairs, dropped = [], []
    for sample in dataset.samples:
        if sample.label == 0:
            continue
        outcome = _match_host(sample, hosts, encoding=dataset.card.mask_encoding)
        if isinstance(outcome, Twin):
            pairs.append(outcome)
        else:
            dropped.append(DroppedPair(sample, outcome))
    return TwinSearch(tuple(pairs), tuple(dropped))


def has_twins(dataset: Dataset) -> bool:
    """A list of the set's twins is committed."""
    return read_list(f"{dataset.name}_twins.csv") is not None


def load_twins(dataset: Dataset, samples: Iterable[Sample]) -> tuple[Twin, ...]:
    """The committed twins of these samples; samples without one, authentic ones too, are left out.

    Raises:
        DatasetError: the set has no committed twins, or a host is not on disk.
    """
    rows = read_list(f"{dataset.name}_twins.csv")
    if rows is None:
        raise DatasetError(f"{dataset.name} has no committed twins. Search them with find_twins. See {DOCS}")
    listed = {file_key(row["tampered"]): row for row in rows}
    listed = {**{plain_key(key): row for key, row in listed.items()}, **listed}
    paths = {file_key(s.image_path.name): s.image_path for s in dataset.samples if s.label == 0}
    twins = []
    for sample in samples:
        row = listed.get(file_key(sample.image_path.name))
        if row is None:
            continue
        host = paths.get(file_key(row["host"]))
        if host is None:
            raise DatasetError(
                f"{dataset.root} lacks {row['host']}, the host of {sample.image_path.name}. Complete the set"
            )
        twins.append(Twin(sample, host, float(row["share_unchanged"])))
    return tuple(twins)


def share_unchanged(pixels: UInt8Array, host: UInt8Array) -> float:
    """Share of pixels whose channels all differ by at most UNCHANGED_DIFFERENCE.

    Args:
        pixels: (H, W, 3) uint8.
        host: (H, W, 3) uint8 of the same size.

    Returns:
        Share in [0, 1].

    >>> import numpy as np
    >>> share_unchanged(np.zeros((2, 2, 3), np.uint8), np.full((2, 2, 3), 24, np.uint8))
    1.0
    """
    return float(_find_unchanged(pixels, host).mean())


def encode_host(pixels: UInt8Array, like: Path, *, max_pixels: int = DEFAULT_MAX_PIXELS) -> bytes:
    """A host's pixels, saved with the quantization tables and subsampling of a tampered file.

    Args:
        pixels: (H, W, 3) uint8 RGB of the host; of its luma alone where the tampered file is gray.
        like: the tampered file.
        max_pixels: a larger one is refused.

    Returns:
        A JPEG file.

    Raises:
        EvidenceError: the tampered file cannot be read.
        DatasetError: it is not a JPEG, or has a subsampling or tables that are not written here.
    """
    jpeg = read_evidence(like, max_pixels=max_pixels).jpeg
    advice = "Leave it out of the twins, or take the files as they are (pairs: raw, --protocol raw)"
    if jpeg is None:
        raise DatasetError(f"{like.name} is not a JPEG: its host cannot be saved like it. {advice}")
    tables = jpeg.quantization_tables
    try:
        if jpeg.subsampling == "gray":
            return encode_jpeg(np.rint(luma(pixels)).astype(np.uint8), tables=tables)
        return encode_jpeg(pixels, tables=tables, subsampling=cast("Subsampling", jpeg.subsampling))
    except ValueError as error:
        raise DatasetError(f"A host cannot be saved like {like.name}: {error}. {advice}") from None


def has_ijg_tables(tables: Iterable[Sequence[int]]) -> bool:
    """True where a tampered file's tables are the IJG's own, so that its twin has the same encoder.

    Our encoder is libjpeg-turbo's. Where another one wrote the tampered file (Photoshop in two thirds of
    CASIA v1), its rounding marks the whole of it even though tables and subsampling agree; where the tables
    are the IJG's, the twins agree to the bit outside the alteration.

    Args:
        tables: 64 divisors each, natural order; none for a file that is not a JPEG.
    """
    squares = [np.array(table, np.uint16).reshape(8, 8) for table in tables]
    return bool(squares) and estimate_quality(squares)[1]


def _match_host(sample: Sample, hosts: dict[str, Path], *, encoding: MaskEncoding) -> Twin | str:
    named = dict.fromkeys(i for i in (sample.host, sample.donor) if i is not None)
    present = [hosts[i] for i in named if i in hosts]
    if not present:
        return f"no authentic image has the id {' or '.join(named) or '(none named)'}"
    pixels = read_rgb(sample.image_path)
    shares = {}
    for path in present:
        host = read_rgb(path)
        if host.shape == pixels.shape:
            shares[path] = share_unchanged(pixels, host)
    if not shares:
        return f"size differs from {', '.join(path.name for path in present)}"
    best, *others = sorted(shares, key=lambda path: -shares[path])
    if shares[best] < MINIMUM_SHARE:
        return f"{best.name} shares only {shares[best]:.3f} of its pixels"
    if others and shares[best] - shares[others[0]] < MINIMUM_LEAD:
        return f"{best.name} and {others[0].name} match alike ({shares[best]:.3f}, {shares[others[0]]:.3f})"
    if sample.mask_path is not None:
        outside = ~read_mask(sample.mask_path, encoding=encoding)
        unchanged = _find_unchanged(pixels, read_rgb(best))[outside]
        if unchanged.size and unchanged.mean() < MINIMUM_SHARE_OUTSIDE:
            return f"{best.name} shares only {unchanged.mean():.3f} of the pixels outside the mask"
    return Twin(sample, best, shares[best])


def _find_unchanged(pixels: UInt8Array, host: UInt8Array) -> BoolArray:
    difference = np.abs(pixels.astype(np.int16) - host)
    return np.asarray((difference <= UNCHANGED_DIFFERENCE).all(axis=2))
