"""Results of a scan on disk: one JSON line a file, appended as each is done, repaired after a kill."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

from imforensics.errors import InterruptedRunError
from imforensics.types import JsonValue

Row = dict[str, JsonValue]


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
        temporary = self.path.with_suffix(".jsonl.tmp")
        with temporary.open("w", encoding="utf-8") as file:
            file.writelines(_line(row) for row in self._rows.values())
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(self.path)

    def append(self, row: Row) -> None:
        """Add one row, on disk before this returns."""
        self._rows[row_key(row)] = row
        with self.path.open("a", encoding="utf-8") as file:
            file.write(_line(row))
            file.flush()
            os.fsync(file.fileno())

    def rows(self) -> Iterator[Row]:
        """All rows, sorted by file."""
        yield from (self._rows[key] for key in sorted(self._rows))


def row_key(row: Mapping[str, JsonValue]) -> str:
    """What identifies a row's file: its name's bytes in hex where they are not UTF-8, else the name."""
    return str(row.get("file_hex") or row["file"])


def _line(row: Row) -> str:
    return json.dumps(row, ensure_ascii=True) + "\n"


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
