"""Votes for JPEG grids against the paper's algorithm, written out block by block."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from fixtures.textures import make_texture
from imforensics.evidence.block_dct import block_dct
from imforensics.methods.jpeg import grid_votes as module
from imforensics.methods.jpeg.grid_votes import NO_VOTE, count_zeros, gather_blocks, vote_for_grids
from imforensics.preprocessing.jpeg import resave_jpeg


def make_plane() -> NDArray[np.uint8]:
    """A JPEG's luma off its grid, with a constant part and one that is constant along one axis."""
    plane = resave_jpeg(make_texture(64, 72), quality=75)[3:50, 5:66, 1].copy()
    plane[20:34, 10:25] = 77
    plane[20:34, 38:55] = np.arange(17, dtype=np.uint8)
    return plane


def vote_slowly(plane: NDArray[np.uint8]) -> NDArray[np.int64]:
    """Algorithm 1 of the paper."""
    height, width = plane.shape
    zeros, votes = np.zeros(plane.shape, int), np.full(plane.shape, NO_VOTE)
    for top in range(height - 7):
        for left in range(width - 7):
            block = plane[top : top + 8, left : left + 8]
            coefficients = np.abs(block_dct(block)[0, 0])
            count = int((coefficients < 0.4999).sum() - (coefficients[0, 0] < 0.4999))
            is_even = bool((block == block[:1]).all() or (block == block[:, :1]).all())
            best, voted = zeros[top : top + 8, left : left + 8], votes[top : top + 8, left : left + 8]
            voted[best == count] = NO_VOTE
            voted[best < count] = NO_VOTE if is_even else 8 * (top % 8) + left % 8
            best[best < count] = count
    votes[:7], votes[-7:], votes[:, :7], votes[:, -7:] = (NO_VOTE,) * 4
    return votes


def test_votes_are_those_of_the_paper(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_TILE", (16, 24))  # several tiles and bands, none of which fits
    monkeypatch.setattr(module, "_BAND", 10)
    plane = make_plane()
    votes, expected = vote_for_grids(plane), vote_slowly(plane)
    np.testing.assert_array_equal(votes.grids, expected)
    np.testing.assert_array_equal(votes.counts, np.bincount(expected.ravel(), minlength=65)[:64])
    assert votes.counts.argmax() == 8 * 5 + 3  # cut off at (3, 5): the grid starts at (5, 3)
    assert (expected[22:32, 12:23] == NO_VOTE).all()


def test_zeros_are_those_of_the_block_transform() -> None:
    plane = make_plane()
    zeros = count_zeros(plane)
    assert zeros.shape == (plane.shape[0] - 7, plane.shape[1] - 7)
    coefficients = np.abs(block_dct(plane, top=3, left=2)).reshape(-1, 64)[:, 1:]
    np.testing.assert_array_equal(zeros[3::8, 2::8].ravel(), (coefficients < 0.4999).sum(axis=1))


def test_votes_gathered_by_block(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_BAND", 10)
    votes = vote_for_grids(make_plane()).grids
    expected = np.zeros(votes.shape, int)
    for row, column in zip(*np.nonzero(votes != NO_VOTE), strict=True):
        top, left = divmod(int(votes[row, column]), 8)
        expected[row - (row - top) % 8, column - (column - left) % 8] += 1
    np.testing.assert_array_equal(gather_blocks(votes), expected)


@pytest.mark.parametrize("shape", [(1, 1), (14, 40), (40, 14), (15, 15)])
def test_too_small_a_plane_has_hardly_a_vote(shape: tuple[int, int]) -> None:
    votes = vote_for_grids(np.random.default_rng(0).integers(0, 256, shape).astype(np.uint8))
    assert votes.grids.shape == shape
    assert votes.counts.sum() <= max(shape[0] - 14, 0) * max(shape[1] - 14, 0)


def test_zeros_of_hard_edges_are_exact() -> None:
    plane = np.random.default_rng(5).integers(0, 2, (72, 1100)).astype(np.uint8) * 255
    plane[:, 600:] = np.random.default_rng(6).integers(0, 3, (72, 500))  # multiples of 1/8 near the limit
    zeros = count_zeros(plane)
    coefficients = np.abs(block_dct(plane, left=4)).reshape(9, -1, 64)[..., 1:]
    np.testing.assert_array_equal(zeros[::8, 4::8], (coefficients < 0.4999).sum(axis=2))
