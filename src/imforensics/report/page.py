"""Self-contained pages: templates with autoescape, style and script inlined and allowed by their hashes."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import TYPE_CHECKING, Any

from imforensics.report.escaping import for_page
from imforensics.report.words import humanize

if TYPE_CHECKING:
    from jinja2 import Environment, Template


@dataclass(frozen=True, slots=True)
class PageParts:
    """What every page of ours begins with.

    Attributes:
        policy: the Content-Security-Policy: nothing but this style, this script and data: pictures.
        style: the style sheet.
        script: the script; the page says everything without it.
    """

    policy: str
    style: str
    script: str


def load_parts(name: str) -> PageParts:
    """Style sheet (base.css, NAME.css) and script (NAME.js) of a page, and the policy that allows them."""
    style = f"{_read('base.css')}\n{_read(f'{name}.css')}"
    script = _read(f"{name}.js")
    policy = (
        f"default-src 'none'; img-src data:; style-src '{_source_hash(style)}'; "
        f"script-src '{_source_hash(script)}'; base-uri 'none'; form-action 'none'"
    )
    return PageParts(policy, style, script)


def load_template(name: str) -> Template:
    """A template of this package by its file name."""
    return _environment().get_template(name)


def mark_safe(text: str) -> Any:
    """Text that goes to the page as it is: only what this package made itself (style, script, data URIs)."""
    from markupsafe import Markup

    return Markup(text)  # noqa: S704 - callers pass their own text only


def safe_parts(parts: PageParts) -> Mapping[str, Any]:
    """The parts as a template takes them."""
    return {
        "policy": mark_safe(parts.policy),
        "style": mark_safe(parts.style),
        "script": mark_safe(parts.script),
    }


@cache
def _environment() -> Environment:
    from jinja2 import Environment, PackageLoader, StrictUndefined

    environment = Environment(
        loader=PackageLoader("imforensics.report"),
        autoescape=True,
        undefined=StrictUndefined,
        finalize=_finalize,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["humanize"] = humanize
    return environment


def _finalize(value: Any) -> Any:
    """Every value that a template prints: text gets its invisible characters shown, before it is escaped."""
    return for_page(value) if type(value) is str else value


def _read(name: str) -> str:
    return (resources.files("imforensics.report") / "templates" / name).read_text(encoding="utf-8")


def _source_hash(text: str) -> str:
    digest = hashlib.sha256(text.encode()).digest()
    return f"sha256-{base64.b64encode(digest).decode('ascii')}"
