"""Results kept with read-only arrays: computed once, by one thread, and gone with the array."""

from __future__ import annotations

import weakref
from concurrent.futures import ThreadPoolExecutor
from time import sleep

import numpy as np

from imforensics.preprocessing.kept import keep_with_array
from imforensics.types import FloatArray

calls: list[float] = []


@keep_with_array
def scale(array: FloatArray, factor: float, *, table: FloatArray | None = None) -> FloatArray:
    calls.append(factor)
    sleep(0.01)
    return array * np.float32(factor) if table is None else array * table


def make_array(*, is_kept: bool = True) -> FloatArray:
    array = np.arange(4, dtype=np.float32)
    array.flags.writeable = not is_kept
    return array


def test_it_is_computed_once_for_each_array_and_argument() -> None:
    calls.clear()
    one, other, table = make_array(), make_array(), np.ones(4, np.float32)
    with ThreadPoolExecutor(4) as pool:
        results = list(pool.map(lambda _: scale(one, 2.0), range(8)))
    assert all(result is results[0] for result in results)
    assert not results[0].flags.writeable
    assert scale(one, 2.0, table=table) is scale(one, 2.0, table=table.copy())
    assert scale(other, 2.0) is not results[0]
    assert scale(one, 3.0)[3] == 9
    assert calls == [2.0, 2.0, 2.0, 3.0]


def test_nothing_is_kept_of_an_array_that_may_change() -> None:
    calls.clear()
    array = make_array(is_kept=False)
    scale(array, 2.0)
    array[0] = 7
    assert scale(array, 2.0)[0] == 14
    assert len(calls) == 2


def test_the_result_goes_with_the_array() -> None:
    array = make_array()
    kept = weakref.ref(scale(array, 2.0))
    assert kept() is not None
    del array
    assert kept() is None
