"""The folder of a reconstruction: pictures and the record."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path

from imforensics.outputs import claim_folder
from imforensics.report.encoding import encode_png
from imforensics.report.escaping import for_terminal
from imforensics.report.reconstruction import Extent, Reconstruction, draw_panels, draw_side_by_side
from imforensics.types import JsonValue

RECORD = "reconstruction.json"
SIDE_BY_SIDE = "side_by_side.png"
PANELS = "panels"


def reconstruction_document(found: Reconstruction, *, files: tuple[str, ...] = ()) -> dict[str, JsonValue]:
    """The record, JSON-ready; strings from the file are escaped for a terminal."""
    extent = found.extent
    return {
        "schema_version": "1.0",
        "status": "ok",
        "file": for_terminal(found.name),
        "sha256": found.sha256,
        "height": found.pixels.shape[0],
        "width": found.pixels.shape[1],
        "bundle": dict(found.bundle),
        "mode": dict(found.mode),
        "similarity": dict(found.similarity),
        "extent": None if extent is None else _extent_document(extent),
        "seconds": {name: round(value, 3) for name, value in found.seconds.items()},
        "notes": list(found.notes),
        "files": list(files),
    }


def write_reconstruction(
    found: Reconstruction, folder: Path, *, overwrite: bool = False, inputs: Iterable[Path] = ()
) -> dict[str, JsonValue]:
    """Write side_by_side.png, panels/ and reconstruction.json, the record last.

    Args:
        found: what is to be shown.
        folder: must be absent or empty, unless `overwrite`.
        overwrite: replace an earlier reconstruction; a folder with anything else in it is refused.
        inputs: files that were read, none of which may lie in the folder.

    Returns:
        The record.

    Raises:
        OutputExistsError: the folder holds something, or is a file; see `imforensics.outputs`.
    """
    with claim_folder(folder, "reconstruction", inputs=inputs) as output:
        output.refuse_earlier(overwrite=overwrite)
        with output.replace_all(last=RECORD) as part:
            return _fill(part, found)


def _fill(part: Path, found: Reconstruction) -> dict[str, JsonValue]:
    panels = draw_panels(found)
    files = [SIDE_BY_SIDE, *(f"{PANELS}/{panel.name}.png" for panel in panels)]
    (part / PANELS).mkdir()
    (part / SIDE_BY_SIDE).write_bytes(encode_png(draw_side_by_side(panels)))
    for panel in panels:
        (part / PANELS / f"{panel.name}.png").write_bytes(encode_png(panel.pixels))
    document = reconstruction_document(found, files=tuple(files))
    text = json.dumps(document, indent=2, ensure_ascii=False, allow_nan=False) + "\n"
    (part / RECORD).write_text(text, encoding="utf-8")
    return document


def _extent_document(extent: Extent) -> dict[str, JsonValue]:
    regions: list[JsonValue] = [
        {
            "top": region.top,
            "left": region.left,
            "height": region.height,
            "width": region.width,
            "area": region.area,
            "mean": round(region.mean, 4),
            "max": round(region.max, 4),
        }
        for region in extent.regions
    ]
    return {
        "threshold": extent.threshold,
        "threshold_policy": extent.policy,
        "marked_share": round(extent.share, 6),
        "region_count": extent.count,
        "regions": regions,
    }
