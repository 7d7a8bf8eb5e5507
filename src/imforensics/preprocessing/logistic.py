"""The logistic function, by which methods turn an evidence of any size into a map or score in [0, 1]."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from imforensics.types import FloatArray

MAX_LOGIT = 30.0  # exp() stays in the range of float32; 1 - 1e-13 is 1 in float32 anyway


def logistic(logits: FloatArray | np.float32) -> FloatArray:
    """1 / (1 + exp(-x)), with x limited to [-30, 30].

    Args:
        logits: array or scalar, any finite or infinite value; computed in its own precision.

    Returns:
        float32 of the same shape in (0, 1]; 0.5 at 0.

    >>> logistic(np.array([-np.inf, 0, 1000], np.float32)).round(3)
    array([0. , 0.5, 1. ], dtype=float32)
    """
    return np.asarray(1 / (1 + np.exp(-np.clip(logits, -MAX_LOGIT, MAX_LOGIT))), dtype=np.float32)
