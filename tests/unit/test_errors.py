"""Every error of ours survives a pickle; everything that goes wrong is one line of words."""

from __future__ import annotations

import ast
import inspect
import pickle
from importlib import import_module
from pathlib import Path

import pytest

import imforensics
from imforensics.errors import DEFECT, ImforensicsError, MissingExtraError, count_defects, describe_failure

ROOT = Path(imforensics.__file__).parent


def find_classes() -> dict[str, type[ImforensicsError]]:
    """Every subclass in the source, also in modules that nothing has imported."""
    places: dict[str, list[str]] = {}
    bases: dict[str, set[str]] = {}
    for path in ROOT.rglob("*.py"):
        module = ".".join(("imforensics", *path.relative_to(ROOT).with_suffix("").parts))
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.ClassDef):
                places.setdefault(node.name, []).append(module)
                bases.setdefault(node.name, set()).update(ast.unparse(base) for base in node.bases)
    known = {"ImforensicsError"}
    while new := {name for name, above in bases.items() if above & known} - known:
        known |= new
    return {name: getattr(import_module(places[name][0]), name) for name in sorted(known)}


CLASSES = find_classes()


def make_error(kind: type[ImforensicsError]) -> ImforensicsError:
    if kind.__init__ is Exception.__init__:
        return kind("what was expected")
    parameters = list(inspect.signature(kind.__init__).parameters.values())[1:]
    required = [p for p in parameters if p.default is p.empty and p.kind is not p.VAR_POSITIONAL]
    return kind(*(f"{p.name} value" for p in required if p.kind is not p.VAR_KEYWORD))


def test_the_search_finds_those_outside_of_errors_too() -> None:
    assert {"ImforensicsError", "MissingExtraError", "CredentialsError", "WorkerError"} <= CLASSES.keys()


@pytest.mark.parametrize("kind", CLASSES.values(), ids=CLASSES)
def test_every_error_survives_a_pickle(kind: type[ImforensicsError]) -> None:
    error = make_error(kind)
    error.place = "photo.jpg"  # type: ignore[attr-defined]
    again = pickle.loads(pickle.dumps(error))  # noqa: S301
    assert type(again) is kind
    assert str(again) == str(error)
    assert again.args == error.args
    assert again.place == "photo.jpg"


def test_an_extra_that_is_missing_names_both_ways_out() -> None:
    text = str(MissingExtraError("train", "Fitting", instead="pass --no-fit"))
    assert text == (
        "Fitting needs the extra 'train'. Install it: pip install 'imforensics[train]', or pass --no-fit"
    )


@pytest.mark.parametrize(
    ("error", "text"),
    [
        (ImforensicsError("what is wrong"), "what is wrong"),
        (
            OSError(28, "No space left on device", "out/report.html"),
            "out/report.html: No space left on device. Make room and run the same command again",
        ),
        (OSError(13, "Permission denied"), "Permission denied"),
        (
            FileNotFoundError(2, "No such file or directory", b"a\xff.jpg"),
            "a\udcff.jpg: No such file or directory",
        ),
    ],
)
def test_what_can_be_helped_is_told_as_it_is(error: Exception, text: str) -> None:
    assert describe_failure(error) == text
    assert count_defects([describe_failure(error), None]) == 0


@pytest.mark.parametrize(
    "error", [AttributeError("'NoneType' object\nhas no attribute"), OSError("broken data"), KeyError()]
)
def test_what_nobody_expected_is_a_defect_of_ours(error: Exception) -> None:
    text = describe_failure(error)
    assert text.startswith(f"unexpected {type(error).__name__}")
    assert text.endswith(DEFECT)
    assert "\n" not in text
    assert count_defects([text, "another", None]) == 1


def test_a_defect_says_where_in_our_code_it_came_up() -> None:
    from imforensics.evidence.text import shorten

    with pytest.raises(TypeError) as caught:
        shorten(None, 3)  # type: ignore[arg-type]
    assert "(evidence/text.py, line " in describe_failure(caught.value)


def test_no_memory_is_no_defect() -> None:
    assert "not enough memory" in describe_failure(MemoryError())
    assert count_defects([describe_failure(MemoryError())]) == 0
