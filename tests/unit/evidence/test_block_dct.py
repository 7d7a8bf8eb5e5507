"""The block DCT against the sum of its definition, and on every grid."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from imforensics.evidence import block_dct as module
from imforensics.evidence.block_dct import (
    BASIS_STEPS,
    block_dct,
    dct_matrix,
    restore_blocks,
    transform_blocks,
    whole_basis,
)


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
    np.testing.assert_array_equal(whole[100:], block_dct(plane[800:], top=1, left=2))


def test_dct_matrix_is_orthonormal() -> None:
    np.testing.assert_allclose(dct_matrix() @ dct_matrix().T, np.eye(8), atol=1e-15)


def test_the_whole_basis_is_no_accident_of_the_last_bit_of_a_cosine() -> None:
    exact = np.kron(dct_matrix(), dct_matrix()) * BASIS_STEPS
    distance_to_tie = np.abs(np.abs(exact - np.rint(exact)) - 0.5)
    assert distance_to_tie.min() > 1e-4, "a cosine off by one bit must not change a whole number"
    np.testing.assert_array_equal(whole_basis(), np.rint(whole_basis()))


def test_sums_are_those_of_whole_numbers_of_any_size() -> None:
    """Python's integers have no largest one: the same sums without any rounding."""
    rng = np.random.default_rng(2)
    samples = rng.integers(-(1 << 16) + 1, 1 << 16, 64)  # in steps of 1/64
    basis = [[int(value) for value in row] for row in whole_basis()]
    sums = [sum(int(s) * b for s, b in zip(samples, row, strict=True)) for row in basis]
    expected = [value / 2**40 for value in sums]  # exact: true division of integers rounds once
    assert transform_blocks(samples / 64).tolist() == expected
    coefficients = rng.integers(-(1 << 15), (1 << 15) + 1, 64)
    columns = zip(*basis, strict=True)
    sums = [sum(int(c) * b for c, b in zip(coefficients, column, strict=True)) for column in columns]
    assert restore_blocks(coefficients.astype(float)).tolist() == [value / 2**34 for value in sums]


def test_any_order_of_the_terms_gives_the_same_bits() -> None:
    rng = np.random.default_rng(3)
    samples = rng.integers(-(1 << 16) + 1, 1 << 16, (40, 64)) / 64
    order = rng.permutation(64)
    shuffled = np.ascontiguousarray(samples[:, order]) @ np.ascontiguousarray(whole_basis()[:, order]).T
    np.testing.assert_array_equal(shuffled / BASIS_STEPS, transform_blocks(samples))


@pytest.mark.parametrize("shape", [(0, 0), (7, 40), (40, 7), (1, 1)])
def test_a_plane_without_a_whole_block_gives_none(shape: tuple[int, int]) -> None:
    assert block_dct(np.zeros(shape, np.uint8)).size == 0


def test_wrong_input_is_refused() -> None:
    with pytest.raises(ValueError, match="plane"):
        block_dct(np.zeros((8, 8, 3), np.uint8))
    with pytest.raises(ValueError, match="left=-1"):
        block_dct(np.zeros((8, 8), np.uint8), left=-1)
