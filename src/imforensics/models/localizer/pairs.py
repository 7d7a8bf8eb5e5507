"""Forgeries of a labelled data set beside their own hosts, as bytes."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from imforensics.config import DatasetConfig
from imforensics.datasets.base import load_dataset, load_split
from imforensics.datasets.rasters import read_mask, read_size
from imforensics.datasets.twins import load_twins
from imforensics.errors import DatasetError
from imforensics.models.classifier.examples import encode_like, select_exact, twin_examples
from imforensics.types import BoolArray


@dataclass(frozen=True, slots=True)
class LabelledPair:
    """One forgery and its host, saved alike.

    Attributes:
        tampered: the file as it is.
        host: its host, saved with the tampered file's tables and subsampling.
        mask: (H, W) bool, True = tampered.
        is_exact: the tampered file was written by an encoder whose rounding ours shares: the pair agrees
            outside the mask, and its label can be learned without learning the encoder.
        group: source id.
    """

    tampered: bytes
    host: bytes
    mask: BoolArray
    is_exact: bool
    group: str


def load_labelled_pairs(config: DatasetConfig, split: str) -> dict[tuple[int, int], Sequence[LabelledPair]]:
    """Pairs of a split by the (height, width) of their pictures.

    Forgeries without a mask of their own size, or without a host, are left out.

    Raises:
        DatasetError: the set or the split is missing, or it has no twins.
    """
    dataset = load_dataset(config.name, config.root)
    found: dict[tuple[int, int], list[LabelledPair]] = defaultdict(list)
    twins = load_twins(dataset, load_split(dataset, split))
    examples = twin_examples(twins)
    exact = {example.image_path for example in select_exact(examples)[1::2]}
    for twin, host in zip(twins, examples[::2], strict=True):
        sample = twin.tampered
        if sample.mask_path is None:
            continue
        mask = read_mask(sample.mask_path, encoding=dataset.card.mask_encoding)
        tampered = sample.image_path.read_bytes()
        size = read_size(sample.image_path)
        if mask.shape != size or not mask.any():
            continue
        is_exact = sample.image_path in exact
        found[size].append(LabelledPair(tampered, encode_like(host), mask, is_exact, sample.group))
    if not found:
        raise DatasetError(f"{dataset.name} has no forgery with mask and host in split {split}")
    return dict(found)


def hold_size(
    pairs: Mapping[tuple[int, int], Sequence[LabelledPair]], size: tuple[int, int]
) -> tuple[LabelledPair, ...]:
    """The pairs whose pictures are at least as high and as wide as a size, in the order of `pairs`."""
    return tuple(
        pair
        for (height, width), group in pairs.items()
        if height >= size[0] and width >= size[1]
        for pair in group
    )


def check_sizes(
    pairs: Mapping[tuple[int, int], Sequence[LabelledPair]], sizes: Iterable[tuple[int, int]], *, name: str
) -> None:
    """Refuse sizes of which a training split has no pair: their batches would hold made pairs alone.

    Args:
        pairs: of the training split, by size.
        sizes: (height, width) that batches are drawn of.
        name: of the data set, for the error.

    Raises:
        DatasetError: there is such a size.
    """
    missing = sorted(size for size in set(sizes) if not hold_size(pairs, size))
    if missing:
        most = sorted(pairs, key=lambda size: -len(pairs[size]))[:5]
        raise DatasetError(
            f"{name} has no forgery with mask and host that holds {_list_sizes(missing)} pixels (HxW) in its "
            f"split train; most there are of {_list_sizes(most)}. Take other data.sizes, or leave "
            "data.labelled out"
        )


def _list_sizes(sizes: Iterable[tuple[int, int]]) -> str:
    return ", ".join(f"{height}x{width}" for height, width in sizes)
