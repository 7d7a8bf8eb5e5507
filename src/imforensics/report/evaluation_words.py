"""The results of an evaluation as text tables and plain sentences."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

Document = Mapping[str, Any]
NONE = "–"
BASELINE, CENTRE = "header baseline", "centre-prior baseline"

# heading, block of the document, name of the metric, digits
COLUMNS: tuple[tuple[str, str, str], ...] = (
    ("image AUC", "detection", "auc"),
    ("AP", "detection", "average_precision"),
    ("TPR at 5 % FPR", "detection", "tpr_at_fpr_5pct"),
    ("pixel AUC", "localization", "auc_mean"),
    ("F1 fixed", "localization", "f1_fixed_mean"),
    ("F1 at 0.5", "localization", "f1_half_mean"),
    ("F1 best", "localization", "f1_best_mean"),
    ("false-alarm area at 0.5", "localization", "false_alarm_area_half_mean"),
)
ENCODER_NOTE = (
    "Where a program other than the IJG encoder wrote the tampered file, its rounding leaves a trace in the "
    "whole file; the exact_twin protocol excludes those pairs."
)
BLIND = (
    "header facts are uninformative here (a cross-validated baseline on uninformative facts is slightly "
    "below one half)"
)
FEW_GROUPS = 20  # below, percentile intervals over groups are known to be too narrow
COLUMN_NOTE = (
    "95 % bootstrap intervals over source groups in brackets. Pixel metrics are means over tampered images "
    "with a mask; F1 fixed uses the method's stored threshold, F1 best the best threshold of each image, an "
    "oracle that uses the ground truth. The false-alarm area is the share of an authentic image at or above "
    "0.5. The header baseline looks at no pixel, the centre-prior baseline is one map, bright in the centre, "
    "for every picture."
)


def decimal(value: float | None, *, digits: int = 3) -> str:
    """A figure with fixed decimals, an en dash for none.

    >>> decimal(0.5), decimal(None)
    ('0.500', '–')
    """
    return NONE if value is None else f"{value:.{digits}f}"


def with_interval(value: float | None, interval: Sequence[float] | None) -> str:
    """A figure and its interval.

    >>> with_interval(0.52, [0.46, 0.58])
    '0.520 [0.460, 0.580]'
    """
    if value is None or interval is None:
        return decimal(value)
    return f"{decimal(value)} [{decimal(interval[0])}, {decimal(interval[1])}]"


def comparison(document: Document) -> tuple[list[str], list[list[str]]]:
    """The comparison table: headings, and one row a method; the baselines come first.

    Columns that no method has are left out.
    """
    rows = [[BASELINE, *_figures({"detection": document["shortcut"]})]]
    scored = [NONE if document["shortcut"] is None else str(document["shortcut"]["n"])]
    if (centre := document["centre_prior"]) is not None:
        rows.append([CENTRE, *_figures({"localization": centre})])
        scored.append(str(centre["n"]))
    for key, found in document["methods"].items():
        rows.append([key, *_figures(found)])
        counts = found["counts"]
        scored.append(f"{counts['scored']} of {counts['authentic'] + counts['tampered']}")
    headings = ["method", *(heading for heading, _, _ in COLUMNS)]
    kept = [0] + [i for i in range(1, len(headings)) if any(row[i] != NONE for row in rows)]
    table = [[row[i] for i in kept] for row in rows]
    for row, count in zip(table, scored, strict=True):
        row.insert(1, count)
    return [headings[0], "scored", *(headings[i] for i in kept[1:])], table


def format_table(headings: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A table for a terminal: columns padded with blanks, two apart."""
    lines = [headings, *rows]
    widths = [max(len(line[i]) for line in lines) for i in range(len(headings))]
    return "\n".join(
        "  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip()
        for line in lines
    )


def judge(document: Document) -> list[str]:
    """The conclusions that the results allow, one sentence each, caveats first."""
    protocol, shortcut = document["protocol"]["name"], document["shortcut"]
    sentences = [_judge_shortcut(protocol, shortcut)]
    for key, found in document["methods"].items():
        sentences += _judge_method(key, found, protocol, shortcut)
        sentences += _judge_map(key, found["localization"], document["centre_prior"])
    groups = document["data"]["groups"]
    if groups < FEW_GROUPS:
        sentences.append(
            f"Only {groups} source groups: the intervals are approximate and probably too narrow."
        )
    reasons = Counter(item["reason"] for item in document["protocol"]["left_out"])
    return sentences + [f"Excluded: {count} tampered images ({reason})." for reason, count in reasons.items()]


