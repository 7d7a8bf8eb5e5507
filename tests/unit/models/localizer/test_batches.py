"""The batches of an epoch on their way to Keras: an error of ours comes out as it went in."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

from imforensics.errors import DatasetError
from imforensics.models.localizer.batches import Batches, make_pipeline
from imforensics.models.localizer.feed import LocalizerBatch
from imforensics.models.localizer.traces import CHANNELS, TABLE_FACTS

pytestmark = pytest.mark.train


@pytest.fixture(autouse=True, scope="module")
def libraries() -> None:
    for name in ("tensorflow", "keras"):
        pytest.importorskip(name)


def batch(value: int) -> LocalizerBatch:
    """Two pictures of 2x3 blocks, all of one value."""
    return LocalizerBatch(
        traces=np.full((2, 2, 3, CHANNELS), value, np.float16),
        table=np.full((2, TABLE_FACTS), value, np.float32),
        pixels=np.full((2, 16, 24, 3), value, np.uint8),
        marks=np.zeros((2, 2, 3, 1), np.float32),
        labels=np.zeros((2, 1), np.float32),
        weights=np.ones((2, 1), np.float32),
        origins=("made",) * 2,
    )


class BrokenFeed:
    """Gives as many batches as asked for, or fails after some."""

    def __init__(self, fails_after: int | None = None) -> None:
        """Of the failure: number of batches before it."""
        self._fails_after = fails_after
        self.asked: list[int] = []

    def iterate(self, epoch: int, steps: int) -> Iterator[LocalizerBatch]:
        """The batches of one epoch."""
        self.asked.append(epoch)
        for step in range(steps):
            if step == self._fails_after:
                raise DatasetError("photo.jpg has changed since the pool was made")
            yield batch(step)


def make_batches(fails_after: int | None = None) -> Batches:
    feed: Any = BrokenFeed(fails_after)
    return Batches(feed, 3, 4)


def test_the_pipeline_gives_the_batches_in_order_as_float32() -> None:
    found = list(make_pipeline(make_batches()).as_numpy_iterator())
    assert [int(inputs["pixels"][0, 0, 0, 0]) for inputs, _ in found] == [0, 1, 2, 3]
    inputs, truths = found[2]
    assert {name: value.dtype for name, value in inputs.items()} == {
        "traces": np.float16,
        "table": np.float32,
        "pixels": np.float32,
    }
    assert {name: value.shape for name, value in truths.items()} == {
        "marks": (2, 2, 3, 1),
        "labels": (2, 1),
        "weights": (2, 1),
    }


def test_an_error_of_the_feed_is_told_as_it_is() -> None:
    batches = make_batches(fails_after=2)
    with (
        pytest.raises(DatasetError, match=r"^photo\.jpg has changed since the pool was made$"),
        batches.telling_errors(),
    ):
        list(make_pipeline(batches))


def test_other_errors_pass() -> None:
    with pytest.raises(ZeroDivisionError), make_batches().telling_errors():
        raise ZeroDivisionError
