#!/usr/bin/env bash
# Guess:   Pillow gives the pixels as stored; the orientation tag is applied by ImageOps.exif_transpose, if wanted.
# Seen:    so it is for JPEG, PNG, WebP and AVIF. A TIFF is turned: `size` is that of the turned picture at once,
#          and the tag is gone after loading.
# Matters: maps, masks and block grids of one format lie across those of another; code that applies the tag it
#          read before `load` turns twice.
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

import PIL
from PIL import Image

seen = {}
for name in ("JPEG", "PNG", "WEBP", "AVIF", "TIFF"):
    exif = Image.Exif()
    exif[0x0112] = 6
    stream = io.BytesIO()
    Image.new("RGB", (60, 40), "teal").save(stream, name, exif=exif)
    image = Image.open(io.BytesIO(stream.getvalue()))
    tag = image.getexif().get(0x0112)
    image.load()
    seen[name] = image.size, tag, image.getexif().get(0x0112)
print(f"Pillow {PIL.__version__}")
print("expected: 60 x 40 as stored, orientation 6, in every format")
for name, (size, before, after) in seen.items():
    print(f"seen: {name}: {size[0]} x {size[1]}, orientation {before} before and {after} after loading")
turned = seen.pop("TIFF")
sys.exit(not (turned == ((40, 60), 6, None) and set(seen.values()) == {((60, 40), 6, 6)}))
PYTHON
