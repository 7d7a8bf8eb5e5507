"""Which traces the metadata and structure methods find in camera originals, where they should find none.

    python scripts/measure_camera_originals.py FOLDER [FOLDER ...] -o after.json
    python scripts/measure_camera_originals.py FOLDER [FOLDER ...] -o before.json --selection after.json
    python scripts/measure_camera_originals.py --table before.json after.json

A camera original is a file whose EXIF names maker and model, that names no program that edits or converts
(in Software, CreatorTool, ProcessingSoftware or XMP's history), and whose recorded size is that of its
pixels. Copies are counted once, by SHA-256. `--selection` measures exactly the files of another result, so
that two versions of the code are compared on the same files.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import sys
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from imforensics.evidence import read_evidence
from imforensics.methods.jpeg.jpeg_structure import JpegStructure
from imforensics.methods.metadata.content_credentials import ContentCredentials
from imforensics.methods.metadata.metadata import MetadataTraces
from imforensics.methods.metadata.metadata_software import count_history_steps, list_editors, list_origin
from imforensics.types import Evidence

EXTENSIONS = frozenset({".jpg", ".jpeg", ".jpe", ".tif", ".tiff", ".png", ".webp", ".heic", ".heif", ".avif"})
CHANGED_AFTER_SIGNING = "changed after signing"
UNKNOWN = "unknown data"


def main() -> None:
    """Measure folders, or print results beside each other."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("folders", nargs="*", type=Path)
    parser.add_argument("-o", "--output", type=Path, help="result, JSON")
    parser.add_argument("--selection", type=Path, help="measure the files of this result only")
    parser.add_argument("--exclude", type=Path, help="list of SHA-256, one a line: never measured")
    parser.add_argument("--table", nargs="+", type=Path, help="print these results, one column each")
    arguments = parser.parse_args()
    if arguments.table:
        results = [json.loads(path.read_text("utf-8")) for path in arguments.table]
        print("\n".join(make_table(results, [path.stem for path in arguments.table])))
        return
    if not arguments.folders or arguments.output is None:
        parser.error("expected at least one folder and -o FILE, or --table FILE [FILE ...]")
    excluded = set() if arguments.exclude is None else set(arguments.exclude.read_text("utf-8").split())
    selection = None
    if arguments.selection is not None:
        selection = {row["sha256"] for row in json.loads(arguments.selection.read_text("utf-8"))}
    rows = list(measure_folders(arguments.folders, excluded=excluded, selection=selection))
    arguments.output.write_text(json.dumps(rows, indent=0), encoding="utf-8")
    print("\n".join(make_table([rows], [arguments.output.stem])))


def measure_folders(
    folders: Sequence[Path], *, excluded: set[str], selection: set[str] | None
) -> Iterator[dict[str, Any]]:
    """One record an original: folder, path, SHA-256, traces with their weights, what follows the image."""
    seen = set(excluded)
    for folder in folders:
        for path in sorted(p for p in folder.rglob("*") if p.suffix.lower() in EXTENSIONS and p.is_file()):
            digest = hashlib.sha256(path.read_bytes()).hexdigest()
            if digest in seen or (selection is not None and digest not in selection):
                continue
            seen.add(digest)
            try:
                evidence = read_evidence(path)
            except Exception as error:  # one file never ends a measurement; it is named, and not counted
                print(f"{path}: {type(error).__name__}: {error}", file=sys.stderr)
                continue
            if selection is not None or is_camera_original(evidence):
                found = measure_file(evidence)
                yield {"folder": folder.name, "path": str(path), "sha256": digest, **found}


def is_camera_original(evidence: Evidence) -> bool:
    """Whether a file says of itself that it is as a camera wrote it."""
    metadata = evidence.metadata
    sides = [metadata.exif.get(f"EXIF ExifImage{axis}") for axis in ("Length", "Width")]
    size = [str(evidence.height), str(evidence.width)]
    is_whole = sides == size or (evidence.format == "HEIF" and sides == size[::-1])
    is_named = all(metadata.exif.get(f"Image {name}", "").strip() for name in ("Make", "Model"))
    is_edited = list_editors(metadata) or count_history_steps(metadata.xmp) or list_origin(metadata.xmp)
    return is_named and is_whole and not is_edited


def measure_file(evidence: Evidence) -> dict[str, Any]:
    """Traces of the three methods, name to weight, and what follows the image."""
    methods = [MetadataTraces(), ContentCredentials()]
    if evidence.jpeg is not None:
        methods.append(JpegStructure())
    traces: dict[str, str] = {}
    for finding in (method.analyze(evidence) for method in methods):
        for trace in finding.observations.get("traces", []):  # type: ignore[union-attr]
            traces[trace["trace"]] = trace["weight"]  # type: ignore[index, call-overload]
        if any(CHANGED_AFTER_SIGNING in note for note in finding.notes):
            traces["content_credentials_mismatch"] = "moderate"
    return {
        "camera": evidence.metadata.camera,
        "traces": traces,
        "trailing": list(evidence.metadata.trailing),
    }


def make_table(results: Sequence[Sequence[dict[str, Any]]], names: Sequence[str]) -> Iterator[str]:
    """Files and share of files a trace, one column a result, the most frequent first; then the sums."""
    counts = [Counter(name for row in rows for name in row["traces"]) for rows in results]
    weights = [{name: w for row in rows for name, w in row["traces"].items()} for rows in results]
    yield f"| trace | {' | '.join(names)} |"
    yield f"|---|{'---|' * len(names)}"
    for trace in sorted(set().union(*counts), key=lambda t: (-max(c[t] for c in counts), t)):
        cells = [
            f"{_share(count[trace], rows)}, {weight[trace]}" if count[trace] else "0"
            for count, weight, rows in zip(counts, weights, results, strict=True)
        ]
        yield f"| `{trace}` | {' | '.join(cells)} |"
    for words, test in (
        ("**files with a moderate trace**", lambda row: "moderate" in row["traces"].values()),
        ("**files with a weak trace**", lambda row: "weak" in row["traces"].values()),
        ("**files with unknown data**", lambda row: any(UNKNOWN in part for part in row["trailing"])),
    ):
        cells = [_share(sum(map(test, rows)), rows) for rows in results]
        yield f"| {words} | {' | '.join(cells)} |"
    yield f"| **files** | {' | '.join(str(len(rows)) for rows in results)} |"


def _share(count: int, rows: Sequence[object]) -> str:
    return f"{count} ({count / max(len(rows), 1):.1%})"


if __name__ == "__main__":
    main()
