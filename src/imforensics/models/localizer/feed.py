"""Batches for the localizer, made by worker processes while the network learns; nothing is kept on disk."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from imforensics.config import DatasetConfig
from imforensics.datasets.base import load_dataset, load_split
from imforensics.datasets.synthesis.pairs import draw_pair
from imforensics.datasets.synthesis.pool import Photo, PhotoPool, load_pool
from imforensics.errors import DatasetError, ImforensicsError
from imforensics.evidence import read_evidence
from imforensics.evidence.luma import BLOCK, LumaBlocks, read_luma
from imforensics.models.localizer.config import TrainLocalizerConfig
from imforensics.models.localizer.inputs import LocalizerInput, build_localizer_input
from imforensics.models.localizer.originals import Originals
from imforensics.models.localizer.pairs import check_sizes, hold_size, load_labelled_pairs
from imforensics.models.localizer.shown import Shown, show_labelled
from imforensics.models.localizer.traces import BlockTraces
from imforensics.models.training.worker_pool import WorkerPool, open_pool
from imforensics.preprocessing.blocks import block_means
from imforensics.types import BoolArray, FloatArray

AHEAD = 3  # batches made ahead, a worker
TRAINING, VALIDATION = 0, 1  # streams of the seed
UNTOUCHED = ("untouched", "untouched original")


@dataclass(frozen=True, slots=True)
class LocalizerBatch:
    """What a step learns from: N pictures of R x C blocks.

    Attributes:
        traces: (N, R, C, CHANNELS) float16.
        table: (N, TABLE_FACTS) float32.
        pixels: (N, 8R, 8C, 3) uint8, or float32 residuals.
        marks: (N, R, C, 1) float32, share of each block that is tampered.
        labels: (N, 1) float32: 1 tampered, 0 authentic.
        weights: (N, 1) float32: 0 where the label must not be learned from, see `LabelledPair.is_exact`.
        origins: (N,) where each picture comes from: "made", "original" (made of one), "labelled", or
            "resaved" and "resized" (labelled, saved once more), or one of UNTOUCHED.
    """

    traces: np.ndarray
    table: FloatArray
    pixels: np.ndarray
    marks: FloatArray
    labels: FloatArray
    weights: FloatArray
    origins: tuple[str, ...]


class BatchMaker:
    """Makes the batches of one split; each is a function of (configuration, epoch, step) alone."""

    def __init__(self, config: TrainLocalizerConfig, split: str) -> None:
        """Find the photographs, and read the labelled pairs.

        Args:
            config: what is drawn from.
            split: "train" or "val": whose photographs are used.

        Raises:
            DatasetError: a data set or split is missing, or there is a size of which no pair is labelled.
        """
        self._config = config
        self._stream = TRAINING if split == "train" else VALIDATION
        self._pool: PhotoPool = load_pool(_list_photos(config.data.photos, split))
        labelled, originals = config.data.labelled, config.data.originals
        self._labelled = load_labelled_pairs(labelled.dataset, split) if labelled is not None else {}
        if labelled is not None and split == "train":
            check_sizes(self._labelled, config.data.sizes, name=labelled.dataset.name)
        self._originals: Originals | None = None
        if originals is not None:
            self._originals = Originals(originals, _list_photos((originals.dataset,), split))

    @property
    def unreadable(self) -> tuple[Path, ...]:
        """Photographs that are left out because they are no image."""
        return self._pool.unreadable + (self._originals.unreadable if self._originals else ())

    def make_batch(self, epoch: int, step: int) -> LocalizerBatch:
        """Pairs, then untouched photographs."""
        data, streams = self._config.data, self._config.network.streams
        rng = np.random.default_rng([self._config.seed, self._stream, epoch, step])
        size = data.sizes[int(rng.integers(len(data.sizes)))]
        inputs: list[LocalizerInput] = []
        masks: list[FloatArray] = []
        weights: list[tuple[bool, float]] = []
        origins: list[str] = []
        for number in range(data.pairs):
            turns = rng.random(2) < 0.5
            for shown in self._draw_pair(rng, size, epoch=epoch, number=step * data.pairs + number):
                inputs.append(_flip_input(shown.read(size, streams), turns))
                masks.append(_mark_blocks(shown.cut_mask(size), size)[_flips(turns)])
                weights.append((shown.mask is not None, shown.weight))
                origins.append(shown.origin)
        for _ in range(data.untouched):
            inputs.append(self._cut_untouched(rng, size))
            masks.append(_mark_blocks(None, size))
            weights.append((False, 1.0))
            origins.append(UNTOUCHED[0])
        if self._originals is not None:
            for _ in range(self._originals.config.untouched):
                inputs.append(self._originals.cut_untouched(rng, size, streams))
                masks.append(_mark_blocks(None, size))
                weights.append((False, 1.0))
                origins.append(UNTOUCHED[1])
        labels, shares = np.array(weights, dtype=np.float32).T
        return LocalizerBatch(
            traces=np.stack([item.traces.values for item in inputs]),
            table=np.stack([item.traces.table for item in inputs]),
            pixels=np.stack([item.pixels for item in inputs]),
            marks=np.stack(masks)[..., np.newaxis],
            labels=labels[:, np.newaxis],
            weights=shares[:, np.newaxis],
            origins=tuple(origins),
        )

    def _draw_pair(
        self, rng: np.random.Generator, size: tuple[int, int], *, epoch: int, number: int
    ) -> tuple[Shown, Shown]:
        labelled = self._config.data.labelled
        candidates = hold_size(self._labelled, size)
        if labelled is not None and candidates and rng.random() < labelled.share:
            return show_labelled(candidates[int(rng.integers(len(candidates)))], size, rng, labelled)
        seed = int(np.random.SeedSequence([self._config.seed, self._stream, epoch]).generate_state(1)[0])
        if self._originals is not None and rng.random() < self._originals.config.share:
            return self._originals.draw_pair(rng, size, seed=seed, index=number)
        made = draw_pair(self._pool, self._config.data.synthesis, seed=seed, index=number, size=size)
        return Shown(made.tampered, made.mask, "made"), Shown(made.twin, None, "made")

    def _find_upright(self, size: tuple[int, int]) -> Photo:
        """The first photograph that holds this size as it stands, a JPEG where there is one."""
        fitting = [photo for photo in self._pool.photos if _holds(photo, size)]
        if not fitting:
            raise DatasetError(
                f"No photograph holds {size[0]}x{size[1]} pixels (HxW) as it stands. Add larger ones, ask "
                "for smaller sizes, or set untouched to 0"
            )
        return next((photo for photo in fitting if photo.is_jpeg), fitting[0])

    def _cut_untouched(self, rng: np.random.Generator, size: tuple[int, int]) -> LocalizerInput:
        """A part of a photograph's file on its own grid, as a lossless crop would leave it.

        Traces that `read_traces` would not read are not shown here either.
        """
        numbers = self._pool.find_hosts(size)
        for _ in range(len(numbers)):
            photo = self._pool.photos[numbers[int(rng.integers(len(numbers)))]]
            if photo.is_jpeg and _holds(photo, size):
                break
        else:
            photo = self._find_upright(size)
        evidence = read_evidence(photo.path)
        down, across = (
            int(rng.integers(side // BLOCK + 1)) for side in (photo.height - size[0], photo.width - size[1])
        )
        top, left = photo.top + down * BLOCK, photo.left + across * BLOCK
        pixels = evidence.pixels[top : top + size[0], left : left + size[1]]
        streams = self._config.network.streams
        luma = None if evidence.jpeg is None else read_luma(evidence)
        if not isinstance(luma, LumaBlocks):
            return build_localizer_input(pixels, None, None, streams=streams)
        rows, columns = (
            slice(start // BLOCK, (start + side) // BLOCK)
            for start, side in zip((top, left), size, strict=True)
        )
        return build_localizer_input(pixels, luma.quantized[rows, columns], luma.table, streams=streams)


def take_picture(batch: LocalizerBatch, index: int) -> LocalizerInput:
    """One picture of a batch, as the network takes it."""
    return LocalizerInput(BlockTraces(batch.traces[index], batch.table[index]), batch.pixels[index])


class Feed:
    """Batches of an epoch in order, made ahead by worker processes."""

    def __init__(self, pool: WorkerPool) -> None:
        """Take batches from a pool whose workers were prepared by `_prepare`."""
        self._pool = pool

    def iterate(self, epoch: int, steps: int) -> Iterator[LocalizerBatch]:
        """The batches of one epoch."""
        return self._pool.map(_make_batch, ((epoch, step) for step in range(steps)), ahead=AHEAD)

    def list_unreadable(self) -> tuple[Path, ...]:
        """Photographs that are left out because they are no image."""
        (paths,) = self._pool.map(_list_unreadable, [()], ahead=AHEAD)
        return paths


@contextmanager
def open_feed(config: TrainLocalizerConfig, split: str) -> Iterator[Feed]:
    """Worker processes that make the batches of one split; ended on leaving."""
    with open_pool(config.workers, initializer=_prepare, initargs=(config, split)) as pool:
        yield Feed(pool)


_prepared: list[BatchMaker | ImforensicsError] = []


def _prepare(config: TrainLocalizerConfig, split: str) -> None:
    """Make this process's maker; what goes wrong is told by its first task: here it would break the pool."""
    try:
        _prepared[:] = [BatchMaker(config, split)]
    except ImforensicsError as error:
        _prepared[:] = [error]


