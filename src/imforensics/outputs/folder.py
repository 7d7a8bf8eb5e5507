"""Claim an output folder: for one kind of output, one run at a time, and never where an input lies."""

from __future__ import annotations

import contextlib
import os
import shutil
import weakref
from collections.abc import Iterable, Iterator
from pathlib import Path
from types import TracebackType

from imforensics.errors import OutputExistsError
from imforensics.outputs.files import ADOPT, delete_files, delete_own, name_file, part_name, record_files
from imforensics.outputs.manifest import MARKER, digest_of, find_manifest, is_part, lock_marker, read_manifest

DATA_SET = "data set"
_LEAVE = "Name another folder"


class _Hold:
    """A locked folder; the lock goes with the object."""

    def __init__(self, root: Path, descriptor: int | None) -> None:
        self.root = root
        if descriptor is not None:
            weakref.finalize(self, os.close, descriptor)


_held: weakref.WeakValueDictionary[Path, _Hold] = weakref.WeakValueDictionary()
_joined: list[_Hold] = []


class OutputFolder:
    """A folder that this run may write to, as long as the object lives or until `close`."""

    def __init__(self, folder: Path, hold: _Hold, made: tuple[Path, ...] | None = None) -> None:
        """Take over a locked folder; `made` are those that a new claim made, None where it is none."""
        self.folder = folder
        self._hold: _Hold | None = hold
        self._manifest = read_manifest(hold.root / MARKER)
        self._made = made

    def __enter__(self) -> OutputFolder:
        """The folder itself."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Let another run have the folder; see `kept` for what an error does."""
        if kind is not None:
            self._abandon()
        self.close()

    @contextlib.contextmanager
    def kept(self) -> Iterator[None]:
        """Keep the folder, unless the block ends with an error: it is given up then, where empty removed."""
        try:
            yield
        except BaseException:
            self._abandon()
            self.close()
            raise

    def close(self) -> None:
        """Let another run have the folder."""
        self._hold = None

    def _abandon(self) -> None:
        if self._made is not None and not self._manifest.has_entries:
            _remove_empty(self._manifest.path, self._made)

    @property
    def is_empty(self) -> bool:
        """True where nothing is in the folder but the marker."""
        return not any(path.name != MARKER and not is_part(path.name) for path in self.folder.iterdir())

    def refuse_earlier(self, *, overwrite: bool) -> None:
        """Check that nothing is here that was not to be overwritten.

        Raises:
            OutputExistsError: there is, and `overwrite` is False.
        """
        if not overwrite and not self.is_empty:
            raise OutputExistsError(
                f"{self.folder} holds an earlier {self._manifest.kind}. Name another folder, or overwrite it"
            )

    def check(self, *, may_differ: bool = False) -> list[Path]:
        """Every file in the folder.

        Args:
            may_differ: files of ours may have been changed.

        Raises:
            OutputExistsError: one of them was not written by imforensics, or was changed since.
        """
        files = []
        for place, folders, names in os.walk(self.folder):
            folders[:] = sorted(name for name in folders if not is_part(name))
            links = [name for name in folders if (Path(place) / name).is_symlink()]
            if MARKER in names and not self._is_marker(Path(place) / MARKER):
                raise OutputExistsError(
                    f"{place} is the output of another run ({output_kind(Path(place))}) in {self.folder}, "
                    "so nothing is deleted or replaced. Move it elsewhere, or name another folder"
                )
            for path in (Path(place) / name for name in sorted([*names, *links])):
                if not is_part(path.name) and (path.name != MARKER or not self._is_marker(path)):
                    self._manifest.check(path, may_differ=may_differ)
                    files.append(path)
        return files

    def _is_marker(self, path: Path) -> bool:
        return path.parent.resolve() == self._manifest.path.parent

    def clear(self) -> None:
        """Delete all that was written here.

        Raises:
            OutputExistsError: see `check`; nothing has been deleted then.
        """
        files = self.check()
        self._manifest.begin_clearing(self.folder)
        delete_files(self._manifest, self.folder, files)
        self._manifest.end_clearing()

    @contextlib.contextmanager
    def replace_all(self, *, last: str) -> Iterator[Path]:
        """Replace everything in the folder by what is written to the folder that this gives.

        Args:
            last: name of the file that comes last: where it is, all is there.

        Raises:
            OutputExistsError: see `check`; the folder is as it was then.
        """
        self.check()
        part = self.folder / part_name()
        try:
            part.mkdir()
            yield part
            for path in (path for path in part.rglob("*") if path.is_file()):
                self._manifest.record(self.folder / path.relative_to(part), *digest_of(path))
            earlier = sorted(self.check(), key=lambda path: path.name != last)
            delete_files(self._manifest, self.folder, earlier)
            made = [path for path in part.rglob("*") if path.is_file()]
            made.sort(key=lambda path: path.name == last)
            for path in made:  # one by one: folders that the user put there stay
                target = self.folder / path.relative_to(part)
                target.parent.mkdir(parents=True, exist_ok=True)
                path.rename(target)
        except OSError as error:
            raise name_file(error, self.folder) from None
        finally:
            shutil.rmtree(part, ignore_errors=True)


