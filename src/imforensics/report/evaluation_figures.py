"""Curves and contact sheets of an evaluation: arrays in, PNG bytes out; matplotlib's Agg, never pyplot."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from io import BytesIO
from typing import TYPE_CHECKING, Any

import numpy as np

from imforensics.metrics.curves import threshold_curve
from imforensics.metrics.detection import pr_curve, roc_curve
from imforensics.metrics.likelihood_ratio import posterior_probability, reliability_bins, tippett_points
from imforensics.report.encoding import encode_png
from imforensics.report.escaping import for_terminal
from imforensics.report.figures import display_picture, heatmap, reduce_map
from imforensics.types import BoolArray, LocalizationMap, UInt8Array

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

# Okabe & Ito 2008, told apart with any colour vision; line styles differ as well.
COLOURS = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#000000")
STYLES = ("-", "--", "-.", ":")
CELL = 192  # longest side of one picture of a contact sheet, pixels
GAP = 4
CAPTION_HEIGHT = 32  # two lines
DPI = 100


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
        drawn["roc_pr"] = _draw_pair(_draw_roc, _draw_pr, ranked)
        drawn["thresholds"] = _draw_pair(_draw_rates, _draw_scores, ranked)
    if rated:
        drawn["calibration"] = _draw_pair(_draw_reliability, _draw_tippett, rated)
    return drawn


def draw_robustness(curves: Mapping[str, Sequence[Mapping[str, Any]]]) -> bytes:
    """AUC and pixel F1 over the strength of each kind of processing.

    Args:
        curves: method to points with condition, strength, unit, detection and localization.

    Returns:
        PNG bytes.
    """
    kinds = list(dict.fromkeys(p["condition"] for points in curves.values() for p in points if p["unit"]))
    figure = _figure(2.7 * len(kinds), 5.2)
    figure.set_layout_engine("constrained")
    panels = figure.subplots(2, len(kinds), squeeze=False, sharey="row")
    for column, kind in enumerate(kinds):
        for index, (name, points) in enumerate(curves.items()):
            own = sorted((p for p in points if p["condition"] == kind), key=lambda p: p["strength"])
            for row, (block, metric) in enumerate((("detection", "auc"), ("localization", "f1_best_mean"))):
                values = [_metric(point, block, metric) for point in own]
                strengths = [point["strength"] for point in own]
                panels[row, column].plot(
                    strengths, values, marker="o", markersize=3, label=for_terminal(name), **_style(index)
                )
        unit = next(p["unit"] for points in curves.values() for p in points if p["condition"] == kind)
        panels[0, column].set_title(kind)
        panels[1, column].set_xlabel(unit)
        panels[0, column].axhline(0.5, color="0.6", linewidth=0.8)
    panels[0, 0].set_ylabel("image AUC")
    panels[1, 0].set_ylabel("pixel F1, best threshold")
    panels[0, 0].legend(fontsize="x-small")
    return _to_png(figure)


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
    name = for_terminal(case.name).encode("ascii", "backslashreplace").decode("ascii")
    name = name if len(name) <= 72 else f"...{name[-69:]}"
    score = "" if case.score is None or "score" in case.merit else f", score {case.score:.3f}"
    return f"{case.kind} {rank}: {'tampered' if case.label else 'authentic'}, {case.merit}{score}\n{name}"


def _draw_pair(left: Any, right: Any, series: Mapping[str, Series]) -> bytes:
    figure = _figure(9.6, 4.2)
    figure.subplots_adjust(left=0.065, right=0.985, bottom=0.12, top=0.92, wspace=0.16)
    panels = figure.subplots(1, 2)
    for axes, draw in zip(panels, (left, right), strict=True):
        for index, (name, item) in enumerate(series.items()):
            draw(axes, for_terminal(name), item, _style(index))
        axes.legend(fontsize="small")
    return _to_png(figure)


def _draw_roc(axes: Axes, name: str, item: Series, style: dict[str, Any]) -> None:
    curve = roc_curve(item.scores, item.labels)
    axes.plot([0, 1], [0, 1], color="0.75", linewidth=0.8)
    axes.plot(curve.x, curve.y, label=name, **style)
    axes.set(title="ROC", xlabel="false-positive rate", ylabel="true-positive rate")


def _draw_pr(axes: Axes, name: str, item: Series, style: dict[str, Any]) -> None:
    curve = pr_curve(item.scores, item.labels)
    axes.axhline(float(np.mean(item.labels)), color="0.75", linewidth=0.8)
    axes.step(curve.x, curve.y, where="post", label=name, **style)
    axes.set(title="Precision and recall", xlabel="recall", ylabel="precision", ylim=(0, 1.02))


def _draw_rates(axes: Axes, name: str, item: Series, style: dict[str, Any]) -> None:
    curve = threshold_curve(item.scores, item.labels)
    axes.plot(curve.thresholds, curve.balanced_accuracy, label=f"{name}, balanced accuracy", **style)
    axes.plot(curve.thresholds, curve.f1, label=f"{name}, F1", alpha=0.55, **style)
    axes.set(title="Over the score's threshold", xlabel="threshold", ylim=(0, 1.02))


def _draw_scores(axes: Axes, name: str, item: Series, style: dict[str, Any]) -> None:
    labels = np.array(item.labels)
    for label, alpha in ((1, 1.0), (0, 0.5)):
        scores = np.sort(np.array(item.scores)[labels == label])
        share = np.arange(1, scores.size + 1) / scores.size
        kind = "tampered" if label else "authentic"
        axes.step(scores, share, where="post", label=f"{name}, {kind}", alpha=alpha, **style)
    axes.set(title="Scores", xlabel="score", ylabel="share of images at or below", xlim=(0, 1))


def _draw_reliability(axes: Axes, name: str, item: Series, style: dict[str, Any]) -> None:
    labels = np.array(item.rated_labels)
    prior = float(np.log10(labels.sum() / (labels == 0).sum()))
    bins = reliability_bins(posterior_probability(item.log10_lrs, log10_prior_odds=prior), labels)
    axes.plot([0, 1], [0, 1], color="0.75", linewidth=0.8)
    axes.plot(bins.mean_probability, bins.tampered_share, marker="o", markersize=4, label=name, **style)
    axes.set(title="Calibration", xlabel="probability at the prior of this set", ylabel="share tampered")


def _draw_tippett(axes: Axes, name: str, item: Series, style: dict[str, Any]) -> None:
    points = tippett_points(item.log10_lrs, item.rated_labels)
    axes.step(points.log10_lr, points.tampered_share, where="pre", label=f"{name}, tampered", **style)
    axes.step(
        points.log10_lr, points.authentic_share, where="pre", label=f"{name}, authentic", alpha=0.5, **style
    )
    axes.axvline(0, color="0.75", linewidth=0.8)
    axes.locator_params(axis="x", nbins=5)
    axes.set(title="Tippett plot", xlabel="log10 likelihood ratio", ylabel="share with at least this ratio")


def _metric(point: Mapping[str, Any], block: str, name: str) -> float:
    part = point[block]
    value = None if part is None else part["metrics"].get(name)
    return float("nan") if value is None else value


def _style(index: int) -> dict[str, Any]:
    return {"color": COLOURS[index % len(COLOURS)], "linestyle": STYLES[index % len(STYLES)]}


def _figure(width: float, height: float) -> Figure:
    from matplotlib.figure import Figure

    return Figure(figsize=(width, height), dpi=DPI)


def _to_png(figure: Figure) -> bytes:
    buffer = BytesIO()
    figure.savefig(buffer, format="png", metadata={"Software": None})
    return buffer.getvalue()
