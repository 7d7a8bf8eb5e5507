"""The baselines of an evaluation, on the very pictures shown: header facts alone, and a map of the centre."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from imforensics.datasets.header_facts import N_FOLDS, cross_validate_lookup
from imforensics.datasets.shortcuts import FEATURES, EncoderSettings
from imforensics.pipeline.evaluate.columns import Case, Column, Condition
from imforensics.pipeline.evaluate.summary import Figures, summarize_detection, summarize_localization
from imforensics.store import Row

Pixel = Mapping[str, float | None]
CENTRE_PRIOR = "exp(-(y^2 + x^2)), y and x from -1 to 1 between opposite edges: the same for every picture"


@dataclass(frozen=True, slots=True)
class Shown:
    """What the baselines know of one picture shown.

    Attributes:
        trial: id of the trial.
        label: 0 authentic, 1 tampered.
        group: source.
        settings: of the encoder.
        centre: pixel metrics of the centre-prior map; None without a mask.
    """

    trial: str
    label: int
    group: str
    settings: EncoderSettings
    centre: Pixel | None


def collect_shown(records: Iterable[Row], shown: dict[Condition, list[Shown]]) -> Iterator[Row]:
    """Keep the facts of each readable trial, once, whatever the number of entries, by condition.

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
        facts = Shown(plain["trial"], plain["label"], plain["group"], settings, plain.get("centre"))
        shown.setdefault((plain["condition"], plain["strength"]), []).append(facts)


def summarize_shortcut(shown: Sequence[Shown], *, seed: int, n_resamples: int) -> Figures | None:
    """What the header baseline reaches on one condition, with intervals; None where it is not defined."""
    labels = [picture.label for picture in shown]
    groups = [picture.group for picture in shown]
    scores = cross_validate_lookup([picture.settings for picture in shown], labels, groups, seed=seed)
    if scores is None:
        return None
    cases = [_case(each.label, each.group, score=float(s)) for each, s in zip(shown, scores, strict=True)]
    detection = summarize_detection(cases, seed=seed, n_resamples=n_resamples)
    if detection is None:
        return None
    detection["metrics"]["accuracy"] = float(((scores > 0) == np.array(labels, bool)).mean())
    tampered_share = sum(labels) / len(labels)
    return {
        "features": FEATURES,
        "method": f"look-up, cross-validated over {N_FOLDS} folds of source groups of the same images",
        "n": len(shown),
        "distinct_settings": len({picture.settings for picture in shown}),
        "majority_accuracy": max(tampered_share, 1 - tampered_share),
        **detection,
    }


def summarize_centre_prior(
    measured: Iterable[tuple[str, Pixel | None]], *, seed: int, n_resamples: int
) -> Figures | None:
    """What the centre-prior baseline localizes, means with intervals; None without masks.

    Args:
        measured: group of each image and `centre_prior_metrics` of its mask.
        seed: of the bootstrap over groups.
        n_resamples: of the bootstrap.
    """
    cases = [_case(1, group, pixel=pixel) for group, pixel in measured if pixel is not None]
    found = summarize_localization(Column(cases), seed=seed, n_resamples=n_resamples)
    if found is None:
        return None
    parts = {name: found[name] for name in ("metrics", "intervals")}
    return {"map": CENTRE_PRIOR, "n": len(cases), **parts}


def _case(label: int, group: str, *, score: float | None = None, pixel: Pixel | None = None) -> Case:
    nothing = dict.fromkeys(("log10_lr", "stated", "pair", "manipulation", "format", "mask_area"))
    own: Any = {"status": "ok", "score": score, "pixel": pixel, **nothing}
    return Case("", label, group, **own)
