#!/usr/bin/env bash
# Guess:   Pillow's `quality="keep"` writes a JPEG with the tables and the chroma subsampling that it had.
# Seen:    FFmpeg writes 4:4:4 with the sampling factors 1x2 for all three components, which is valid and means no
#          subsampling. Pillow looks at the first component's factors alone and "keeps" 4:2:0.
# Matters: chroma is halved by a save that is taken for neutral; the next reader sees subsampling that the
#          original never had, and grids of 16 pixels.
# Version: Pillow 13.0.0, PyAV 18.1.0. Date: 2026-11-28.
set -euo pipefail

work="$(mktemp -d)"
trap 'rm -rf "$work"' EXIT
cd "$work"
python3 -m venv venv
venv/bin/pip install -q --disable-pip-version-check pillow==13.0.0 numpy==2.4.6 av==18.1.0

venv/bin/python - <<'PYTHON'
import io
import sys

import av
import numpy as np
import PIL
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

def factors(jpeg):
    at = 2
    while jpeg[at + 1] != 0xC0:
        at += 2 + int.from_bytes(jpeg[at + 2 : at + 4], "big")
    return [f"{jpeg[k] >> 4}x{jpeg[k] & 15}" for k in range(at + 11, at + 20, 3)]

stream = io.BytesIO()
with av.open(stream, "w", format="image2pipe") as container:
    video = container.add_stream("mjpeg", rate=1)
    video.width, video.height, video.pix_fmt = 320, 256, "yuvj444p"
    frame = av.VideoFrame.from_ndarray(photo(256, 320), format="rgb24").reformat(format="yuvj444p")
    container.mux([*video.encode(frame), *video.encode(None)])
image = Image.open(io.BytesIO(stream.getvalue()))
kept = io.BytesIO()
image.save(kept, "JPEG", quality="keep")
before, after = factors(stream.getvalue()), factors(kept.getvalue())
change = np.abs(np.asarray(image).astype(int) - np.asarray(Image.open(kept)).astype(int)).max()
print(f"Pillow {PIL.__version__}, PyAV {av.__version__}")
print("expected: no subsampling before, none after")
print(f"seen: sampling factors {before} before, {after} after; pixels change by up to {change} levels")
sys.exit(not (before == ["1x2"] * 3 and after == ["2x2", "1x1", "1x1"] and change > 10))
PYTHON
