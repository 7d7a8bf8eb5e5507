"""The words of a report: labels, numbers and ratios as people read them."""

from __future__ import annotations

import re
from dataclasses import dataclass

from imforensics.types import JsonValue, Label

H1 = "A region of this image was altered after capture by splicing, copy-move or removal."
H2 = "No region of this image was altered in such a way."

WHAT_IT_DOES_NOT_PROVE = (
    "A likelihood ratio is not the probability that the image was altered. That also depends on everything "
    "known apart from this report; the probability given here assumes even odds beforehand.",
    "“No alteration found by these methods” does not mean that the image is authentic: methods can miss "
    "alterations of kinds that they were not designed for, and resizing or recompression destroys traces.",
    "A trace does not show intent. Cameras, messaging apps and ordinary editing (cropping, rotation, colour "
    "correction) leave traces too; the limitations are listed with each method.",
    "Nothing here shows who took or altered the image, when or where, or whether what it depicts is true. "
    "Metadata is the file's own account of itself and can be written by anyone.",
    "The numbers are valid for images like those of the stated calibration population. For other kinds of "
    "images they have not been validated.",
)

_KEY = re.compile(r"[a-z][a-z0-9_]*(\.[a-z0-9_]+)*")
_ACRONYMS = {
    word.lower(): word for word in ("CNN", "DCT", "ELA", "EXIF", "GAN", "GPS", "ICC", "IPTC", "JPEG", "XMP")
}

LONGEST_VALUE = 600  # characters of one value that a page shows; the JSON holds all of it


@dataclass(frozen=True, slots=True)
class LabelWords:
    """How a label is shown: by word, by shape and by colour (the class of the style sheet).

    Attributes:
        heading: in words.
        shape: "triangle", "circle" or "diamond".
        css_class: class of the style sheet.
    """

    heading: str
    shape: str
    css_class: str


LABEL_WORDS: dict[Label, LabelWords] = {
    "tampered": LabelWords("Traces of alteration found", "triangle", "is-tampered"),
    "authentic": LabelWords("No alteration found by these methods", "circle", "is-authentic"),
    "inconclusive": LabelWords("Inconclusive", "diamond", "is-inconclusive"),
}

STATUS_WORDS = {
    "ok": "done",
    "not_applicable": "not applicable",
    "failed": "failed",
    "not_selected": "not selected",
}


def number(value: float | None, *, digits: int = 3) -> str:
    """A number for reading; an en dash for none, a true minus sign.

    >>> number(0.123456), number(None), number(-2.0)
    ('0.123', '–', '−2')
    """
    if value is None:
        return "–"
    return f"{value:.{digits}g}".replace("-", "−")


def ratio(log10_lr: float) -> str:
    """A likelihood ratio as people write it, from its log10.

    >>> ratio(1.0792), ratio(-2.0), ratio(4.2)
    ('12', '1/100', '16,000')
    """
    size = 10.0 ** abs(log10_lr)
    rounded = float(f"{size:.2g}")
    text = f"{rounded:,.0f}" if rounded >= 10 else f"{rounded:g}"
    return text if log10_lr >= 0 or rounded == 1 else f"1/{text}"


def ratio_sentence(log10_lr: float, bounds: tuple[float, float]) -> str:
    """How far findings separate H1 from H2, in one sentence; "at least" where the calibration data end.

    >>> ratio_sentence(1.0792, (-2.0, 2.0))
    'The findings are 12 times more probable if H1 is true than if H2 is.'
    >>> ratio_sentence(-2.0, (-2.0, 2.0))
    'The findings are at least 100 times more probable if H2 is true than if H1 is.'
    """
    size = ratio(abs(log10_lr))
    if size == "1":
        return "The findings are about as probable if H1 is true as if H2 is."
    first, second = ("H1", "H2") if log10_lr > 0 else ("H2", "H1")
    is_bounded = log10_lr >= bounds[1] or log10_lr <= bounds[0]
    least = "at least " if is_bounded else ""
    return f"The findings are {least}{size} times more probable if {first} is true than if {second} is."


def humanize(key: str) -> str:
    """A key as a heading: snake_case becomes words, dots become colons; other text stays as it is.

    >>> humanize("jpeg_ghost"), humanize("dates.first_seen"), humanize("EXIF DateTime")
    ('JPEG ghost', 'Dates: first seen', 'EXIF DateTime')
    """
    if not _KEY.fullmatch(key):
        return key
    words = key.replace(".", ": ").replace("_", " ").split(" ")
    spelled = [_ACRONYMS.get(word, word) for word in words]
    return " ".join([spelled[0][0].upper() + spelled[0][1:], *spelled[1:]])


def shorten(text: str) -> str:
    """A value cut where it is too long for a page, saying so."""
    if len(text) <= LONGEST_VALUE:
        return text
    return f"{text[:LONGEST_VALUE]} … ({len(text):,} characters; complete in report.json)"


def flatten(value: JsonValue, prefix: str = "") -> list[tuple[str, str]]:
    """Nested JSON as rows of path and printable value; a list of scalars is one row, so is a table.

    >>> flatten({"ela": {"quality": 90, "on": True}, "names": ["a", "b"]})
    [('ela.quality', '90'), ('ela.on', 'yes'), ('names', 'a, b')]
    >>> flatten({"tables": [[1, 2], [3, 4], [5, 6]]})
    [('tables', '3 × 2 numbers, in report.json')]
    """
    if shape := _table_shape(value):
        return [(prefix, f"{' × '.join(map(str, shape))} numbers, in report.json")]
    if isinstance(value, dict) and value:
        parts = [(f"{prefix}.{key}" if prefix else key, each) for key, each in value.items()]
    elif isinstance(value, list) and any(isinstance(each, dict | list) for each in value):
        parts = [(f"{prefix}[{index}]", each) for index, each in enumerate(value)]
    else:
        return [(prefix, shorten(_scalar(value)))]
    return [row for path, each in parts for row in flatten(each, path)]


def _table_shape(value: JsonValue) -> tuple[int, ...]:
    """Shape of a regular nested list of numbers with at least two dimensions, else empty."""
    shape = _shape(value)
    return shape if len(shape) > 1 else ()


def _shape(value: JsonValue) -> tuple[int, ...]:
    if not isinstance(value, list) or not value:
        return ()
    if all(isinstance(each, int | float) for each in value):
        return (len(value),)
    shapes = {_shape(each) for each in value}
    inner = shapes.pop()
    return (len(value), *inner) if inner and not shapes else ()


def _scalar(value: JsonValue) -> str:
    if value is None or value in ([], {}, ""):
        return "none"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, list):
        return ", ".join(_scalar(each) for each in value)
    return str(value)
