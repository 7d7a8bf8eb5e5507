"""What decoding libraries write to standard error by themselves: caught, to be told as notes on the file."""

from __future__ import annotations

import io
import os
import re
import sys
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from threading import RLock, get_ident
from typing import IO, TextIO, cast

MAX_LINES = 10
MAX_CHARACTERS = 200
_MAX_BYTES = 65536
_STDERR = 2
_NUMBER = re.compile(r"0x[0-9a-fA-F]+|\d+")
_PILLOWS_NAME = "tempfile.tif: "  # of every TIFF that it decodes from memory
_OWN_FILE = re.compile(r"/proc/self/fd/\d+|0x[0-9a-fA-F]{6,}")  # differ from run to run

# Descriptors are the whole process's: one thread catches at a time, also where there is nothing to catch.
# Decoders that keep settings for the whole process rely on it.
_catching = RLock()


@contextmanager
def caught_output() -> Iterator[list[str]]:
    """Catch what C libraries write to the standard error of the process while they decode one file.

    What other threads write to `sys.stderr` meanwhile still goes there. Within another call of the same
    thread nothing is done: its lines are the outer call's.

    Yields:
        A list that holds the lines once the block is left, however it is left: tidied, those that differ in
        numbers only once, at most `MAX_LINES`.
    """
    lines: list[str] = []
    with _catching:
        if _catch.is_active or not _catch.start():
            yield lines
            return
        try:
            yield lines
        finally:
            lines += tidy_lines(_catch.stop())


@contextmanager
def dropped_output() -> Iterator[None]:
    """Drop what C libraries write in this block, of the lines of a `caught_output` around it too."""
    with caught_output():
        place = _catch.tell()
        try:
            yield
        finally:
            _catch.cut(place)


def tidy_lines(output: bytes) -> list[str]:
    r"""Lines that can stand in a note: escaped, shortened, alike ones once with their count.

    >>> tidy_lines(b"tag 317 is odd\ntag 318 is odd\n\x1b[2J\n")
    ['tag 317 is odd (2 such lines)', '\\x1b[2J']
    """
    found: dict[str, list[str]] = {}
    for raw in output.decode("utf-8", "backslashreplace").split("\n"):
        line = _OWN_FILE.sub("…", " ".join(raw.split()).removeprefix(_PILLOWS_NAME))[:MAX_CHARACTERS]
        line = "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in line)
        if line:
            found.setdefault(_NUMBER.sub("0", line), []).append(line)
    told = [
        alike[0] if len(alike) == 1 else f"{alike[0]} ({len(alike)} such lines)" for alike in found.values()
    ]
    more = len(told) - MAX_LINES
    return told if more <= 0 else [*told[:MAX_LINES], f"and {more} other messages"]


def describe_messages(lines: Iterable[str]) -> tuple[str, ...]:
    """Caught lines as notes."""
    return tuple(f"the decoding library reports: {line}" for line in lines)


class _Router(io.TextIOBase):
    """Stands for `sys.stderr`: what the catching thread writes is caught too (libraries log), no other's."""

    def __init__(self, caught: IO[bytes], elsewhere: TextIO) -> None:
        self._caught, self._elsewhere, self._thread = caught, elsewhere, get_ident()

    def write(self, text: str) -> int:
        if get_ident() == self._thread:
            self._caught.write(text.encode("utf-8", "backslashreplace"))
            return len(text)
        return self._elsewhere.write(text)

    def flush(self) -> None:
        self._elsewhere.flush()


class _Catch:
    """Standard error turned away to a file of our own, and back."""

    def __init__(self) -> None:
        self.is_active = False
        self._file: IO[bytes] | None = None
        self._own: TextIO | None = None  # where Python code writes meanwhile
        self._before: TextIO | None = None

    def start(self) -> bool:
        """Turn it away; False where the process has no standard error."""
        try:
            self._file = self._file or _open_file()
            self._file.seek(0)
            self._file.truncate()
            own = self._keep()
        except OSError:
            return False
        self._before = sys.stderr
        if sys.stderr is not None:
            sys.stderr.flush()
            elsewhere = own if _leads_there(sys.stderr) else sys.stderr
            sys.stderr = cast("TextIO", _Router(self._file, elsewhere))
        os.dup2(self._file.fileno(), _STDERR)
        self.is_active = True
        return True

    def tell(self) -> int:
        """How much was written until now."""
        return self._file.tell() if self._file is not None else 0

    def cut(self, place: int) -> None:
        """Forget what was written since."""
        if self._file is not None:
            self._file.seek(place)
            self._file.truncate()

    def stop(self) -> bytes:
        """Turn it back, and give what was written."""
        if self._file is None or self._own is None:
            return b""
        os.dup2(self._own.fileno(), _STDERR)
        if isinstance(sys.stderr, _Router):
            sys.stderr.flush()
            sys.stderr = cast("TextIO", self._before)
        self.is_active = False
        self._file.seek(0)
        return self._file.read(_MAX_BYTES)

    def _keep(self) -> TextIO:
        """A stream that leads where standard error leads now; it is opened once, and never closed."""
        if self._own is None:
            self._own = open(  # noqa: SIM115
                os.dup(_STDERR), "w", buffering=1, encoding="utf-8", errors="backslashreplace", closefd=False
            )
        else:
            os.dup2(_STDERR, self._own.fileno(), inheritable=False)
        return self._own


def _leads_there(stream: TextIO) -> bool:
    try:
        return stream.fileno() == _STDERR
    except (OSError, ValueError):
        return False


def _open_file() -> IO[bytes]:
    """A file without a name, in memory on Linux; unbuffered, for the libraries write past any buffer."""
    if hasattr(os, "memfd_create"):
        descriptor = os.memfd_create("imforensics")
    else:
        with tempfile.TemporaryFile() as file:
            descriptor = os.dup(file.fileno())
    return open(descriptor, "w+b", buffering=0, closefd=False)


_catch = _Catch()
