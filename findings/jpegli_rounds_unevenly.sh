#!/usr/bin/env bash
# Guess:   an encoder divides each DCT coefficient by its table's entry and rounds to the nearest integer, as
#          libjpeg does; few +-1 beside many 0 and 2 then mean that the picture was quantized before.
# Seen:    jpegli turns many small coefficients into zero: of the +-1 that libjpeg keeps
#          with the very same tables, fewer than six in ten survive a single save.
# Matters: histograms of coefficients show gaps as after a double compression. Statistics for double quantization
#          take one save by jpegli for two.
# Version: pyjpegli 0.3.2, Pillow 13.0.0, jpeglib 1.0.2. Date: 2026-11-28.
set -euo pipefail

work="$(mktemp -d)"
trap 'rm -rf "$work"' EXIT
cd "$work"
python3 -m venv venv
venv/bin/pip install -q --disable-pip-version-check pillow==13.0.0 numpy==2.4.6 jpeglib==1.0.2 pyjpegli==0.3.2

venv/bin/python - <<'PYTHON'
import importlib.metadata
import sys
from pathlib import Path

import jpeglib
import numpy as np
import pyjpegli
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

def count_ones(path):
    luma = np.abs(jpeglib.read_dct(path).Y)
    luma[:, :, 0, 0] = 0
    return int((luma == 1).sum()), int((luma == 2).sum())

picture = photo(512, 512)
Path("jpegli.jpg").write_bytes(pyjpegli.encode(picture.tobytes(), 512, 512, 90))
tables = Image.open("jpegli.jpg").quantization
layers = Image.open("jpegli.jpg").layer
sampling = "4:4:4" if layers[0][1:3] == layers[1][1:3] else "4:2:0"
Image.fromarray(picture).save("libjpeg.jpg", qtables=tables, subsampling=sampling)
assert Image.open("libjpeg.jpg").quantization[0] == tables[0]
ones, twos = count_ones("jpegli.jpg")
usual_ones, usual_twos = count_ones("libjpeg.jpg")
print(f"pyjpegli {importlib.metadata.version('pyjpegli')}, jpeglib {importlib.metadata.version('jpeglib')}")
print(f"expected: about {usual_ones} luma coefficients of +-1 and {usual_twos} of +-2, as libjpeg with these tables")
print(f"seen: {ones} and {twos}: {100 * ones / usual_ones:.0f} % and {100 * twos / usual_twos:.0f} %")
sys.exit(not ones < 0.6 * usual_ones)
PYTHON
