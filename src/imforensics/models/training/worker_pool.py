"""Processes that prepare what a network learns from, in order; one that is lost is replaced."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from multiprocessing import get_context
from typing import Any, TypeVar

from imforensics.cores import share_cores
from imforensics.errors import WorkerError

ResultT = TypeVar("ResultT")
MOST_LOST = 3  # times in a row that workers are lost before anything is made


class WorkerPool:
    """Worker processes that make results ahead of their use.

    A result must depend on its task alone: what a lost worker had is made again. `run_in_processes` of the
    engines is for files, of which each is an outcome; here the first error ends the work.
    """

    def __init__(
        self, workers: int, initializer: Callable[..., None] | None, initargs: tuple[Any, ...]
    ) -> None:
        """Start processes; use `open_pool`."""
        self._workers, self._initializer, self._initargs = workers, initializer, initargs
        self._pool = self._open()
        self._lost = 0

    def map(
        self, function: Callable[..., ResultT], tasks: Iterable[tuple[Any, ...]], *, ahead: int
    ) -> Iterator[ResultT]:
        """The function's results in the order of the tasks.

        Args:
            function: picklable.
            tasks: its arguments, one tuple a call.
            ahead: results made before they are asked for, a worker.

        Raises:
            WorkerError: workers are lost again and again.
        """
        waiting: deque[tuple[tuple[Any, ...], Future[ResultT]]] = deque()
        for task in tasks:
            waiting.append((task, self._submit(function, task)))
            if len(waiting) > self._workers * ahead:
                yield self._take(function, waiting)
        while waiting:
            yield self._take(function, waiting)

    def close(self) -> None:
        """End the processes; what they still make is dropped."""
        self._pool.shutdown(cancel_futures=True)

    def _take(
        self, function: Callable[..., ResultT], waiting: deque[tuple[tuple[Any, ...], Future[ResultT]]]
    ) -> ResultT:
        while True:
            try:
                result = waiting[0][1].result()
            except BrokenProcessPool:
                self._replace()
                again = [(task, self._renew(function, task, future)) for task, future in waiting]
                waiting.clear()
                waiting.extend(again)
            else:
                self._lost = 0
                waiting.popleft()
                return result

    def _submit(self, function: Callable[..., ResultT], task: tuple[Any, ...]) -> Future[ResultT]:
        try:
            return self._pool.submit(function, *task)
        except BrokenProcessPool as error:  # told where the result is taken
            broken: Future[ResultT] = Future()
            broken.set_exception(error)
            return broken

    def _renew(
        self, function: Callable[..., ResultT], task: tuple[Any, ...], future: Future[ResultT]
    ) -> Future[ResultT]:
        is_lost = not future.done() or isinstance(future.exception(), BrokenProcessPool)
        return self._submit(function, task) if is_lost else future

    def _replace(self) -> None:
        self._lost += 1
        self._pool.shutdown(wait=False, cancel_futures=True)
        if self._lost >= MOST_LOST:
            raise WorkerError(
                f"the processes that prepare the training data ended {self._lost} times in a row. "
                "Free memory or set fewer workers, and run again with --resume"
            )
        self._pool = self._open()

    def _open(self) -> ProcessPoolExecutor:
        # spawn: a fork of a process in which TensorFlow runs threads can hang
        context = get_context("spawn")
        return ProcessPoolExecutor(
            self._workers, mp_context=context, initializer=self._initializer, initargs=self._initargs
        )


@contextmanager
def open_pool(
    workers: int, *, initializer: Callable[..., None] | None = None, initargs: tuple[Any, ...] = ()
) -> Iterator[WorkerPool]:
    """Worker processes that share the cores; ended on leaving.

    Args:
        workers: number of processes.
        initializer: called once in each; must not raise: that would count as a lost worker.
        initargs: its arguments.
    """
    with share_cores(workers):
        pool = WorkerPool(workers, initializer, initargs)
        try:
            yield pool
        finally:
            pool.close()
