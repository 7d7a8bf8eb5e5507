"""Made-up reports: small arrays, every kind of finding, hostile text."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pytest

from imforensics.types import (
    Artifact,
    Evidence,
    Finding,
    JpegInfo,
    LocalizationMap,
    Metadata,
    MethodDescription,
    Opinion,
    Report,
    Statement,
)

HEIGHT, WIDTH = 40, 60
STARTED = datetime(2026, 3, 1, 10, 0, 0, 123456, tzinfo=UTC)

# Names and values as a hostile file may carry them.
HOSTILE = (
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "'><svg/onload=alert(1)>",
    "</script><script>alert(1)</script>",
    "</style><style>body{display:none}</style>",
    "javascript:alert(1)",
    "{{7*7}}{% raw %}",
    "${7*7}#{7*7}",
    '=HYPERLINK("http://example.invalid")',
    "+1+cmd|' /C calc'!A0",
    "-2+3",
    "@SUM(1,1)",
    "\t=1+1",
    "\r=1+1",
    "\u00a0 =1+1",
    "\uff1d1+1",
    "\x1b[2J\x1b]0;title\x07",
    "\x9b31m",
    "\x7f\x08\x08",
    "photo\u202egpj.exe",
    "\u2066isolated\u2069",
    "line\u2028separator\u2029",
    "nul\x00byte",
    "not utf-8 \udcff\udc80",
    "half a pair \ud83d",
    "two\nlines\r\nand\ttabs",
    "]]>&lt;&amp;<!--",
    "[link=https://example.invalid]x[/link]",
    "x" * 50_000,
    "../../etc/passwd",
    "",
)


@pytest.fixture
def descriptions() -> dict[str, MethodDescription]:
    names = {"metadata": "metadata", "ela": "jpeg", "noise": "noise", "ghost": "jpeg"}
    return {
        name: MethodDescription(
            name,
            family,
            f"Question of {name}?",
            "Idea.",
            "Limits.",
            "Citation.",
            "10.1/x",
            "At chance." if name == "ghost" else None,
        )
        for name, family in names.items()
    }


def build_map(*, with_invalid: bool = False) -> LocalizationMap:
    values = np.full((HEIGHT, WIDTH), 0.1, dtype=np.float32)
    values[5:15, 20:40] = 0.9
    values[30:34, 50:55] = 0.6
    valid = None
    if with_invalid:
        valid = np.ones((HEIGHT, WIDTH), dtype=bool)
        valid[:, :10] = False
    return LocalizationMap(values, valid)


def build_evidence(name: str = "photo.jpg", metadata: Metadata | None = None) -> Evidence:
    pixels = np.random.default_rng(7).integers(0, 256, (HEIGHT, WIDTH, 3), dtype=np.uint8)
    table = np.arange(1, 65, dtype=np.uint16).reshape(8, 8)
    jpeg = JpegInfo((table, table), "4:2:0", False, 90, True, ("SOI", "DQT", "EOI"), 3, lambda: ())
    return Evidence(
        name=name,
        path=Path("photo.jpg"),
        size_bytes=1234,
        sha256="a" * 64,
        pixel_sha256="b" * 64,
        format="JPEG",
        has_matching_extension=True,
        mode="RGB",
        pixels=pixels,
        orientation=1,
        frame_count=1,
        jpeg=jpeg,
        metadata=metadata or Metadata(exif={"Image Make": "Maker"}, gps=(48.858412345, 2.2945)),
        notes=("converted from RGB",),
    )


def build_findings() -> tuple[Finding, ...]:
    opinion = Opinion(0.9, 0.954, (-2.0, 2.0), "tampered", "100 + 100 images", "twin")
    picture = Artifact(np.full((HEIGHT, WIDTH), 77, dtype=np.uint8), "Gray on a fixed scale.")
    return (
        Finding("metadata", "metadata", "ok", observations={"dates": {"taken": "2020"}, "editors": ["a"]}),
        Finding("ela", "jpeg", "ok", 0.123456789, build_map(), artifacts={"residual": picture}, seconds=0.25),
        Finding(
            "noise", "noise", "ok", 0.9, build_map(with_invalid=True), threshold=0.5,
            threshold_policy="far_1pct", opinion=opinion,
        ),
        Finding("ghost", "jpeg", "failed", notes=("ValueError: broke",)),
    )  # fmt: skip


@pytest.fixture
def report() -> Report:
    return Report(
        evidence=build_evidence(),
        findings=build_findings(),
        statement=Statement(
            "tampered",
            0.9,
            0.954,
            (-2.0, 2.0),
            "Nine times more probable if H1.",
            "100 + 100",
            ("noise",),
            ("Why.",),
        ),
        settings={"version": "0.1.0", "max_pixels": 1000, "methods": {"ela": {"quality": 90}}},
        config_digest="c" * 64,
        bundle_digests={"detector": "d" * 64},
        versions={"imforensics": "0.1.0", "python": "3.11"},
        command_line=("imforensics", "analyze", "photo.jpg"),
        started_at=STARTED,
        created_at=STARTED + timedelta(seconds=1.5),
        sha256_after="a" * 64,
    )


@pytest.fixture
def hostile_report(report: Report) -> Callable[[str], Report]:
    """A report with one hostile text wherever text from a file or a failure can stand."""

    def build(text: str) -> Report:
        named = {f"Key {text}": text}
        metadata = Metadata(
            exif=named, xmp=named, iptc=named, icc_description=text, camera=text, software=(text,),
            dates=named, problems=(text,),
        )  # fmt: skip
        findings = tuple(
            replace(finding, notes=(text,), observations={"seen": text, "nested": {text: [text]}})
            for finding in report.findings
        )
        evidence = replace(
            build_evidence(text, metadata), notes=(text,), path=Path("in") / text.replace("\0", "")
        )
        return replace(
            report, evidence=evidence, findings=findings, command_line=("imforensics", "analyze", text)
        )

    return build
