"""The field's terms in every text that a user meets: phrases to avoid, each with what to say instead."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from imforensics.methods import METHODS, load_method

ROOT = Path(__file__).resolve().parents[2]
SOURCE = ROOT / "src" / "imforensics"
# regular expression, without regard to case; a blank stands for any white space → what to say instead
AVOIDED = {
    r"look-ups?\b": "header baseline (of the quantization tables, …)",
    r"spot in the middle": "centre-prior baseline",
    r"by heart": "memorised, memorisation",
    r"what (it|they|each|all of them) (is|are) worth": "performance",
    r"is worth(?! \w+ing)\b": "performance",
    r"measured worth": "measured performance",
    r"\beats\b": "input",
    r"told apart": "distinguished, separated",
    r"tells? (them|the classes|twins) apart": "separates, distinguishes",
    r"tells? nothing": "is uninformative",
    r"stands? beside": "is reported next to, is compared with",
    r"let expect": "suggest",
    r"wipes? (it|them|traces|the traces) out": "destroys",
    r"(wears?|worn) (most )?(traces|the difference) away": "destroys, weakens",
    r"is no proof": "is not proof",
    r"map marks": "map flags",
    r"made forger(y|ies)": "synthetic forgery",
    r"forgeries made (of|while)": "synthetic forgeries",
    r"files as they are": "files as published",
    r"by its own word": "according to the file itself",
    r"brought to a": "resized to",
    r"one a line|a line each": "one per line",
    r"go(es)? on (after a stop|where it stopped)": "resumes",
    r"after a stop or a kill": "after an interruption",
    r"is no (jpeg|folder|sign|probability)": "is not a …, is no evidence of",
    r"saved again at quality": "recompressed at quality",
    r"measured to be worth": "measured performance",
    r"marks? (more|over) than": "flags",
    r"not clearly better than guessing": "not clearly better than chance",
    r"what .{1,20} may claim": "what conclusions the results allow",
}
PATTERN = {
    re.compile(phrase.replace(" ", r"\s+"), re.IGNORECASE): better for phrase, better in AVOIDED.items()
}


def find_avoided(text: str, name: str) -> Iterator[str]:
    """FILE:LINE, the phrase, and what to say instead, for each phrase to avoid; code is not prose."""
    prose = re.sub(r"```.*?```|`[^`\n]*`", lambda code: re.sub(r"[^\n]", " ", code[0]), text, flags=re.DOTALL)
    for pattern, better in PATTERN.items():
        for match in pattern.finditer(prose):
            line = prose.count("\n", 0, match.start()) + 1
            yield f"{name}:{line}: {' '.join(match[0].split())!r}; say: {better}"


def pages() -> list[Path]:
    return [ROOT / "README.md", *sorted((ROOT / "docs").glob("**/*.md")), *sorted(SOURCE.glob("**/*.j2"))]


@pytest.mark.parametrize("path", pages(), ids=lambda path: str(path.relative_to(ROOT)))
def test_pages_and_templates_use_the_terms_of_the_field(path: Path) -> None:
    found = find_avoided(path.read_text(encoding="utf-8"), str(path.relative_to(ROOT)))
    assert list(found) == []


@pytest.mark.parametrize("name", METHODS)
def test_methods_use_the_terms_of_the_field(name: str) -> None:
    method = load_method(name)
    texts = (method.question, method.idea, method.limitations, method.experimental or "")
    assert list(find_avoided("\n".join(texts), method.__module__)) == []


@pytest.mark.parametrize(
    "path",
    [
        *sorted((SOURCE / "cli").glob("*.py")),
        *sorted((SOURCE / "report").glob("*words.py")),
        *sorted((SOURCE / "models").glob("**/*card*.py")),
    ],
    ids=lambda path: str(path.relative_to(ROOT)),
)
def test_help_and_cards_use_the_terms_of_the_field(path: Path) -> None:
    assert list(find_avoided(path.read_text(encoding="utf-8"), str(path.relative_to(ROOT)))) == []


def test_a_phrase_is_found_with_its_line_and_its_replacement() -> None:
    text = "One line.\nThe model\neats pixels; `what it eats` is code.\n"
    assert list(find_avoided(text, "page.md")) == ["page.md:3: 'eats'; say: input"]
