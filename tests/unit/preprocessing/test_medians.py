"""Medians against NumPy's."""

from __future__ import annotations

import numpy as np
import pytest

from imforensics.preprocessing.medians import median


@pytest.mark.parametrize("shape", [(1,), (2,), (7,), (3, 8), (2, 3, 101), (4, 1000)])
def test_medians_are_those_of_numpy(shape: tuple[int, ...]) -> None:
    values = np.random.default_rng(1).normal(size=shape).astype(np.float32)
    np.testing.assert_array_equal(median(values), np.median(values, axis=-1))
    assert median(values).dtype == np.float32
