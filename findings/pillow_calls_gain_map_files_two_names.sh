#!/usr/bin/env bash
# Guess:   Pillow's format of a file follows from its structure: a JPEG with a second picture announced by a
#          multi-picture (MPF) index is "MPO" with two frames.
# Seen:    unless the XMP holds the characters ` hdrgm:Version="`: then it is "JPEG" with one frame. The same
#          property written with single quotes, the same XML, makes it "MPO" again.
# Matters: phones write such files every day (gain maps for HDR displays). Code that checks `format == "JPEG"`
#          leaves out, or analyses, the same photograph depending on a serializer's choice of quotes.
# Version: Pillow 13.0.0. Date: 2026-11-28.
set -euo pipefail

work="$(mktemp -d)"
trap 'rm -rf "$work"' EXIT
cd "$work"
python3 -m venv venv
venv/bin/pip install -q --disable-pip-version-check pillow==13.0.0

venv/bin/python - <<'PYTHON'
import io
import sys
from xml.etree import ElementTree

import PIL
from PIL import Image

PACKET = (
    "<x:xmpmeta xmlns:x='adobe:ns:meta/'><r:RDF xmlns:r='http://www.w3.org/1999/02/22-rdf-syntax-ns#'>"
    "<r:Description r:about='' xmlns:hdrgm='http://ns.adobe.com/hdr-gain-map/1.0/' hdrgm:Version={0}1.0{0}/>"
    "</r:RDF></x:xmpmeta>"
)

def open_with(packet):
    stream = io.BytesIO()
    main, gain_map = Image.new("RGB", (64, 48), "teal"), Image.new("RGB", (32, 24), "gray")
    main.save(stream, "MPO", save_all=True, append_images=[gain_map], xmp=packet.encode())
    image = Image.open(io.BytesIO(stream.getvalue()))
    return image.format, getattr(image, "n_frames", 1)

double, single = PACKET.format('"'), PACKET.format("'")
same = ElementTree.canonicalize(double) == ElementTree.canonicalize(single)
print(f"Pillow {PIL.__version__}; the two packets are the same XML: {same}")
print("expected: one answer for both")
print(f"seen: with double quotes {open_with(double)}, with single quotes {open_with(single)}")
sys.exit(not (same and open_with(double) == ("JPEG", 1) and open_with(single) == ("MPO", 2)))
PYTHON
