"""Write a report: a folder that appears whole or not at all."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path

import numpy as np
import yaml

from imforensics.outputs import claim_folder
from imforensics.report.document import DerivedFile, configuration, report_document
from imforensics.report.html import PAGE_TEMPLATE, render_report
from imforensics.report.page import load_template
from imforensics.report.pictures import check_fixed_word, draw_pictures, has_shown_map
from imforensics.types import BoolArray, FloatArray, JsonValue, MethodDescription, Report

CONFIG_FILE = "config.yaml"
MANIFEST = "manifest.json"


@dataclass(frozen=True, slots=True)
class ReportFiles:
    """Where a report was written.

    Attributes:
        folder: the folder.
        html: report.html in it.
        json: report.json in it.
        manifest: manifest.json in it, the hashes of all other files.
    """

    folder: Path
    html: Path
    json: Path
    manifest: Path


def write_report(
    report: Report,
    descriptions: Mapping[str, MethodDescription],
    folder: Path,
    *,
    save_maps: bool = False,
    overwrite: bool = False,
    inputs: Iterable[Path] = (),
) -> ReportFiles:
    """Write report.json, report.html, images/, config.yaml, manifest.json and, if told, maps/.

    Everything is written to a temporary folder first and then renamed to its place, manifest.json last: a
    report that was interrupted leaves none. No name is taken from the evidence.

    Args:
        report: the report.
        descriptions: name to description of every method in the findings.
        folder: must be absent or empty, unless `overwrite`.
        save_maps: write each map as maps/METHOD.npy, (H, W) float32, and maps/METHOD.valid.npy, bool.
        overwrite: replace an earlier report; a folder with anything else in it is refused all the same.
        inputs: files that were read, none of which may lie in the folder.

    Raises:
        OutputExistsError: the folder holds something, or is a file; see `imforensics.outputs`.
        OSError: the folder cannot be written.
        ValueError: the report breaks its contract (see `report_document`, `draw_pictures`).
    """
    with claim_folder(folder, "report", inputs=inputs) as output:
        output.refuse_earlier(overwrite=overwrite)
        with output.replace_all(last=MANIFEST) as part:
            _fill(part, report, descriptions, save_maps=save_maps)
    return ReportFiles(folder, folder / "report.html", folder / "report.json", folder / MANIFEST)


def _fill(
    part: Path, report: Report, descriptions: Mapping[str, MethodDescription], *, save_maps: bool
) -> None:
    files = [_write(part, CONFIG_FILE, _config_yaml(report), "configuration to repeat the analysis with")]
    with ThreadPoolExecutor(max_workers=1) as pool:
        drawing = pool.submit(draw_pictures, report)
        load_template(PAGE_TEMPLATE)  # compiled while the pictures, most of them outside Python, are drawn
        pictures = drawing.result()
    files += [_write(part, picture.file, picture.png, picture.caption) for picture in pictures]
    if save_maps:
        files += _write_maps(part, report)
    document = report_document(report, descriptions, files=files)
    page = render_report(document, pictures).encode()
    files.append(_write(part, "report.json", _json_bytes(document), "the record"))
    files.append(_write(part, "report.html", page, "the record as a page"))
    manifest: JsonValue = {
        "report_id": document["report_id"],
        "files": {file.path: {"sha256": file.sha256, "size_bytes": file.size_bytes} for file in files},
    }
    _write(part, MANIFEST, _json_bytes(manifest), "hashes of all files")


def _write_maps(part: Path, report: Report) -> Iterator[DerivedFile]:
    for finding in report.findings:
        if finding.map is None or not has_shown_map(finding):
            continue
        stem = f"maps/{check_fixed_word(finding.method)}"
        values = _npy_bytes(finding.map.values.astype(np.float32, copy=False))
        yield _write(part, f"{stem}.npy", values, f"map of {finding.method}, float32, pixels as stored")
        if finding.map.valid is not None:
            valid = _npy_bytes(finding.map.valid)
            yield _write(part, f"{stem}.valid.npy", valid, f"where {finding.method} could tell, bool")


def _write(part: Path, name: str, content: bytes, what: str) -> DerivedFile:
    path = part / name
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(content)
    return DerivedFile(name, hashlib.sha256(content).hexdigest(), len(content), what)


def _config_yaml(report: Report) -> bytes:
    return yaml.safe_dump(configuration(report), sort_keys=False, allow_unicode=True).encode()


def _json_bytes(document: JsonValue) -> bytes:
    return (json.dumps(document, indent=2, ensure_ascii=False, allow_nan=False) + "\n").encode()


def _npy_bytes(array: FloatArray | BoolArray) -> bytes:
    buffer = BytesIO()
    np.save(buffer, array, allow_pickle=False)
    return buffer.getvalue()
