"""The shortcut baseline: what the encoder settings tell, without looking at any pixel.

In several public sets the two classes were saved by different programs. A detector that is not better than
this baseline may have learned nothing else, so every result on files as they are stands beside it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from imforensics.datasets.header_facts import read_header_facts
from imforensics.types import Sample

FEATURES = "file format, quantization tables, chroma subsampling"


@dataclass(frozen=True, slots=True)
class EncoderSettings:
    """How a file was encoded, as far as its header says.

    Attributes:
        format: true format by content, for example "JPEG".
        tables: quantization tables, 64 divisors for each component; empty for other formats.
        subsampling: chroma subsampling such as "4:2:0"; empty for other formats.
    """

    format: str
    tables: tuple[tuple[int, ...], ...] = ()
    subsampling: str = ""


@dataclass(frozen=True, slots=True)
class HeaderBaseline:
    """Encoder settings seen in training to the share of tampered files among those that had them.

    Attributes:
        shares: of each settings seen, [0, 1].
        prior: share of tampered files in training, for settings never seen.
    """

    shares: Mapping[EncoderSettings, float]
    prior: float

    def score(self, settings: EncoderSettings) -> float:
        """Share of tampered training files with these settings, higher = more likely tampered."""
        return self.shares.get(settings, self.prior)


@dataclass(frozen=True, slots=True)
class ShortcutResult:
    """What the header baseline reaches.

    Attributes:
        scores: (N,) of the evaluated samples, in their order.
        accuracy: share rightly told when a score above 0.5 means tampered.
        unseen: samples whose settings training did not have.
    """

    scores: tuple[float, ...]
    accuracy: float
    unseen: int


def read_encoder_settings(path: Path) -> EncoderSettings:
    """Read a file's encoder settings from its header; pixels are not decoded.

    Raises:
        DatasetError: the file cannot be read as an image.
    """
    facts = read_header_facts(path)
    return EncoderSettings(facts.format, facts.tables, facts.subsampling)


def fit_header_baseline(settings: Sequence[EncoderSettings], labels: Sequence[int]) -> HeaderBaseline:
    """Learn the header baseline.

    Args:
        settings: of each training file, at least one.
        labels: 0 authentic, 1 tampered, as many.

    Returns:
        The header baseline.

    Raises:
        ValueError: no files, or another number of labels.
    """
    if not settings or len(settings) != len(labels):
        raise ValueError(
            f"Expected one label per file, at least one; received {len(settings)}, {len(labels)}"
        )
    totals = Counter(settings)
    tampered = Counter(key for key, label in zip(settings, labels, strict=True) if label)
    shares = {key: tampered[key] / total for key, total in totals.items()}
    return HeaderBaseline(shares, sum(tampered.values()) / len(settings))


def measure_shortcut(train: Sequence[Sample], test: Sequence[Sample]) -> ShortcutResult:
    """Learn the header baseline on one split and evaluate it on another.

    Args:
        train: samples to learn from.
        test: samples to evaluate, at least one.

    Returns:
        Scores and accuracy.

    Raises:
        DatasetError: a file cannot be read.
        ValueError: a split is empty.
    """
    if not test:
        raise ValueError("Expected at least one sample to evaluate, received none")
    baseline = fit_header_baseline(
        [read_encoder_settings(sample.image_path) for sample in train], [sample.label for sample in train]
    )
    settings = [read_encoder_settings(sample.image_path) for sample in test]
    scores = np.array([baseline.score(entry) for entry in settings])
    labels = np.array([sample.label for sample in test])
    return ShortcutResult(
        scores=tuple(scores.tolist()),
        accuracy=float(((scores > 0.5) == labels).mean()),
        unseen=sum(entry not in baseline.shares for entry in settings),
    )
