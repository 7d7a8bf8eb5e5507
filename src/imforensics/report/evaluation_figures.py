"""Curves and contact sheets of an evaluation: arrays in, PNG bytes out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from imforensics.metrics.curves import threshold_curve
from imforensics.metrics.detection import pr_curve, roc_curve
from imforensics.metrics.likelihood_ratio import posterior_probability, reliability_bins, tippett_points
from imforensics.report.encoding import encode_png
from imforensics.report.escaping import for_terminal
from imforensics.report.figures import display_picture, heatmap, reduce_map
from imforensics.report.line_plots import Dash, Line, Panel, draw_panels
from imforensics.types import BoolArray, LocalizationMap, UInt8Array

# Okabe & Ito 2008, told apart with any colour vision; line styles differ as well.
COLOURS = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#000000")
STYLES: tuple[Dash, ...] = ("-", "--", "-.", ":")
CELL = 192  # longest side of one picture of a contact sheet, pixels
GAP = 4
CAPTION_HEIGHT = 32  # two lines
UNIT = (0.0, 1.0)
SHARE = (0.0, 1.02)  # of curves that run along 1
ROBUSTNESS_ROWS = (
    ("image AUC", "detection", "auc"),
    ("pixel AUC", "localization", "auc_mean"),
    ("pixel F1, best threshold", "localization", "f1_best_mean"),
)


@dataclass(frozen=True, slots=True)
class Series:
    """Scores of one method for the curves.

    Attributes:
        labels: of the scored cases, 0 or 1.
        scores: in [0, 1].
        rated_labels: of the cases with a calibrated likelihood ratio.
        log10_lrs: their ratios.
    """

    labels: tuple[int, ...]
    scores: tuple[float, ...]
    rated_labels: tuple[int, ...] = ()
    log10_lrs: tuple[float, ...] = ()


@dataclass(frozen=True, slots=True)
class CaseView:
    """One case of a contact sheet.

    Attributes:
        kind: "best" or "worst".
        name: id of the trial; hostile until escaped.
        label: 0 authentic, 1 tampered.
        score: of the image, None without one.
        merit: what it was chosen by, in words.
        pixels: (H, W, 3) uint8.
        gt_mask: (H, W) bool, None without one.
        map: localization map, None without one.
    """

    kind: str
    name: str
    label: int
    score: float | None
    merit: str
    pixels: UInt8Array
    gt_mask: BoolArray | None
    map: LocalizationMap | None


def draw_curves(series: Mapping[str, Series]) -> dict[str, bytes]:
    """ROC, precision-recall, threshold and, where something is calibrated, reliability and Tippett plots.

    Args:
        series: name of a method to its scores; those without both classes are left out.

    Returns:
        Name of the picture to PNG bytes; empty where no method has scores of both classes.
    """
    ranked = {name: item for name, item in series.items() if len(set(item.labels)) == 2}
    rated = {name: item for name, item in series.items() if len(set(item.rated_labels)) == 2}
    drawn: dict[str, bytes] = {}
    if ranked:
        drawn["roc_pr"] = _draw_pair(_add_roc, _add_pr, ranked)
        drawn["thresholds"] = _draw_pair(_add_rates, _add_scores, ranked)
    if rated:
        drawn["calibration"] = _draw_pair(_add_reliability, _add_tippett, rated)
    return drawn


def draw_robustness(curves: Mapping[str, Sequence[Mapping[str, Any]]]) -> bytes:
    """Image AUC, pixel AUC and pixel F1 over the strength of each kind of processing.

    Args:
        curves: method to points with condition, strength, unit, detection and localization.

    Returns:
        PNG bytes.
    """
    kinds = list(dict.fromkeys(p["condition"] for points in curves.values() for p in points if p["unit"]))
    rows = [
        [_robustness_panel(curves, kind, row, is_first=kind == kinds[0]) for kind in kinds]
        for row in ROBUSTNESS_ROWS
    ]
    return encode_png(draw_panels(rows, width=270, height=230))


def draw_contact_sheet(cases: Sequence[CaseView]) -> UInt8Array:
    """Image, map and ground truth of each case, best ones on the left, worst ones on the right.

    Args:
        cases: at least one.

    Returns:
        (H, W, 3) uint8. Maps are on the fixed range 0 to 1; ground truth is white on black; what is missing
        is gray.
    """
    from PIL import Image, ImageDraw

    sides = [[case for case in cases if case.kind == kind] for kind in ("best", "worst")]
    width = 3 * (CELL + GAP)
    rows = [[side[row] for side in sides if row < len(side)] for row in range(max(map(len, sides)))]
    drawn = [[_case_pictures(case) for case in row] for row in rows]
    heights = [CAPTION_HEIGHT + max(p[0].shape[0] for p in row) + 2 * GAP for row in drawn]
    sheet = Image.new("RGB", (2 * width + 4 * GAP, sum(heights)), "white")
    draw = ImageDraw.Draw(sheet)
    for number, (row, pictures) in enumerate(zip(rows, drawn, strict=True)):
        top = sum(heights[:number])
        for case, shown in zip(row, pictures, strict=True):
            left = GAP + (0 if case.kind == "best" else width + 2 * GAP)
            draw.text((left, top), _caption(case, number + 1), fill="black")
            for index, picture in enumerate(shown):
                sheet.paste(Image.fromarray(picture), (left + index * (CELL + GAP), top + CAPTION_HEIGHT))
    return np.asarray(sheet, dtype=np.uint8)


def contact_sheet_png(cases: Sequence[CaseView]) -> bytes:
    """`draw_contact_sheet` as PNG."""
    return encode_png(draw_contact_sheet(cases))


def _case_pictures(case: CaseView) -> list[UInt8Array]:
    picture = display_picture(case.pixels, longest=CELL)
    missing = np.full_like(picture, 200)
    shown = [picture, missing, missing]
    if case.map is not None:
        shown[1] = heatmap(reduce_map(case.map, longest=CELL))
    if case.gt_mask is not None:
        shown[2] = display_picture(np.where(case.gt_mask, np.uint8(255), np.uint8(0)), longest=CELL)
    return shown


def _caption(case: CaseView, rank: int) -> str:
    name = _plain(case.name)
    name = name if len(name) <= 72 else f"...{name[-69:]}"
    score = "" if case.score is None or "score" in case.merit else f", score {case.score:.3f}"
    return f"{case.kind} {rank}: {'tampered' if case.label else 'authentic'}, {case.merit}{score}\n{name}"


class _Ink(NamedTuple):
    """How the curves of one method are drawn."""

    colour: str
    dash: Dash


def _draw_pair(left: Any, right: Any, series: Mapping[str, Series]) -> bytes:
    panels = []
    for describe in (left, right):
        panel = Panel()
        for index, (name, item) in enumerate(series.items()):
            describe(panel, _plain(name), item, _ink(index))
        panels.append(panel)
    return encode_png(draw_panels([panels], width=480, height=390))


def _add_roc(panel: Panel, name: str, item: Series, ink: _Ink) -> None:
    curve = roc_curve(item.scores, item.labels)
    panel.title, panel.x_label, panel.y_label = "ROC", "false-positive rate", "true-positive rate"
    panel.x_limits, panel.y_limits = UNIT, SHARE
    panel.lines += [Line(UNIT, UNIT), Line(curve.x, curve.y, name, *ink)]


def _add_pr(panel: Panel, name: str, item: Series, ink: _Ink) -> None:
    curve = pr_curve(item.scores, item.labels)
    share = float(np.mean(item.labels))
    panel.title, panel.x_label, panel.y_label = "Precision and recall", "recall", "precision"
    panel.x_limits, panel.y_limits = UNIT, SHARE
    panel.lines += [Line(UNIT, (share, share)), Line(curve.x, curve.y, name, *ink, steps="post")]


def _add_rates(panel: Panel, name: str, item: Series, ink: _Ink) -> None:
    curve = threshold_curve(item.scores, item.labels)
    panel.title, panel.x_label = "Over the score's threshold", "threshold"
    panel.x_limits, panel.y_limits = UNIT, SHARE
    balanced = Line(curve.thresholds, curve.balanced_accuracy, f"{name}, balanced accuracy", *ink)
    panel.lines += [balanced, Line(curve.thresholds, curve.f1, f"{name}, F1", *ink, opacity=0.55)]


def _add_scores(panel: Panel, name: str, item: Series, ink: _Ink) -> None:
    labels = np.array(item.labels)
    panel.title, panel.x_label, panel.y_label = "Scores", "score", "share of images at or below"
    panel.x_limits, panel.y_limits = UNIT, SHARE
    for label, kind, opacity in ((1, "tampered", 1.0), (0, "authentic", 0.5)):
        scores = np.sort(np.array(item.scores)[labels == label])
        share = np.arange(1, scores.size + 1) / scores.size
        panel.lines.append(Line(scores, share, f"{name}, {kind}", *ink, steps="post", opacity=opacity))


def _add_reliability(panel: Panel, name: str, item: Series, ink: _Ink) -> None:
    labels = np.array(item.rated_labels)
    prior = float(np.log10(labels.sum() / (labels == 0).sum()))
    bins = reliability_bins(posterior_probability(item.log10_lrs, log10_prior_odds=prior), labels)
    panel.title, panel.y_label = "Calibration", "share tampered"
    panel.x_label = "probability at the prior of this set"
    panel.x_limits, panel.y_limits = UNIT, SHARE
    points = Line(bins.mean_probability, bins.tampered_share, name, *ink, has_markers=True)
    panel.lines += [Line(UNIT, UNIT), points]


def _add_tippett(panel: Panel, name: str, item: Series, ink: _Ink) -> None:
    points = tippett_points(item.log10_lrs, item.rated_labels)
    panel.title, panel.x_label = "Tippett plot", "log10 likelihood ratio"
    panel.y_label, panel.y_limits = "share with at least this ratio", SHARE
    shares = (("tampered", points.tampered_share, 1.0), ("authentic", points.authentic_share, 0.5))
    panel.lines.append(Line((0, 0), UNIT))
    for kind, share, opacity in shares:
        panel.lines.append(
            Line(points.log10_lr, share, f"{name}, {kind}", *ink, steps="pre", opacity=opacity)
        )


def _robustness_panel(
    curves: Mapping[str, Sequence[Mapping[str, Any]]], kind: str, row: tuple[str, str, str], *, is_first: bool
) -> Panel:
    """One metric over the strength of one kind of processing; the key is below the first column."""
    words, block, metric = row
    is_top, is_last = row == ROBUSTNESS_ROWS[0], row == ROBUSTNESS_ROWS[-1]
    found = [_metric(point, block, metric) for points in curves.values() for point in points]
    highest = max((value for value in found if not np.isnan(value)), default=1.0)  # NaN where undefined
    limits = (0.0, 1.05 * highest or 1.0) if is_last else SHARE  # the same in the whole row
    panel = Panel(title=kind if is_top else "", has_legend=is_first and is_last, y_limits=limits)
    panel.y_label = words if is_first else ""
    for index, (name, points) in enumerate(curves.items()):
        own = sorted((p for p in points if p["condition"] == kind), key=lambda p: p["strength"])
        values = [_metric(point, block, metric) for point in own]
        strengths = [point["strength"] for point in own]
        panel.lines.append(Line(strengths, values, _plain(name), *_ink(index), has_markers=True))
        panel.x_label = own[0]["unit"] if is_last and own else ""
    if not is_last:
        strengths = [p["strength"] for points in curves.values() for p in points if p["condition"] == kind]
        panel.lines.insert(0, Line((min(strengths), max(strengths)), (0.5, 0.5)))
    return panel


def _metric(point: Mapping[str, Any], block: str, name: str) -> float:
    part = point[block]
    value = None if part is None else part["metrics"].get(name)
    return float("nan") if value is None else value


def _ink(index: int) -> _Ink:
    return _Ink(COLOURS[index % len(COLOURS)], STYLES[index % len(STYLES)])


def _plain(name: str) -> str:
    """A name in the letters that a picture's font has."""
    return for_terminal(name).encode("ascii", "backslashreplace").decode("ascii")
