"""Results in order, also when workers are lost; workers that are always lost end with one error."""

from __future__ import annotations

import os
import signal
from pathlib import Path

import pytest

from imforensics.errors import DatasetError, WorkerError
from imforensics.models.training.worker_pool import MOST_LOST, open_pool


def square(number: int, marker: Path, deadly: int) -> int:
    if number == deadly:
        try:
            marker.touch(exist_ok=False)
        except FileExistsError:
            return number**2
        os.kill(os.getpid(), signal.SIGKILL)
    return number**2


def die(_: int) -> None:
    os._exit(3)


def refuse(number: int) -> int:
    raise DatasetError(f"no {number}")


@pytest.mark.parametrize("deadly", [-1, 0, 7, 19])
def test_results_come_in_order_also_when_a_worker_is_lost(tmp_path: Path, deadly: int) -> None:
    with open_pool(2) as pool:
        tasks = ((number, tmp_path / "died", deadly) for number in range(20))
        assert list(pool.map(square, tasks, ahead=3)) == [number**2 for number in range(20)]
    assert (tmp_path / "died").exists() == (deadly >= 0)


def test_a_pool_goes_on_after_a_loss(tmp_path: Path) -> None:
    with open_pool(1) as pool:
        for number in range(MOST_LOST + 1):
            assert list(pool.map(square, [(number, tmp_path / str(number), number)], ahead=1)) == [number**2]


def test_workers_that_are_always_lost_end_with_one_error() -> None:
    with open_pool(1) as pool, pytest.raises(WorkerError, match=f"ended {MOST_LOST} times in a row"):
        list(pool.map(die, ((number,) for number in range(9)), ahead=2))


def test_an_error_is_handed_over() -> None:
    with open_pool(1) as pool, pytest.raises(DatasetError, match="no 0"):
        list(pool.map(refuse, [(0,), (1,)], ahead=1))
