"""Batches for the fit: shuffled and mirrored by (seed, epoch), so that a resumed run sees the same ones."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from imforensics.types import FloatArray

if TYPE_CHECKING:
    import tensorflow as tf

Batch = tuple[FloatArray, FloatArray, FloatArray]


@dataclass(frozen=True, slots=True)
class LabelledInputs:
    """Network inputs with their labels.

    Attributes:
        inputs: (N, h, w, C) float32 in [0, 1].
        labels: (N,) float32: 0 authentic, 1 tampered.
        unit: neighbours that stay together in a batch: 1 for single images, 2 for twins.
    """

    inputs: FloatArray
    labels: FloatArray
    unit: int = 1

    def __post_init__(self) -> None:
        """Check that the arrays fit each other."""
        if len(self.inputs) != len(self.labels) or len(self.inputs) % self.unit:
            raise ValueError(
                f"Expected as many inputs as labels, a multiple of {self.unit}; "
                f"received {len(self.inputs)} inputs and {len(self.labels)} labels"
            )


def class_weights(labels: FloatArray) -> tuple[float, float]:
    """Weights of the authentic and the tampered class, inverse to their frequency, mean over images 1.

    Raises:
        ValueError: a class has no image.

    >>> class_weights(np.array([0, 0, 0, 1], np.float32))
    (0.6666666666666666, 2.0)
    """
    counts = np.bincount(labels.astype(np.int64), minlength=2)
    if counts.min() == 0:
        raise ValueError(
            f"Expected both classes, received {counts[0]} authentic and {counts[1]} tampered images"
        )
    weights = len(labels) / (2 * counts)
    return float(weights[0]), float(weights[1])


def batch_indices(
    count: int, *, unit: int, batch_size: int, rng: np.random.Generator
) -> Iterator[NDArray[np.int64]]:
    """Indices of each batch: units in random order, the members of a unit side by side, in random order too.

    Were the tampered image always the second of two, its place in the batch would tell the label to anything
    that depends on the place, such as a dropout mask.
    """
    order = rng.permutation(count // unit)
    step = max(batch_size // unit, 1)
    for start in range(0, len(order), step):
        units = order[start : start + step]
        members = rng.permuted(np.tile(np.arange(unit), (len(units), 1)), axis=1)
        yield (units[:, None] * unit + members).ravel()


def iterate_batches(
    data: LabelledInputs,
    *,
    batch_size: int,
    seed: int,
    epoch: int,
    flips: bool,
    weights: tuple[float, float] = (1.0, 1.0),
) -> Iterator[Batch]:
    """One epoch of training batches.

    Args:
        data: inputs and labels.
        batch_size: images a batch; the last may be smaller.
        seed: of the whole run.
        epoch: order and mirroring are a function of (seed, epoch) alone.
        flips: mirror units at random, left-right and up-down.
        weights: of the authentic and the tampered class.

    Yields:
        Inputs (n, h, w, C), labels (n, 1), weights (n, 1), all float32.
    """
    rng = np.random.default_rng([seed, epoch])
    for indices in batch_indices(len(data.labels), unit=data.unit, batch_size=batch_size, rng=rng):
        inputs = data.inputs[indices]
        if flips:
            _flip_units(inputs, data.unit, rng)
        labels = data.labels[indices][:, None]
        yield inputs, labels, np.where(labels > 0, weights[1], weights[0]).astype(np.float32)


def training_batches(
    data: LabelledInputs,
    *,
    batch_size: int,
    seed: int,
    epoch: int,
    flips: bool,
    weights: tuple[float, float] = (1.0, 1.0),
) -> tf.data.Dataset:
    """`iterate_batches` as a prefetching tf.data pipeline: batches are cut while the cores fit."""
    import tensorflow as tf

    shape = (None, *data.inputs.shape[1:])
    signature = (
        tf.TensorSpec(shape, tf.float32),
        tf.TensorSpec((None, 1), tf.float32),
        tf.TensorSpec((None, 1), tf.float32),
    )
    batches = tf.data.Dataset.from_generator(
        lambda: iterate_batches(
            data, batch_size=batch_size, seed=seed, epoch=epoch, flips=flips, weights=weights
        ),
        output_signature=signature,
    )
    count = math.ceil(len(data.labels) / (max(batch_size // data.unit, 1) * data.unit))
    return batches.apply(tf.data.experimental.assert_cardinality(count)).prefetch(4)


def _flip_units(inputs: FloatArray, unit: int, rng: np.random.Generator) -> None:
    """Mirror in place; `inputs` is a copy made by fancy indexing."""
    for start in range(0, len(inputs), unit):
        rows = slice(start, start + unit)
        left_right, up_down = rng.random(2) < 0.5
        if left_right:
            inputs[rows] = inputs[rows, :, ::-1].copy()
        if up_down:
            inputs[rows] = inputs[rows, ::-1].copy()
