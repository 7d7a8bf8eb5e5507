"""The marker of an output folder: what was written there, digest by digest, and which run holds it."""

from __future__ import annotations

import errno
import hashlib
import json
import os
import re
import socket
from datetime import UTC, datetime
from fnmatch import fnmatchcase as fnmatch
from pathlib import Path
from typing import Any, Literal

from imforensics.errors import OutputExistsError, OutputInUseError

try:
    import fcntl
except ImportError:  # no such locks on Windows
    fcntl = None  # type: ignore[assignment]

MARKER = ".imforensics-output.jsonl"
State = Literal["file", "log", "open"]
_PART = re.compile(r"\.imforensics-[0-9a-f]{16}\.part(\.\w+)?")


class Manifest:
    """The lines of one marker: read as far as they have come, appended one at a time by any process of a run.

    A line that a full disk or a kill cut off is passed over. All digests that a path ever had count: a kill
    may come between a digest and its file.

    Attributes:
        path: of the marker.
        kind: of output; None where the folder is not claimed.
        clearing: the folder that an overwrite was emptying when it was stopped; None otherwise.
    """

    def __init__(self, path: Path) -> None:
        """Read the marker, which may be missing."""
        self.path = path
        self.kind: str | None = None
        self.clearing: Path | None = None
        self._run: dict[str, Any] = {}
        self._digests: dict[str, set[tuple[str, int]]] = {}
        self._last: dict[str, tuple[str, int, State]] = {}
        self._patterns: set[str] = set()
        self._read_to = 0
        self._inode = path.stat().st_ino if path.exists() else 0
        self.refresh()

    @property
    def is_stale(self) -> bool:
        """True where another marker has taken the place of the one that was read."""
        found = self.path.stat()
        return found.st_ino != self._inode or found.st_size < self._read_to

    @property
    def has_entries(self) -> bool:
        """True where a file was recorded."""
        self.refresh()
        return bool(self._digests)

    def begin(self, kind: str) -> None:
        """Claim the folder."""
        self._append({"imforensics_output": 1, "kind": kind})

    def begin_run(self) -> None:
        """Say which process holds the folder."""
        pid, since = os.getpid(), datetime.now(UTC).isoformat(timespec="seconds")
        run = {"pid": pid, "host": socket.gethostname(), "since": since, "ticks": _start_ticks(pid)}
        self._append({"run": run})

    def begin_clearing(self, folder: Path) -> None:
        """Say that everything below a folder is about to be deleted."""
        self._append({"clearing": self._name(folder)})

    def end_clearing(self) -> None:
        """Say that it was."""
        self._append({"clearing": None})

    def record(self, path: Path, sha256: str, size: int, *, state: State = "file") -> None:
        """Add a file; of one in the state "open" the digest is of its beginning."""
        self._append({"path": self._name(path), "sha256": sha256, "size": size, "state": state})

    def record_pattern(self, path: Path, *, is_open: bool) -> None:
        """Files that a shell's pattern matches are being written, or no longer."""
        self._append({"pattern": self._name(path), "open": is_open})

    def forget_log(self, path: Path) -> None:
        """A file that grew was deleted: what comes to its place is another one."""
        if self.is_log(path):
            self._append({"gone": self._name(path)})

    def knows(self, path: Path) -> bool:
        """True where a file of this name was written."""
        self.refresh()
        name = self._name(path)
        return name in self._digests or any(fnmatch(name, pattern) for pattern in self._patterns)

    def is_log(self, path: Path) -> bool:
        """True where the file grows line by line."""
        self.refresh()
        return self._last.get(self._name(path), ("", 0, "file"))[2] != "file"

    def is_own(self, path: Path) -> bool:
        """True where a file was written by imforensics and is as it was written."""
        self.refresh()
        name = self._name(path)
        if path.is_symlink() or not path.is_file():
            return False
        if any(fnmatch(name, pattern) for pattern in self._patterns):
            return True
        if name not in self._digests:
            return False
        sha256, size, state = self._last[name]
        if state == "open":
            return digest_of(path, length=size) == (sha256, size)
        sizes = {known for _, known in self._digests[name]}
        return path.stat().st_size in sizes and digest_of(path) in self._digests[name]

    def check(self, path: Path, *, may_differ: bool = False) -> None:
        """Check that a file may be replaced or deleted.

        Raises:
            OutputExistsError: imforensics did not write it, or it was changed since, unless `may_differ`.
        """
        if not self.knows(path):
            raise OutputExistsError(
                f"{path} was not written by imforensics, so nothing is deleted or replaced. Move it "
                "elsewhere, or name another folder"
            )
        if not may_differ and not self.is_own(path):
            raise OutputExistsError(
                f"{path} was changed after imforensics wrote it, so nothing is deleted or replaced. Move it "
                "elsewhere, or name another folder"
            )

    def refresh(self) -> None:
        """Read the lines that were added since."""
        try:
            with self.path.open("rb") as file:
                file.seek(self._read_to)
                added = file.read()
        except FileNotFoundError:
            return
        end = added.rfind(b"\n") + 1
        self._read_to += end
        for line in added[:end].splitlines():
            try:
                entry = json.loads(line)
            except ValueError:  # blank, or cut off
                continue
            if isinstance(entry, dict):
                self._take(entry)

    def refuse_running(self) -> None:
        """Where the file system has no locks: check by its number and start that no other process holds this.

        Raises:
            OutputInUseError: one does.
        """
        run = self._run
        is_here = run.get("host") == socket.gethostname() and run.get("pid") != os.getpid()
        if is_here and run.get("ticks") and _start_ticks(int(run["pid"])) == run["ticks"]:
            raise self.in_use()

    def in_use(self) -> OutputInUseError:
        """The error that names the process that holds the folder."""
        self.refresh()
        run = self._run
        who = "another process"
        if run:
            who = f"process {run['pid']} on {run['host']}, which began at {run['since']}"
        return OutputInUseError(
            f"{self.path.parent} is being written to by {who}. Wait for it, or name another folder"
        )

    def _take(self, entry: dict[str, Any]) -> None:
        match entry:
            case {"kind": str(kind)}:
                self.kind = kind
            case {"run": dict(run)}:
                self._run = run
            case {"clearing": str(name)}:
                self.clearing = self.path.parent / name
            case {"clearing": None}:
                self.clearing = None
            case {"gone": str(name)}:
                self._digests.pop(name, None)
                self._last.pop(name, None)
            case {"pattern": str(name), "open": bool(is_open)}:
                (self._patterns.add if is_open else self._patterns.discard)(name)
            case {"path": str(name), "sha256": str(sha256), "size": int(size), "state": state}:
                self._last[name] = (sha256, size, state)
                known = self._digests.setdefault(name, set())
                if state != "open":
                    known.add((sha256, size))

    def _name(self, path: Path) -> str:
        return _real(path).relative_to(self.path.parent.resolve()).as_posix()

    def _append(self, entry: dict[str, Any]) -> None:
        line = b"\n" + json.dumps(entry).encode() + b"\n"  # a line before it that was cut off ends here
        descriptor = os.open(self.path, os.O_WRONLY | os.O_APPEND)
        try:
            written = os.write(descriptor, line)
        except OSError as error:
            error.filename = str(self.path)
            raise
        finally:
            os.close(descriptor)
        if written < len(line):
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(self.path))
        self.refresh()