def _find_maker() -> BatchMaker:
    (maker,) = _prepared
    if isinstance(maker, ImforensicsError):
        raise maker
    return maker


def _make_batch(epoch: int, step: int) -> LocalizerBatch:
    return _find_maker().make_batch(epoch, step)


def _list_unreadable() -> tuple[Path, ...]:
    return _find_maker().unreadable


def _list_photos(datasets: tuple[DatasetConfig, ...], split: str) -> list[Path]:
    return [
        sample.image_path
        for config in datasets
        for sample in load_split(load_dataset(config.name, config.root), split)
        if sample.label == 0
    ]


def _holds(photo: Photo, size: tuple[int, int]) -> bool:
    return photo.height >= size[0] and photo.width >= size[1]


def _mark_blocks(mask: BoolArray | None, size: tuple[int, int]) -> FloatArray:
    """(R, C) float32, share of each block that is tampered."""
    if mask is None:
        return np.zeros((size[0] // BLOCK, size[1] // BLOCK), dtype=np.float32)
    return block_means(mask.view(np.uint8), block=BLOCK)


def _flips(turns: np.ndarray) -> tuple[slice, slice]:
    up_down, left_right = (slice(None, None, -1 if turn else 1) for turn in turns)
    return up_down, left_right


def _flip_input(item: LocalizerInput, turns: np.ndarray) -> LocalizerInput:
    """Mirrored; magnitudes of coefficients do not change when whole blocks are mirrored."""
    where = _flips(turns)
    traces = type(item.traces)(item.traces.values[where], item.traces.table)
    return LocalizerInput(traces, item.pixels[where])
