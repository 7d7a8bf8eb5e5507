"""Co-occurrences of quantized third-derivative residuals, counted in cells.

Reference:
    D. Cozzolino, G. Poggi, L. Verdoliva, "Splicebuster: a new blind image splicing detector", IEEE
    International Workshop on Information Forensics and Security (2015), doi:10.1109/WIFS.2015.7368565.
    The residual (section II) and the symmetries are those of J. Fridrich, J. Kodovsky, "Rich models for
    steganalysis of digital images", IEEE TIFS 7 (2012), doi:10.1109/TIFS.2012.2190402.
"""

from __future__ import annotations

from itertools import product

import numpy as np
from numpy.typing import NDArray

from imforensics.types import BoolArray, FloatArray

SYMBOLS = 3  # of a residual quantized with step 2 and truncated at +-1
LENGTH = 4  # symbols of one co-occurrence
CLASSES = 25  # (3^4 + 9 + 9 + 1) / 4: orbits of 81 words under reversal and change of sign (Burnside)
FEATURES = 2 * CLASSES  # along the derivative, then across it

_HALF_STEP = 1.0  # gray levels; a step of 2: what rounds to 0 is at most half a step
_UNUSABLE = 3  # symbol of a residual that touches an unusable pixel; two bits a symbol
_REACH = 3  # pixels; a co-occurrence reaches so far from its centre
_STRIP = 64  # rows at a time, about: the strip stays in the cache


def word_classes() -> NDArray[np.uint8]:
    """Class of each word of four symbols: 0 to 24, or 25 for a word with an unusable symbol.

    Words that turn into each other when read backwards, or when the residual changes its sign, are one class.

    Returns:
        (256,) uint8; the index of a word is s0 + 4 s1 + 16 s2 + 64 s3, with symbols 0 (negative), 1, 2
        (positive), 3 (unusable).

    >>> table = word_classes()
    >>> table[0b00_01_10_10] == table[0b10_10_01_00] == table[0b10_01_00_00]
    np.True_
    """
    table = np.full(4**LENGTH, CLASSES, dtype=np.uint8)
    known: dict[tuple[int, ...], int] = {}
    for word in product(range(SYMBOLS), repeat=LENGTH):
        opposite = tuple(SYMBOLS - 1 - symbol for symbol in word)
        orbit = min(word, word[::-1], opposite, opposite[::-1])
        index = sum(symbol << 2 * place for place, symbol in enumerate(word))
        table[index] = known.setdefault(orbit, len(known))
    return table


def count_cooccurrences(image: FloatArray, usable: BoolArray, *, cell: int) -> FloatArray:
    """Count the classes of co-occurrences centred in each cell of a grid that starts at the top-left corner.

    The residual is the third difference (1, -3, 3, -1) by rows and by columns. Four neighbouring symbols
    make a word, along the derivative or across it; rows and columns are counted together.

    Args:
        image: (H, W) float32 in gray levels.
        usable: (H, W) bool; words that touch another pixel are not counted.
        cell: side of a cell in pixels, >= 1.

    Returns:
        (ceil(H / cell), ceil(W / cell), 50) float32: counts of the 25 classes along, then across. A cell
        without unusable pixels or edges near it holds 2 x cell x cell words of each kind.

    Raises:
        ValueError: `usable` has another shape than `image`, or `cell` is below 1.

    >>> counts = count_cooccurrences(np.zeros((9, 9), np.float32), np.ones((9, 9), bool), cell=9)
    >>> counts.shape, float(counts[0, 0, :25].sum())  # 2 x 9 lines x 3 words of 7 pixels
    ((1, 1, 50), 54.0)
    """
    if image.shape != usable.shape or image.ndim != 2 or cell < 1:
        raise ValueError(
            f"Expected image and usable of one (H, W) and cell >= 1; received {image.shape}, {usable.shape}, "
            f"cell={cell}"
        )
    height, width = image.shape
    rows, columns = -(-height // cell), -(-width // cell)
    table = word_classes()
    image, usable = np.pad(image, _REACH), np.pad(usable, _REACH)
    counts = np.empty((rows, columns, FEATURES), dtype=np.float32)
    cells_a_strip = max(1, _STRIP // cell)
    column_of = np.arange(width) // cell
    for first in range(0, rows, cells_a_strip):
        last = min(first + cells_a_strip, rows)
        part = slice(first * cell, min(last * cell, height) + 2 * _REACH)
        codes = _strip_classes(image[part], usable[part], table)
        place = (np.arange(codes[0].shape[0]) // cell)[:, None] * columns + column_of
        place *= CLASSES + 1
        size = (last - first) * columns * (CLASSES + 1)
        along, across = (
            sum(np.bincount((place + code).ravel(), minlength=size) for code in pair)
            for pair in (codes[:2], codes[2:])
        )
        for start, total in ((0, along), (CLASSES, across)):
            by_class = np.asarray(total).reshape(last - first, columns, CLASSES + 1)
            counts[first:last, :, start : start + CLASSES] = by_class[..., :CLASSES]
    return counts


def _strip_classes(image: FloatArray, usable: BoolArray, table: NDArray[np.uint8]) -> list[NDArray[np.uint8]]:
    """Classes of the words around each pixel of a padded strip: along rows, columns, across rows, columns.

    Each is (h, w) for a strip of (h + 6, w + 6).
    """
    height, width = (side - 2 * _REACH for side in image.shape)
    by_rows = _symbols(image, usable)
    by_columns = _symbols(image.T, usable.T).T
    inner_rows, inner_columns = slice(_REACH, _REACH + height), slice(_REACH, _REACH + width)
    # A residual starts where its first pixel lies: the middle one of an odd run of four starts one before.
    middle = _REACH - 1
    words = (
        [by_rows[inner_rows, i : i + width] for i in range(LENGTH)],
        [by_columns[i : i + height, inner_columns] for i in range(LENGTH)],
        [by_rows[middle + i : middle + i + height, middle : middle + width] for i in range(LENGTH)],
        [by_columns[middle : middle + height, middle + i : middle + i + width] for i in range(LENGTH)],
    )
    return [table[word[0] | word[1] << 2 | word[2] << 4 | word[3] << 6] for word in words]


def _symbols(image: FloatArray, usable: BoolArray) -> NDArray[np.uint8]:
    """Quantized third difference of each row: 0, 1, 2 for below, within and above half a step; 3 unusable."""
    residual = 3 * (image[:, 1:-2] - image[:, 2:-1]) + (image[:, 3:] - image[:, :-3])
    symbols = (residual > _HALF_STEP).astype(np.uint8)
    symbols += residual >= -_HALF_STEP
    symbols[~(usable[:, 3:] & usable[:, 2:-1] & usable[:, 1:-2] & usable[:, :-3])] = _UNUSABLE
    return symbols
