"""Pages in Markdown: sections with sentences, one table and points below it."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from imforensics.report.escaping import for_terminal

_MARKUP = re.compile(r"[\\`*<\[|]")


@dataclass(frozen=True, slots=True)
class Table:
    """One section of a page; every text in it is Markdown.

    Attributes:
        title: of the section; "" continues the one before.
        headings: of the columns; none where the section is text alone.
        rows: cells, as many as headings.
        text: paragraphs above the table.
        notes: points below it.
        words: that many columns hold words and are aligned left, the others hold numbers.
    """

    title: str
    headings: Sequence[str] = ()
    rows: Sequence[Sequence[str]] = ()
    text: Sequence[str] = ()
    notes: Sequence[str] = ()
    words: int = 1


def markdown_page(title: str, tables: Sequence[Table], *, intro: Sequence[str] = ()) -> str:
    """A page: heading, paragraphs, sections.

    >>> print(markdown_page("Sums", [Table("", ("of", "is"), [("1, 1", "2")])]))
    # Sums
    <BLANKLINE>
    | of | is |
    |---|---:|
    | 1, 1 | 2 |
    <BLANKLINE>
    """
    blocks = [f"# {title}", *intro]
    for table in tables:
        blocks += _blocks(table)
    return "\n\n".join(blocks) + "\n"


def for_markdown(text: str) -> str:
    r"""Text of others on a page: as `for_terminal`, and no character of it is taken for markup.

    >>> for_markdown("a|b <i>.jpg")
    'a\\|b \\<i>.jpg'
    """
    return _MARKUP.sub(r"\\\g<0>", for_terminal(text))


def _blocks(table: Table) -> Iterator[str]:
    if table.title:
        yield f"## {table.title}"
    yield from table.text
    if table.headings:
        marks = ["---"] * table.words + ["---:"] * (len(table.headings) - table.words)
        lines = [f"|{'|'.join(marks)}|", *(f"| {' | '.join(row)} |" for row in table.rows)]
        yield "\n".join([f"| {' | '.join(table.headings)} |", *lines])
    if table.notes:
        yield "\n".join(f"- {note}" for note in table.notes)
