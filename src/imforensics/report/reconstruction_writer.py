"""The folder of a reconstruction: pictures and the record."""

from __future__ import annotations

import json
import secrets
import shutil
from pathlib import Path

from imforensics.errors import OutputExistsError
from imforensics.report.encoding import encode_png
from imforensics.report.escaping import for_terminal
from imforensics.report.reconstruction import Extent, Reconstruction, draw_panels, draw_side_by_side
from imforensics.types import JsonValue

RECORD = "reconstruction.json"
SIDE_BY_SIDE = "side_by_side.png"
PANELS = "panels"
OWN_NAMES = frozenset({RECORD, SIDE_BY_SIDE, PANELS})


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
    found: Reconstruction, folder: Path, *, overwrite: bool = False
) -> dict[str, JsonValue]:
    """Write side_by_side.png, panels/ and reconstruction.json; the folder appears whole or not at all.

    Args:
        found: what is to be shown.
        folder: must be absent or empty, unless `overwrite`.
        overwrite: replace an earlier reconstruction; a folder with anything else in it is refused.

    Returns:
        The record.

    Raises:
        OutputExistsError: the folder holds something, or is a file.
    """
    _check_target(folder, overwrite=overwrite)
    folder.mkdir(parents=True, exist_ok=True)
    part = folder / f".imforensics-{secrets.token_hex(8)}.part"
    (part / PANELS).mkdir(parents=True)
    try:
        panels = draw_panels(found)
        files = [SIDE_BY_SIDE, *(f"{PANELS}/{panel.name}.png" for panel in panels)]
        (part / SIDE_BY_SIDE).write_bytes(encode_png(draw_side_by_side(panels)))
        for panel in panels:
            (part / PANELS / f"{panel.name}.png").write_bytes(encode_png(panel.pixels))
        document = reconstruction_document(found, files=tuple(files))
        text = json.dumps(document, indent=2, ensure_ascii=False, allow_nan=False) + "\n"
        (part / RECORD).write_text(text, encoding="utf-8")
        for name in sorted(OWN_NAMES):
            path = folder / name
            shutil.rmtree(path) if path.is_dir() and not path.is_symlink() else path.unlink(missing_ok=True)
            (part / name).rename(path)
    finally:
        shutil.rmtree(part, ignore_errors=True)
    return document


def _check_target(folder: Path, *, overwrite: bool) -> None:
    if not folder.exists() and not folder.is_symlink():
        return
    if not folder.is_dir():
        raise OutputExistsError(f"{folder} is not a folder. Name another one with -o")
    names = {path.name for path in folder.iterdir() if not path.name.endswith(".part")}
    if foreign := sorted(names - OWN_NAMES):
        raise OutputExistsError(
            f"{folder} holds {foreign[0]!r}, which is no part of a reconstruction. Name a new folder with -o"
        )
    if names and not overwrite:
        raise OutputExistsError(
            f"{folder} holds a reconstruction already. Name a new folder with -o, or pass --overwrite"
        )


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
