"""What a worker process does: get ready once, then answer one item after the other. Nothing breaks a pipe."""

from __future__ import annotations

import os
import pickle
import signal
import threading
from dataclasses import dataclass
from multiprocessing import parent_process
from multiprocessing.connection import Connection

from imforensics.errors import ImforensicsError, WorkerError, describe_failure


@dataclass(frozen=True, slots=True)
class Ready:
    """The worker waits for its first item."""


@dataclass(frozen=True, slots=True)
class Refusal:
    """The worker cannot get ready, and no other could: its preparation raised this."""

    error: ImforensicsError


@dataclass(frozen=True, slots=True)
class Answer:
    """What became of one item: the pickled result, or the error in words."""

    content: bytes | None
    error: str | None


def serve(connection: Connection, preparation: bytes) -> None:
    """Prepare this process, then answer items until the other end closes.

    Whatever an item raises is put into words here: an exception object may not survive the way.

    Args:
        connection: gets items, each a pickled (function, item); gives Ready or Refusal, then Answers.
        preparation: pickled (initializer or None, its arguments).
    """
    _leave_group()
    threading.Thread(target=_end_with_parent, daemon=True).start()
    try:
        initializer, arguments = pickle.loads(preparation)  # noqa: S301 - from our own parent process
        if initializer is not None:
            initializer(*arguments)
    except Exception as error:  # told once, by whoever started the workers
        connection.send(Refusal(_as_own(error)))
        return
    connection.send(Ready())
    while True:
        try:
            task = connection.recv_bytes()
        except EOFError:
            return
        connection.send(_answer(task))


def _answer(task: bytes) -> Answer:
    try:
        function, item = pickle.loads(task)  # noqa: S301 - from our own parent process
        return Answer(pickle.dumps(function(item)), None)
    except Exception as error:  # it costs this item alone
        return Answer(None, describe_failure(error))


def _as_own(error: Exception) -> ImforensicsError:
    if isinstance(error, ImforensicsError):
        return error
    return WorkerError(f"the worker processes cannot start: {describe_failure(error)}")


def _leave_group() -> None:
    """Have a group of one's own: it can be ended with all its children, and a Ctrl-C is for the parent."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    if hasattr(os, "setsid"):
        os.setsid()


def _end_with_parent() -> None:
    """End this process and its children as soon as the parent is gone, whatever they are doing."""
    parent = parent_process()
    if parent is not None:
        parent.join()
        end_group(os.getpid())
        os._exit(1)


def end_group(pid: int) -> None:
    """Kill a worker's process group; nothing where it has none (yet)."""
    if hasattr(os, "killpg"):
        try:
            if os.getpgid(pid) == pid:
                os.killpg(pid, signal.SIGKILL)
        except (ProcessLookupError, PermissionError):
            return
