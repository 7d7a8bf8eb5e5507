"""Co-occurrences against words counted one by one."""

from __future__ import annotations

import numpy as np
import pytest

from imforensics.methods.noise.cooccurrence import CLASSES, count_cooccurrences, word_classes


def picture(shape: tuple[int, int], seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).normal(100, 1.2, shape).astype(np.float32)


def count_slowly(image: np.ndarray, usable: np.ndarray) -> np.ndarray:
    """All words of an image, one by one: (50,)."""
    table = word_classes()
    counts = np.zeros(2 * CLASSES)
    for plane, good in ((image.astype(np.float64), usable), (image.T.astype(np.float64), usable.T)):
        height, width = plane.shape
        symbols = np.full((height, width - 3), 3)
        for y in range(height):
            for x in range(width - 3):
                a, b, c, d = plane[y, x : x + 4]
                if good[y, x : x + 4].all():
                    symbols[y, x] = 1 + np.clip(np.rint((d - 3 * c + 3 * b - a) / 2), -1, 1)
        for start, step in ((0, (0, 1)), (CLASSES, (1, 0))):
            for y in range(height):
                for x in range(width - 3):
                    places = [(y + i * step[0], x + i * step[1]) for i in range(4)]
                    if places[-1][0] < height and places[-1][1] < width - 3:
                        word = sum(int(symbols[place]) << 2 * i for i, place in enumerate(places))
                        if table[word] < CLASSES:
                            counts[start + table[word]] += 1
    return counts


def test_words_fall_into_25_classes_that_symmetry_joins() -> None:
    table = word_classes()
    words = [[(index >> 2 * i) & 3 for i in range(4)] for index in range(256)]
    usable = [index for index in range(256) if 3 not in words[index]]
    assert len(usable) == 81
    assert set(table[usable].tolist()) == set(range(25))
    assert all(table[index] == 25 for index in range(256) if 3 in words[index])
    for index in usable:
        for twin in (words[index][::-1], [2 - symbol for symbol in words[index]]):
            assert table[sum(symbol << 2 * i for i, symbol in enumerate(twin))] == table[index]


def test_counts_are_those_of_a_slow_count() -> None:
    image = picture((13, 17))
    usable = np.ones(image.shape, dtype=np.bool_)
    usable[4, 5] = usable[9:, 14] = False
    counts = count_cooccurrences(image, usable, cell=4)
    assert counts.shape == (4, 5, 50)
    np.testing.assert_array_equal(counts.sum(axis=(0, 1)), count_slowly(image, usable))


def test_counts_do_not_depend_on_the_strips_and_stay_in_their_place() -> None:
    image = picture((150, 90))
    usable = np.ones(image.shape, dtype=np.bool_)
    counts = count_cooccurrences(image, usable, cell=10)
    whole = count_cooccurrences(image, usable, cell=200)
    np.testing.assert_array_equal(counts.sum(axis=(0, 1)), whole[0, 0])
    np.testing.assert_array_equal(counts[1:-1, 1:-1, :25].sum(axis=-1), 200)
    np.testing.assert_array_equal(counts[1:-1, 1:-1, 25:].sum(axis=-1), 200)
    moved = count_cooccurrences(image[70:], usable[70:], cell=10)
    np.testing.assert_array_equal(moved[1:], counts[8:])


def test_transposing_and_inverting_change_nothing() -> None:
    image = picture((40, 56))
    usable = np.ones(image.shape, dtype=np.bool_)
    counts = count_cooccurrences(image, usable, cell=8)
    turned = count_cooccurrences(np.ascontiguousarray(image.T), usable.T, cell=8)
    np.testing.assert_array_equal(turned.swapaxes(0, 1), counts)
    np.testing.assert_array_equal(count_cooccurrences(-image, usable, cell=8), counts)


@pytest.mark.parametrize(("shape", "along"), [((1, 1), 0), ((3, 3), 0), ((6, 6), 0), ((1, 40), 34)])
def test_too_small_and_thin_pictures_hold_few_words(shape: tuple[int, int], along: int) -> None:
    counts = count_cooccurrences(picture(shape), np.ones(shape, dtype=np.bool_), cell=8)
    assert counts.shape == (1, -(-shape[1] // 8), 50)
    assert counts[..., :25].sum() == along


def test_wrong_input_is_refused() -> None:
    with pytest.raises(ValueError, match="of one"):
        count_cooccurrences(picture((8, 8)), np.ones((8, 9), dtype=np.bool_), cell=8)
    with pytest.raises(ValueError, match="cell=0"):
        count_cooccurrences(picture((8, 8)), np.ones((8, 8), dtype=np.bool_), cell=0)
