"""The processor's cores, and how worker processes share them."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager

THREAD_VARIABLES = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")


def available_cores() -> int:
    """Number of cores this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


@contextmanager
def share_cores(workers: int) -> Iterator[None]:
    """Processes started inside give their numerical libraries an equal share of the cores as threads.

    The libraries read the variables once, when they are loaded, and a new process loads them before it runs a
    line of ours: they have to stand in the environment that it starts from. Without them each of n workers
    would start as many threads as there are cores. Where the user has set one of them, none is touched. The
    environment of the calling process holds them meanwhile: not for two pools side by side.

    Args:
        workers: processes that work at the same time; one keeps every core.
    """
    share = str(max(available_cores() // workers, 1))
    is_set = any(name in os.environ for name in THREAD_VARIABLES)
    added = () if is_set or workers == 1 else THREAD_VARIABLES
    os.environ.update(dict.fromkeys(added, share))
    try:
        yield
    finally:
        for name in added:
            os.environ.pop(name, None)