def is_chance(block: Mapping[str, Any] | None, name: str = "auc") -> bool:
    """True where the interval of a metric holds 0.5."""
    interval = None if block is None else block["intervals"].get(name)
    return interval is not None and interval[0] <= 0.5 <= interval[1]


def _figures(found: Mapping[str, Any]) -> list[str]:
    cells = []
    for _, block, name in COLUMNS:
        part = found.get(block)
        cells.append(
            NONE if part is None else with_interval(part["metrics"].get(name), part["intervals"].get(name))
        )
    return cells


def _judge_shortcut(protocol: str, shortcut: Mapping[str, Any] | None) -> str:
    if shortcut is None:
        return "There is no header baseline: it needs images of both classes from several sources."
    auc = with_interval(shortcut["metrics"]["auc"], shortcut["intervals"].get("auc"))
    if protocol in ("twin", "exact_twin"):
        return (
            f"The header baseline has AUC {auc}: chance by construction, because both images of a pair have "
            "the same tables and subsampling. Markers and metadata are not equalised: methods that read them "
            f"see which file was recompressed.{'' if protocol == 'exact_twin' else ' ' + ENCODER_NOTE}"
        )
    if protocol in ("resaved", "resaved_q90"):
        interval = shortcut["intervals"].get("auc")
        verdict = "header facts still separate the classes" if interval and interval[0] > 0.5 else BLIND
        return (
            f"The header baseline has AUC {auc} on these pictures: {verdict}. The coefficients still carry "
            "the earlier history of the whole file, so a result here does not prove that an alteration was "
            "detected."
        )
    return (
        f"The header baseline has AUC {auc} and accuracy {decimal(shortcut['metrics']['accuracy'])} on the "
        "same pictures without looking at a pixel. A detector's result on the files as published is "
        "meaningful only in comparison with it, and on the twin protocols."
    )


def _judge_method(
    key: str, found: Mapping[str, Any], protocol: str, shortcut: Mapping[str, Any] | None
) -> list[str]:
    counts, detection, sentences = found["counts"], found["detection"], []
    lost = {
        name: counts[name] for name in ("not_applicable", "failed", "unreadable", "crashed") if counts[name]
    }
    if lost:
        words = ", ".join(f"{number} {name.replace('_', ' ')}" for name, number in lost.items())
        sentences.append(f"{key}: {words}; they are excluded from all metrics.")
    if detection is None:
        return [*sentences, f"{key}: detection cannot be measured without scores of both classes."]
    auc = with_interval(detection["metrics"]["auc"], detection["intervals"]["auc"])
    if is_chance(detection):
        sentences.append(f"{key}: image AUC {auc} is chance: not distinguishable from guessing.")
    elif detection["metrics"]["auc"] < 0.5:
        sentences.append(
            f"{key}: image AUC {auc} is below one half: its score ranks the classes in the wrong order."
        )
    elif protocol == "exact_twin":
        sentences.append(f"{key}: image AUC {auc} is above chance where only the alteration differs.")
    elif protocol == "twin":
        sentences.append(
            f"{key}: image AUC {auc} is above chance where the alteration and the encoder's rounding differ; "
            "the exact_twin protocol shows which of the two it detects."
        )
    elif shortcut is not None and shortcut["metrics"]["auc"] >= detection["metrics"]["auc"]:
        sentences.append(f"{key}: image AUC {auc} is not above the header baseline.")
    return sentences


def _judge_map(
    key: str, localization: Mapping[str, Any] | None, centre: Mapping[str, Any] | None
) -> list[str]:
    if localization is None or localization["metrics"].get("auc_mean") is None:
        return []
    auc = with_interval(localization["metrics"]["auc_mean"], localization["intervals"].get("auc_mean"))
    if is_chance(localization, "auc_mean"):
        return [f"{key}: pixel AUC {auc} is chance: the map does not locate the altered region."]
    if centre is not None and centre["metrics"]["auc_mean"] >= localization["metrics"]["auc_mean"]:
        return [f"{key}: pixel AUC {auc} is not above the centre-prior baseline, which ignores the picture."]
    return []
