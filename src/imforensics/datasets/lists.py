"""The committed lists of splits and twins, and how a file on disk is found in them."""

from __future__ import annotations

import csv
import re
from importlib import resources
from typing import Literal, cast, get_args

from imforensics.errors import DatasetError

Split = Literal["train", "val", "test"]

SPLITS: tuple[Split, ...] = get_args(Split)
SPLIT_VERSIONS = {"group": "{name}.csv"}
DOCS = "docs/datasets.md"


def read_split_list(name: str, *, version: str = "group") -> dict[str, Split]:
    """The committed list of a data set: `file_key` of each file name to its split.

    Args:
        name: of the data set.
        version: which lists; "group" keeps all images of one source in one split.

    Raises:
        DatasetError: unknown version, or the set has no committed list.
    """
    if version not in SPLIT_VERSIONS:
        raise DatasetError(f"split version must be one of {', '.join(SPLIT_VERSIONS)}, received {version!r}")
    rows = read_list(SPLIT_VERSIONS[version].format(name=name))
    if rows is None:
        raise DatasetError(
            f"{name} has no committed {version} split. Take split all, or list the images in a manifest with "
            f"a split column and load that as data set folder. See {DOCS}"
        )
    return {file_key(row["file"]): cast("Split", row["split"]) for row in rows}


def read_list(file_name: str) -> list[dict[str, str]] | None:
    """The rows of one of the package's own CSV lists, None where there is no such list."""
    listing = resources.files("imforensics.datasets") / "splits" / file_name
    if not listing.is_file():
        return None
    return list(csv.DictReader(listing.read_text(encoding="utf-8").splitlines()))


def file_key(file_name: str) -> str:
    """A file's name as the lists compare it: without folder and case.

    >>> file_key("Au/Au_art_0074.JPG")
    'au_art_0074.jpg'
    """
    return file_name.rpartition("/")[2].lower()


def plain_key(key: str) -> str:
    """A key without the eight hexadecimal digits that tell two downloads of one name apart.

    >>> plain_key("tp_d_crn_m_n_ani10116_ani00100_11643__1e77da28.jpg")
    'tp_d_crn_m_n_ani10116_ani00100_11643.jpg'
    """
    return re.sub(r"__[0-9a-f]{8}(?=\.|$)", "", key)
