import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from imforensics.report.regions import find_regions
from imforensics.types import Region


def flood(mask: np.ndarray, values: np.ndarray) -> list[Region]:
    """The slow and obvious way."""
    seen = np.zeros_like(mask)
    regions = []
    for start in zip(*np.nonzero(mask), strict=True):
        if seen[start]:
            continue
        stack, pixels = [start], []
        seen[start] = True
        while stack:
            row, column = stack.pop()
            pixels.append((row, column))
            for r in range(max(row - 1, 0), min(row + 2, mask.shape[0])):
                for c in range(max(column - 1, 0), min(column + 2, mask.shape[1])):
                    if mask[r, c] and not seen[r, c]:
                        seen[r, c] = True
                        stack.append((r, c))
        rows, columns = [p[0] for p in pixels], [p[1] for p in pixels]
        inside = [values[p] for p in pixels]
        regions.append(
            Region(
                min(rows), min(columns), max(rows) - min(rows) + 1, max(columns) - min(columns) + 1,
                len(pixels), float(np.mean(inside, dtype=np.float64)), float(max(inside)),
            )
        )  # fmt: skip
    return regions


@given(
    st.tuples(st.integers(1, 12), st.integers(1, 12)).flatmap(
        lambda shape: st.tuples(
            arrays(bool, shape), arrays(np.float32, shape, elements=st.floats(0, 1, width=32))
        )
    )
)
def test_equals_flood_fill(pair: tuple[np.ndarray, np.ndarray]) -> None:
    mask, values = pair
    count, regions = find_regions(mask, values, limit=1000)
    expected = flood(mask, values)
    assert count == len(expected)
    assert sorted((r.top, r.left, r.height, r.width, r.area) for r in regions) == sorted(
        (r.top, r.left, r.height, r.width, r.area) for r in expected
    )
    assert sorted(r.max for r in regions) == sorted(r.max for r in expected)
    assert np.allclose(sorted(r.mean for r in regions), sorted(r.mean for r in expected))


def test_spiral_is_one_region() -> None:
    mask = np.zeros((9, 9), dtype=bool)
    mask[0, :] = mask[:, 8] = mask[8, :] = True
    mask[2:, 0] = mask[2, :7] = mask[2:7, 6] = mask[6, 2:7] = mask[4:6, 2] = True
    assert find_regions(mask, mask.astype(np.float32))[0] == 1


def test_largest_first_and_limited() -> None:
    mask = np.zeros((4, 20), dtype=bool)
    mask[0, 0], mask[0, 4:7], mask[0:2, 10:14] = True, True, True
    count, regions = find_regions(mask, mask.astype(np.float32), limit=2)
    assert (count, [region.area for region in regions]) == (3, [8, 3])


def test_empty_mask() -> None:
    mask = np.zeros((3, 3), dtype=bool)
    assert find_regions(mask, mask.astype(np.float32)) == (0, ())


def test_shapes_must_agree() -> None:
    with pytest.raises(ValueError, match="same shape"):
        find_regions(np.zeros((3, 3), dtype=bool), np.zeros((3, 4), dtype=np.float32))
