#!/bin/sh
# Train the shipped fusion again and measure it on held-out data.
#
#   IMFORENSICS_DATA=/path/to/data scripts/reproduce_fusion.sh
#
# Needs the extra "train" and CASIA1, CASIA2, photos, photos_packages, photos_web below IMFORENSICS_DATA. It
# goes on where it was stopped. The bundle in runs/fusion/bundle is to be copied to
# src/imforensics/bundles/casia_twin_fusion.
set -eu
cd "$(dirname "$0")/.."
imforensics train-fusion -c configs/train_fusion.yaml -o runs/fusion --resume
python scripts/report_fusion.py --fusion runs/fusion/bundle
