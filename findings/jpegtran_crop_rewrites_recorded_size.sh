#!/usr/bin/env bash
# Guess:   a lossless crop by jpegtran copies the metadata as they are (-copy all), so that the size recorded in
#          EXIF still tells that the picture was larger.
# Seen:    where EXIF is the first segment, as cameras write it, jpegtran sets ExifImageWidth and -Height to the
#          new size; with a JFIF segment in front, as most software writes it, it leaves them alone. The
#          thumbnail shows the whole picture in both cases.
# Matters: "recorded size equals stored size" does not show that a camera's file is uncropped; the thumbnail does.
# Version: libjpeg-turbo 2.1.5 (Debian's libjpeg-turbo-progs), piexif 1.1.3, Pillow 13.0.0. Date: 2026-11-28.
set -euo pipefail

work="$(mktemp -d)"
trap 'rm -rf "$work"' EXIT
cd "$work"
command -v jpegtran >/dev/null || { echo "needs jpegtran: apt-get install libjpeg-turbo-progs" >&2; exit 2; }
python3 -m venv venv
venv/bin/pip install -q --disable-pip-version-check pillow==13.0.0 piexif==1.1.3

venv/bin/python - <<'PYTHON'
import io
import subprocess
import sys

import piexif
from PIL import Image

def encode(image, **options):
    stream = io.BytesIO()
    image.save(stream, "JPEG", **options)
    return stream.getvalue()

picture = Image.effect_noise((320, 256), 40).convert("RGB")
thumbnail = encode(picture.resize((80, 64)))
block = piexif.dump({"Exif": {40962: 320, 40963: 256}, "1st": {259: 6}, "thumbnail": thumbnail})
with_jfif = encode(picture, exif=block)
camera = with_jfif[:2] + with_jfif[20:]  # without the 18 bytes of the JFIF segment, EXIF comes first

def crop(content):
    command = ["jpegtran", "-copy", "all", "-crop", "160x128+16+16"]
    done = subprocess.run(command, input=content, capture_output=True, check=True).stdout
    found = piexif.load(done)
    return (found["Exif"][40962], found["Exif"][40963]), Image.open(io.BytesIO(found["thumbnail"])).size

print(subprocess.run(["jpegtran", "-version"], input=camera, capture_output=True, text=False).stderr
      .decode().splitlines()[0])
print("expected: recorded size (320, 256) after a crop of a 320 x 256 picture to 160 x 128")
print(f"seen: EXIF first {crop(camera)[0]}, JFIF first {crop(with_jfif)[0]}; thumbnail {crop(camera)[1]}")
sys.exit(not (crop(camera) == ((160, 128), (80, 64)) and crop(with_jfif) == ((320, 256), (80, 64))))
PYTHON
