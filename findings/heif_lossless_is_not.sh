#!/usr/bin/env bash
# Guess:   pillow-heif's quality=-1, documented as lossless, gives back the pixels; so does it with chroma=444.
# Seen:    by default the chroma is halved before the lossless coding: samples are off by dozens of levels. With
#          chroma=444 the way through YCbCr still changes about a third of them by one. Only
#          matrix_coefficients=0 (RGB as it is) is without loss.
# Matters: evidence "converted without loss" has lost its chroma noise and got the traces of 2x2 interpolation.
# Version: pillow-heif 1.8.1 (libheif 1.23.6), Pillow 13.0.0. Date: 2026-11-28.
set -euo pipefail

work="$(mktemp -d)"
trap 'rm -rf "$work"' EXIT
cd "$work"
python3 -m venv venv
venv/bin/pip install -q --disable-pip-version-check pillow==13.0.0 numpy==2.4.6 pillow-heif==1.8.1

venv/bin/python - <<'PYTHON'
import io
import sys

import numpy as np
import pillow_heif
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

picture = photo(256, 320)

def save(**options):
    stream = io.BytesIO()
    pillow_heif.from_pillow(Image.fromarray(picture)).save(stream, quality=-1, **options)
    back = np.asarray(pillow_heif.open_heif(stream.getvalue()).to_pillow()).astype(int)
    change = np.abs(back - picture)
    return int(change.max()), round(100 * float((change > 0).mean()))

print(f"pillow-heif {pillow_heif.__version__}, libheif {pillow_heif.libheif_version()}")
print("expected: no sample changed by a lossless save")
seen = save(), save(chroma=444), save(chroma=444, matrix_coefficients=0)
for words, (levels, share) in zip(("quality=-1", "and chroma=444", "and matrix_coefficients=0"), seen):
    print(f"seen: {words}: {share} % of the samples changed, by up to {levels} levels")
sys.exit(not (seen[0][0] > 10 and seen[1][0] == 1 and seen[2] == (0, 0)))
PYTHON
