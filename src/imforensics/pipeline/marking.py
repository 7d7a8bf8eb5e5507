"""What a report marks in the picture: as much of the map as the statement supports, region by region."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from imforensics.metrics.calibration import Calibration
from imforensics.metrics.class_calibration import NOTHING
from imforensics.metrics.fusion_model import FusionModel
from imforensics.report.map_statistics import REGION_LIMIT, threshold_mask
from imforensics.report.regions import Region, find_regions
from imforensics.types import BoolArray, Finding, LocalizationMap, MarkedRegion, Marks, Statement

SUPPORT_SHARE = 0.5  # of a region that another method has to mark to support it
SUPPORT_LEAD = 2.0  # times as much as it marks elsewhere
CLASS_POLICY = "far_area_1pct"  # authentic pictures with more than 1 % of the area marked are few


@dataclass(frozen=True, slots=True)
class _Level:
    """From where on the map is marked, None for nowhere, and why."""

    value: float | None
    policy: str | None
    why: str


def mark_regions(
    findings: Sequence[Finding], statement: Statement, fusion: FusionModel | None
) -> tuple[tuple[Finding, ...], Marks | None]:
    """Bring the map that is marked in line with the statement, and list its regions.

    The map is that of the first method of the statement's basis that has one with a threshold. With the label
    "authentic" nothing of it is marked, with "tampered" what reaches the method's own threshold, otherwise
    what reaches the threshold of the evidence's class, which few authentic pictures do over more than 1 % of
    their area. Without a class the method's own threshold holds.

    Args:
        findings: of one piece of evidence.
        statement: that they amount to.
        fusion: that it rests on, None without one.

    Returns:
        The findings, that of the map with the mask and threshold that hold; and the marks, None where the
        statement rests on no such map.
    """
    shown = {f.method: f for f in findings if f.status == "ok" and f.map and f.threshold is not None}
    finding = next((shown[name] for name in statement.basis if name in shown), None)
    if finding is None or finding.map is None:
        return tuple(findings), None
    level = _choose_level(finding, statement, fusion)
    marked = _apply(finding, finding.map, level)
    others = [other for other in shown.values() if other.method != finding.method]
    calibration = None if fusion is None else fusion.regions
    marks = _describe(marked, finding.map, level, others, calibration)
    return tuple(marked if each is finding else each for each in findings), marks


def _choose_level(finding: Finding, statement: Statement, fusion: FusionModel | None) -> _Level:
    own = _Level(
        finding.threshold, finding.threshold_policy, f"The threshold is that of {finding.method} itself."
    )
    if statement.label == "authentic":
        return _Level(None, None, "Nothing is marked: no alteration was found by these methods.")
    name = statement.evidence_class
    limit = None if fusion is None or name is None else fusion.classes[name].map_threshold
    if statement.label == "tampered" or limit is None:
        return own
    if finding.threshold is not None and limit.value <= finding.threshold:
        return own
    value = limit.value if limit.value < NOTHING else None
    return _Level(value, None if value is None else CLASS_POLICY, limit.note)


def _apply(finding: Finding, map_: LocalizationMap, level: _Level) -> Finding:
    if level.value == finding.threshold:
        return finding
    mask = None
    if level.value is not None:
        mask = map_.values >= np.float32(level.value)
        mask = mask if map_.valid is None else mask & map_.valid
    note = f"What is marked follows the statement. {level.why}"
    return replace(
        finding,
        mask=mask,
        threshold=level.value,
        threshold_policy=level.policy,
        notes=(*finding.notes, note),
    )


def _describe(
    finding: Finding,
    map_: LocalizationMap,
    level: _Level,
    others: Sequence[Finding],
    calibration: Calibration | None,
) -> Marks:
    mask = threshold_mask(finding)
    if mask is None:
        return Marks(finding.method, None, level.why, 0, 0, ())
    count, regions = find_regions(mask, map_.values, limit=REGION_LIMIT)
    masks = {other.method: found for other in others if (found := threshold_mask(other)) is not None}
    shares = {method: float(found.mean()) for method, found in masks.items()}
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
        top=region.top,
        left=region.left,
        height=region.height,
        width=region.width,
        area=region.area,
        mean=region.mean,
        max=region.max,
        supported_by=tuple(supported),
        log10_lr=None if calibration is None else calibration.log10_lr(min(region.mean, 1.0)),
        log10_lr_bounds=None if calibration is None else calibration.log10_lr_bounds,
    )
