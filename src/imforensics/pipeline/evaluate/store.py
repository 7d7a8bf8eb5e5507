"""Records of an evaluation on disk: one JSON line for each trial and method; memory holds their keys only."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

from imforensics.store import LineFile, Row, read_rows

Key = tuple[str, str]
FIELDS = frozenset({"trial", "entry", "digest"})
_ENCODER = json.JSONEncoder(ensure_ascii=True, allow_nan=False)


class RecordStore:
    """Records of one evaluation, appended as they are made and read back one at a time.

    Each line is handed to the operating system before the next, so a killed process loses nothing that was
    appended; a line that was cut off is dropped on opening. Records hold histograms and a set any number of
    images: this is why they are not kept in memory, as `imforensics.store.ScanStore` keeps its rows.
    """

    def __init__(self, path: Path) -> None:
        """Open the records of a file, made where it does not exist.

        Raises:
            InterruptedRunError: the file holds a line that is not a record and is not the last.
        """
        self.path = path
        self._lines = LineFile(path)
        self._places: dict[Key, tuple[str, int]] = {}  # digest, and where the line begins
        path.parent.mkdir(parents=True, exist_ok=True)
        for at, row in _read_records(path):
            self._places[record_key(row)] = (str(row["digest"]), at)

    def __len__(self) -> int:
        """Number of records, each key counted once."""
        return len(self._places)

    def has(self, key: Key, digest: str) -> bool:
        """True where there is a record of this key that was made from the same input and settings."""
        return self._places.get(key, ("", 0))[0] == digest

    def append(self, row: Row) -> None:
        """Add one record; a later record of a key replaces the earlier one."""
        self._places[record_key(row)] = (str(row["digest"]), self._lines.append(_ENCODER.encode(row)))

    def close(self) -> None:
        """Close the file; the next `append` opens it again."""
        self._lines.close()

    def records(self) -> Iterator[Row]:
        """Every current record in the order of the file, read from disk one at a time."""
        current = {at for _, at in self._places.values()}
        for at, row in _read_records(self.path):
            if at in current:
                yield row


def record_key(row: Row) -> Key:
    """What identifies a record: its trial and its entry."""
    return str(row["trial"]), str(row["entry"])


def _read_records(path: Path) -> Iterator[tuple[int, Row]]:
    """Each record and the place in the file where its line begins."""
    return read_rows(path, fields=FIELDS, advice="Take another output folder, or start anew")
