"""Make README's picture, docs/images/sample.png: the bundled sample and what two methods draw of it.

    python scripts/make_readme_picture.py

Drawn by the functions that draw the report, on the same fixed scales.
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
from PIL import Image

from imforensics.evidence import read_evidence
from imforensics.methods import load_method
from imforensics.report.figures import display_picture, heatmap, reduce_map
from imforensics.types import UInt8Array

ROOT = Path(__file__).resolve().parents[1]
LONGEST = 420  # pixels, longest side of one panel
GAP = 6
METHODS_SHOWN = ("double_quantization", "ela")


def main() -> int:
    """Write the picture."""
    evidence = read_evidence(ROOT / "data" / "samples" / "tampered.jpg")
    findings = [load_method(name)().analyze(evidence) for name in METHODS_SHOWN]
    maps = [found.map for found in findings if found.map is not None]
    if len(maps) < len(findings):
        print(f"one of {', '.join(METHODS_SHOWN)} gave no map for the sample", file=sys.stderr)
        return 1
    mask = np.asarray(Image.open(ROOT / "data" / "samples" / "tampered_mask.png").convert("L"))
    panels = [
        [display_picture(evidence.pixels, longest=LONGEST), display_picture(mask, longest=LONGEST)],
        [heatmap(reduce_map(found, longest=LONGEST)) for found in maps],
    ]
    path = ROOT / "docs" / "images" / "sample.png"
    path.parent.mkdir(exist_ok=True)
    picture = Image.fromarray(lay_out(panels)).quantize(256, dither=Image.Dither.FLOYDSTEINBERG)
    picture.save(path, optimize=True)
    print(f"{path}: {path.stat().st_size} bytes")
    return 0


def lay_out(rows: list[list[UInt8Array]]) -> UInt8Array:
    """Panels of one size in rows, white gaps between them, (H, W, 3) uint8."""
    height, width = rows[0][0].shape[:2]
    size = (len(rows) * (height + GAP) - GAP, len(rows[0]) * (width + GAP) - GAP, 3)
    canvas = np.full(size, 255, dtype=np.uint8)
    for row, panels in enumerate(rows):
        for column, panel in enumerate(panels):
            top, left = row * (height + GAP), column * (width + GAP)
            canvas[top : top + height, left : left + width] = panel if panel.ndim == 3 else panel[..., None]
    return canvas


if __name__ == "__main__":
    raise SystemExit(main())
