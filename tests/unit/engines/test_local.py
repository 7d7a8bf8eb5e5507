import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from imforensics.cores import THREAD_VARIABLES, available_cores
from imforensics.engines.local import MOST_LOST_STARTS, run_in_processes
from imforensics.errors import DEFECT, ConfigError, MissingExtraError, WorkerError


class TwoArgumentError(Exception):
    """Pickles as most such classes do: what is loaded calls `__init__` with too little."""

    def __init__(self, first: str, second: str) -> None:
        super().__init__(f"{first} and {second}")


class Trap:
    """Can be pickled, and not be loaded."""

    def __reduce__(self):
        return int, ("no number",)


def raise_odd_error(item: str) -> Trap | str:
    if item == "two arguments":
        raise TwoArgumentError("this", "that")
    if item == "extra":
        raise MissingExtraError("train", "Inpainting")
    return Trap() if item == "trap" else item


def die_once(marker: Path) -> None:
    try:
        marker.touch(exist_ok=False)
    except FileExistsError:
        return
    os.kill(os.getpid(), signal.SIGKILL)


def die_always() -> None:
    os._exit(7)


def refuse() -> None:
    raise ConfigError("the methods are not configured right")


def stumble() -> None:
    raise ZeroDivisionError("division by zero")


def start_child(place: Path) -> None:
    child = subprocess.Popen(["sleep", "60"])
    place.write_text(f"{os.getpid()} {child.pid}")
    time.sleep(60)


def is_running(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def wait_until(condition) -> bool:
    deadline = time.monotonic() + 20
    while not condition() and time.monotonic() < deadline:
        time.sleep(0.05)
    return condition()


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
    assert (by_item["raise"].error or "").startswith("unexpected ValueError: no good")
    assert DEFECT in (by_item["raise"].error or "")


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


def test_what_cannot_be_handed_over_costs_its_item_alone() -> None:
    items = ["two arguments", "a", "extra", "trap", "b"]
    by_item = {o.item: o for o in run_in_processes(raise_odd_error, items, workers=1, timeout_seconds=30)}
    assert [by_item[i].result for i in "ab"] == ["a", "b"]
    assert "TwoArgumentError: this and that" in (by_item["two arguments"].error or "")
    assert by_item["extra"].error == str(MissingExtraError("train", "Inpainting"))
    assert "no number" in (by_item["trap"].error or "")


def test_an_item_that_cannot_be_sent_is_its_own_error() -> None:
    outcomes = list(run_in_processes(str, [1, lambda: None, 2], workers=1, timeout_seconds=30))
    assert sorted(o.result for o in outcomes if o.error is None) == ["1", "2"]
    assert len([o for o in outcomes if o.error]) == 1


@pytest.mark.parametrize(("workers", "count"), [(1, 6), (2, 6), (2, 20)])
def test_a_worker_lost_while_it_starts_is_replaced(tmp_path: Path, workers: int, count: int) -> None:
    items = [str(number) for number in range(count)]
    outcomes = list(
        run_in_processes(
            act,
            items,
            workers=workers,
            timeout_seconds=30,
            initializer=die_once,
            initializer_arguments=(tmp_path / "died",),
        )
    )
    assert sorted(o.result for o in outcomes) == sorted(items)
    assert [o.error for o in outcomes] == [None] * count


@pytest.mark.parametrize("workers", [1, 2])
def test_workers_that_never_start_end_with_one_error(workers: int) -> None:
    outcomes = run_in_processes(act, "abc", workers=workers, timeout_seconds=30, initializer=die_always)
    with pytest.raises(WorkerError, match=rf"exit code 7; [{MOST_LOST_STARTS}-9] in a row"):
        list(outcomes)


def test_what_a_preparation_raises_is_raised_once() -> None:
    with pytest.raises(ConfigError, match="not configured right"):
        list(run_in_processes(act, "abc", workers=2, timeout_seconds=30, initializer=refuse))
    with pytest.raises(WorkerError, match=f"ZeroDivisionError.*{DEFECT}"):
        list(run_in_processes(act, "abc", workers=2, timeout_seconds=30, initializer=stumble))


def test_a_time_limit_does_not_count_what_waits() -> None:
    outcomes = list(run_in_processes(time.sleep, [0.5] * 6, workers=1, timeout_seconds=1.5))
    assert [o.error for o in outcomes] == [None] * 6


@pytest.mark.skipif(not Path("/proc").is_dir(), reason="looks at processes")
def test_the_children_of_a_stopped_worker_are_ended(tmp_path: Path) -> None:
    (outcome,) = run_in_processes(start_child, [tmp_path / "pids"], workers=1, timeout_seconds=2)
    assert "took longer" in (outcome.error or "")
    pids = [int(pid) for pid in (tmp_path / "pids").read_text().split()]
    assert wait_until(lambda: not any(map(is_running, pids)))


@pytest.mark.skipif(not Path("/proc").is_dir(), reason="looks at processes")
def test_workers_end_when_the_run_is_killed(tmp_path: Path) -> None:
    place = tmp_path / "pids"
    code = (
        f"import sys; sys.path[:0] = {sys.path!r}\n"
        "from pathlib import Path\n"
        "from imforensics.engines.local import run_in_processes\n"
        "from test_local import start_child\n"
        "if __name__ == '__main__':\n"
        f"    list(run_in_processes(start_child, [Path({str(place)!r})], workers=1, timeout_seconds=60))\n"
    )
    script = tmp_path / "run.py"
    script.write_text(code)
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(Path(__file__).parent), *sys.path])}
    run = subprocess.Popen([sys.executable, str(script)], env=environment)
    assert wait_until(lambda: place.exists() and len(place.read_text().split()) == 2)
    run.kill()
    run.wait()
    pids = [int(pid) for pid in place.read_text().split()]
    assert wait_until(lambda: not any(map(is_running, pids)))
