"""Run the commands of README's tour and put what they print between its markers.

    python scripts/make_tour.py

Run it again when a shipped bundle or a message changes. The commands run in a temporary folder that holds
a copy of data/samples, so that nothing of this machine shows.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
README = ROOT / "README.md"
BEGIN, END = "<!-- tour: begin -->", "<!-- tour: end -->"
SHIM = """#!/bin/sh
exec '{python}' -c 'from imforensics.cli.main import main; main(prog_name="imforensics")' "$@"
"""
SCORES = '''python3 -c "import json, sys
for found in json.load(sys.stdin)['findings']:
    print(found['method'], found['status'], found['score'])"'''

# (words before, command); the commands run one after another in one folder
STEPS = [
    ("One line for each file:", "imforensics analyze data/samples/*.jpg"),
    (
        "A folder with report, JSON, pictures, and with `--save-maps` each method's map as float32:",
        "imforensics analyze data/samples/tampered.jpg -o report --save-maps && ls report report/maps",
    ),
    (
        "For programs, one JSON document per file:",
        f"imforensics analyze data/samples/tampered.jpg --json | {SCORES}",
    ),
    (
        "A whole folder on all cores; run the same command again to resume:",
        "imforensics scan data/samples -o results -q && ls results && cut -c 1-110 results/summary.csv",
    ),
    ("What a method can and cannot detect:", "imforensics methods --explain ela"),
]


def main() -> int:
    """Run every step and write README; the number of steps that failed is the exit code."""
    sections = []
    failures = 0
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        shutil.copytree(ROOT / "data" / "samples", folder / "data" / "samples")
        environment = make_environment(folder)
        for words, command in STEPS:
            done = subprocess.run(
                ["bash", "-c", command],
                cwd=folder,
                env=environment,
                capture_output=True,
                text=True,
                check=False,
            )
            failures += done.returncode != 0
            if done.returncode:
                print(f"exit code {done.returncode}: {command}\n{done.stderr}", file=sys.stderr)
            sections.append(f"{words}\n\n```console\n$ {command}\n{done.stdout.rstrip()}\n```\n")
    if failures == 0:
        write_between_markers("\n".join(sections))
    return failures


def make_environment(folder: Path) -> dict[str, str]:
    """The environment with an `imforensics` command that runs this very checkout."""
    binaries = folder / ".bin"
    binaries.mkdir()
    shim = binaries / "imforensics"
    shim.write_text(SHIM.format(python=sys.executable), encoding="utf-8")
    shim.chmod(0o755)
    path = os.pathsep.join([str(binaries), os.environ["PATH"]])
    return {**os.environ, "PATH": path, "PYTHONPATH": str(ROOT / "src")}


def write_between_markers(text: str) -> None:
    """Replace what is between the markers of README."""
    pattern = re.compile(f"{re.escape(BEGIN)}.*{re.escape(END)}", re.DOTALL)
    old = README.read_text(encoding="utf-8")
    README.write_text(pattern.sub(lambda _: f"{BEGIN}\n{text}{END}", old), encoding="utf-8")


if __name__ == "__main__":
    raise SystemExit(main())
