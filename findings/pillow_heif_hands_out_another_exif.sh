#!/usr/bin/env bash
# Guess:   the EXIF block that Pillow shows of a HEIC (with pillow-heif's plugin) is the one in the file, and
#          "orientation 1, was 6" means that the picture has been turned.
# Seen:    the orientation is set to 1 in the block that is handed out, whether the picture was turned (by the
#          container's rotation property) or not (EXIF says 6, the container says nothing). `original_orientation`
#          is 6 in both cases. pillow_heif.open_heif leaves the block alone.
# Matters: a note "the decoder has turned this picture" is false for half of these files, hashes of the EXIF block
#          do not match, and a tool that trusts the 1 shows the picture lying on its side.
# Version: pillow-heif 1.8.1, Pillow 13.0.0. Date: 2026-11-28.
set -euo pipefail

work="$(mktemp -d)"
trap 'rm -rf "$work"' EXIT
cd "$work"
python3 -m venv venv
venv/bin/pip install -q --disable-pip-version-check pillow==13.0.0 pillow-heif==1.8.1

venv/bin/python - <<'PYTHON'
import io
import sys

import pillow_heif
from PIL import Image

pillow_heif.register_heif_opener()
ENTRY = b"\x01\x12\x00\x03\x00\x00\x00\x01\x00"  # orientation, SHORT, one value, and its first byte

def save(orientation):
    exif = Image.Exif()
    exif[0x0112] = orientation
    stream = io.BytesIO()
    pillow_heif.from_pillow(Image.new("RGB", (128, 64), "teal")).save(stream, exif=exif.tobytes())
    return stream.getvalue()

def describe(content):
    image = Image.open(io.BytesIO(content))
    return image.size, image.getexif().get(0x0112), image.info["original_orientation"]

with_property = save(6)  # writes a rotation property beside the tag
without = save(1).replace(ENTRY + b"\x01", ENTRY + b"\x06")  # the tag alone
assert b"irot" in with_property and b"irot" not in without
exif = Image.Exif()
exif.load(pillow_heif.open_heif(without).info["exif"])
print(f"pillow-heif {pillow_heif.__version__}")
print("expected: 128 x 64 with orientation 6 where nothing was turned")
for words, content in (("tag and rotation property", with_property), ("tag alone", without)):
    size, tag, original = describe(content)
    print(f"seen: {words}: {size[0]} x {size[1]}, orientation {tag}, original_orientation {original}")
print(f"seen: open_heif of the latter gives orientation {exif[0x0112]}")
sys.exit(not (describe(with_property) == ((64, 128), 1, 6) and describe(without) == ((128, 64), 1, 6)
              and exif[0x0112] == 6))
PYTHON
