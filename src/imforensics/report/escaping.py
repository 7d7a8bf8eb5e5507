"""One escaping function for each place that text goes to.

Names, metadata and messages come from whoever made the file. HTML is escaped by the templates
(autoescape is on); the functions here serve every other sink, and make invisible characters visible.
"""

from __future__ import annotations

import json
import re

from imforensics.types import JsonValue

_SURROGATE = re.compile(r"[\ud800-\udfff]")
_INVISIBLE = re.compile(
    r"[\x00-\x1f\x7f-\x9f"  # C0, DEL, C1: terminal sequences begin here
    r"\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069"  # bidirectional controls, line and paragraph separator
    r"\ufeff\ufff9-\ufffb\U000e0000-\U000e007f"  # byte order mark, interlinear annotation, tags
    r"\ud800-\udfff]"  # lone surrogates: bytes of a name that are not UTF-8
)
_INVISIBLE_BUT_LINES = re.compile(r"(?!\n)" + _INVISIBLE.pattern)
_INVISIBLE_BUT_SPACE = re.compile(r"(?![\n\t])" + _INVISIBLE.pattern)
_SHORT = {"\n": "\\n", "\r": "\\r", "\t": "\\t"}
# OWASP, "CSV Injection": characters that make a spreadsheet take a cell for a formula, full-width forms too.
_FORMULA_STARTS = frozenset("=+-@\uff1d\uff0b\uff0d\uff20")
_JSON_IN_HTML = {"<": "\\u003c", ">": "\\u003e", "&": "\\u0026", "\u2028": "\\u2028", "\u2029": "\\u2029"}


def for_terminal(text: str) -> str:
    r"""Text that cannot steer a terminal: one line, nothing invisible.

    Every C0 and C1 control (line breaks too), DEL, bidirectional control, separator, tag and lone
    surrogate becomes a visible escape. What is printable stays as it is; the result is valid UTF-8.

    >>> for_terminal("a\x1b[31mb\n\u202egpj.exe\udcff")
    'a\\x1b[31mb\\n\\u202egpj.exe\\xff'
    """
    return _INVISIBLE.sub(_visible, text)


def for_terminal_lines(text: str) -> str:
    r"""Text of several lines for a terminal: as `for_terminal`, but line feeds stay.

    For messages that imforensics composed; a name inside a line cannot begin a new one if it was passed
    through `for_terminal` before.

    >>> for_terminal_lines("two\nlines\x1b[2J")
    'two\nlines\\x1b[2J'
    """
    return _INVISIBLE_BUT_LINES.sub(_visible, text)


def for_page(text: str) -> str:
    r"""Text for a page: as `for_terminal`, but line feeds and tabs stay; the template escapes the markup.

    >>> for_page("two\nlines\x00")
    'two\nlines\\x00'
    """
    return _INVISIBLE_BUT_SPACE.sub(_visible, text)


def for_csv(text: str) -> str:
    r"""Text for one cell of a CSV file: nothing invisible, and no spreadsheet takes it for a formula.

    A cell whose first character after blanks and controls is one of = + - @ (full-width forms too), or
    that begins with a tab or carriage return, gets an apostrophe in front.

    >>> for_csv("=HYPERLINK(1)"), for_csv("photo.jpg")
    ("'=HYPERLINK(1)", 'photo.jpg')
    """
    trimmed = _INVISIBLE.sub("", text).lstrip()
    is_formula = trimmed[:1] in _FORMULA_STARTS if trimmed else False
    prefix = "'" if is_formula or text[:1] in ("\t", "\r") else ""
    return prefix + for_terminal(text)


def for_json(text: str) -> str:
    r"""Text for a JSON document: lone surrogates, which no UTF-8 file can hold, become visible escapes.

    Everything else stays: the JSON is the record.

    >>> for_json("caf\udce9")
    'caf\\xe9'
    """
    return _SURROGATE.sub(_visible, text)


def json_for_html(value: JsonValue) -> str:
    r"""JSON that can stand inside a script element of an HTML page without ending it.

    Args:
        value: any JSON value; no NaN.

    Raises:
        ValueError: the value holds NaN or infinity.

    >>> json_for_html("</script>")
    '"\\u003c/script\\u003e"'
    """
    raw = json.dumps(value, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    text = _SURROGATE.sub(lambda match: _visible(match).replace("\\", "\\\\"), raw)  # escaped within JSON
    return re.sub("[<>&\u2028\u2029]", lambda match: _JSON_IN_HTML[match[0]], text)


def _visible(match: re.Match[str]) -> str:
    character = match[0]
    code = ord(character)
    if character in _SHORT:
        return _SHORT[character]
    if 0xDC80 <= code <= 0xDCFF:  # surrogateescape: the raw byte that was not UTF-8, PEP 383
        return f"\\x{code - 0xDC00:02x}"
    if code < 0x80:
        return f"\\x{code:02x}"
    return f"\\u{code:04x}" if code <= 0xFFFF else f"\\U{code:08x}"
