"""Scan many files: one row each, whatever happens to it; a scan that was stopped goes on."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from fnmatch import fnmatch
from pathlib import Path

from imforensics.config import ScanConfig
from imforensics.cores import available_cores
from imforensics.engines.local import run_in_processes
from imforensics.errors import EvidenceError, OutputError
from imforensics.evidence.containers import has_image_extension, identify_format
from imforensics.outputs import DATA_SET, OutputFolder, claim_folder, output_kind
from imforensics.pipeline.analyze import build_analyzer
from imforensics.pipeline.scan.worker import (
    NOT_WRITTEN,
    ReportsPolicy,
    WorkerSettings,
    error_row,
    file_identity,
    prepare_worker,
    scan_file,
    sha256_of,
    thumbnail_path,
)
from imforensics.report.scan_index import write_index_html, write_summary_csv
from imforensics.store import Row, ScanStore, row_key
from imforensics.types import JsonValue


@dataclass(frozen=True)
class Scan:
    """One scan, planned: what is to do, and what an earlier one has done.

    Attributes:
        todo: files to analyze.
        done: rows of earlier scans with the same content and configuration.
        config: what to do with each file.
        digest: SHA-256 of the settings that decide a result.
        store: results on disk; None keeps none.
        output: their folder, claimed for as long as the scan lives.
    """

    todo: tuple[Path, ...]
    done: tuple[Row, ...]
    config: ScanConfig
    digest: str
    store: ScanStore | None
    output: OutputFolder | None = None

    def run(
        self, *, workers: int | None = None, reports: ReportsPolicy = "none", command_line: Sequence[str] = ()
    ) -> Iterator[Row]:
        """Analyze the files in `todo`.

        Args:
            workers: number of processes; None takes every core.
            reports: for which files a full report is written.
            command_line: as given by the user, for the reports.

        Yields:
            One row for each file in `todo` as it is done, stored before it is given.

        Raises:
            OutputError: a thumbnail or a report cannot be written; the files that are left keep no row.
        """
        folder = self.store.folder if self.store is not None else None
        count = min(workers or available_cores(), max(len(self.todo), 1))
        outcomes = run_in_processes(
            scan_file,
            self.todo,
            workers=count,
            timeout_seconds=self.config.timeout_seconds,
            initializer=prepare_worker,
            initializer_arguments=(WorkerSettings(self.config, folder, reports, tuple(command_line)),),
        )
        try:
            for outcome in outcomes:
                row = outcome.result or error_row(outcome.item, outcome.error or "no result")
                if NOT_WRITTEN in row:
                    raise OutputError(str(row[NOT_WRITTEN]))
                row["config_digest"] = self.digest
                if self.store is not None:
                    self.store.append(row)
                yield row
        finally:
            if self.store is not None:
                self.store.close()


def plan_scan(
    files: Sequence[Path],
    config: ScanConfig,
    *,
    folder: Path | None = None,
    overwrite: bool = False,
    retry_errors: bool = False,
) -> Scan:
    """Find out which files still have to be analyzed.

    A file is done where `folder` holds a row of it with the same content and the same configuration; a row
    with another content or configuration is dropped, to be made again.

    Args:
        files: files to scan.
        config: what to do with each.
        folder: results folder, made where it does not exist; None keeps no results.
        overwrite: delete the results that are there, and begin again.
        retry_errors: analyze again the files whose row is an error.

    Raises:
        ConfigError: the configuration names unknown methods or options.
        OutputExistsError: the folder holds a file to scan, or something that no scan wrote.
        InterruptedRunError: results.jsonl holds a line that is no row.
    """
    digest = build_analyzer(config).digest
    if folder is None:
        return Scan(tuple(files), (), config, digest, None)
    output = claim_folder(folder, "scan", inputs=files)
    with output.kept():
        if overwrite:
            output.clear()
        store = ScanStore(folder)
        todo, done = _part(files, store, digest, retry_errors=retry_errors)
        store.forget([row_key(file_identity(file)) for file in todo])
    return Scan(tuple(todo), tuple(done), config, digest, store, output)


def _part(
    files: Sequence[Path], store: ScanStore, digest: str, *, retry_errors: bool
) -> tuple[list[Path], list[Row]]:
    """The files that have to be analyzed, and the rows of the others."""
    todo: list[Path] = []
    done: list[Row] = []
    for file in files:
        row = store.find(row_key(file_identity(file)))
        if (
            row is not None
            and _is_current(row, file, digest)
            and not (retry_errors and row["status"] == "error")
        ):
            done.append(row)
        else:
            todo.append(file)
    return todo, done


def write_overview(store: ScanStore) -> None:
    """Write summary.csv and index.html of all rows, sorted by file."""
    write_summary_csv(store.rows(), store.folder / "summary.csv")
    write_index_html(_with_thumbnails(store), store.folder / "index.html")


@dataclass(frozen=True, slots=True)
class Listing:
    """The files to scan, and what is left out below the folders that were named.

    Attributes:
        files: to scan.
        left_out: files that are no image by name nor by content.
        outputs: folders that imforensics itself wrote, but for data sets that it made.
    """

    files: tuple[Path, ...]
    left_out: tuple[Path, ...]
    outputs: tuple[Path, ...] = ()


def list_files(
    paths: Iterable[Path], *, recursive: bool = True, include: Sequence[str] = (), exclude: Path | None = None
) -> Listing:
    """Every image among the paths and below their folders, sorted within each folder, once each.

    Below a folder, a file is an image by its extension or by its first bytes: a broken JPEG and a photo
    without extension are scanned, a text file beside them is left out. A file that is named is scanned. What
    cannot be read, a folder too, is listed: its row says why.

    Args:
        paths: files and folders; links to folders below them are not followed.
        recursive: descend into folders.
        include: shell patterns of names, such as "*.jpg", matched without regard to case; empty takes all.
        exclude: a folder to leave out, for example the one that the results go to.

    Raises:
        EvidenceError: none of the paths exists.
    """
    patterns = [pattern.lower() for pattern in include]
    files: dict[Path, None] = {}
    left_out: dict[Path, None] = {}
    outputs: list[Path] = []
    named = list(paths)
    if named and not any(map(os.path.lexists, named)):
        raise EvidenceError(f"{named[0]} does not exist; name files or folders that do")
    for path in named:
        is_folder = _is_folder(path)  # a name that is not there is a file: its row says so
        for file in _files_below(path, recursive, exclude, outputs) if is_folder else [path]:
            is_unreadable = _is_folder(file)
            is_named = any(fnmatch(file.name.lower(), pattern) for pattern in patterns)
            if patterns and not is_named and not is_unreadable:
                continue
            is_wanted = not is_folder or is_unreadable or _is_image(file)
            (files if is_wanted else left_out)[file] = None
    return Listing(tuple(files), tuple(left_out), tuple(outputs))


def _with_thumbnails(store: ScanStore) -> Iterator[dict[str, JsonValue | bytes]]:
    for row in store.rows():
        path = thumbnail_path(store.folder, str(row["sha256"]))
        yield {**row, "thumbnail": path.read_bytes() if path.exists() else None}


def _is_image(file: Path) -> bool:
    if has_image_extension(file.name):
        return True
    try:
        with file.open("rb") as content:
            return identify_format(content.read(1024)) is not None
    except OSError:
        return True  # its row says why it cannot be read


def _files_below(folder: Path, recursive: bool, exclude: Path | None, outputs: list[Path]) -> Iterator[Path]:
    excluded = exclude.resolve() if exclude is not None else None
    unreadable: list[Path] = []
    walk = os.walk(folder, onerror=lambda error: unreadable.append(Path(error.filename)))
    for root, folders, names in walk:
        here = Path(root)
        folders[:] = sorted(name for name in folders if recursive and (here / name).resolve() != excluded)
        made = [name for name in folders if output_kind(here / name) not in (None, DATA_SET)]
        outputs += (here / name for name in made)
        folders[:] = [name for name in folders if name not in made]
        yield from (path for path in map(here.joinpath, sorted(names)) if _is_listed(path))
    yield from sorted(unreadable)


def _is_listed(path: Path) -> bool:
    """A file; by its name also a broken link or a pipe, whose row says what it is."""
    is_file = os.path.isfile(path)  # noqa: PTH113 - see `_is_folder`
    return is_file or (has_image_extension(path.name) and not _is_folder(path))


def _is_folder(path: Path) -> bool:
    return os.path.isdir(path)  # noqa: PTH112 - False, and no error, for what may not be looked at


def _is_current(row: Row, file: Path, digest: str) -> bool:
    return (
        row.get("config_digest") == digest
        and row.get("sha256") is not None
        and row["sha256"] == sha256_of(file)
    )
