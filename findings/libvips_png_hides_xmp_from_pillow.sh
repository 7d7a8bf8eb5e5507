#!/usr/bin/env bash
# Guess:   XMP in a PNG stands in an uncompressed iTXt chunk, as Adobe's specification says, and Pillow shows it as
#          info["xmp"] and by getxmp().
# Seen:    libvips copies the XMP of a JPEG into a compressed zTXt chunk under the same keyword. Pillow then has no
#          info["xmp"], and getxmp() is empty; the packet is among the texts, as info["XML:com.adobe.xmp"]. libvips
#          also writes an EXIF block that the JPEG did not have.
# Matters: "no XMP", hence "no trace of an editor", for a converted file whose XMP names one; and "has EXIF" for a
#          file no camera wrote.
# Version: libvips 8.18.7 (pyvips 3.2.0), Pillow 13.0.0. Date: 2026-11-28.
set -euo pipefail

work="$(mktemp -d)"
trap 'rm -rf "$work"' EXIT
cd "$work"
python3 -m venv venv
venv/bin/pip install -q --disable-pip-version-check pillow==13.0.0 defusedxml==0.7.1 pyvips==3.2.0 pyvips-binary==8.18.7

venv/bin/python - <<'PYTHON'
import io
import sys

import PIL
import pyvips
from PIL import Image

PACKET = (
    b"<x:xmpmeta xmlns:x='adobe:ns:meta/'><rdf:RDF xmlns:rdf='http://www.w3.org/1999/02/22-rdf-syntax-ns#'>"
    b"<rdf:Description rdf:about='' xmlns:xmp='http://ns.adobe.com/xap/1.0/' xmp:CreatorTool='An Editor'/>"
    b"</rdf:RDF></x:xmpmeta>"
)

def open_loaded(content):
    image = Image.open(io.BytesIO(content))
    image.load()
    return image

stream = io.BytesIO()
Image.new("RGB", (64, 48), "teal").save(stream, "JPEG", xmp=PACKET)
jpeg = open_loaded(stream.getvalue())
png = open_loaded(pyvips.Image.new_from_buffer(stream.getvalue(), "").pngsave_buffer())
version = ".".join(str(pyvips.version(part)) for part in range(3))
print(f"libvips {version}, Pillow {PIL.__version__}")
print(f"expected: in the PNG as in the JPEG: XMP {bool(jpeg.getxmp())}, EXIF {'exif' in jpeg.info}")
in_text = "An Editor" in png.info.get("XML:com.adobe.xmp", "")
print(f"seen: XMP {bool(png.getxmp())}, info['xmp'] {'xmp' in png.info}, as a text {in_text}, "
      f"EXIF {'exif' in png.info}")
sys.exit(not (jpeg.getxmp() and not png.getxmp() and "xmp" not in png.info and in_text and "exif" in png.info))
PYTHON
