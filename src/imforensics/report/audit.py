"""The page of an audit: verdict first, then what it rests on."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from imforensics.outputs import claim_folder, write_atomically
from imforensics.report.page import load_parts, load_template, safe_parts

MAX_LISTED = 200  # names listed of each kind of defect; audit.json holds them all

DEFECT_TITLES = {
    "missing_masks": "Tampered images without a mask",
    "ill_sized_masks": "Masks of another size than their image",
    "unreadable_masks": "Masks that cannot be decoded",
    "empty_masks": "Masks without a tampered pixel",
    "full_masks": "Masks without an authentic pixel",
    "unreadable_images": "Images that cannot be decoded",
    "unrecognised": "Image files that follow no naming rule of the set",
}


@dataclass(frozen=True, slots=True)
class AuditFiles:
    """Where an audit was written."""

    html: Path
    json: Path


def write_audit(
    document: Mapping[str, Any], folder: Path, *, overwrite: bool = False, inputs: Iterable[Path] = ()
) -> AuditFiles:
    """Write audit.json and audit.html, each whole or not at all.

    Args:
        document: of `audit_document`.
        folder: must be absent or empty, unless `overwrite`.
        overwrite: replace an earlier audit.
        inputs: files that were read, none of which may lie in the folder.

    Raises:
        OutputExistsError: an audit is there and overwriting was not asked for; see `imforensics.outputs`.
    """
    files = AuditFiles(folder / "audit.html", folder / "audit.json")
    with claim_folder(folder, "audit", inputs=inputs) as output:
        output.refuse_earlier(overwrite=overwrite)
        output.check()
        write_atomically(files.html, render_audit(document))
        write_atomically(files.json, json.dumps(document, indent=2, allow_nan=False) + "\n")
    return files


def render_audit(document: Mapping[str, Any]) -> str:
    """The self-contained page of `audit_document`."""
    integrity = document["integrity"]
    defects = [
        (title, len(integrity[key]), list(integrity[key])[:MAX_LISTED])
        for key, title in DEFECT_TITLES.items()
        if integrity[key]
    ]
    duplicates = integrity["duplicates"]
    kinds = {
        "in all": len(duplicates),
        "across classes": sum(d["across_classes"] for d in duplicates),
        "across splits": sum(d["across_splits"] for d in duplicates),
        "across sets": sum(d["across_sets"] for d in duplicates),
    }
    return load_template("audit.html.j2").render(
        **safe_parts(load_parts("evaluation")),
        document=document,
        integrity=integrity,
        defects=defects,
        kinds=kinds,
        listed=duplicates[:MAX_LISTED],
    )