_manifests: dict[Path, Manifest] = {}


def find_manifest(path: Path) -> Manifest | None:
    """The manifest that a file or folder belongs to: of the nearest claimed folder around it, or its own."""
    place = _real(path)
    for folder in (place, *place.parents):
        if (folder / MARKER).is_file():
            return read_manifest(folder / MARKER)
    return None


def read_manifest(marker: Path) -> Manifest:
    """The manifest of a marker that is there; what was read of it before is not read again."""
    known = _manifests.get(marker)
    if known is None or known.is_stale:
        known = _manifests[marker] = Manifest(marker)
    return known


def lock_marker(folder: Path) -> int:
    """Lock the marker of a folder, made where it is missing, until the descriptor is closed.

    Returns:
        The descriptor.

    Raises:
        OutputInUseError: another process holds it.
    """
    marker = folder / MARKER
    descriptor = os.open(marker, os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o666)
    try:
        _lock(descriptor, Manifest(marker))
        is_gone = not marker.exists() or marker.stat().st_ino != os.fstat(descriptor).st_ino
    except BaseException:
        os.close(descriptor)
        raise
    if is_gone:  # by a run that came to nothing meanwhile
        os.close(descriptor)
        return lock_marker(folder)
    return descriptor


def digest_of(path: Path, *, length: int | None = None) -> tuple[str, int]:
    """SHA-256 in hexadecimal and number of bytes of a file, or of its first `length` bytes."""
    digest, size = hashlib.sha256(), 0
    with path.open("rb") as file:
        while block := file.read(1 << 20 if length is None else min(1 << 20, length - size)):
            digest.update(block)
            size += len(block)
    return digest.hexdigest(), size


def is_part(name: str) -> bool:
    """True for a name under which something is written before it takes its place."""
    return _PART.fullmatch(name) is not None


def _real(path: Path) -> Path:
    """The absolute path; the last part is not followed where it is a link."""
    return path.resolve() if path.name in ("", "..") else path.parent.resolve() / path.name


def _lock(descriptor: int, manifest: Manifest) -> None:
    if fcntl is not None:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise manifest.in_use() from None
        except OSError:  # a file system without locks
            pass
        else:
            return
    manifest.refuse_running()


def _start_ticks(pid: int) -> str | None:
    """When a process was started, as the kernel counts it; None where there is none, or nobody says."""
    try:
        return Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()[19]
    except (OSError, IndexError):
        return None
