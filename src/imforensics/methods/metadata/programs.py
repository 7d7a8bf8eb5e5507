"""What kind of program, and which maker, a name in a file stands for: two lists with a source a row."""

from __future__ import annotations

import csv
import re
from dataclasses import dataclass
from functools import lru_cache
from importlib.resources import files
from typing import Literal, cast, get_args

from imforensics.types import Metadata

Kind = Literal[
    "editor",
    "raw_developer",
    "phone_app",
    "viewer",
    "converter",
    "generator",
    "screenshot",
    "scanner",
    "firmware",
    "unknown",
]
KINDS: tuple[Kind, ...] = get_args(Kind)
# Kinds that write an image anew, by a person's choice or without one.
REWRITING: frozenset[Kind] = frozenset(
    {"editor", "raw_developer", "phone_app", "viewer", "converter", "generator"}
)
MAX_MATCHED = 300  # characters of a name: what makes a program known stands at its front
_COMPANY_WORDS = re.compile(
    r"\b(co|corp|corporation|company|inc|ltd|limited|ag|ab|gmbh|sa|electronics?|electric|imaging|optical|"
    r"international|digital|systems?|technolog(y|ies)|mobile|communications?)\b|[^\w ]"
)


@dataclass(frozen=True, slots=True)
class Program:
    """What a name in a software field stands for.

    Attributes:
        name: as the file writes it.
        known_as: the program in the list, empty for unknown.
        kind: what it does, see `Kind`.
    """

    name: str
    known_as: str
    kind: Kind


def identify_program(name: str, *, camera: str | None = None) -> Program:
    """Look a name up in the list of programs; the first pattern that fits counts.

    Args:
        name: a software field of a file: hostile, of any length.
        camera: maker and model that the file names: a program named like its model is its firmware.

    >>> identify_program("Adobe Photoshop CS3 Windows").kind, identify_program("Ver.1.02").kind
    ('editor', 'firmware')
    """
    lowered = " ".join(name.lower().split())[:MAX_MATCHED]
    known_as, kind = next(
        ((known, kind) for pattern, known, kind in _known_programs() if pattern.search(lowered)), ("", None)
    )
    if kind is None and _is_model(lowered, (camera or "").lower()):
        return Program(name, "camera firmware", "firmware")
    return Program(name, known_as, kind or "unknown")


def list_programs(metadata: Metadata) -> list[Program]:
    """Every program that a file names, in the order found."""
    return [identify_program(name, camera=metadata.camera) for name in metadata.software]


def name_maker(camera: str) -> str:
    """The maker of a camera by one name, from what EXIF writes as make, or as make and model.

    A maker that is not in the list is its name in lower case, without words for companies.

    >>> name_maker("NIKON CORPORATION"), name_maker("EASTMAN KODAK COMPANY"), name_maker("Acme Co., Ltd")
    ('Nikon', 'Kodak', 'acme')
    """
    lowered = " ".join(camera.lower().split())[:MAX_MATCHED]
    known = next((name for pattern, name in _known_makers() if pattern.search(lowered)), None)
    if known is not None:
        return known
    words = _COMPANY_WORDS.sub(" ", lowered).split()
    return words[0] if words else ""


def _is_model(name: str, camera: str) -> bool:
    """Whether a name begins with the camera's model, as in "DC-4300 Ver1.03"."""
    words = camera.split()
    models = (" ".join(words[start:]) for start in range(len(words)))
    return any(len(model) > 2 and name.startswith(model) for model in models)


@lru_cache(maxsize=1)
def _known_programs() -> tuple[tuple[re.Pattern[str], str, Kind], ...]:
    return tuple(
        (re.compile(row["pattern"]), row["name"], cast("Kind", row["kind"]))
        for row in _read_list("programs.csv")
    )


@lru_cache(maxsize=1)
def _known_makers() -> tuple[tuple[re.Pattern[str], str], ...]:
    return tuple((re.compile(row["pattern"]), row["name"]) for row in _read_list("makers.csv"))


def _read_list(name: str) -> list[dict[str, str]]:
    text = files("imforensics.methods.metadata").joinpath(name).read_text(encoding="utf-8")
    return list(csv.DictReader(text.splitlines()))
