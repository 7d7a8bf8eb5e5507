"""What the detector learns from: files as they are, or forgeries beside their own hosts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import numpy as np

from imforensics.cores import available_cores
from imforensics.datasets.shortcuts import read_encoder_settings
from imforensics.datasets.twins import encode_host, has_ijg_tables
from imforensics.errors import DatasetError
from imforensics.evidence import read_evidence
from imforensics.models.classifier.config import NetworkInputConfig
from imforensics.models.training.progress import Progress
from imforensics.models.training.worker_pool import open_pool
from imforensics.preprocessing.inputs import build_network_input
from imforensics.preprocessing.jpeg import decode_own_jpeg
from imforensics.types import FloatArray, Sample, UInt8Array

if TYPE_CHECKING:
    from imforensics.datasets.twins import Twin


AHEAD = 8  # inputs made ahead, a worker


@dataclass(frozen=True, slots=True)
class Example:
    """One image to learn from or to be tested on.

    Attributes:
        image_path: the image.
        label: 0 authentic, 1 tampered.
        saved_like: JPEG whose quantization tables and subsampling the pixels are saved with, in memory,
            before they are looked at; None takes the file as it is.
        group: source id, for intervals and folds.
    """

    image_path: Path
    label: Literal[0, 1]
    saved_like: Path | None = None
    group: str = ""


def raw_examples(samples: Sequence[Sample]) -> list[Example]:
    """Each file as it is."""
    return [Example(sample.image_path, sample.label, group=sample.group) for sample in samples]


def twin_examples(twins: Sequence[Twin]) -> list[Example]:
    """Host and tampered image in turn: 2k is the host saved like the tampered file, 2k + 1 that file."""
    examples = []
    for twin in twins:
        tampered, group = twin.tampered.image_path, twin.tampered.group
        host = Example(twin.host_path, 0, saved_like=tampered, group=group)
        examples += [host, Example(tampered, 1, group=group)]
    return examples


def select_exact(twins: Sequence[Example]) -> list[Example]:
    """The twins that one and the same encoder wrote, see `datasets.twins.has_ijg_tables`.

    Args:
        twins: as `twin_examples` gave them.

    Returns:
        Host and tampered image in turn; may be empty.
    """
    chosen = []
    for host, tampered in zip(twins[::2], twins[1::2], strict=True):
        if has_ijg_tables(read_encoder_settings(tampered.image_path).tables):
            chosen += [host, tampered]
    return chosen


def read_example(example: Example) -> UInt8Array:
    """Pixels of an example.

    Returns:
        (H, W, 3) uint8 RGB.

    Raises:
        EvidenceError: a file cannot be read.
        DatasetError: it cannot be saved like that file.
    """
    if example.saved_like is None:
        return read_evidence(example.image_path).pixels
    return np.array(decode_own_jpeg(encode_like(example)))


def encode_like(example: Example) -> bytes:
    """The picture of an example, saved with the quantization tables and subsampling of its `saved_like`.

    Raises:
        EvidenceError: a file cannot be read.
        DatasetError: it cannot be saved like that file.
    """
    if example.saved_like is None:
        raise ValueError(f"{example.image_path.name} is no half of a twin: it is saved like no other file")
    return encode_host(read_evidence(example.image_path).pixels, example.saved_like)


def build_input(pixels: UInt8Array, spec: NetworkInputConfig) -> FloatArray:
    """What the network sees of (H, W, 3) uint8 pixels: (h, w, C) float32 in [0, 1]."""
    return build_network_input(
        pixels, spec.kind, size=(spec.height, spec.width), ela_quality=spec.ela_quality
    )


def prepare_inputs(
    examples: Sequence[Example],
    spec: NetworkInputConfig,
    *,
    workers: int | None = None,
    stage: str = "inputs",
    progress: Progress | None = None,
) -> FloatArray:
    """Network inputs of all examples, computed once by a pool of processes.

    Args:
        examples: at least one.
        spec: what the network sees.
        workers: processes; None takes one a core.
        stage: name of the work for the progress display.
        progress: told of each image.

    Returns:
        (N, h, w, C) float32 in [0, 1], in the order of the examples.

    Raises:
        EvidenceError: a file cannot be read.
        DatasetError: there are no examples, or a twin cannot be made.
    """
    if not examples:
        raise DatasetError(
            f"No images for {stage}: the split has none. Check the data set and its split lists."
        )
    progress = progress or Progress()
    count = min(workers or available_cores(), len(examples))
    progress.start(stage, total=len(examples))
    inputs: FloatArray | None = None
    with open_pool(count) as pool:
        results = pool.map(partial(_example_input, spec=spec), ((e,) for e in examples), ahead=AHEAD)
        for index, array in enumerate(results):
            if inputs is None:
                inputs = np.empty((len(examples), *array.shape), np.float32)
            inputs[index] = array
            progress.advance()
    progress.finish()
    assert inputs is not None  # noqa: S101 - examples is not empty
    return inputs


def labels_of(examples: Sequence[Example]) -> FloatArray:
    """(N,) float32: 0 authentic, 1 tampered."""
    return np.array([example.label for example in examples], np.float32)


def _example_input(example: Example, spec: NetworkInputConfig) -> FloatArray:
    return build_input(read_example(example), spec)
