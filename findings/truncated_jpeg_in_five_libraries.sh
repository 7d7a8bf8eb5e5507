#!/usr/bin/env bash
# Guess:   a JPEG that was cut in the middle is an error, or a picture with a warning, in every library alike.
# Seen:    Pillow raises; OpenCV gives None without a word; imagecodecs and libvips return a picture of full size
#          with an even gray below the cut, without an error or a warning; so does FFmpeg through PyAV.
# Matters: statistics of noise, blocks or copied areas over a gray that no camera saw; and "readable" says nothing
#          about whether a file is whole.
# Version: Pillow 13.0.0, OpenCV 5.0.0, imagecodecs 2026.3.6, libvips 8.18 (pyvips 3.2.0), PyAV 18.1.0.
# Date: 2026-11-28.
set -euo pipefail

work="$(mktemp -d)"
trap 'rm -rf "$work"' EXIT
cd "$work"
python3 -m venv venv
venv/bin/pip install -q --disable-pip-version-check pillow==13.0.0 numpy==2.4.6 opencv-python-headless==5.0.0.93 \
  imagecodecs==2026.3.6 pyvips==3.2.0 pyvips-binary==8.18.7 av==18.1.0

venv/bin/python - <<'PYTHON'
import io
import sys
import warnings

import av
import cv2
import imagecodecs
import numpy as np
import PIL
import pyvips
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

def share_of_flat_rows(pixels):
    return float((np.ptp(np.asarray(pixels).reshape(256, -1), axis=1) == 0).mean())

def flat(read):
    """Share of rows without any detail, or what came instead of a picture."""
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        try:
            pixels = read()
        except Exception as error:
            return type(error).__name__
    return "None" if pixels is None else f"{100 * share_of_flat_rows(pixels):.0f} % flat rows"

stream = io.BytesIO()
Image.fromarray(photo(256, 320)).save(stream, "JPEG", quality=90)
cut = stream.getvalue()[: len(stream.getvalue()) // 2]

def read_with_av():
    with av.open(io.BytesIO(cut)) as container:
        return next(container.decode(video=0)).to_ndarray(format="gray")

seen = {
    "Pillow": flat(lambda: np.asarray(Image.open(io.BytesIO(cut)))),
    "OpenCV": flat(lambda: cv2.imdecode(np.frombuffer(cut, np.uint8), cv2.IMREAD_COLOR)),
    "imagecodecs": flat(lambda: imagecodecs.jpeg8_decode(cut)),
    "libvips": flat(lambda: pyvips.Image.new_from_buffer(cut, "").numpy()),
    "FFmpeg": flat(read_with_av),
}
print(f"Pillow {PIL.__version__}, OpenCV {cv2.__version__}, imagecodecs {imagecodecs.__version__}, libvips "
      f"{pyvips.version(0)}.{pyvips.version(1)}.{pyvips.version(2)}, PyAV {av.__version__}")
print("expected: an error or a warning in each")
print("seen:", seen)
silent = all("flat rows" in seen[name] for name in ("imagecodecs", "libvips", "FFmpeg"))
sys.exit(not (seen["Pillow"] == "OSError" and seen["OpenCV"] == "None" and silent))
PYTHON
