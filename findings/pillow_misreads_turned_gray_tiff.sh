#!/usr/bin/env bash
# Guess:   a TIFF gives the same pixels whether Pillow opens it by its path or from memory.
# Seen:    a gray, uncompressed TIFF with orientation 5 to 8 is mapped from disk with height and width swapped: its
#          rows are cut at the wrong places, and the picture is neither the stored nor the turned one. From memory,
#          compressed, or in colour it is right.
# Matters: ground-truth masks are such files: a turned one is noise, without an error.
# Version: Pillow 13.0.0. Date: 2026-11-28.
set -euo pipefail

work="$(mktemp -d)"
trap 'rm -rf "$work"' EXIT
cd "$work"
python3 -m venv venv
venv/bin/pip install -q --disable-pip-version-check pillow==13.0.0

venv/bin/python - <<'PYTHON'
import io
import sys
from pathlib import Path

import PIL
from PIL import Image

exif = Image.Exif()
exif[0x0112] = 6
stored = Image.frombytes("L", (24, 16), bytes(row * 16 + column % 16 for row in range(16) for column in range(24)))
turned = stored.transpose(Image.Transpose.ROTATE_270)
results = {}
for name, mode, options in (
    ("gray", "L", {}),
    ("gray, LZW", "L", {"compression": "tiff_lzw"}),
    ("colour", "RGB", {}),
):
    stored.convert(mode).save("a.tif", exif=exif, **options)
    content = io.BytesIO(Path("a.tif").read_bytes())
    results[name] = [
        Image.open(source).convert("L").tobytes() == turned.tobytes() for source in ("a.tif", content)
    ]
print(f"Pillow {PIL.__version__}")
print("expected: the turned picture, by path and from memory")
for name, (by_path, from_memory) in results.items():
    print(f"seen: {name}: by path {'right' if by_path else 'WRONG'}, from memory {'right' if from_memory else 'WRONG'}")
sys.exit(results != {"gray": [False, True], "gray, LZW": [True, True], "colour": [True, True]})
PYTHON
