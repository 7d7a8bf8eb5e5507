#!/usr/bin/env bash
# Guess:   ExifRead reads EXIF from WebP and HEIC, as its documentation lists both.
# Seen:    it expects "Exif" and two zeros at the start of WebP's EXIF chunk. Pillow writes the block without them,
#          for the WebP container specification asks for no prefix: ExifRead gives an empty dictionary, no error. On
#          pillow-heif's HEIC it fails with an AssertionError.
# Matters: the same tags are found or "absent" depending on which library wrote and which library reads.
# Version: ExifRead 3.5.1, Pillow 13.0.0, pillow-heif 1.8.1. Date: 2026-11-28.
set -euo pipefail

work="$(mktemp -d)"
trap 'rm -rf "$work"' EXIT
cd "$work"
python3 -m venv venv
venv/bin/pip install -q --disable-pip-version-check pillow==13.0.0 exifread==3.5.1 pillow-heif==1.8.1

venv/bin/python - <<'PYTHON'
import importlib.metadata
import io
import sys

import exifread
import pillow_heif
from PIL import Image

exif = Image.Exif()
exif[0x010F] = "Maker"
picture = Image.new("RGB", (64, 48), "teal")

def save(exif_block, name="WEBP"):
    stream = io.BytesIO()
    if name == "HEIF":
        pillow_heif.from_pillow(picture).save(stream, exif=exif_block)
    else:
        picture.save(stream, name, exif=exif_block)
    return stream.getvalue()

def read(content):
    try:
        return len(exifread.process_file(io.BytesIO(content)))
    except AssertionError:
        return "AssertionError"

print(f"ExifRead {importlib.metadata.version('exifread')}, pillow-heif {pillow_heif.__version__}")
print("expected: one tag in each; Pillow finds it in the WebP:",
      Image.open(io.BytesIO(save(exif))).getexif().get(0x010F) == "Maker")
seen = read(save(exif)), read(save(b"Exif\x00\x00" + exif.tobytes())), read(save(exif.tobytes(), "HEIF"))
print(f"seen: WebP by Pillow {seen[0]}, WebP with the JPEG prefix {seen[1]}, HEIC by pillow-heif {seen[2]}")
sys.exit(seen != (0, 1, "AssertionError"))
PYTHON
