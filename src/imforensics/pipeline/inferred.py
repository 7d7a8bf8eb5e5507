"""A method on a picture that is no JPEG, shown to it as the JPEG that its pixels were decoded from."""

from __future__ import annotations

from dataclasses import replace
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from imforensics.evidence.virtual_jpeg import view_inferred
from imforensics.methods.base import Method
from imforensics.types import (
    CONDITIONS_KEY,
    OUTSIDE_KEY,
    Evidence,
    Finding,
    InferredJpeg,
    JsonValue,
    LocalizationMap,
)

Cell = TypeVar("Cell", bound=np.generic)

INFERRED_REASON = "its JPEG history is inferred from the pixels, not read from the file"


def analyze_inferred(method: Method, evidence: Evidence, inferred: InferredJpeg) -> Finding:
    """Run a method on the whole blocks of the inferred JPEG.

    Returns:
        Its finding in coordinates of the picture, marked as inferred and without an opinion: the method's own
        calibration does not cover it, and a fusion has to have a class for it. Up to seven rows and columns
        of pixels at each edge take the map of their neighbours.
    """
    finding = method.analyze(view_inferred(evidence, inferred))
    height, width = evidence.pixels.shape[:2]
    observations: dict[str, JsonValue] = {**finding.observations, "is_inferred_jpeg": True}
    if finding.status == "ok" and finding.score is not None:
        clauses = finding.observations.get(OUTSIDE_KEY)
        before = clauses if isinstance(clauses, list) else []
        observations[OUTSIDE_KEY] = [*before, INFERRED_REASON]
        if not before or finding.observations.get(CONDITIONS_KEY) is True:
            observations[CONDITIONS_KEY] = True  # a fusion has a calibration for such pictures
    return replace(
        finding,
        map=None if finding.map is None else _place(finding.map, inferred.offset, (height, width)),
        mask_source=None if finding.mask is None else _pad(finding.mask, inferred.offset, (height, width)),
        opinion=None,
        observations=observations,
        notes=(*finding.notes, f"Read from the pixels: {inferred.describe()}."),
    )


def _place(found: LocalizationMap, offset: tuple[int, int], shape: tuple[int, int]) -> LocalizationMap:
    valid = None if found.valid is None else _pad(found.valid, offset, shape)
    return LocalizationMap(_pad(found.values, offset, shape), valid)


def _pad(values: NDArray[Cell], offset: tuple[int, int], shape: tuple[int, int]) -> NDArray[Cell]:
    """Values of a part of the picture, continued to all of it."""
    margins = [
        (start, whole - start - side) for start, side, whole in zip(offset, values.shape, shape, strict=True)
    ]
    return np.pad(values, margins, mode="edge")
