import os
import signal
import time

import pytest

from imforensics.cores import THREAD_VARIABLES, available_cores
from imforensics.engines.local import run_in_processes


def act(item: str) -> str:
    if item == "die":
        os.kill(os.getpid(), signal.SIGKILL)
    if item == "hang":
        time.sleep(60)
    if item == "raise":
        raise ValueError("no good")
    return item.upper()


def remember(value: str) -> None:
    os.environ["REMEMBERED"] = value


def recall(_: int) -> str:
    return os.environ["REMEMBERED"]


def count_threads(_: int) -> list[int]:
    import numpy as np
    from threadpoolctl import threadpool_info

    np.ones(3) @ np.ones(3)
    return [pool["num_threads"] for pool in threadpool_info()]


def test_every_item_gets_one_outcome_also_when_workers_die_or_hang() -> None:
    items = ["a", "die", "b", "hang", "raise", "c", "die", "d"]
    outcomes = list(run_in_processes(act, items, workers=2, timeout_seconds=3))
    assert sorted(o.item for o in outcomes) == sorted(items)
    by_item = {o.item: o for o in outcomes}
    assert [by_item[i].result for i in "abcd"] == ["A", "B", "C", "D"]
    assert "took longer than 3 s" in (by_item["hang"].error or "")
    assert "worker process died" in (by_item["die"].error or "")
    assert by_item["raise"].error == "ValueError: no good"


def test_workers_are_initialised() -> None:
    outcomes = list(
        run_in_processes(
            recall, [0, 1], workers=2, timeout_seconds=30, initializer=remember, initializer_arguments=("x",)
        )
    )
    assert {o.result for o in outcomes} == {"x"}


@pytest.mark.parametrize("workers", [1, 2])
def test_the_libraries_of_workers_share_the_cores(workers: int, monkeypatch: pytest.MonkeyPatch) -> None:
    for variable in THREAD_VARIABLES:
        monkeypatch.delenv(variable, raising=False)
    outcomes = run_in_processes(count_threads, [0, 1], workers=workers, timeout_seconds=60)
    assert [o.result for o in outcomes] == [[max(available_cores() // workers, 1)]] * 2


def test_items_are_drawn_lazily() -> None:
    drawn = []

    def items():
        for item in range(100):
            drawn.append(item)
            yield str(item)

    outcomes = run_in_processes(act, items(), workers=1, timeout_seconds=30)
    next(outcomes)
    assert len(drawn) < 20
    outcomes.close()


def test_no_items_no_outcomes() -> None:
    assert list(run_in_processes(act, [], workers=1, timeout_seconds=1)) == []
