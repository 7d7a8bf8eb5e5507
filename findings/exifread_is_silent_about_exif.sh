#!/usr/bin/env bash
# Guess:   ExifRead finds the EXIF block of a JPEG or WebP wherever a valid file may have it, or says that it could
#          not read the file.
# Seen:    an empty dictionary, without an error, where 4,000 bytes stand in front of the EXIF segment of a JPEG (a
#          color profile or an XMP packet, for example); where a fill byte 0xFF stands before its marker, which the
#          standard allows (ITU-T T.81, B.1.1.2); and for WebP as Pillow writes it, without the prefix "Exif" that
#          JPEG needs. Pillow reads all three.
# Matters: "no EXIF" is a finding in forensics; here it only says how another program arranged the file.
# Version: ExifRead 3.5.1, Pillow 13.0.0. Date: 2026-11-28.
set -euo pipefail

work="$(mktemp -d)"
trap 'rm -rf "$work"' EXIT
cd "$work"
python3 -m venv venv
venv/bin/pip install -q --disable-pip-version-check pillow==13.0.0 exifread==3.5.1

venv/bin/python - <<'PYTHON'
import importlib.metadata
import io
import struct
import sys

import exifread
from PIL import Image

def save(name):
    exif = Image.Exif()
    exif[0x010F] = "Maker"
    stream = io.BytesIO()
    Image.new("RGB", (64, 48), "teal").save(stream, name, exif=exif)
    return stream.getvalue()

plain = save("JPEG")
at = plain.index(b"\xff\xe1")

def with_profile(size):
    payload = b"ICC_PROFILE\x00\x01\x01".ljust(size, b"\x00")
    return plain[:at] + b"\xff\xe2" + struct.pack(">H", size + 2) + payload + plain[at:]

cases = {
    "plain JPEG": plain,
    "3,900 bytes in front": with_profile(3900),
    "4,000 bytes in front": with_profile(4000),
    "a fill byte in front": plain[:at] + b"\xff" + plain[at:],
    "WebP by Pillow": save("WEBP"),
}
print(f"ExifRead {importlib.metadata.version('exifread')}")
print("expected: one tag, Make, in every case; Pillow finds it in every case:",
      all(Image.open(io.BytesIO(each)).getexif().get(0x010F) == "Maker" for each in cases.values()))
found = {name: len(exifread.process_file(io.BytesIO(content))) for name, content in cases.items()}
print("seen:", found)
sys.exit(list(found.values()) != [1, 1, 0, 0, 0])
PYTHON
