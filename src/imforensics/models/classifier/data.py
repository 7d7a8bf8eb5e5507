"""The splits a detector is trained, validated and tested on."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, get_args

from imforensics.config import DatasetConfig
from imforensics.datasets.base import Dataset, load_dataset, load_split
from imforensics.datasets.twins import load_twins
from imforensics.errors import DatasetError
from imforensics.models.classifier.config import TrainDetectorConfig
from imforensics.models.classifier.examples import Example, raw_examples, select_exact, twin_examples
from imforensics.models.classifier.manifest import Pairs
from imforensics.types import Sample

SplitName = Literal["train", "val", "test"]
SPLIT_NAMES: tuple[SplitName, ...] = get_args(SplitName)


@dataclass(frozen=True, slots=True)
class TrainingData:
    """Examples by kind of pairs and split.

    Attributes:
        title: of the data set.
        samples: of each split, for the header baseline of settings.
        examples: kind of pairs to split to examples; the twins are missing where the set has none committed,
            the exact ones where a split has none.
        photos: authentic photographs for the false-alarm rate of the label.
        photos_title: of their data set, None without one.
        twins_missing: why there are no twins, None where there are.
    """

    title: str
    samples: dict[SplitName, tuple[Sample, ...]]
    examples: dict[Pairs, dict[SplitName, list[Example]]]
    photos: list[Example]
    photos_title: str | None
    twins_missing: str | None


def load_training_data(config: TrainDetectorConfig) -> TrainingData:
    """List what a run needs; headers are read, no pixel is.

    Raises:
        DatasetError: a data set or split is missing, twins are asked of a set that has none, or the
            validation split has a class of fewer than two groups.
    """
    dataset = _load(config.dataset)
    samples = {split: load_split(dataset, split) for split in SPLIT_NAMES}
    examples: dict[Pairs, dict[SplitName, list[Example]]] = {
        "raw": {split: raw_examples(samples[split]) for split in SPLIT_NAMES}
    }
    twins_missing = None
    try:
        examples |= _twins_of(dataset, samples)
    except DatasetError as error:
        if config.pairs != "raw":
            raise
        twins_missing = str(error)
    if config.pairs not in examples:
        raise DatasetError(f"{config.dataset.name} has a split without exact twins. Train with pairs: twin")
    _check_groups(examples[config.pairs]["val"], config.dataset.name)
    photos = _load(config.photos) if config.photos is not None else None
    return TrainingData(
        title=dataset.card.title,
        samples=samples,
        examples=examples,
        photos=raw_examples(load_split(photos, "val")) if photos is not None else [],
        photos_title=photos.card.title if photos is not None else None,
        twins_missing=twins_missing,
    )


def _check_groups(validation: Sequence[Example], name: str) -> None:
    """Refuse, before anything is trained, what no calibration can be fitted on."""
    for label, word in enumerate(("authentic", "tampered")):
        count = len({example.group for example in validation if example.label == label})
        if count < 2:
            raise DatasetError(
                f"The validation split of {name} has {word} images of {count} sources (groups); the "
                "calibration holds one out and needs at least 2. Add images of others, or split otherwise"
            )


def _twins_of(
    dataset: Dataset, samples: dict[SplitName, tuple[Sample, ...]]
) -> dict[Pairs, dict[SplitName, list[Example]]]:
    twins = {split: twin_examples(load_twins(dataset, samples[split])) for split in SPLIT_NAMES}
    exact = {split: select_exact(twins[split]) for split in SPLIT_NAMES}
    return {"twin": twins, "exact_twin": exact} if all(exact.values()) else {"twin": twins}


def _load(config: DatasetConfig) -> Dataset:
    return load_dataset(config.name, config.root)
