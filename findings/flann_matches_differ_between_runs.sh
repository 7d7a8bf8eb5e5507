#!/usr/bin/env bash
# Guess:   matching the same descriptors with OpenCV's FLANN matcher twice gives the same matches.
# Seen:    its k-d trees are built at random and the generator goes on between calls: on descriptors without
#          structure the two runs give other neighbours for nearly every point. cv2.setRNGSeed before each call
#          makes them repeat.
# Matters: copy-move detection by keypoints finds other pairs on each run, and near a threshold another verdict.
# Version: OpenCV 5.0.0 (opencv-python-headless 5.0.0.93). Date: 2026-11-28.
set -euo pipefail

work="$(mktemp -d)"
trap 'rm -rf "$work"' EXIT
cd "$work"
python3 -m venv venv
venv/bin/pip install -q --disable-pip-version-check numpy==2.4.6 opencv-python-headless==5.0.0.93

venv/bin/python - <<'PYTHON'
import sys

import cv2
import numpy as np

descriptors = np.random.default_rng(0).random((2000, 128), dtype=np.float32)

def match():
    matcher = cv2.FlannBasedMatcher({"algorithm": 1, "trees": 5}, {"checks": 50})
    found = matcher.knnMatch(descriptors, descriptors, k=2)
    return np.array([pair[-1].trainIdx if len(pair) == 2 else -1 for pair in found])

share = float((match() != match()).mean())
seeded = []
for _ in range(2):
    cv2.setRNGSeed(1)
    seeded.append(match())
repeats = bool(np.array_equal(*seeded))
print(f"OpenCV {cv2.__version__}")
print("expected: the same second neighbour for every descriptor in both runs")
print(f"seen: another one for {100 * share:.0f} % of them; with the seed set before each run the same: {repeats}")
sys.exit(not (share > 0.5 and repeats))
PYTHON
