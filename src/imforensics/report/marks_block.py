"""What a report marks in the picture, JSON-ready: area, box, strength and ratio of each region."""

from __future__ import annotations

from imforensics.types import JsonValue, MarkedRegion, Report


def marks_block(report: Report, *, digits: int = 6) -> JsonValue:
    """The marks of a report; None where its statement rests on no map.

    Args:
        report: the report.
        digits: significant digits of every number.
    """
    marks = report.marks
    if marks is None:
        return None
    percent = 100.0 / (report.evidence.height * report.evidence.width)
    return {
        "method": marks.method,
        "threshold": _round(marks.threshold, digits),
        "why": marks.why,
        "area_percent": _round(percent * marks.area, digits),
        "region_count": marks.count,
        "regions": [_region_row(region, percent, digits) for region in marks.regions],
    }


def _region_row(region: MarkedRegion, percent: float, digits: int) -> JsonValue:
    bounds = region.log10_lr_bounds
    return {
        "top": region.top,
        "left": region.left,
        "height": region.height,
        "width": region.width,
        "area_percent": _round(percent * region.area, digits),
        "mean": _round(region.mean, digits),
        "max": _round(region.max, digits),
        "supported_by": list(region.supported_by),
        "log10_lr": _round(region.log10_lr, digits),
        "log10_lr_bounds": None if bounds is None else [_round(bound, digits) for bound in bounds],
    }


def _round(value: float | None, digits: int) -> float | None:
    return None if value is None else float(f"{value:.{digits}g}")
