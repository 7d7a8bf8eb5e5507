"""What a map would mark at each of a grid of thresholds, small enough for a record."""

from __future__ import annotations

import numpy as np

from imforensics.report.regions import find_regions
from imforensics.types import BoolArray, Finding, FloatArray, JsonValue

LEVELS = (*(0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.85, 0.9, 0.93, 0.95, 0.97, 0.98), *(0.99, 0.995, 0.999))
STRIDE = 8  # every eighth pixel of every eighth row: learned maps have one value an 8x8 block
REGIONS = 10  # largest of each level that are kept


def describe_marks(finding: Finding, mask: BoolArray | None) -> JsonValue:
    """Marked share and largest regions of a map at its own threshold and at every level.

    Args:
        finding: any; one without a map or a threshold has no marks.
        mask: (H, W) ground truth; None for an authentic picture.

    Returns:
        None without marks; else {"level", "share" of the picture, "regions"} at the map's own threshold, then
        at each level; a region is [share of the picture, mean, maximum, share of it that is tampered].
    """
    if finding.status != "ok" or finding.map is None or finding.threshold is None:
        return None
    offset = min(STRIDE // 2, min(finding.map.values.shape) - 1)
    values = finding.map.values[offset::STRIDE, offset::STRIDE]
    truth = None if mask is None else mask[offset::STRIDE, offset::STRIDE]
    return [_describe_level(values, level, truth) for level in (finding.threshold, *LEVELS)]


def _describe_level(values: FloatArray, level: float, truth: BoolArray | None) -> JsonValue:
    marked = values >= np.float32(level)
    regions: list[JsonValue] = []
    for region in find_regions(marked, values, limit=REGIONS)[1]:
        box = np.s_[region.top : region.top + region.height, region.left : region.left + region.width]
        inside = marked[box]  # of other regions that reach into the box a little more than none
        hit = 0.0 if truth is None else float(truth[box][inside].mean())
        regions.append(
            [_round(region.area / values.size), _round(region.mean), _round(region.max), _round(hit)]
        )
    return {"level": level, "share": _round(float(marked.mean())), "regions": regions}


def _round(value: float) -> float:
    return float(f"{value:.5g}")
