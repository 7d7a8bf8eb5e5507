"""Read every file of some folders as `scan` does, and list the kinds of errors beside what other readers say.

    python scripts/survey_files.py FOLDER... -o survey.md

For each file one row: read, or an error. Errors are grouped by their words, without names and numbers; beside
each kind stands how many of its files djpeg decodes (JPEG only), and in how many exiftool finds an error or a
warning. Needs djpeg (libjpeg-turbo) and exiftool on the path.
"""

from __future__ import annotations

import argparse
import json
import re
import subprocess
import sys
from collections import Counter, defaultdict
from pathlib import Path
from typing import Any

from imforensics.config import ScanConfig
from imforensics.errors import DEFECT
from imforensics.pipeline.scan.plan import list_files, plan_scan

METHODS: dict[str, dict[str, object]] = {"metadata": {}, "content_credentials": {}, "jpeg_structure": {}}
MAX_WORDS = 110


def main() -> None:
    """Survey the folders and write a table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folders", nargs="+", type=Path)
    parser.add_argument("-o", "--output", type=Path, help="Markdown; printed where not given")
    parser.add_argument("--workers", type=int, default=1)
    arguments = parser.parse_args()
    files = list_files(arguments.folders).files
    scan = plan_scan(files, ScanConfig(methods=METHODS))
    rows = list(scan.run(workers=arguments.workers))
    text = render(files, rows)
    if arguments.output is None:
        print(text)
    else:
        arguments.output.write_text(text, encoding="utf-8")


def render(files: tuple[Path, ...], rows: list[dict[str, Any]]) -> str:
    """Counts, and a table of the kinds of errors."""
    problems = [str(row["error"]) for row in rows if row["status"] == "error"]
    problems += [str(f.get("note")) for row in rows for f in row["findings"] if f["status"] == "failed"]
    kinds: dict[str, list[Path]] = defaultdict(list)
    for row in rows:
        if row["status"] == "error":
            kinds[name_kind(str(row["error"]))].append(Path(row["file"]))
    lines = [
        f"{len(files)} files, {len(rows)} rows ({len({row['file'] for row in rows})} names), "
        f"{sum(row['status'] == 'ok' for row in rows)} read, {sum(map(len, kinds.values()))} errors of "
        f"{len(kinds)} kinds, {sum(DEFECT in text for text in problems)} unexpected exceptions.",
        "",
        "| files | error, without names and numbers | djpeg decodes | exiftool: error / warning / none |",
        "|---:|---|---:|---|",
    ]
    for kind, members in sorted(kinds.items(), key=lambda item: -len(item[1])):
        verdicts = Counter(ask_exiftool(path) for path in members)
        decoded = sum(map(is_decoded_by_djpeg, members)) if "JPEG" in kind else "-"
        told = " / ".join(str(verdicts[name]) for name in ("error", "warning", "none"))
        lines.append(f"| {len(members)} | {kind} | {decoded} | {told} |")
    return "\n".join(lines) + "\n"


def name_kind(error: str) -> str:
    """The words of an error without what differs from file to file."""
    words = re.sub(r"^'(?:[^'\\]|\\.)*'|^\"(?:[^\"\\]|\\.)*\"", "FILE", error)
    words = re.sub(r"\((?:the decoding library|[^()]*at 0x)[^()]*\)", "", words)
    words = re.sub(r"bytes(?: [0-9a-f]{2})+", "bytes …", words)
    words = re.sub(r"0x[0-9a-fA-F]+|\d[\d,.]*", "N", " ".join(words.split())).replace("|", "/")
    return words if len(words) <= MAX_WORDS else f"{words[:MAX_WORDS]}…"


def is_decoded_by_djpeg(path: Path) -> bool:
    """Whether djpeg decodes it without an error or a warning."""
    done = subprocess.run(["djpeg", "-strict", str(path)], capture_output=True, check=False, timeout=60)
    return done.returncode == 0


def ask_exiftool(path: Path) -> str:
    """ "error", "warning" or "none": what exiftool says of the file."""
    command = ["exiftool", "-j", "-Error", "-Warning", str(path)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
    try:
        found = json.loads(done.stdout)[0]
    except (ValueError, IndexError):
        return "error"
    return "error" if "Error" in found else "warning" if "Warning" in found else "none"


if __name__ == "__main__":
    sys.exit(main())