def claim_folder(folder: Path, kind: str, *, inputs: Iterable[Path] = ()) -> OutputFolder:
    """Make a folder for the output of one run, or take up one that an earlier run of the kind has made.

    A folder inside one that this process, or the process it works for, has claimed belongs to that.

    Args:
        folder: where the output goes; made where it does not exist.
        kind: of output in words, such as "scan".
        inputs: files and folders that are read: none may lie in the folder.

    Raises:
        OutputExistsError: the folder is a file, holds an input or what imforensics did not write, is the
            output of another kind, or a file at its top was changed since it was written.
        OutputInUseError: another run is writing to it.
        OSError: it cannot be written to.
    """
    refuse_inputs(folder, inputs)
    if folder.exists() and not folder.is_dir():
        raise OutputExistsError(f"{folder} is a file, expected a folder. {_LEAVE}")
    root = folder.resolve()
    around = next((_held[place] for place in (root, *root.parents) if place in _held), None)
    if around is not None and around.root != root:
        folder.mkdir(parents=True, exist_ok=True)
        return OutputFolder(folder, around)
    made = _make_folders(folder)
    is_new = not (folder / MARKER).exists()
    try:
        if around is None:
            _refuse_unclaimed(folder)
            around = _Hold(root, lock_marker(folder))
            _held[root] = around
        _take_up(folder, kind)
    except BaseException as error:
        if is_new:
            _remove_empty(root / MARKER, made)
        if isinstance(error, OSError):
            raise name_file(error, folder) from None
        raise
    return OutputFolder(folder, around, made if is_new else None)


def join_folder(folder: Path) -> None:
    """Let a worker process write to a folder that the run it works for has claimed."""
    hold = _Hold(folder.resolve(), None)
    _held[hold.root] = hold
    _joined.append(hold)


def output_kind(folder: Path) -> str | None:
    """What output a folder has been claimed for; None where it has not."""
    marker = folder / MARKER
    is_there = os.path.isfile(marker)  # noqa: PTH113 - False, and no error, where the folder may not be read
    return read_manifest(marker).kind if is_there else None


def refuse_inputs(folder: Path, inputs: Iterable[Path]) -> None:
    """Check that no input lies in an output folder.

    Raises:
        OutputExistsError: one does.
    """
    root = folder.resolve()
    parents: dict[Path, Path] = {}
    for path in inputs:
        parent = parents.get(path.parent) or parents.setdefault(path.parent, path.parent.resolve())
        place = parent / path.name if path.name not in ("", "..") else path.resolve()
        if place.is_relative_to(root):
            raise OutputExistsError(
                f"The output folder {folder} holds the input {path}, and its content may be replaced. "
                "Name a folder of its own"
            )


def refuse_rescanned(folder: Path, read: Iterable[Path]) -> None:
    """Check that an output folder lies in none of the folders whose files are read.

    Raises:
        OutputExistsError: it does: what is written would be read by the next run.
    """
    root = folder.resolve()
    for place in read:
        if root.is_relative_to(place.resolve()):
            raise OutputExistsError(
                f"The output folder {folder} lies in {place}, which is read: the next run would take the "
                "results for input. Name a folder elsewhere"
            )


def _refuse_unclaimed(folder: Path) -> None:
    if output_kind(folder) is not None:
        return
    found = sorted(path.name for path in folder.iterdir() if path.name != MARKER and not is_part(path.name))
    if found and ADOPT not in found:
        raise OutputExistsError(
            f"{folder} holds {found[0]!r}, which imforensics did not write, so the folder is neither written "
            f"to nor emptied. {_LEAVE}. For output of a version that kept no record: put an empty file "
            f"{ADOPT} there, and everything in the folder counts as written by imforensics"
        )


def _take_up(folder: Path, kind: str) -> None:
    """Begin or go on with the manifest of a locked folder, and remove what a kill left unfinished."""
    manifest = find_manifest(folder)
    assert manifest is not None  # noqa: S101 - the marker is locked
    if manifest.kind is None:
        manifest.begin(kind)
    elif manifest.kind != kind:
        raise OutputExistsError(f"{folder} holds the output of another command ({manifest.kind}). {_LEAVE}")
    manifest.begin_run()
    if (folder / ADOPT).exists():
        record_files(folder)
        (folder / ADOPT).unlink()
    for place, folders, names in os.walk(folder):
        for name in filter(is_part, names):
            (Path(place) / name).unlink(missing_ok=True)
        for name in filter(is_part, folders):
            shutil.rmtree(Path(place) / name, ignore_errors=True)
    if manifest.clearing is not None:
        delete_own(manifest.clearing)
        manifest.end_clearing()
    for path in sorted(folder.iterdir()):
        if path.is_file() and path.name != MARKER and manifest.knows(path):
            manifest.check(path, may_differ=manifest.is_log(path))


def _make_folders(folder: Path) -> tuple[Path, ...]:
    """The folders that had to be made, the innermost first."""
    missing = tuple(place for place in (folder, *folder.parents) if not place.exists())
    folder.mkdir(parents=True, exist_ok=True)
    return missing


def _remove_empty(marker: Path, made: Iterable[Path]) -> None:
    """Undo a new claim that came to nothing, and the folders that were made for it."""
    with contextlib.suppress(OSError):
        if list(marker.parent.iterdir()) == [marker]:
            marker.unlink()
        for place in made:
            place.rmdir()
