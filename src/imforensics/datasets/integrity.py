"""Integrity of data sets: ill-fitting masks, unreadable images, equal bytes across classes, sets, splits."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Container, Iterable, Sequence
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING

from imforensics.datasets.base import Dataset, MaskDefect, MaskEncoding
from imforensics.datasets.lists import file_key, read_split_list
from imforensics.datasets.rasters import hash_file, read_mask, read_rgb
from imforensics.errors import DatasetError

if TYPE_CHECKING:
    from imforensics.types import JsonValue, Sample


@dataclass(frozen=True, slots=True)
class FileIn:
    """Where a file stands: its set, path, class and, where the set has splits, its split."""

    dataset: str
    path: Path
    label: int
    split: str | None


@dataclass(frozen=True, slots=True)
class Duplicates:
    """Files with the same bytes.

    Attributes:
        sha256: hexadecimal SHA-256 of the bytes.
        files: two or more, sorted by set and path.
    """

    sha256: str
    files: tuple[FileIn, ...]

    @property
    def is_across_classes(self) -> bool:
        """One copy is labelled authentic, another tampered."""
        return len({file.label for file in self.files}) > 1

    @property
    def is_across_sets(self) -> bool:
        """Copies stand in different data sets."""
        return len({file.dataset for file in self.files}) > 1

    @property
    def is_across_splits(self) -> bool:
        """Copies stand in different splits: a test image was seen in training."""
        return len({file.split for file in self.files if file.split is not None}) > 1


@dataclass(frozen=True, slots=True)
class IntegrityReport:
    """What `check_integrity` found; a clean set has nothing but its counts.

    Attributes:
        dataset: name of the set.
        root: where it was read from.
        authentic_count: authentic images.
        tampered_count: tampered images.
        expected_authentic_count: of the complete set by its card, None where it has no fixed size.
        expected_tampered_count: likewise.
        missing_masks: tampered images that should have a mask and have none.
        ill_sized_masks: masks of another size than their image.
        unreadable_masks: masks that cannot be decoded.
        empty_masks: masks without any tampered pixel.
        full_masks: masks without any authentic pixel.
        unreadable_images: image to the reason.
        unrecognised: image files that follow no naming rule of the set.
        duplicates: byte-identical files within the set or with the sets compared against.
    """

    dataset: str
    root: Path
    authentic_count: int
    tampered_count: int
    expected_authentic_count: int | None
    expected_tampered_count: int | None
    missing_masks: tuple[MaskDefect, ...]
    ill_sized_masks: tuple[MaskDefect, ...]
    unreadable_masks: tuple[MaskDefect, ...]
    empty_masks: tuple[Path, ...]
    full_masks: tuple[Path, ...]
    unreadable_images: dict[Path, str]
    unrecognised: tuple[Path, ...]
    duplicates: tuple[Duplicates, ...]

    @property
    def is_complete(self) -> bool:
        """The counts are those of the card, where it states any."""
        expected = (self.expected_authentic_count, self.expected_tampered_count)
        found = (self.authentic_count, self.tampered_count)
        return all(want is None or want == have for want, have in zip(expected, found, strict=True))

    def to_json(self) -> dict[str, JsonValue]:
        """The report as JSON-ready values, paths as text."""
        return {
            "dataset": self.dataset,
            "root": str(self.root),
            "authentic_count": self.authentic_count,
            "tampered_count": self.tampered_count,
            "expected_authentic_count": self.expected_authentic_count,
            "expected_tampered_count": self.expected_tampered_count,
            "is_complete": self.is_complete,
            "missing_masks": [str(d.image_path) for d in self.missing_masks],
            "ill_sized_masks": {str(d.mask_path): d.detail for d in self.ill_sized_masks},
            "unreadable_masks": {str(d.mask_path): d.detail for d in self.unreadable_masks},
            "empty_masks": [str(path) for path in self.empty_masks],
            "full_masks": [str(path) for path in self.full_masks],
            "unreadable_images": {str(path): why for path, why in self.unreadable_images.items()},
            "unrecognised": [str(path) for path in self.unrecognised],
            "duplicates": [_duplicates_to_json(duplicates) for duplicates in self.duplicates],
        }


def check_integrity(dataset: Dataset, *, against: Sequence[Dataset] = ()) -> IntegrityReport:
    """Decode every image and mask of a set once and compare bytes by SHA-256.

    Args:
        dataset: the set to check.
        against: other sets whose images are hashed too, so that copies across sets are found.

    Returns:
        Every defect found; copies that concern only the sets of `against` are left out.

    Raises:
        DatasetError: a file of `against` cannot be read.
    """
    unreadable = dict(_find_unreadable(dataset.samples))
    masks = [s.mask_path for s in dataset.samples if s.mask_path is not None]
    empty, full, broken = _find_odd_masks(masks, encoding=dataset.card.mask_encoding)
    defects = dataset.mask_defects
    by_mask = {s.mask_path: s.image_path for s in dataset.samples}
    broken_defects = tuple(MaskDefect(by_mask[path], path, "unreadable", why) for path, why in broken)
    tampered = sum(s.label for s in dataset.samples)
    return IntegrityReport(
        dataset=dataset.name,
        root=dataset.root,
        authentic_count=len(dataset.samples) - tampered,
        tampered_count=tampered,
        expected_authentic_count=dataset.card.authentic_count,
        expected_tampered_count=dataset.card.tampered_count,
        missing_masks=tuple(d for d in defects if d.kind == "missing"),
        ill_sized_masks=tuple(d for d in defects if d.kind == "ill_sized"),
        unreadable_masks=tuple(d for d in defects if d.kind == "unreadable") + broken_defects,
        empty_masks=tuple(empty),
        full_masks=tuple(full),
        unreadable_images=unreadable,
        unrecognised=dataset.unrecognised,
        duplicates=find_duplicates(dataset, against=against, left_out=unreadable),
    )


def find_duplicates(
    dataset: Dataset, *, against: Sequence[Dataset] = (), left_out: Container[Path] = ()
) -> tuple[Duplicates, ...]:
    """Byte-identical images within a set, and between it and others; sorted by first file.

    Args:
        dataset: the set.
        against: other sets.
        left_out: images of the set that cannot be opened, if any: those that can are compared all the same.

    Raises:
        DatasetError: a file cannot be read.
    """
    copies: dict[str, list[FileIn]] = defaultdict(list)
    for file in _files_of(dataset):
        try:
            copies[hash_file(file.path)].append(file)
        except DatasetError:
            if file.path not in left_out:
                raise
    for file in chain.from_iterable(map(_files_of, against)):
        digest = hash_file(file.path)
        if digest in copies:
            copies[digest].append(file)
    found = [
        Duplicates(digest, tuple(sorted(files, key=lambda f: (f.dataset, f.path))))
        for digest, files in copies.items()
        if len(files) > 1
    ]
    return tuple(sorted(found, key=lambda d: (d.files[0].dataset, d.files[0].path)))


def _files_of(dataset: Dataset) -> list[FileIn]:
    splits = find_splits(dataset)
    return [FileIn(dataset.name, s.image_path, s.label, splits.get(s.image_path)) for s in dataset.samples]


def find_splits(dataset: Dataset) -> dict[Path, str]:
    """Image path to split, declared by the set or from its committed list; empty for a set without splits."""
    if dataset.declared_splits:
        return dict(dataset.declared_splits)
    try:
        listed = read_split_list(dataset.name)
    except DatasetError:  # no committed list: the set has no splits
        return {}
    return {
        s.image_path: listed[key] for s in dataset.samples if (key := file_key(s.image_path.name)) in listed
    }


def _find_unreadable(samples: Iterable[Sample]) -> Iterable[tuple[Path, str]]:
    for sample in samples:
        try:
            read_rgb(sample.image_path)
        except DatasetError as error:
            yield sample.image_path, str(error)


def _find_odd_masks(
    paths: Iterable[Path], *, encoding: MaskEncoding
) -> tuple[list[Path], list[Path], list[tuple[Path, str]]]:
    empty: list[Path] = []
    full: list[Path] = []
    broken: list[tuple[Path, str]] = []
    for path in paths:
        try:
            mask = read_mask(path, encoding=encoding)
        except DatasetError as error:
            broken.append((path, str(error)))
            continue
        if not mask.any():
            empty.append(path)
        elif mask.all():
            full.append(path)
    return empty, full, broken


def _duplicates_to_json(duplicates: Duplicates) -> JsonValue:
    return {
        "sha256": duplicates.sha256,
        "across_classes": duplicates.is_across_classes,
        "across_sets": duplicates.is_across_sets,
        "across_splits": duplicates.is_across_splits,
        "files": [
            {"dataset": f.dataset, "path": str(f.path), "label": f.label, "split": f.split}
            for f in duplicates.files
        ],
    }
