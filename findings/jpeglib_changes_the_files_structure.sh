#!/usr/bin/env bash
# Guess:   reading the DCT coefficients with jpeglib and writing them back gives the same file, or at least one
#          built the same way: the library exists to change coefficients and nothing else.
# Seen:    the coefficients are the same, the file is not: progressive becomes sequential, restart markers vanish,
#          the JFIF segment is there twice, components count from 0 instead of 1.
# Matters: a steganographic or anti-forensic test set made so can be told by its headers alone, without a look at
#          any coefficient, and a detector trained on it learns the headers.
# Version: jpeglib 1.0.2, Pillow 13.0.0. Date: 2026-11-28.
set -euo pipefail

work="$(mktemp -d)"
trap 'rm -rf "$work"' EXIT
cd "$work"
python3 -m venv venv
venv/bin/pip install -q --disable-pip-version-check pillow==13.0.0 numpy==2.4.6 jpeglib==1.0.2

venv/bin/python - <<'PYTHON'
import importlib.metadata
import sys
from pathlib import Path

import jpeglib
import numpy as np
from PIL import Image

def describe(path):
    """Frame type, component numbers, count of JFIF segments, whether restarts are declared."""
    data, at = Path(path).read_bytes(), 2
    frame, numbers, jfif, has_restarts = "", [], 0, False
    while data[at + 1] != 0xDA:
        code, stop = data[at + 1], at + 2 + int.from_bytes(data[at + 2 : at + 4], "big")
        jfif += code == 0xE0 and data[at + 4 : at + 8] == b"JFIF"
        has_restarts |= code == 0xDD
        if code in {0xC0, 0xC2}:
            frame = "progressive" if code == 0xC2 else "sequential"
            numbers = [data[k] for k in range(at + 10, stop, 3)]
        at = stop
    return frame, numbers, jfif, has_restarts

noise = Image.effect_noise((320, 256), 40).convert("RGB")
noise.save("first.jpg", quality=85, progressive=True, restart_marker_rows=1)
read = jpeglib.read_dct("first.jpg")
read.write_dct("second.jpg")
again = jpeglib.read_dct("second.jpg")
same = all(np.array_equal(getattr(read, name), getattr(again, name)) for name in ("Y", "Cb", "Cr"))
before, after = describe("first.jpg"), describe("second.jpg")
print(f"jpeglib {importlib.metadata.version('jpeglib')}; the coefficients are the same: {same}")
print("expected: frame, component numbers, JFIF segments, restarts declared:", before)
print("seen:", after)
sys.exit(not (same and before == ("progressive", [1, 2, 3], 1, True)
              and after == ("sequential", [0, 1, 2], 2, False)))
PYTHON
