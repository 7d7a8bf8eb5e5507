"""What a localization map amounts to in numbers: mean, maximum, area over the threshold, regions."""

from __future__ import annotations

import numpy as np

from imforensics.report.regions import find_regions
from imforensics.types import BoolArray, Finding, JsonValue, Region

REGION_LIMIT = 20  # largest regions that are listed; all are counted


def map_statistics(finding: Finding, *, digits: int = 6) -> JsonValue:
    """Numbers of a finding's map, over what is valid.

    Args:
        finding: any finding.
        digits: significant digits of every number.

    Returns:
        None without a map; otherwise size, valid share, mean, maximum and, with a threshold, the share of
        the whole picture at or above it, the number of regions and a table of the largest.

    Raises:
        ValueError: the map holds NaN or infinity, or map, valid area and mask differ in shape.
    """
    if finding.map is None or finding.status != "ok":
        return None
    values, valid = finding.map.values, finding.map.valid
    mask = threshold_mask(finding, threshold=finding.threshold)
    for name, area in (("valid area", valid), ("mask", mask)):
        if area is not None and area.shape != values.shape:
            raise ValueError(f"{finding.method}: {name} {area.shape} and map {values.shape} differ in shape")
    inside = values if valid is None else values[valid]
    mean = float(inside.mean(dtype=np.float64)) if inside.size else None
    if mean is not None and not np.isfinite(mean):
        raise ValueError(f"the map of {finding.method} holds values that are not finite; expected [0, 1]")
    statistics: dict[str, JsonValue] = {
        "height": values.shape[0],
        "width": values.shape[1],
        "valid_percent": _round(100.0 * inside.size / values.size, digits),
        "mean": None if mean is None else _round(mean, digits),
        "max": _round(float(inside.max()), digits) if inside.size else None,
        "area_over_threshold_percent": None,
        "region_count": None,
        "regions": [],
    }
    if mask is not None:
        count, regions = find_regions(mask, values, limit=REGION_LIMIT)
        statistics["area_over_threshold_percent"] = _round(100.0 * np.count_nonzero(mask) / mask.size, digits)
        statistics["region_count"] = count
        statistics["regions"] = [_region_row(region, mask.size, digits) for region in regions]
    return statistics


def threshold_mask(finding: Finding, *, threshold: float | None) -> BoolArray | None:
    """Where the map reaches a threshold; at the finding's own its own mask, where it has one.

    Returns:
        (H, W) bool; None without a map or a threshold.
    """
    own = finding.mask if threshold == finding.threshold else None
    if own is not None or finding.map is None or threshold is None:
        return own
    above: BoolArray = finding.map.values >= np.float32(threshold)
    return above if finding.map.valid is None else above & finding.map.valid


def _region_row(region: Region, pixels: int, digits: int) -> JsonValue:
    return {
        "top": region.top,
        "left": region.left,
        "height": region.height,
        "width": region.width,
        "area_percent": _round(100.0 * region.area / pixels, digits),
        "mean": _round(region.mean, digits),
        "max": _round(region.max, digits),
    }


def _round(value: float, digits: int) -> float:
    return float(f"{value:.{digits}g}")
