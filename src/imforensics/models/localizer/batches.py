"""From the feed to what Keras fits on: the batches of one epoch as a pipeline, whose errors stay our own."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from imforensics.models.localizer.learning import network_inputs, truths

if TYPE_CHECKING:
    from imforensics.models.localizer.feed import Feed


class Batches:
    """What the network is shown in one epoch; keeps the error that ended it.

    tf.data turns an error of its generator into one of its own, with the traceback in its text.
    """

    def __init__(self, feed: Feed, epoch: int, steps: int) -> None:
        """The batches of an epoch."""
        self._feed = feed
        self._epoch = epoch
        self._steps = steps
        self._error: Exception | None = None

    def __iter__(self) -> Iterator[tuple[dict[str, Any], dict[str, Any]]]:
        """Inputs and truths of each batch."""
        try:
            for batch in self._feed.iterate(self._epoch, self._steps):
                yield network_inputs(batch), truths(batch)
        except Exception as error:
            self._error = error
            raise

    @contextmanager
    def telling_errors(self) -> Iterator[None]:
        """Raise the error that ended the batches in the place of what became of it."""
        try:
            yield
        except Exception:
            if self._error is not None:
                raise self._error from None
            raise


def make_pipeline(batches: Batches) -> Any:
    """Batches as a tf.data pipeline, which Keras spreads over the devices."""
    import tensorflow as tf

    from imforensics.models.localizer.traces import CHANNELS, TABLE_FACTS

    spec = tf.TensorSpec
    signature = (
        {
            "traces": spec((None, None, None, CHANNELS), tf.float16),
            "table": spec((None, TABLE_FACTS), tf.float32),
            "pixels": spec((None, None, None, 3), tf.float32),
        },
        {
            "marks": spec((None, None, None, 1), tf.float32),
            "labels": spec((None, 1), tf.float32),
            "weights": spec((None, 1), tf.float32),
        },
    )
    return tf.data.Dataset.from_generator(lambda: iter(batches), output_signature=signature).prefetch(2)
