"""From an exported localizer's map and score to a mask and a statement, on validation data alone."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeVar

import numpy as np

from imforensics.config import DatasetConfig
from imforensics.datasets.base import load_dataset, load_split
from imforensics.errors import DatasetError
from imforensics.evidence import read_evidence
from imforensics.evidence.luma import BLOCK
from imforensics.metrics.calibration import Conditions, fit_calibration
from imforensics.metrics.curves import f1_over_thresholds
from imforensics.metrics.label_thresholds import choose_label_thresholds
from imforensics.models.localizer.evidence import read_traces
from imforensics.models.localizer.feed import BatchMaker
from imforensics.models.localizer.inputs import view_pixels
from imforensics.models.localizer.manifest import MapThreshold
from imforensics.models.localizer.pairs import load_labelled_pairs
from imforensics.models.localizer.traces import BlockTraces
from imforensics.models.localizer.writer import describe_source
from imforensics.preprocessing.blocks import block_means

if TYPE_CHECKING:
    from imforensics.metrics.calibration import Calibration
    from imforensics.models.localizer.config import TrainLocalizerConfig
    from imforensics.models.localizer.manifest import DataSource
    from imforensics.models.localizer.runtime import BlockMaps, LocalizerRuntime
    from imforensics.models.training.progress import Progress
    from imforensics.types import BoolArray, Evidence

T = TypeVar("T")

LEVELS = np.linspace(0.02, 0.98, 97)  # thresholds tried


@dataclass(frozen=True, slots=True)
class LocalizerCalibration:
    """Threshold of the map and calibration of the score, with what they rest on."""

    map_threshold: MapThreshold
    calibration: Calibration
    sources: tuple[DataSource, ...]


@dataclass(frozen=True, slots=True)
class _Case:
    """One validation picture as the network sees it; `truth` is None for an authentic one."""

    maps: BlockMaps
    truth: BoolArray | None  # (R, C), at least half of the block is tampered
    group: str
    size: tuple[int, int]


def calibrate_localizer(
    config: TrainLocalizerConfig, runtime: LocalizerRuntime, *, progress: Progress
) -> LocalizerCalibration:
    """Choose the map's threshold and calibrate the score.

    The map's threshold is the one with the highest mean F1 over the tampered pictures. The score is
    calibrated on tampered pictures against their twins, saved alike; a label needs that no more than 2 % of
    the twins, and of each set of photographs by itself, would be called tampered.

    Args:
        config: of the run: `calibration` gives the pairs, and the validation splits of its photographs the
            authentic photographs.
        runtime: the exported network, as it ships.
        progress: told of each picture.

    Raises:
        DatasetError: a data set or a split is missing, or has no pair.
    """
    labelled = config.calibration
    words, total = _describe_pairs(config)
    progress.start("calibration", total=total)
    cases = []
    for case in _labelled_cases(config, runtime, labelled) if labelled else _made_cases(config, runtime):
        cases.append(case)
        progress.advance()
    progress.finish()
    photos = [_see_photographs(config, item, runtime, progress) for item in config.data.photos]
    sources = [
        describe_source(
            load_dataset(item.name, item.root).card, role="photographs for thresholds", images=len(group)
        )
        for item, group in zip(config.data.photos, photos, strict=True)
    ]
    if labelled is not None:
        card = load_dataset(labelled.name, labelled.root).card
        sources.insert(0, describe_source(card, role="calibration", images=len(cases)))
    return LocalizerCalibration(
        _choose_map_threshold(cases, words),
        _calibrate_score(cases, label_photographs(config.data.photos, photos), words, config),
        tuple(sources),
    )


def label_photographs(datasets: Sequence[DatasetConfig], groups: Sequence[T]) -> dict[str, T]:
    """What belongs to each set of photographs by its name, in order; the second of one name is "name 2".

    >>> sets = [DatasetConfig(name="folder"), DatasetConfig(name="photos"), DatasetConfig(name="folder")]
    >>> label_photographs(sets, [1, 2, 3])
    {'folder': 1, 'photos': 2, 'folder 2': 3}
    """
    found: dict[str, T] = {}
    for number, (item, group) in enumerate(zip(datasets, groups, strict=True)):
        before = sum(other.name == item.name for other in datasets[:number])
        found[f"{item.name} {before + 1}" if before else item.name] = group
    return found


def _calibrate_score(
    cases: list[_Case], photos: dict[str, list[_Case]], words: str, config: TrainLocalizerConfig
) -> Calibration:
    """Score to ratio from the pairs; thresholds of the label from the photographs too.

    Pictures as large as the largest photographs are within the conditions: alarms were counted there.
    """
    seen = [*cases, *(case for group in photos.values() for case in group)]
    calibration = fit_calibration(
        [case.maps.score for case in cases],
        [int(case.truth is not None) for case in cases],
        protocol="twin",
        population=f"{words}, tampered pictures against their twins, saved alike",
        groups=[case.group for case in cases],
        conditions=Conditions(
            requires_jpeg=True,
            min_side=min(min(case.size) for case in cases),
            max_pixels=max(case.size[0] * case.size[1] for case in seen),
        ),
        seed=config.seed,
    )
    sets, count = list(photos.items()), config.data.camera_sets
    camera, others = sets[:count], sets[count:]
    return choose_label_thresholds(
        calibration,
        authentic_camera_scores=_scores(case for _, group in camera for case in group),
        authentic_scores=_scores(case for case in cases if case.truth is None),
        tampered_scores=_scores(case for case in cases if case.truth is not None),
        other_authentic_scores={name: _scores(group) for name, group in others},
    )


def _choose_map_threshold(cases: list[_Case], words: str) -> MapThreshold:
    f1s = [
        f1_over_thresholds(case.maps.marks, case.truth, thresholds=LEVELS)
        for case in cases
        if case.truth is not None
    ]
    mean = np.mean(f1s, axis=0)
    best = int(mean.argmax())
    population = f"{words}, {len(f1s)} tampered pictures, mean F1 of blocks {mean[best]:.3f}"
    return MapThreshold(value=float(LEVELS[best]), policy="f1_fixed", population=population)


def _describe_pairs(config: TrainLocalizerConfig) -> tuple[str, int]:
    """What the pairs are, and how many pictures they are at most."""
    labelled = config.calibration
    if labelled is None:
        return "forgeries made from photographs of the validation split", 2 * config.data.validation_pairs
    dataset = load_dataset(labelled.name, labelled.root)
    count = sum(len(pairs) for pairs in load_labelled_pairs(labelled, "val").values())
    return f"{dataset.card.title}, validation split", 2 * count


def _labelled_cases(
    config: TrainLocalizerConfig, runtime: LocalizerRuntime, labelled: DatasetConfig
) -> Iterator[_Case]:
    for size, pairs in load_labelled_pairs(labelled, "val").items():
        for pair in pairs:
            truth = block_means(pair.mask.view(np.uint8), block=BLOCK) >= 0.5
            for content, marks in ((pair.tampered, truth), (pair.host, None)):
                yield _Case(_localize(config, runtime, read_evidence(content)), marks, pair.group, size)


def _made_cases(config: TrainLocalizerConfig, runtime: LocalizerRuntime) -> Iterator[_Case]:
    """The validation pairs that are made from photographs; files that are no JPEG are left out."""
    maker = BatchMaker(config, "val")
    for step in range(-(-config.data.validation_pairs // config.data.pairs)):
        batch = maker.make_batch(0, step)
        for index in range(2 * config.data.pairs):
            table = batch.table[index]
            if batch.origins[index] != "made" or not table.any():
                continue
            truth = batch.marks[index, ..., 0] >= 0.5 if batch.labels[index, 0] else None
            maps = runtime.localize(BlockTraces(batch.traces[index], table), batch.pixels[index])
            yield _Case(maps, truth, f"{step}_{index // 2}", batch.pixels.shape[1:3])


def _scores(cases: Iterable[_Case]) -> list[float]:
    return [case.maps.score for case in cases]


def _see_photographs(
    config: TrainLocalizerConfig, item: DatasetConfig, runtime: LocalizerRuntime, progress: Progress
) -> list[_Case]:
    samples = load_split(load_dataset(item.name, item.root), "val")
    paths = [sample.image_path for sample in samples if sample.label == 0]
    if not paths:
        raise DatasetError(f"{item.name} has no photograph in its validation split")
    progress.start(f"{item.name}, validation split", total=len(paths))
    cases = []
    for path in paths:
        evidence = read_evidence(path)
        maps = _localize(config, runtime, evidence)
        cases.append(_Case(maps, None, path.name, (evidence.height, evidence.width)))
        progress.advance()
    progress.finish()
    return cases


def _localize(config: TrainLocalizerConfig, runtime: LocalizerRuntime, evidence: Evidence) -> BlockMaps:
    pixels = view_pixels(evidence.pixels, config.network.streams)
    return runtime.localize(read_traces(evidence).traces, pixels)
