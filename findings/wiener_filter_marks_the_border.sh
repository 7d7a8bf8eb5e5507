#!/usr/bin/env bash
# Guess:   SciPy's adaptive Wiener filter leaves a picture without noise alone: wiener(flat) is flat, and the noise
#          residual of independent pictures is independent.
# Seen:    it averages with zeros outside the picture. The border of a flat picture is darkened by several levels,
#          and the residuals of unrelated pictures correlate: they share a bright frame.
# Matters: sensor noise (PRNU) is compared by correlating such residuals. The common frame looks like a common
#          camera unless the border is cut off.
# Version: SciPy 1.17.1, NumPy 2.4.6. Date: 2026-11-28.
set -euo pipefail

work="$(mktemp -d)"
trap 'rm -rf "$work"' EXIT
cd "$work"
python3 -m venv venv
venv/bin/pip install -q --disable-pip-version-check numpy==2.4.6 scipy==1.17.1

venv/bin/python - <<'PYTHON'
import sys

import numpy as np
import scipy
from scipy.signal import wiener

def residual(seed):
    noisy = 128 + np.random.default_rng(seed).normal(0, 1, (128, 128))
    return noisy - wiener(noisy, 5)

def correlate(first, second):
    return float(np.corrcoef(first.ravel(), second.ravel())[0, 1])

flat = np.full((64, 64), 100.0)
with np.errstate(divide="ignore", invalid="ignore"):
    change = float((flat - wiener(flat, 5)).max())
pairs = [(residual(number), residual(number + 100)) for number in range(10)]
whole = float(np.mean([correlate(*pair) for pair in pairs]))
inside = float(np.mean([correlate(first[4:-4, 4:-4], second[4:-4, 4:-4]) for first, second in pairs]))
print(f"SciPy {scipy.__version__}")
print("expected: a flat picture unchanged; unrelated residuals correlate by about 0.00")
print(f"seen: a flat picture changed by up to {change:.1f} levels; mean correlation of ten unrelated pairs "
      f"{whole:.2f}, without a border of 4 pixels {inside:.2f}")
sys.exit(not (change > 3 and whole > 0.1 and abs(inside) < 0.03))
PYTHON
