import pytest

from imforensics.report import words
from imforensics.types import JsonValue


@pytest.mark.parametrize(
    ("log10_lr", "text"),
    [(0.0, "1"), (0.0001, "1"), (-0.0001, "1"), (0.5, "3.2"), (2.0, "100"), (-2.0, "1/100"), (4.0, "10,000")],
)
def test_ratio(log10_lr: float, text: str) -> None:
    assert words.ratio(log10_lr) == text


@pytest.mark.parametrize(
    ("log10_lr", "part"),
    [
        (2.0, "at least 100 times more probable if H1"),
        (1.9, "are 79 times more probable if H1"),
        (-2.0, "at least 100 times more probable if H2"),
        (-0.5, "are 3.2 times more probable if H2"),
        (0.0, "about as probable if H1"),
    ],
)
def test_ratio_sentence_names_the_findings_given_a_proposition(log10_lr: float, part: str) -> None:
    sentence = words.ratio_sentence(log10_lr, (-2.0, 2.0))
    assert part in sentence
    assert sentence.startswith("The findings are")


@pytest.mark.parametrize(
    ("value", "rows"),
    [
        ({}, [("", "none")]),
        ({"a": None, "b": [], "c": ""}, [("a", "none"), ("b", "none"), ("c", "none")]),
        ({"a": [{"b": 1}, {"b": False}]}, [("a[0].b", "1"), ("a[1].b", "no")]),
        ({"t": [[[1, 2]] * 3] * 4}, [("t", "4 × 3 × 2 numbers, in report.json")]),
        (
            {"t": [[[1], [2]], [[3], [4, 5]]]},
            [("t[0]", "2 × 1 numbers, in report.json"), ("t[1][0]", "3"), ("t[1][1]", "4, 5")],
        ),
        ({"t": [[1, 2], [3]]}, [("t[0]", "1, 2"), ("t[1]", "3")]),
        ({"t": [["a"], ["b"]]}, [("t[0]", "a"), ("t[1]", "b")]),
    ],
)
def test_flatten(value: JsonValue, rows: list[tuple[str, str]]) -> None:
    assert words.flatten(value) == rows


def test_long_values_say_that_they_are_cut() -> None:
    assert words.shorten("x" * 600) == "x" * 600
    assert words.shorten("x" * 601) == "x" * 600 + " … (601 characters; complete in report.json)"


def test_labels_differ_in_word_shape_and_colour() -> None:
    shown = words.LABEL_WORDS.values()
    for attribute in ("heading", "shape", "css_class"):
        assert len({getattr(each, attribute) for each in shown}) == 3
