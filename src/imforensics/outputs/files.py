"""Files in output folders: written whole, recorded, and deleted only where they are ours."""

from __future__ import annotations

import contextlib
import errno
import os
import secrets
from collections.abc import Iterable, Iterator
from hashlib import sha256
from pathlib import Path

from imforensics.outputs.manifest import MARKER, Manifest, digest_of, find_manifest

ADOPT = ".imforensics-adopt"  # put into a folder by the user: everything in it was written by imforensics


def part_name(suffix: str = "") -> str:
    """A new name for what is being written; a claim removes what a killed run left under such a name."""
    return f".imforensics-{secrets.token_hex(8)}.part{suffix}"


@contextlib.contextmanager
def replacing_file(path: Path, *, is_log: bool = False) -> Iterator[Path]:
    """A path to write to; the file takes the place of `path` when the block ends well.

    In a claimed folder the file is recorded, and what is there already must have been written by imforensics.

    Args:
        path: of the file; its folder exists.
        is_log: all of the earlier content was read and is written again, whoever changed it.

    Raises:
        OutputExistsError: the folder is claimed, and another file is there or one that was changed.
    """
    manifest = find_manifest(path)
    if manifest is not None and os.path.lexists(path):
        manifest.check(path, may_differ=is_log)
    part = path.with_name(part_name(path.suffix))
    try:
        yield part
        with part.open("rb+") as file:
            os.fsync(file.fileno())
        if manifest is not None:
            manifest.record(path, *digest_of(part), state="log" if is_log else "file")
        part.replace(path)
    except OSError as error:
        raise name_file(error, path) from None
    finally:
        part.unlink(missing_ok=True)


def write_atomically(path: Path, content: str | bytes) -> None:
    """Write a file so that a reader, or a run resumed after a kill, sees all of it or none.

    Raises:
        OutputExistsError: see `replacing_file`.
    """
    with replacing_file(path) as part:
        part.write_bytes(content.encode("utf-8") if isinstance(content, str) else content)


def record_files(folder: Path, *, place: Path | None = None) -> None:
    """Record all files below a folder that were written by other means.

    Args:
        folder: in a claimed folder; elsewhere nothing is done.
        place: what the folder will be called; None: what it is called.
    """
    manifest = find_manifest(folder)
    if manifest is None:
        return
    for path in sorted(path for path in folder.rglob("*") if path.is_file() and not path.is_symlink()):
        if path.name not in (MARKER, ADOPT):
            target = path if place is None else place / path.relative_to(folder)
            manifest.record(target, *digest_of(path))


def record_file(path: Path) -> None:
    """Record a file that was written by other means; outside claimed folders nothing is done."""
    manifest = find_manifest(path)
    if manifest is not None:
        manifest.record(path, *digest_of(path))


def record_pattern(folder: Path, pattern: str, *, is_open: bool) -> None:
    """Record that files whose names follow a pattern are being written to a folder, or no longer.

    Args:
        folder: in a claimed folder; elsewhere nothing is done.
        pattern: of a shell, so narrow that no other file follows it.
        is_open: True before the first, False when each has been recorded by itself.
    """
    manifest = find_manifest(folder)
    if manifest is not None:
        manifest.record_pattern(folder / pattern, is_open=is_open)


def record_log(path: Path, *, is_open: bool) -> None:
    """Record a file that grows line by line: before the first line of a run, and after the last.

    Raises:
        OutputExistsError: the folder is claimed, and the file was not written by imforensics.
    """
    manifest = find_manifest(path)
    if manifest is None:
        return
    if is_open and os.path.lexists(path):
        manifest.check(path, may_differ=True)
    known = digest_of(path) if path.exists() else (sha256().hexdigest(), 0)
    manifest.record(path, *known, state="open" if is_open else "log")


def delete_own(path: Path) -> None:
    """Delete a file, or what is in a folder, as far as imforensics wrote it; everything else stays."""
    manifest = find_manifest(path)
    if manifest is None or path.is_symlink():
        return
    inner = [Path(place) / name for place, _, names in os.walk(path) for name in names]
    delete_files(manifest, path.parent, [file for file in inner or [path] if manifest.is_own(file)])


def delete_files(manifest: Manifest, folder: Path, files: Iterable[Path]) -> None:
    """Delete files below a folder that were checked, and the folders between that are empty then."""
    for path in files:
        path.unlink(missing_ok=True)
        manifest.forget_log(path)
        with contextlib.suppress(OSError):  # not empty
            for place in path.parents[: len(path.relative_to(folder).parts) - 1]:
                place.rmdir()


def name_file(error: OSError, path: Path) -> OSError:
    """The error, said of the file that was to be written, not of what was to take its place."""
    if error.errno is None:  # of a library that keeps the reason to itself
        return OSError(errno.EIO, str(error), str(path))
    if error.filename is None or ".part" in str(error.filename):
        error.filename, error.filename2 = str(path), None
    return error
