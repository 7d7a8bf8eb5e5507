"""Results on disk, a JSON line each: appended as they are made, mended after a kill or a full disk."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Iterator, Mapping, Set
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
        rows = read_rows(self.path, fields={"file"}, advice="Move it away, or scan into another folder")
        self._rows = {row_key(row): row for _, row in rows}

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
        if begin < end and _parse(file.read()) is not None:
            file.write(b"\n")
        else:
            file.truncate(begin)


def read_rows(path: Path, *, fields: Set[str], advice: str) -> Iterator[tuple[int, Row]]:
    """Each row of a file of JSON lines, and the place where its line begins; none where there is no file.

    A last line that a kill cut off is left out; one that lacks only its newline is whole.

    Args:
        path: of the file, which is read a line at a time.
        fields: that a row has.
        advice: what to do where another line is in the file, a sentence without its full stop.

    Raises:
        InterruptedRunError: another line is in the file.
    """
    if not path.exists():
        return
    end = 0
    with path.open("rb") as lines:
        for number, line in enumerate(lines, start=1):
            start, end = end, end + len(line)
            row = _parse(line)
            if row is not None and fields <= row.keys():
                yield start, row
            elif line.strip() and (row is not None or line.endswith(b"\n")):
                wanted = ", ".join(sorted(fields))
                raise InterruptedRunError(f"{path}, line {number} is not a JSON row with {wanted}. {advice}")


def _line(row: Row) -> str:
    return json.dumps(row, ensure_ascii=True)


def _parse(line: bytes) -> Row | None:
    """A row; None for what is no whole JSON object."""
    try:
        row = json.loads(line)
    except ValueError:
        return None
    return row if isinstance(row, dict) else None
