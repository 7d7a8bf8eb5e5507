"""Check an installation: libraries, bundles, an analysis of a made image, machine."""

from __future__ import annotations

import os
import platform
import re
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from typing import Any, Literal

from imforensics import __version__
from imforensics.config import AnalyzeConfig
from imforensics.cores import available_cores
from imforensics.errors import ImforensicsError
from imforensics.pipeline.analyze import build_analyzer
from imforensics.types import UInt8Array

Verdict = Literal["ok", "absent", "broken"]


@dataclass(frozen=True, slots=True)
class Check:
    """One thing looked at.

    Attributes:
        subject: what was looked at.
        verdict: "ok"; "absent" for something optional that is not there; "broken" for a defect.
        detail: version or place, or what to do about it.
    """

    subject: str
    verdict: Verdict
    detail: str


def check_installation() -> Iterator[Check]:
    """Look at everything `analyze`, `scan` and training need, one check at a time."""
    yield Check("imforensics", "ok", f"{__version__}, {Path(__file__).parents[1]}")
    yield Check("python", "ok", f"{platform.python_version()}, {sys.executable}")
    yield Check("machine", "ok", f"{platform.platform()}, {available_cores()} cores")
    yield from _check_requirements()
    yield from _check_bundles()
    yield _check_analysis()
    yield _check_data()


def _check_requirements() -> Iterator[Check]:
    for requirement in metadata.requires("imforensics") or []:
        name = re.split(r"[^A-Za-z0-9._-]", requirement, maxsplit=1)[0]
        extra = re.search(r"extra == ['\"]([\w.-]+)['\"]", requirement)
        if extra is not None and extra[1] == "dev":
            continue
        try:
            yield Check(name, "ok", metadata.version(name))
        except metadata.PackageNotFoundError:
            if extra is None:
                yield Check(name, "broken", "not installed; pip install imforensics again")
            else:
                yield Check(
                    name,
                    "absent",
                    f"needed only for the extra {extra[1]}: pip install 'imforensics[{extra[1]}]'",
                )


def _check_bundles() -> Iterator[Check]:
    from imforensics.models.fusion.bundle import list_fusions, load_fusion
    from imforensics.models.kinds import KINDS, list_bundles

    kinds: dict[str, tuple[tuple[str, ...], Callable[[str], Any]]] = {
        **{name: (list_bundles(name), kind.load) for name, kind in KINDS.items()},
        "fusion": (list_fusions(), load_fusion),
    }
    for kind, (names, load) in kinds.items():
        for name in names:
            try:
                yield Check(f"bundle {name}", "ok", f"sha256 {load(name).digest[:16]}, {kind}")
            except ImforensicsError as error:
                yield Check(f"bundle {name}", "broken", str(error))


def _check_analysis() -> Check:
    from imforensics.preprocessing.jpeg import encode_jpeg

    report = build_analyzer(AnalyzeConfig()).analyze(
        encode_jpeg(_made_image(), quality=90), name="made image"
    )
    failed = [f"{f.method}: {f.notes[0]}" for f in report.findings if f.status == "failed"]
    if failed:
        return Check("analysis", "broken", "; ".join(failed))
    return Check("analysis", "ok", f"{len(report.findings)} methods ran on a synthetic test image")


def _made_image() -> UInt8Array:
    import numpy as np

    noise = np.random.default_rng(0).normal(128.0, 30.0, (256, 384, 3))
    return np.clip(noise, 0, 255).astype(np.uint8)


def _check_data() -> Check:
    place = os.environ.get("IMFORENSICS_DATA")
    if not place:
        return Check(
            "data sets", "absent", "IMFORENSICS_DATA is not set; only training and evaluation need it"
        )
    verdict: Verdict = "ok" if Path(place).is_dir() else "broken"
    return Check("data sets", verdict, f"IMFORENSICS_DATA={place}")
