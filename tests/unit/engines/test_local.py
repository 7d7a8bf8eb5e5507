import os
import signal
import time

from imforensics.engines.local import available_cores, run_in_processes


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
    return f"{os.environ['REMEMBERED']} {os.environ.get('OMP_NUM_THREADS')}"


def test_every_item_gets_one_outcome_also_when_workers_die_or_hang() -> None:
    items = ["a", "die", "b", "hang", "raise", "c", "die", "d"]
    outcomes = list(run_in_processes(act, items, workers=2, timeout_seconds=3))
    assert sorted(o.item for o in outcomes) == sorted(items)
    by_item = {o.item: o for o in outcomes}
    assert [by_item[i].result for i in "abcd"] == ["A", "B", "C", "D"]
    assert "took longer than 3 s" in (by_item["hang"].error or "")
    assert "worker process died" in (by_item["die"].error or "")
    assert by_item["raise"].error == "ValueError: no good"


def test_workers_are_initialised_and_single_threaded_when_several() -> None:
    outcomes = list(
        run_in_processes(
            recall, [0, 1], workers=2, timeout_seconds=30, initializer=remember, initializer_arguments=("x",)
        )
    )
    assert {o.result for o in outcomes} == {"x 1"}


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


def test_available_cores_is_at_least_one() -> None:
    assert available_cores() >= 1
