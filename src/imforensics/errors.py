"""Every error that imforensics raises on purpose; each message names the fix. Any other, put into words."""

from __future__ import annotations

import errno
import os
from collections.abc import Iterable
from pathlib import Path
from typing import Any

DEFECT = "This is a defect of imforensics: please report it with this line and the file's name"
# What a disk refuses for every file alike, and the way out.
DISK_REMEDIES = {
    errno.ENOSPC: "Make room and run the same command again",
    errno.EDQUOT: "Make room and run the same command again",
    errno.EROFS: "Name a folder that can be written to",
}
_PACKAGE = Path(__file__).parent
_LONGEST = 300  # characters of an unexpected exception's own text


class ImforensicsError(Exception):
    """Base of all errors a user can cause or resolve; its text is shown without a traceback.

    Every one can be pickled, whatever arguments it is made with: worker processes hand them over.
    """

    def __reduce__(self) -> tuple[Any, ...]:
        """How a pickle makes it anew: with the text and attributes it has, without calling `__init__`."""
        return _restore, (type(self), self.args, self.__dict__)


class EvidenceError(ImforensicsError):
    """A file cannot be read as an image: missing, empty, truncated, of an unknown format."""


class EvidenceTooLargeError(EvidenceError):
    """An image has more pixels than `max_pixels` allows, or is a decompression bomb."""


class ConfigError(ImforensicsError):
    """A configuration is invalid; the text lists every problem with its path."""


class DatasetError(ImforensicsError):
    """A data set is missing or not laid out as expected; the text shows the expected tree."""


class BundleError(ImforensicsError):
    """A trained bundle is missing, damaged or made for another version."""


class MissingExtraError(ImforensicsError):
    """A command needs an optional extra that is not installed."""

    def __init__(self, extra: str, needed_by: str, *, instead: str = "") -> None:
        """Name the extra and who needs it; the message holds the install command, and what else would do."""
        other_way = f", or {instead}" if instead else ""
        super().__init__(
            f"{needed_by} needs the extra '{extra}'. "
            f"Install it: pip install 'imforensics[{extra}]'{other_way}"
        )


class OutputExistsError(ImforensicsError):
    """An output exists already and overwriting was not asked for."""


class InterruptedRunError(ImforensicsError):
    """A run cannot be resumed: its folder was written with other settings."""


class UnsupportedImageError(EvidenceError):
    """An image is of a kind that is not read here; nothing says that it is damaged."""


class WorkerError(ImforensicsError):
    """The worker processes of a run cannot be started or kept alive."""


class OutputInUseError(OutputExistsError):
    """Another run is writing to the same output folder."""


class OutputError(ImforensicsError):
    """A result cannot be written: the disk is full, or the folder read-only."""


def describe_failure(error: BaseException) -> str:
    """Any exception in one line of words, for the row or the line of the one file that it costs.

    Returns:
        The text of an error of ours; what the system said where it refused something; for everything else
        the exception and where it was raised, ending with `DEFECT`.

    >>> describe_failure(FileNotFoundError(2, "No such file or directory", "a.jpg"))
    'a.jpg: No such file or directory'
    """
    if isinstance(error, ImforensicsError):
        return str(error)
    if isinstance(error, OSError) and error.errno is not None:
        name = error.filename if error.filename is not None else ""
        said = f"{os.fsdecode(name)}: {error.strerror}" if name else str(error.strerror)
        return f"{said}. {DISK_REMEDIES[error.errno]}" if error.errno in DISK_REMEDIES else said
    if isinstance(error, MemoryError):
        return "there is not enough memory. Free some, use fewer workers, or lower max_pixels"
    text = " ".join(str(error).split())[:_LONGEST]
    what = f"{type(error).__name__}: {text}" if text else type(error).__name__
    return f"unexpected {what}{_find_place(error)}. {DEFECT}"


def count_defects(texts: Iterable[object]) -> int:
    """How many of these texts `describe_failure` made of an exception that nobody expected."""
    return sum(DEFECT in str(text) for text in texts)


def _find_place(error: BaseException) -> str:
    """The last line of ours that the exception passed, in brackets; nothing where there is none."""
    place, trace = "", error.__traceback__
    while trace is not None:
        path = Path(trace.tb_frame.f_code.co_filename)
        if path.is_relative_to(_PACKAGE):
            place = f" ({path.relative_to(_PACKAGE).as_posix()}, line {trace.tb_lineno})"
        trace = trace.tb_next
    return place


def _restore(kind: type[ImforensicsError], args: tuple[Any, ...], state: dict[str, Any]) -> ImforensicsError:
    error = kind.__new__(kind)
    error.args = args
    error.__dict__.update(state)
    return error
