"""Changes by quantizing again, against the definition."""

from __future__ import annotations

import numpy as np
import pytest

from imforensics.evidence.quantization import ijg_tables
from imforensics.methods.jpeg import requantization as module
from imforensics.methods.jpeg.requantization import requantization_errors


@pytest.mark.parametrize("strip", [5, 1000])
def test_changes_are_those_of_the_definition(strip: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_STRIP_BLOCKS", strip)
    coefficients = np.random.default_rng(3).laplace(0, 12, (23, 64)).astype(np.float32)
    coefficients[:, 40:] /= 50  # quantized to 0 by most tables
    tables = np.stack([ijg_tables(quality)[0].ravel() for quality in (50, 51, 80, 95)]).astype(np.float32)
    nearest = np.rint(coefficients / tables[:, None]) * tables[:, None]
    expected = ((coefficients - nearest) ** 2).mean(axis=2)
    np.testing.assert_allclose(requantization_errors(coefficients, tables), expected, rtol=1e-4)


def test_a_block_has_its_change_wherever_it_stands() -> None:
    coefficients = np.random.default_rng(4).laplace(0, 12, (300, 64)).astype(np.float32)
    tables = np.stack([ijg_tables(quality)[0].ravel() for quality in range(60, 90)]).astype(np.float32)
    alone = np.concatenate(
        [requantization_errors(block[None], tables) for block in coefficients[:20]], axis=1
    )
    np.testing.assert_array_equal(alone, requantization_errors(coefficients, tables)[:, :20])
