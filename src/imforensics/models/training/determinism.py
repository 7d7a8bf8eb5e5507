"""Fits that come out the same when they are run again, or are resumed."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    import keras


def make_deterministic(seed: int) -> None:
    """Seed every random generator and take deterministic operations only, for the whole process."""
    import keras
    import tensorflow as tf

    keras.utils.set_random_seed(seed)
    tf.config.experimental.enable_op_determinism()


def reseed_dropout(model: keras.Model, seed: int, epoch: int) -> None:
    """Make the dropout of an epoch a function of (seed, epoch), as the batches are.

    Keras counts the second half of a layer's random state up by one a step. Starting each epoch at a state
    drawn from all 2 ** 64 keeps the masks of one epoch from coming again in the next.
    """
    for number, layer in enumerate(model.layers):
        generator = getattr(layer, "seed_generator", None)
        if generator is not None:
            generator.state.assign(np.random.SeedSequence([seed, epoch, number]).generate_state(2))
