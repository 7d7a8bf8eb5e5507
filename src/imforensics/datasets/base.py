"""Data sets as declared facts: cards, the adapters of all publishers, loading and committed splits."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from difflib import get_close_matches
from functools import cache
from importlib import import_module
from pathlib import Path
from pkgutil import iter_modules
from typing import Literal

from imforensics.datasets.lists import DOCS, SPLITS, Split, file_key, plain_key, read_split_list
from imforensics.errors import DatasetError
from imforensics.types import Sample

MaskEncoding = Literal["white", "black", "grey", "green"]
MaskDefectKind = Literal["missing", "ill_sized", "unreadable"]

DATA_VARIABLE = "IMFORENSICS_DATA"


@dataclass(frozen=True, slots=True)
class DatasetCard:
    """What is known of a data set before looking at any file.

    Attributes:
        name: of the set, unique.
        title: the set's own name.
        licence: terms of use as its publisher states them.
        citation: authors, title, venue, year.
        layout: the folder tree that is expected, one entry a line.
        doi: bare DOI of the citation, None where it has none.
        folder: name of its folder below $IMFORENSICS_DATA; None where there is no usual place.
        authentic_count: authentic images in the complete set, None where it has no fixed size.
        tampered_count: tampered images, likewise.
        defects: known defects and shortcuts, one sentence each.
        mask_encoding: which mask pixels are tampered: "white" (luma of at least 128), "black" (below 128),
            "grey" (above 10: three-level masks) or "green" (more green than red: Columbia's edge masks).
    """

    name: str
    title: str
    licence: str
    citation: str
    layout: str
    doi: str | None = None
    folder: str | None = None
    authentic_count: int | None = None
    tampered_count: int | None = None
    defects: tuple[str, ...] = ()
    mask_encoding: MaskEncoding = "white"


@dataclass(frozen=True, slots=True)
class MaskDefect:
    """Why a tampered sample has no usable mask.

    Attributes:
        image_path: the tampered image.
        mask_path: the mask as found, None where there is none.
        kind: "missing", "ill_sized" or "unreadable".
        detail: in words, with the sizes found (H×W).
    """

    image_path: Path
    mask_path: Path | None
    kind: MaskDefectKind
    detail: str


@dataclass(frozen=True, slots=True)
class Dataset:
    """One data set on disk: paths and labels, never pixels.

    Attributes:
        name: of its card.
        root: folder (or manifest file) it was read from.
        card: its declared facts.
        samples: sorted by image path.
        mask_defects: tampered samples whose mask is missing or does not fit; their `mask_path` is None.
        unrecognised: image files whose names do not follow the set's rule; they are no samples.
        declared_splits: image path to split, where the set itself declares one.
        pseudo_masks: masks that were derived by a program, not drawn by a person.
    """

    name: str
    root: Path
    card: DatasetCard
    samples: tuple[Sample, ...]
    mask_defects: tuple[MaskDefect, ...] = ()
    unrecognised: tuple[Path, ...] = ()
    declared_splits: Mapping[Path, Split] = field(default_factory=dict)
    pseudo_masks: frozenset[Path] = frozenset()


@dataclass(frozen=True, slots=True)
class DatasetAdapter:
    """How one data set is read.

    Attributes:
        card: its declared facts.
        read: reads the set below a root that exists.
        add_pseudo_masks: gives samples without a mask the derived one; None where the set has none.
    """

    card: DatasetCard
    read: Callable[[Path], Dataset]
    add_pseudo_masks: Callable[[Dataset], Dataset] | None = None


def load_dataset(name: str, root: Path | str | None = None, *, pseudo_masks: bool = False) -> Dataset:
    """Read a data set's file names into samples.

    Args:
        name: of a card.
        root: folder of the set (for "folder" also a CSV manifest); None takes the card's folder below
            $IMFORENSICS_DATA.
        pseudo_masks: give samples without a mask the one that was derived by a program, where the set has
            such masks. They are listed in `Dataset.pseudo_masks`: say so beside every result.

    Returns:
        The data set; the same files give the same order on every machine.

    Raises:
        DatasetError: the name is unknown, or the root is missing or not laid out as expected.
    """
    adapter = load_adapter(name)
    where = _resolve_root(adapter.card, root)
    dataset = adapter.read(where)
    if not dataset.samples:
        raise layout_error(adapter.card, where, "contains no image named by the set's rule")
    if not pseudo_masks:
        return dataset
    if adapter.add_pseudo_masks is None:
        raise DatasetError(f"{name} has no pseudo masks. Leave pseudo_masks=False")
    return adapter.add_pseudo_masks(dataset)


def load_adapter(name: str) -> DatasetAdapter:
    """The adapter of a data set by its name.

    Raises:
        DatasetError: no data set has that name; the nearest one is named.

    >>> load_adapter("casia1").card.tampered_count
    921
    """
    adapters = list_adapters()
    if name not in adapters:
        nearest = get_close_matches(name, adapters, n=1)
        hint = f"Did you mean {nearest[0]}?" if nearest else f"Known: {', '.join(adapters)}"
        raise DatasetError(f"unknown data set {name!r}. {hint}")
    return adapters[name]


@cache
def list_adapters() -> dict[str, DatasetAdapter]:
    """Name to adapter, by name: each that a module of `imforensics.datasets.publishers` holds."""
    package = import_module("imforensics.datasets.publishers")
    modules = [import_module(f"{package.__name__}.{each.name}") for each in iter_modules(package.__path__)]
    held = [value for module in modules for value in vars(module).values()]
    found = {value.card.name: value for value in held if isinstance(value, DatasetAdapter)}
    return dict(sorted(found.items()))


def list_cards() -> tuple[DatasetCard, ...]:
    """The cards of all data sets, by name; no file is looked for."""
    return tuple(adapter.card for adapter in list_adapters().values())


def load_split(dataset: Dataset, split: str, *, version: str = "group") -> tuple[Sample, ...]:
    """The samples of one split.

    A split that the set declares itself (a manifest's `split` column) goes before the committed lists.
    Names are compared without folder and case, so every layout variant gets the same split.

    Args:
        dataset: as `load_dataset` gave it.
        split: "train", "val" or "test"; "all" gives every sample.
        version: which committed lists; "group" keeps all images of one source in one split.

    Returns:
        Samples in the order of `dataset.samples`; never empty.

    Raises:
        DatasetError: unknown split or version, no list for this set, or listed files that are not on disk.
    """
    if split == "all":
        return dataset.samples
    if split not in SPLITS:
        raise DatasetError(f"split must be one of {', '.join(SPLITS)} or all, received {split!r}")
    if dataset.declared_splits:
        chosen = tuple(s for s in dataset.samples if dataset.declared_splits.get(s.image_path) == split)
    else:
        listed = _match_listed(dataset, read_split_list(dataset.name, version=version))
        chosen = tuple(s for s in dataset.samples if listed.get(file_key(s.image_path.name)) == split)
    if not chosen:
        raise DatasetError(f"split {split!r} of {dataset.name} at {dataset.root} is empty. See {DOCS}")
    return chosen


def layout_error(card: DatasetCard, root: Path, problem: str) -> DatasetError:
    """An error that names the root, what is wrong there, the expected tree and the way out."""
    tree = "\n".join(f"  {line}" for line in card.layout.splitlines())
    return DatasetError(
        f"{card.title} not found: {root} {problem}. Expected:\n{tree}\n"
        f"Give the set's own folder as root. See {DOCS}"
    )


def _resolve_root(card: DatasetCard, root: Path | str | None) -> Path:
    if root is not None:
        where = Path(root)
    else:
        base = os.environ.get(DATA_VARIABLE)
        if card.folder is None:
            raise DatasetError(f"{card.name} has no usual place. Pass root, the set's folder. See {DOCS}")
        if not base:
            raise DatasetError(
                f"{card.title} not found: no root given and {DATA_VARIABLE} is not set. "
                f"Pass root, or set {DATA_VARIABLE} to the folder that holds {card.folder}/. See {DOCS}"
            )
        where = Path(base) / card.folder
    if not where.exists():
        raise layout_error(card, where, "does not exist")
    return where


def _match_listed(dataset: Dataset, listed: dict[str, Split]) -> dict[str, Split]:
    keys = Counter(file_key(s.image_path.name) for s in dataset.samples)
    repeated = sorted(key for key, count in keys.items() if count > 1 and key in listed)
    if repeated:
        raise DatasetError(f"{dataset.root} holds {repeated[0]} more than once. Leave one copy of each image")
    missing = sorted(key for key in listed if key not in keys and plain_key(key) not in keys)
    if missing:
        raise DatasetError(
            f"{dataset.root} lacks {len(missing)} files of the committed split of {dataset.name}, "
            f"first {missing[0]}. Complete the set, or make your own split as {DOCS} says"
        )
    return {**{plain_key(key): chosen for key, chosen in listed.items()}, **listed}
