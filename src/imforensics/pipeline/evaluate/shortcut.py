"""The shortcut baseline of an evaluation: header facts of the very pictures shown, no pixel looked at."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from imforensics.datasets.header_facts import N_FOLDS, cross_validate_lookup
from imforensics.datasets.shortcuts import FEATURES, EncoderSettings
from imforensics.pipeline.evaluate.columns import Case, Condition
from imforensics.pipeline.evaluate.summary import Figures, summarize_detection
from imforensics.store import Row


@dataclass(frozen=True, slots=True)
class Header:
    """What the header baseline knows of one picture shown."""

    trial: str
    label: int
    group: str
    settings: EncoderSettings


def collect_headers(records: Iterable[Row], headers: dict[Condition, list[Header]]) -> Iterator[Row]:
    """Keep the header facts of each readable trial, once, whatever the number of entries, by condition.

    Yields:
        The records, for what else is to be made of them in the same pass.
    """
    seen: set[str] = set()
    known: dict[EncoderSettings, EncoderSettings] = {}
    for row in records:
        plain: Any = row
        yield row
        if plain["trial"] in seen or plain["settings"] is None:
            continue
        seen.add(plain["trial"])
        format_name, tables, subsampling = plain["settings"]
        settings = EncoderSettings(format_name, tuple(tuple(table) for table in tables), subsampling)
        settings = known.setdefault(settings, settings)
        header = Header(plain["trial"], plain["label"], plain["group"], settings)
        headers.setdefault((plain["condition"], plain["strength"]), []).append(header)


def summarize_shortcut(headers: list[Header], *, seed: int, n_resamples: int) -> Figures | None:
    """What the header baseline reaches on one condition, with intervals; None where it is not defined."""
    labels = [header.label for header in headers]
    groups = [header.group for header in headers]
    scores = cross_validate_lookup([h.settings for h in headers], labels, groups, seed=seed)
    if scores is None:
        return None
    cases = [
        Case(h.trial, h.label, h.group, "ok", float(s), *[None] * 7)
        for h, s in zip(headers, scores, strict=True)
    ]
    detection = summarize_detection(cases, seed=seed, n_resamples=n_resamples)
    if detection is None:
        return None
    detection["metrics"]["accuracy"] = float(((scores > 0) == np.array(labels, bool)).mean())
    tampered_share = sum(labels) / len(labels)
    return {
        "features": FEATURES,
        "method": f"look-up, cross-validated over {N_FOLDS} folds of source groups of the same images",
        "n": len(headers),
        "distinct_settings": len({header.settings for header in headers}),
        "majority_accuracy": max(tampered_share, 1 - tampered_share),
        **detection,
    }
