"""What a report marks in the picture: as much of the map as the statement supports, region by region."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass

import numpy as np

from imforensics.metrics.calibration import Calibration
from imforensics.metrics.class_calibration import NOTHING
from imforensics.metrics.fusion_model import FusionModel
from imforensics.report.map_statistics import REGION_LIMIT, threshold_mask
from imforensics.report.regions import find_regions
from imforensics.types import BoolArray, Finding, LocalizationMap, MarkedRegion, Marks, Region, Statement

SUPPORT_SHARE = 0.5  # of a region that another method has to mark to support it
SUPPORT_LEAD = 2.0  # times as much as it marks elsewhere


@dataclass(frozen=True, slots=True)
class _Level:
    """From where on the map is marked, None for nowhere, and why."""

    value: float | None
    why: str


def mark_regions(
    findings: Sequence[Finding], statement: Statement, fusion: FusionModel | None
) -> Marks | None:
    """Choose what is marked in line with the statement, and describe its regions.

    The map is that of the first method of the statement's basis that has one with a threshold. With the label
    "authentic" nothing of it is marked, with "tampered" what reaches the method's own threshold, otherwise
    what reaches the threshold of the evidence's class, which few authentic pictures do over more than 1 % of
    their area. Without a class the method's own threshold holds.

    Args:
        findings: of one piece of evidence.
        statement: that they amount to.
        fusion: that it rests on, None without one.

    Returns:
        The marks; None where the statement rests on no such map. The findings themselves stay as they are.
    """
    shown = {f.method: f for f in findings if f.status == "ok" and f.map and f.threshold is not None}
    finding = next((shown[name] for name in statement.basis if name in shown), None)
    if finding is None or finding.map is None:
        return None
    level = _choose_level(finding, statement, fusion)
    others = [other for other in shown.values() if other.method != finding.method]
    return _describe(finding, finding.map, level, others, None if fusion is None else fusion.regions)


def _choose_level(finding: Finding, statement: Statement, fusion: FusionModel | None) -> _Level:
    own = _Level(finding.threshold, f"The threshold is that of {finding.method} itself.")
    if statement.label == "authentic":
        return _Level(None, "Nothing is marked: no alteration was found by these methods.")
    name = statement.evidence_class
    limit = None if fusion is None or name is None else fusion.classes[name].map_threshold
    if statement.label == "tampered" or limit is None:
        return own
    if finding.threshold is not None and limit.value <= finding.threshold:
        return own
    return _Level(limit.value if limit.value < NOTHING else None, limit.note)


def _describe(
    finding: Finding,
    map_: LocalizationMap,
    level: _Level,
    others: Sequence[Finding],
    calibration: Calibration | None,
) -> Marks:
    mask = threshold_mask(finding, threshold=level.value)
    if mask is None:
        return Marks(finding.method, None, level.why, 0, 0, ())
    count, regions = find_regions(mask, map_.values, limit=REGION_LIMIT)
    found = {other.method: threshold_mask(other, threshold=other.threshold) for other in others}
    masks = {method: other for method, other in found.items() if other is not None}
    shares = {method: float(other.mean()) for method, other in masks.items()}
    described = tuple(_describe_region(region, mask, masks, shares, calibration) for region in regions)
    return Marks(finding.method, level.value, level.why, int(np.count_nonzero(mask)), count, described)


def _describe_region(
    region: Region,
    mask: BoolArray,
    masks: dict[str, BoolArray],
    shares: dict[str, float],
    calibration: Calibration | None,
) -> MarkedRegion:
    box = np.s_[region.top : region.top + region.height, region.left : region.left + region.width]
    inside = mask[box]
    supported = []
    for method, other in masks.items():
        share = float(other[box][inside].mean())
        if share >= SUPPORT_SHARE and share >= SUPPORT_LEAD * shares[method]:
            supported.append(method)
    return MarkedRegion(
        **asdict(region),
        supported_by=tuple(supported),
        log10_lr=None if calibration is None else calibration.log10_lr(min(region.mean, 1.0)),
        log10_lr_bounds=None if calibration is None else calibration.log10_lr_bounds,
    )
