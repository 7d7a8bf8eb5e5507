"""All cores of one machine; a file that kills or hangs its worker costs one row, not the run."""

from __future__ import annotations

import pickle
import signal
import sys
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, field
from itertools import islice
from multiprocessing import get_context, resource_tracker
from multiprocessing.connection import Connection, wait
from multiprocessing.process import BaseProcess
from threading import current_thread, main_thread
from typing import Any, Generic, TypeVar

from imforensics.cores import share_cores
from imforensics.engines.worker import Answer, Ready, Refusal, end_group, serve
from imforensics.errors import WorkerError, describe_failure

ItemT = TypeVar("ItemT")
ResultT = TypeVar("ResultT")

MOST_LOST_STARTS = 3  # in a row; by then it is not one unlucky process
START_SECONDS = 600.0  # for a worker to get ready: libraries and models from a slow disk


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

    Each worker has a pipe of its own and one item at a time. A worker that dies or is too slow is ended with
    its children and replaced; the item it had is an error, no other item is touched. The time of an item
    begins when a worker that is ready gets it.

    Args:
        function: picklable; an exception it raises becomes the item's error.
        items: picklable; drawn lazily.
        workers: number of processes, at least 1.
        timeout_seconds: an item that takes longer is stopped, and becomes an error.
        initializer: called once in every worker before its first item.
        initializer_arguments: its arguments.

    Yields:
        One outcome for each item: never fewer, never more, also when a worker dies.

    Raises:
        ImforensicsError: what the initializer raised.
        WorkerError: `MOST_LOST_STARTS` workers in a row died before they were ready, and none is left; or
            the initializer raised something else.
    """
    needs_script = "__main__" in {getattr(each, "__module__", None) for each in (function, initializer)}
    preparation = pickle.dumps((initializer, initializer_arguments))
    crew = _Crew(workers, preparation, timeout_seconds, needs_script)
    with share_cores(workers):  # to the end: a worker that dies is replaced by a new one
        try:
            yield from crew.work(function, _Source(items))
        finally:
            crew.dismiss()


@dataclass(eq=False, slots=True)
class _Worker:
    """One process; `deadline` is of what it does now, `item` a tuple of one while that is an item."""

    process: BaseProcess
    connection: Connection
    deadline: float
    is_ready: bool = False
    item: tuple[Any, ...] = ()


class _Source:
    """Items drawn one at a time, which can be handed back."""

    def __init__(self, items: Iterable[Any]) -> None:
        self._items = iter(items)
        self._drawn: list[Any] = []

    def has_next(self) -> bool:
        if not self._drawn:
            self._drawn.extend(islice(self._items, 1))
        return bool(self._drawn)

    def take(self) -> Any:
        return self._drawn.pop()

    def put_back(self, item: Any) -> None:
        self._drawn.append(item)


@dataclass(eq=False, slots=True)
class _Crew:
    """The workers of one run, at most `size`; `lost_starts` counts those that died without an item.

    `needs_script`: what they are to do stands in the caller's script, which each has to import.
    """

    size: int
    preparation: bytes
    timeout_seconds: float
    needs_script: bool
    members: list[_Worker] = field(default_factory=list)
    lost_starts: int = 0

    def work(self, function: Callable[[Any], Any], source: _Source) -> Iterator[Outcome[Any, Any]]:
        """Outcomes as they come, until every item has one."""
        outcomes: list[Outcome[Any, Any]] = []
        while True:
            outcomes += self._hand_out(function, source)  # first: nobody waits while an outcome is used
            yield from outcomes
            if not source.has_next() and not any(worker.item for worker in self.members):
                return
            while source.has_next() and len(self.members) < self.size:
                self._start()
            outcomes = self._collect()

    def dismiss(self) -> None:
        """End every worker and its children."""
        for worker in self.members:
            _end(worker)
        self.members.clear()

    def _start(self) -> None:
        context = get_context("spawn")
        connection, other_end = context.Pipe()
        process = context.Process(target=serve, args=(other_end, self.preparation), daemon=True)
        try:
            with _interrupts_held_back(), nullcontext() if self.needs_script else _script_left_out():
                process.start()
                self.members.append(_Worker(process, connection, time.monotonic() + START_SECONDS))
        except OSError as error:  # no memory or process left, or dead before it was told what to do
            connection.close()
            self._count_lost_start(describe_failure(error))
        finally:
            other_end.close()

    def _hand_out(self, function: Callable[[Any], Any], source: _Source) -> Iterator[Outcome[Any, Any]]:
        for worker in self.members:
            while worker.is_ready and not worker.item and source.has_next():
                item = source.take()
                try:
                    task = pickle.dumps((function, item))
                except Exception as error:  # whatever the item's own class raises
                    yield Outcome(item, None, describe_failure(error))
                    continue
                try:
                    worker.connection.send_bytes(task)
                except OSError:  # it died waiting; `_collect` sees that
                    source.put_back(item)
                    break
                worker.item, worker.deadline = (item,), time.monotonic() + self.timeout_seconds

    def _collect(self) -> list[Outcome[Any, Any]]:
        """Wait for the next messages, deaths and ends of time."""
        ends = [worker.deadline for worker in self.members if worker.item or not worker.is_ready]
        left = max(min(ends, default=0.0) - time.monotonic(), 0.0)
        handles = [end for worker in self.members for end in (worker.connection, worker.process.sentinel)]
        reported = set(wait(handles, left))
        now, outcomes = time.monotonic(), []
        for worker in tuple(self.members):
            if worker.connection in reported or worker.process.sentinel in reported:
                outcomes += self._hear(worker)
            elif worker.deadline <= now and (worker.item or not worker.is_ready):
                outcomes += self._lose(
                    worker, f"took longer than {self.timeout_seconds:g} s and was stopped (timeout_seconds)"
                )
        return outcomes

    def _hear(self, worker: _Worker) -> list[Outcome[Any, Any]]:
        try:
            message = worker.connection.recv() if worker.connection.poll() else None
        except (EOFError, OSError):
            message = None
        if isinstance(message, Refusal):
            raise message.error
        if isinstance(message, Ready):
            worker.is_ready = True
            return []
        if not isinstance(message, Answer):
            return self._lose(worker, None)
        (item,), worker.item, self.lost_starts = worker.item, (), 0
        return [_read_answer(item, message)]

    def _lose(self, worker: _Worker, reason: str | None) -> list[Outcome[Any, Any]]:
        """Take a worker out that is dead or shall be; what it worked on is an error."""
        self.members.remove(worker)
        _end(worker)
        end = f"exit code {worker.process.exitcode}"
        if not worker.item:
            self._count_lost_start(end)
            return []
        self.lost_starts = 0
        (item,) = worker.item
        return [Outcome(item, None, reason or f"the worker process died ({end}); the next one went on")]

    def _count_lost_start(self, end: str) -> None:
        self.lost_starts += 1
        if self.lost_starts < MOST_LOST_STARTS:
            return
        self.size = len(self.members)  # those that live go on alone
        if not self.members:
            raise WorkerError(
                f"the worker processes end while they start ({end}; {self.lost_starts} in a row). "
                "Free memory and run again, with fewer workers"
            )


def _read_answer(item: Any, answer: Answer) -> Outcome[Any, Any]:
    if answer.content is None:
        return Outcome(item, None, answer.error)
    try:
        return Outcome(item, pickle.loads(answer.content), None)  # noqa: S301 - from our own worker
    except Exception as error:  # a result that cannot be made anew
        return Outcome(item, None, describe_failure(error))


def _end(worker: _Worker) -> None:
    if worker.process.pid is not None:
        end_group(worker.process.pid)  # before it is waited for: then its number may be another's
    worker.process.kill()
    worker.process.join()
    worker.connection.close()


@contextmanager
def _interrupts_held_back() -> Iterator[None]:
    """Ctrl-C waits until the block is left; a process started inside never sees one, not while it imports."""
    held: list[tuple[Any, ...]] = []
    before = signal.getsignal(signal.SIGINT)
    if not callable(before) or current_thread() is not main_thread():
        yield  # ignored already, or not ours to handle
        return
    resource_tracker.ensure_running()  # which would let interrupts through again
    signal.signal(signal.SIGINT, lambda *details: held.append(details))
    try:
        with _blocked_for_children():
            yield
    finally:
        signal.signal(signal.SIGINT, before)
        if held:
            before(*held[0])


@contextmanager
def _script_left_out() -> Iterator[None]:
    """A process started inside does not run the caller's script again, of which it needs nothing.

    `multiprocessing` would import it as `__mp_main__`: a script without a guard would start over in every
    worker, and one read from standard input cannot be found.
    """
    main = vars(sys.modules["__main__"])
    kept: dict[str, Any] = {name: main[name] for name in ("__spec__", "__file__") if name in main}
    main.update(dict.fromkeys(kept))
    try:
        yield
    finally:
        main.update(kept)


@contextmanager
def _blocked_for_children() -> Iterator[None]:
    if not hasattr(signal, "pthread_sigmask"):
        yield
        return
    mask = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, mask)
