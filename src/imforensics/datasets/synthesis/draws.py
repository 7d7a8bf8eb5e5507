"""Draws that several parts of the synthesis share."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Mapping

KeyT = TypeVar("KeyT", bound=str)


def pick(rng: np.random.Generator, weights: Mapping[KeyT, float]) -> KeyT:
    """A key, with a probability that is proportional to its weight.

    Raises:
        ValueError: no weight is above 0.

    >>> pick(np.random.default_rng(0), {"a": 0.0, "b": 2.0})
    'b'
    """
    left = rng.random() * sum(weights.values())
    chosen = None
    for key, weight in weights.items():
        if weight <= 0:
            continue
        chosen = key
        left -= weight
        if left < 0:
            break
    if chosen is None:
        raise ValueError("Expected a weight above 0; received none")
    return chosen


def draw_log_uniform(rng: np.random.Generator, low: float, high: float) -> float:
    """A number whose logarithm is uniform between those of `low` and `high`, both above 0."""
    return float(np.exp(rng.uniform(np.log(low), np.log(high))))


def draw_flag(rng: np.random.Generator, share: float) -> bool:
    """True with a probability."""
    return bool(rng.random() < share)
