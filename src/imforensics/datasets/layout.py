"""Finding a set's folders whatever their case or nesting, and pairing images with masks by rule."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from imforensics.datasets.base import Dataset, DatasetCard, MaskDefect, layout_error
from imforensics.datasets.rasters import list_images, read_size
from imforensics.errors import DatasetError

if TYPE_CHECKING:
    from imforensics.types import Sample

_DEPTH = 2  # levels below the root at which a set's folders may stand: archives add one of their own


def find_folders(
    root: Path, names: Iterable[str], *, skip: Iterable[str] = (), depth: int = _DEPTH
) -> list[Path]:
    """Folders below root whose name is one of `names`, sorted; a found folder is not searched further.

    Names are compared by lower-case letters and digits only: "CASIA 2 Groundtruth" is "casia2groundtruth".

    Args:
        root: where to start; it is not itself a candidate.
        names: normalised names wanted.
        skip: normalised names of folders that are neither candidates nor searched.
        depth: levels below root to search.
    """
    wanted, skipped = frozenset(names), frozenset(skip)
    found: list[Path] = []
    level = [root]
    for _ in range(depth):
        children = [child for folder in level for child in sorted(folder.iterdir()) if child.is_dir()]
        children = [child for child in children if normalise(child.name) not in skipped]
        found += [child for child in children if normalise(child.name) in wanted]
        level = [child for child in children if normalise(child.name) not in wanted]
    return sorted(found)


def find_folder(root: Path, names: Iterable[str], *, card: DatasetCard, skip: Iterable[str] = ()) -> Path:
    """The one folder below root with one of these names.

    Raises:
        DatasetError: there is none, or more than one.
    """
    if not root.is_dir():
        raise layout_error(card, root, "is not a folder")
    wanted = tuple(names)
    found = find_folders(root, wanted, skip=skip)
    if not found:
        raise layout_error(card, root, f"has no folder {' or '.join(wanted)}")
    if len(found) > 1:
        raise layout_error(card, root, f"has {len(found)} candidates: {', '.join(map(str, found))}")
    return found[0]


def normalise(name: str) -> str:
    """Lower-case letters and digits of a name.

    >>> normalise("CASIA 1.0 groundtruth")
    'casia10groundtruth'
    """
    return re.sub(r"[^a-z0-9]", "", name.lower())


def index_by_stem(folders: Iterable[Path], *, recursive: bool = False) -> dict[str, Path]:
    """Image files of the folders by lower-case stem.

    Raises:
        DatasetError: two files have one stem, so that a rule cannot choose.
    """
    index: dict[str, Path] = {}
    for folder in folders:
        for path in list_images(folder, recursive=recursive):
            other = index.setdefault(path.stem.lower(), path)
            if other != path:
                raise DatasetError(f"{path} and {other} have the same name. Keep one of them")
    return index


def check_mask(image_path: Path, mask_path: Path | None) -> MaskDefect | None:
    """What keeps a mask from being used: missing, of another size, unreadable; None where nothing does."""
    if mask_path is None:
        return MaskDefect(image_path, None, "missing", "no mask follows from the image's name")
    try:
        image_size, mask_size = read_size(image_path), read_size(mask_path)
    except DatasetError as error:
        return MaskDefect(image_path, mask_path, "unreadable", str(error))
    if image_size != mask_size:
        detail = f"mask is {mask_size[0]}×{mask_size[1]}, image {image_size[0]}×{image_size[1]}"
        return MaskDefect(image_path, mask_path, "ill_sized", detail)
    return None


def build_dataset(
    card: DatasetCard,
    root: Path,
    samples: Iterable[Sample],
    *,
    masks: Mapping[Path, Path | None],
    unrecognised: Iterable[Path] = (),
) -> Dataset:
    """A data set whose masks were checked: a mask that does not fit is taken away and listed as a defect.

    Args:
        card: declared facts.
        root: where it was read.
        samples: without masks, in any order.
        masks: tampered image to the mask its name leads to; None for "should have one and has none". An
            image that the set publishes no mask for is left out.
        unrecognised: image files that follow no rule.
    """
    checked, defects = [], []
    for sample in sorted(samples, key=lambda s: s.image_path):
        if sample.image_path not in masks:
            checked.append(sample)
            continue
        mask_path = masks[sample.image_path]
        defect = check_mask(sample.image_path, mask_path)
        if defect is not None:
            defects.append(defect)
        checked.append(replace(sample, mask_path=None if defect is not None else mask_path))
    return Dataset(
        card.name,
        root,
        card,
        tuple(checked),
        mask_defects=tuple(defects),
        unrecognised=tuple(sorted(unrecognised)),
    )
