"""The block DCT against the sum of its definition, and on every grid."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from imforensics.preprocessing import block_dct as module
from imforensics.preprocessing.block_dct import block_dct


def by_definition(block: NDArray[np.float64]) -> NDArray[np.float64]:
    """ITU-T T.81 A.3.3, term by term."""
    result = np.zeros((8, 8))
    x = np.arange(8)
    for u in range(8):
        for v in range(8):
            scale = (np.sqrt(0.5) if u == 0 else 1) * (np.sqrt(0.5) if v == 0 else 1) / 4
            waves = np.outer(np.cos((2 * x + 1) * u * np.pi / 16), np.cos((2 * x + 1) * v * np.pi / 16))
            result[u, v] = scale * (waves * block).sum()
    return result


@pytest.mark.parametrize(("top", "left"), [(0, 0), (3, 5), (7, 7), (9, 16)])
@pytest.mark.parametrize("kind", [np.uint8, np.float32])
def test_each_block_is_the_definition_s_sum(
    top: int, left: int, kind: type, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "_STRIP_PIXELS", 200)  # several strips
    plane = np.random.default_rng(0).integers(0, 256, (37, 50)).astype(kind)
    result = block_dct(plane, top=top, left=left)
    assert result.shape == ((37 - top) // 8, (50 - left) // 8, 8, 8)
    assert result.dtype == np.float32
    for row in range(result.shape[0]):
        for column in range(result.shape[1]):
            at = np.s_[top + 8 * row : top + 8 * row + 8, left + 8 * column : left + 8 * column + 8]
            np.testing.assert_allclose(
                result[row, column], by_definition(plane[at].astype(np.float64)), atol=2e-3
            )


def test_strips_change_nothing() -> None:
    plane = np.random.default_rng(1).normal(size=(1100, 530)).astype(np.float32)
    whole = block_dct(plane, top=1, left=2)
    np.testing.assert_allclose(whole[100:], block_dct(plane[800:], top=1, left=2), atol=1e-5)


@pytest.mark.parametrize("shape", [(0, 0), (7, 40), (40, 7), (1, 1)])
def test_a_plane_without_a_whole_block_gives_none(shape: tuple[int, int]) -> None:
    assert block_dct(np.zeros(shape, np.uint8)).size == 0


def test_wrong_input_is_refused() -> None:
    with pytest.raises(ValueError, match="plane"):
        block_dct(np.zeros((8, 8, 3), np.uint8))
    with pytest.raises(ValueError, match="left=-1"):
        block_dct(np.zeros((8, 8), np.uint8), left=-1)
