"""Run the blocks of docs/api.md and put what they print below them.

    python scripts/make_api_page.py           write
    python scripts/make_api_page.py --check   compare only

Run it again when a shipped bundle or a message changes. The blocks run one after another in one process, in a
temporary folder that holds a copy of data/samples, so that nothing of this machine shows.
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
PAGE = ROOT / "docs" / "api.md"
BLOCK = re.compile(r"```python\n(?P<code>.*?)```\n(?:\n```text\n(?P<output>.*?)```\n)?", re.DOTALL)
END = "--- end of block ---"


def main() -> int:
    """Write the page, or compare it; 1 where a block fails or, with --check, prints something else."""
    old = PAGE.read_text(encoding="utf-8")
    outputs = run_blocks([match["code"] for match in BLOCK.finditer(old)])
    if outputs is None:
        return 1
    new = BLOCK.sub(lambda match: fill(match, outputs.pop(0)), old)
    if "--check" in sys.argv[1:]:
        if new != old:
            print(f"{PAGE.relative_to(ROOT)} shows other output than its blocks print", file=sys.stderr)
        return int(new != old)
    PAGE.write_text(new, encoding="utf-8")
    return 0


def run_blocks(blocks: list[str]) -> list[str] | None:
    """What each block prints; None where one fails, with its error on standard error."""
    script = "".join(f"{block}print({END!r})\n" for block in blocks)
    with tempfile.TemporaryDirectory() as name:
        shutil.copytree(ROOT / "data" / "samples", Path(name) / "data" / "samples")
        done = subprocess.run(
            [sys.executable, "-c", script],
            cwd=name,
            env={**os.environ, "PYTHONPATH": str(ROOT / "src")},
            stdout=subprocess.PIPE,
            text=True,
            check=False,
        )
    return done.stdout.split(f"{END}\n")[:-1] if done.returncode == 0 else None


def fill(match: re.Match[str], output: str) -> str:
    """The block with its output below it; without an output block where it prints nothing."""
    shown = f"\n```text\n{output}```\n" if output else ""
    return f"```python\n{match['code']}```\n{shown}"


if __name__ == "__main__":
    raise SystemExit(main())
