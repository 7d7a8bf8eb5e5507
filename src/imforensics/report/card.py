"""A report as a small piece of HTML for a notebook: label, number, where; the page says the rest."""

from __future__ import annotations

from dataclasses import replace

from imforensics.report import words
from imforensics.report.encoding import data_uri
from imforensics.report.page import load_template, mark_safe
from imforensics.report.pictures import Picture, draw_pictures, has_shown_map
from imforensics.types import Finding, Report

CARD_TEMPLATE = "card.html.j2"
LONGEST = 480  # longest side of a picture, in pixels: two stand side by side in a notebook


def render_card(report: Report) -> str:
    """Render the card.

    Args:
        report: the report.

    Returns:
        A `div` with inline styles and data URIs: no link, no script, every text escaped.
    """
    shown = _find_shown(report)
    drawn = () if shown is None else (replace(shown, artifacts={}),)
    pictures = draw_pictures(replace(report, findings=drawn), longest=LONGEST)
    statement = report.statement
    return load_template(CARD_TEMPLATE).render(
        evidence=report.evidence,
        label=words.LABEL_WORDS[statement.label],
        statement=statement,
        ratio=None if statement.log10_lr is None else words.ratio(statement.log10_lr),
        number=words.number,
        shorten=words.shorten,
        status_words=words.STATUS_WORDS,
        findings=report.findings,
        pictures=[_picture_view(picture) for picture in pictures if picture.kind in ("original", "overlay")],
    )


def _find_shown(report: Report) -> Finding | None:
    """The finding whose map is shown: of the basis before others, with a threshold before those without."""
    rank = {name: position for position, name in enumerate(report.statement.basis)}
    mapped = [finding for finding in report.findings if has_shown_map(finding)]
    return min(
        mapped,
        key=lambda f: (f.method not in rank, f.threshold is None, rank.get(f.method, 0)),
        default=None,
    )


def _picture_view(picture: Picture) -> dict[str, object]:
    return {
        "title": "Original" if picture.method is None else words.humanize(picture.method),
        "caption": picture.caption,
        "width": picture.width,
        "height": picture.height,
        "source": mark_safe(data_uri(picture.jpeg)),
    }
