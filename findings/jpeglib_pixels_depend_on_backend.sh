#!/usr/bin/env bash
# Guess:   jpeglib's backends (libjpeg 6b to 9, libjpeg-turbo, mozjpeg) decode one JPEG to the same pixels, give or
#          take a level; Pillow too.
# Seen:    with subsampled chroma libjpeg 7 and later scale the chroma in the DCT domain and differ by over 10
#          levels. The default, 6b, agrees with Pillow at 4:2:2 and 4:2:0 but not at 4:4:0, which is what a 4:2:2
#          photograph becomes when it is turned without loss.
# Matters: residuals, error levels and hashes of pixels depend on the decoder; coefficients do not.
# Version: jpeglib 1.0.2, Pillow 13.0.0, libjpeg-turbo 2.1.5 (jpegtran). Date: 2026-11-28.
set -euo pipefail

work="$(mktemp -d)"
trap 'rm -rf "$work"' EXIT
cd "$work"
command -v jpegtran >/dev/null || { echo "needs jpegtran: apt-get install libjpeg-turbo-progs" >&2; exit 2; }
python3 -m venv venv
venv/bin/pip install -q --disable-pip-version-check pillow==13.0.0 numpy==2.4.6 jpeglib==1.0.2

venv/bin/python - <<'PYTHON'
import importlib.metadata
import subprocess
import sys

import jpeglib
import numpy as np
from PIL import Image

def photo(height, width, seed=0):
    """Smooth areas, edges and noise, like a photograph's."""
    rng = np.random.default_rng(seed)
    rows, columns = np.mgrid[0:height, 0:width].astype(np.float32)
    waves = [100 + 60 * np.sin(rows / 17 + p) + 50 * np.cos(columns / (23 + 4 * p)) for p in (0, 0.8, 1.7)]
    picture = np.stack(waves, axis=-1)
    for _ in range(6):
        top, left = rng.integers(0, height), rng.integers(0, width)
        picture[top : top + height // 3, left : left + width // 3] += rng.uniform(-50, 50, 3)
    return np.clip(np.rint(picture + rng.normal(0, 2.5, picture.shape)), 0, 255).astype(np.uint8)

def differ(path, backend):
    with jpeglib.version(backend):
        decoded = jpeglib.read_spatial(path)
        pixels = decoded.spatial.astype(int)
    with Image.open(path) as image:
        return int(np.abs(pixels - np.asarray(image).astype(int)).max())

def differ_in_coefficients(path):
    read = []
    for backend in ("6b", "9"):
        with jpeglib.version(backend):
            read.append(jpeglib.read_dct(path))
            read[-1].load()
    return not all(np.array_equal(getattr(read[0], name), getattr(read[1], name)) for name in ("Y", "Cb"))

picture = Image.fromarray(photo(256, 320))
for name in ("4:4:4", "4:2:2", "4:2:0"):
    picture.save(f"{name[::2]}.jpg", quality=90, subsampling=name)
subprocess.run(["jpegtran", "-rotate", "90", "-outfile", "440.jpg", "422.jpg"], check=True)
print(f"jpeglib {importlib.metadata.version('jpeglib')}")
print("expected: differences of at most a level or two from Pillow's pixels")
seen = {}
for name in ("444", "422", "420", "440"):
    seen[name] = [differ(f"{name}.jpg", backend) for backend in ("6b", "9", "turbo210")]
    print(f"seen: {':'.join(name)}: up to {seen[name]} levels with 6b, 9, turbo210; "
          f"other coefficients: {differ_in_coefficients(f'{name}.jpg')}")
sys.exit(not (seen["444"] == [0, 0, 0] and seen["420"][0] == 0 < 10 <= seen["420"][1]
              and seen["440"][0] >= 10 and seen["440"][2] == 0))
PYTHON
