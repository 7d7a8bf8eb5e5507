"""The logistic function against its definition in double precision."""

from __future__ import annotations

import numpy as np

from imforensics.preprocessing.logistic import logistic


def test_it_is_the_logistic_function_in_float32() -> None:
    logits = np.linspace(-25, 25, 401, dtype=np.float32)
    found = logistic(logits)
    assert found.dtype == np.float32
    np.testing.assert_allclose(found, 1 / (1 + np.exp(-logits.astype(np.float64))), rtol=1e-5)
    assert (np.diff(found) >= 0).all()
    assert logistic(np.float32(0)) == 0.5


def test_extremes_overflow_nothing() -> None:
    low, high = logistic(np.array([-3e38, 3e38], np.float32))
    assert 0 < low < 1e-12
    assert high == 1
    np.testing.assert_array_equal(logistic(np.array([-np.inf, np.inf], np.float32)), [low, 1])
