import csv
import io
import json
import re
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from imforensics.report.escaping import (
    for_csv,
    for_json,
    for_page,
    for_terminal,
    for_terminal_lines,
    json_for_html,
)

ANY_TEXT = st.text(st.characters(exclude_categories=()), max_size=40)
BIDI = set("\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")


def is_harmful(character: str, allowed: str = "") -> bool:
    if character in allowed:
        return False
    return unicodedata.category(character) in {"Cc", "Cs", "Zl", "Zp"} or character in BIDI


@given(ANY_TEXT)
def test_terminal_text_is_one_line_of_visible_utf8(text: str) -> None:
    shown = for_terminal(text)
    assert not any(is_harmful(character) for character in shown)
    assert shown.encode("utf-8").decode("utf-8") == shown
    assert for_terminal(shown) == shown


@given(ANY_TEXT)
def test_lines_and_page_keep_only_their_white_space(text: str) -> None:
    assert not any(is_harmful(character, "\n") for character in for_terminal_lines(text))
    assert not any(is_harmful(character, "\n\t") for character in for_page(text))
    assert for_terminal_lines(text).count("\n") == text.count("\n")


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("\x1b]0;x\x07", "\\x1b]0;x\\x07"),
        ("\x9b31m", "\\u009b31m"),
        ("\x7f", "\\x7f"),
        ("\udcff", "\\xff"),
        ("\ud83d", "\\ud83d"),
        ("a\u202eb", "a\\u202eb"),
        ("\U000e0041", "\\U000e0041"),
        ("Žluťoučký kůň 🐎 日本", "Žluťoučký kůň 🐎 日本"),
    ],
)
def test_terminal_examples(text: str, shown: str) -> None:
    assert for_terminal(text) == shown


@pytest.mark.parametrize(
    "start", ["=1", "+1", "-1", "@x", "\t1", "\r1", "  =1", "\x00=1", "\ufeff=1", "\uff1d1", "\n=1"]
)
def test_formulas_get_an_apostrophe(start: str) -> None:
    assert for_csv(start).startswith("'")


@given(ANY_TEXT)
def test_csv_cell_is_never_a_formula_and_stays_one_cell(text: str) -> None:
    cell = for_csv(text)
    assert cell.lstrip()[:1] not in {"=", "+", "-", "@", "\t", "\r"} or cell == ""
    line = io.StringIO()
    csv.writer(line).writerow([cell])
    assert list(csv.reader(io.StringIO(line.getvalue()))) == [[cell]]


def test_plain_cell_stays_plain() -> None:
    assert for_csv("IMG_0001 (copy).jpg") == "IMG_0001 (copy).jpg"


@given(ANY_TEXT)
def test_json_in_html_cannot_end_its_element_and_reads_back(text: str) -> None:
    block = json_for_html({"text": text})
    assert not re.search("[<>&\u2028\u2029]", block)
    assert json.loads(block)["text"] == for_json(text)
    assert block.encode("utf-8")


def test_json_in_html_refuses_nan() -> None:
    with pytest.raises(ValueError, match="JSON compliant"):
        json_for_html(float("nan"))


def test_json_text_keeps_everything_but_surrogates() -> None:
    assert for_json("\x00\x1b\u202e é") == "\x00\x1b\u202e é"
    assert for_json("\udce9") == "\\xe9"
