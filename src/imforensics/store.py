"""Results on disk, a JSON line each: appended as they are made, mended after a kill or a full disk."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import IO

from imforensics.errors import InterruptedRunError
from imforensics.outputs import record_log, replacing_file
from imforensics.types import JsonValue

Row = dict[str, JsonValue]


class LineFile:
    """A file of JSON lines that grows: each line is whole, or is taken back."""

    def __init__(self, path: Path, *, sync: bool = False) -> None:
        """Name the file; it is opened with the first line.

        Args:
            path: of the file; its folder exists.
            sync: each line is on the medium before the next, not only with the operating system.
        """
        self.path = path
        self._sync = sync
        self._file: IO[bytes] | None = None

    def append(self, line: str) -> int:
        """Add a line.

        Args:
            line: one JSON document, without a newline.

        Returns:
            Where in the file it begins.

        Raises:
            OutputExistsError: another file is there, in a folder that imforensics has claimed.
            OSError: it cannot be written; the file is as it was then.
        """
        if self._file is None:
            record_log(self.path, is_open=True)
            mend_lines(self.path)
            self._file = self.path.open("ab", buffering=0)
        place = self._file.seek(0, os.SEEK_END)
        data = memoryview(line.encode() + b"\n")
        try:
            while data:
                data = data[self._file.write(data) :]
            if self._sync:
                os.fsync(self._file.fileno())
        except OSError as error:
            self._file.truncate(place)
            error.filename = str(self.path)
            raise
        return place

    def rewrite(self, lines: Iterable[str]) -> None:
        """Replace the file by these lines, in one step."""
        self.close()
        with replacing_file(self.path, is_log=True) as part, part.open("w", encoding="utf-8") as file:
            file.writelines(f"{line}\n" for line in lines)

    def close(self) -> None:
        """Close the file; the next `append` opens it again."""
        if self._file is not None:
            self._file.close()
            self._file = None
            record_log(self.path, is_open=False)


class ScanStore:
    """The rows of one results folder, keyed by file.

    A row is on disk before the next is written; a line that a kill cut off is dropped on opening.
    """

    def __init__(self, folder: Path) -> None:
        """Open a results folder, made where it does not exist.

        Raises:
            InterruptedRunError: results.jsonl holds a line that is not a row and is not the last.
        """
        self.folder = folder
        self.path = folder / "results.jsonl"
        folder.mkdir(parents=True, exist_ok=True)
        self._lines = LineFile(self.path, sync=True)
        self._rows = {row_key(row): row for row in _read_rows(self.path)}

    def __len__(self) -> int:
        """Number of rows."""
        return len(self._rows)

    def find(self, key: str) -> Row | None:
        """The row of a file, None where it has none."""
        return self._rows.get(key)

    def forget(self, keys: Iterable[str]) -> None:
        """Drop the rows of these files, and any cut-off line, from memory and disk."""
        for key in keys:
            self._rows.pop(key, None)
        self._lines.rewrite(_line(row) for row in self._rows.values())

    def append(self, row: Row) -> None:
        """Add one row, on disk before this returns."""
        self._lines.append(_line(row))
        self._rows[row_key(row)] = row

    def rows(self) -> Iterator[Row]:
        """All rows, sorted by file."""
        yield from (self._rows[key] for key in sorted(self._rows))

    def close(self) -> None:
        """Close results.jsonl; the next `append` opens it again."""
        self._lines.close()


def row_key(row: Mapping[str, JsonValue]) -> str:
    """What identifies a row's file: its name's bytes in hex where they are not UTF-8, else the name."""
    return str(row.get("file_hex") or row["file"])


def mend_lines(path: Path) -> None:
    """End the last line of a file of JSON lines: a whole document gets its newline, the rest is dropped."""
    if not path.exists():
        return
    with path.open("rb+") as file:
        end = start = file.seek(0, os.SEEK_END)
        newline = -1
        while start > 0 and newline < 0:
            stop, start = start, max(0, start - 65536)
            file.seek(start)
            newline = file.read(stop - start).rfind(b"\n")
        begin = start + newline + 1
        file.seek(begin)
        if begin < end and is_document(file.read()):
            file.write(b"\n")
        else:
            file.truncate(begin)


def is_document(line: bytes) -> bool:
    """True for a whole JSON object."""
    try:
        return isinstance(json.loads(line), dict)
    except ValueError:
        return False


def _line(row: Row) -> str:
    return json.dumps(row, ensure_ascii=True)


def _read_rows(path: Path) -> Iterator[Row]:
    if not path.exists():
        return
    lines = path.read_bytes().split(b"\n")
    for number, line in enumerate(lines, start=1):
        if not line:
            continue
        try:
            row = json.loads(line)
        except ValueError:
            if number == len(lines):  # no newline after it: the write was cut off
                return
            raise InterruptedRunError(
                f"{path}, line {number} is not a JSON row. Move the file away, or scan into another folder"
            ) from None
        if not isinstance(row, dict) or "file" not in row:
            raise InterruptedRunError(
                f"{path}, line {number} is not a row of a scan. Scan into another folder"
            )
        yield row
