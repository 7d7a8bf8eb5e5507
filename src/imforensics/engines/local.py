"""All cores of one machine; a file that kills or hangs its worker costs one row, not the run."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import TimeoutError as FutureTimeoutError
from dataclasses import dataclass
from multiprocessing import get_context
from typing import Any, Generic, TypeVar

from imforensics.cores import share_cores

ItemT = TypeVar("ItemT")
ResultT = TypeVar("ResultT")

QUEUED_PER_WORKER = 4  # enough to keep a worker busy, few enough that a million files cost no memory


@dataclass(frozen=True, slots=True)
class Outcome(Generic[ItemT, ResultT]):
    """What became of one item: a result, or the error in words."""

    item: ItemT
    result: ResultT | None
    error: str | None


def run_in_processes(
    function: Callable[[ItemT], ResultT],
    items: Iterable[ItemT],
    *,
    workers: int,
    timeout_seconds: float,
    initializer: Callable[..., None] | None = None,
    initializer_arguments: tuple[Any, ...] = (),
) -> Iterator[Outcome[ItemT, ResultT]]:
    """Apply a function to every item, outcomes in the order in which they are done.

    Args:
        function: picklable; an exception it raises becomes the item's error.
        items: picklable; drawn lazily.
        workers: number of processes, at least 1.
        timeout_seconds: an item that takes longer is killed, and becomes an error.
        initializer: called once in every worker before its first item.
        initializer_arguments: its arguments.

    Yields:
        One outcome for each item: never fewer, never more, also when a worker dies.
    """
    from pebble import ProcessPool

    pool = ProcessPool(
        max_workers=workers,
        context=get_context("spawn"),
        initializer=initializer,
        initargs=initializer_arguments,
    )
    finished = False
    with share_cores(workers):  # to the end: a worker that dies is replaced by a new one
        try:
            yield from _drain(pool, function, items, workers * QUEUED_PER_WORKER, timeout_seconds)
            finished = True
        finally:
            if finished:
                pool.close()
            else:
                pool.stop()
            pool.join()


def _drain(
    pool: Any,
    function: Callable[[ItemT], ResultT],
    items: Iterable[ItemT],
    limit: int,
    timeout_seconds: float,
) -> Iterator[Outcome[ItemT, ResultT]]:
    from concurrent.futures import FIRST_COMPLETED, wait

    iterator = iter(items)
    pending: dict[Any, ItemT] = {}
    while True:
        while len(pending) < limit:
            try:
                item = next(iterator)
            except StopIteration:
                break
            pending[pool.schedule(function, args=[item], timeout=timeout_seconds)] = item
        if not pending:
            return
        done, _ = wait(pending, return_when=FIRST_COMPLETED)
        for future in done:
            yield _outcome(future, pending.pop(future), timeout_seconds)


def _outcome(future: Any, item: ItemT, timeout_seconds: float) -> Outcome[ItemT, Any]:
    from pebble import ProcessExpired

    try:
        return Outcome(item, future.result(), None)
    except FutureTimeoutError:
        return Outcome(
            item, None, f"took longer than {timeout_seconds:g} s and was stopped (timeout_seconds)"
        )
    except ProcessExpired as error:
        return Outcome(
            item, None, f"the worker process died (exit code {error.exitcode}); the next one went on"
        )
    except Exception as error:  # the worker's own exception, carried over
        return Outcome(item, None, f"{type(error).__name__}: {error}")
