"""Which traces the metadata and structure methods find in camera originals, where they should find none.

A camera original is a file whose EXIF names maker and model, that names no program that edits or converts
(in Software, CreatorTool, ProcessingSoftware or XMP's history), and whose recorded size is that of its
pixels. Copies are counted once, by SHA-256.
"""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from experiment import Experiment, Found
from imforensics.evidence import read_evidence
from imforensics.methods.jpeg.jpeg_structure import JpegStructure
from imforensics.methods.metadata.content_credentials import ContentCredentials
from imforensics.methods.metadata.metadata import MetadataTraces
from imforensics.methods.metadata.metadata_software import count_history_steps, list_editors, list_origin
from imforensics.report.markdown import Table
from imforensics.types import Evidence
from thumbnails import tabulate_thumbnails

EXTENSIONS = frozenset({".jpg", ".jpeg", ".jpe", ".tif", ".tiff", ".png", ".webp", ".heic", ".heif", ".avif"})
CHANGED_AFTER_SIGNING = "changed after signing"
UNKNOWN = "unknown data"


def measure(experiment: Experiment) -> Iterator[Table]:
    """Traces in the originals, beside earlier results; then the traces of their thumbnails."""
    options = experiment.config.options
    excluded = set(Path(options["exclude"]).read_text("utf-8").split()) if options["exclude"] else set()
    selection = (
        None if options["selection"] is None else {row["sha256"] for row in read(options["selection"])}
    )
    paths: dict[str, tuple[Path, bool]] = {}
    experiment.sources |= {Path(folder).name: None for folder in options["folders"]}
    for path in (path for folder in options["folders"] for path in list_images(Path(folder))):
        digest = hashlib.sha256(path.read_bytes()).hexdigest()
        if digest not in excluded and (selection is None or digest in selection):
            paths.setdefault(digest, (path, selection is not None))
    records = experiment.collect(look, paths)
    kept = experiment.folder / "originals.json"
    kept.write_text(json.dumps(records, indent=0), encoding="utf-8")
    results = {name: read(path) for name, path in options["beside"].items()} | {"now": records}
    yield tabulate(list(results.values()), list(results))
    yield tabulate_thumbnails([Path(record["path"]) for record in records], seed=experiment.config.seed)


def list_images(folder: Path) -> list[Path]:
    """Image files below a folder."""
    return sorted(p for p in folder.rglob("*") if p.suffix.lower() in EXTENSIONS and p.is_file())


def read(path: str) -> list[Found]:
    """originals.json of another run, of this version or of another."""
    found: list[Found] = json.loads(Path(path).read_text("utf-8"))
    return found


def look(item: tuple[Path, bool]) -> list[Found]:
    """One record of an original; none of another file, unless it was selected before."""
    path, is_selected = item
    evidence = read_evidence(path)
    if not is_selected and not is_camera_original(evidence):
        return []
    return [{"path": str(path), "sha256": evidence.sha256, **measure_file(evidence)}]


def is_camera_original(evidence: Evidence) -> bool:
    """Whether a file says of itself that it is as a camera wrote it."""
    metadata = evidence.metadata
    sides = [metadata.exif.get(f"EXIF ExifImage{axis}") for axis in ("Length", "Width")]
    size = [str(evidence.height), str(evidence.width)]
    is_whole = sides == size or (evidence.format == "HEIF" and sides == size[::-1])
    is_named = all(metadata.exif.get(f"Image {name}", "").strip() for name in ("Make", "Model"))
    is_edited = list_editors(metadata) or count_history_steps(metadata.xmp) or list_origin(metadata.xmp)
    return is_named and is_whole and not is_edited


def measure_file(evidence: Evidence) -> Found:
    """Traces of the three methods, name to weight, and what follows the image."""
    methods = [MetadataTraces(), ContentCredentials()]
    if evidence.jpeg is not None:
        methods.append(JpegStructure())
    traces: dict[str, str] = {}
    for finding in (method.analyze(evidence) for method in methods):
        found: Any = finding.observations.get("traces", [])
        traces |= {trace["trace"]: trace["weight"] for trace in found}
        if any(CHANGED_AFTER_SIGNING in note for note in finding.notes):
            traces["content_credentials_mismatch"] = "moderate"
    trailing = list(evidence.metadata.trailing)
    return {"camera": evidence.metadata.camera, "traces": traces, "trailing": trailing}


def tabulate(results: Sequence[Sequence[Found]], names: Sequence[str]) -> Table:
    """Files and share of files a trace, one column a result, the most frequent first; then the sums."""
    counts = [Counter(name for row in rows for name in row["traces"]) for rows in results]
    weights = [{name: w for row in rows for name, w in row["traces"].items()} for rows in results]
    lines = []
    for trace in sorted(set().union(*counts), key=lambda t: (-max(c[t] for c in counts), t)):
        cells = [
            f"{share_of(count[trace], rows)}, {weight[trace]}" if count[trace] else "0"
            for count, weight, rows in zip(counts, weights, results, strict=True)
        ]
        lines.append([f"`{trace}`", *cells])
    for words, test in (
        ("**files with a moderate trace**", lambda row: "moderate" in row["traces"].values()),
        ("**files with a weak trace**", lambda row: "weak" in row["traces"].values()),
        ("**files with unknown data**", lambda row: any(UNKNOWN in part for part in row["trailing"])),
    ):
        lines.append([words, *(share_of(sum(map(test, rows)), rows) for rows in results)])
    lines.append(["**files**", *(str(len(rows)) for rows in results)])
    return Table("Traces", ("trace", *names), lines, words=1 + len(names))


def share_of(count: int, rows: Sequence[object]) -> str:
    """A count, and its share of the files."""
    return f"{count} ({count / max(len(rows), 1):.1%})"
