#!/usr/bin/env bash
# Guess:   `exiftool -all=` removes all metadata, a C2PA manifest among them, or says what it leaves.
# Seen:    ExifTool 12.57 removes the manifest from JPEG. In PNG, GIF, AVIF and HEIC the manifest store stays, with
#          the signer's name and the edit history in it, and nothing is said about it.
# Matters: a file that its owner holds for cleaned still names who signed it and when; and an examiner who meets a
#          manifest beside no other metadata should not think that it was put there alone.
# Version: ExifTool 12.57 (Debian's libimage-exiftool-perl), c2pa-python 0.38.1, Pillow 13.0.0, pillow-heif 1.8.1.
# Date: 2026-11-28.
set -euo pipefail

work="$(mktemp -d)"
trap 'rm -rf "$work"' EXIT
cd "$work"
command -v exiftool >/dev/null || { echo "needs exiftool: apt-get install libimage-exiftool-perl" >&2; exit 2; }
command -v openssl >/dev/null || { echo "needs openssl: apt-get install openssl" >&2; exit 2; }
python3 -m venv venv
venv/bin/pip install -q --disable-pip-version-check pillow==13.0.0 pillow-heif==1.8.1 c2pa-python==0.38.1

# A root of our own, and a signing certificate below it with the extensions that C2PA asks for.
{
  openssl ecparam -name prime256v1 -genkey -noout -out root.key
  openssl req -x509 -new -key root.key -days 30 -subj "/C=XX/O=Example/CN=root" -out root.pem \
    -addext "keyUsage=critical,keyCertSign,cRLSign"
  openssl ecparam -name prime256v1 -genkey -noout | openssl pkcs8 -topk8 -nocrypt -out signer.key
  openssl req -new -key signer.key -subj "/C=XX/O=Example/CN=signer" -out signer.csr
  printf '%s\n' basicConstraints=critical,CA:FALSE keyUsage=critical,digitalSignature \
    extendedKeyUsage=emailProtection subjectKeyIdentifier=hash authorityKeyIdentifier=keyid >extensions
  openssl x509 -req -in signer.csr -CA root.pem -CAkey root.key -CAcreateserial -days 20 \
    -extfile extensions -out signer.pem
  cat signer.pem root.pem >chain.pem
} 2>/dev/null
venv/bin/python - <<'PYTHON'
import io
import subprocess
import sys
from pathlib import Path

import c2pa
import pillow_heif
from PIL import Image

SETTINGS = {
    "verify": {"verify_after_sign": False, "verify_trust": False, "remote_manifest_fetch": False},
    "builder": {"thumbnail": {"enabled": False}},
}
CAPTURED = "http://cv.iptc.org/newscodes/digitalsourcetype/digitalCapture"
ACTION = {"action": "c2pa.created", "digitalSourceType": CAPTURED}
DEFINITION = {
    "claim_generator_info": [{"name": "example"}],
    "assertions": [{"label": "c2pa.actions.v2", "data": {"actions": [ACTION]}}],
}
pillow_heif.register_heif_opener()
chain, key = Path("chain.pem").read_bytes(), Path("signer.key").read_bytes()

def sign(name, mime_type):
    picture, signed = io.BytesIO(), io.BytesIO()
    Image.effect_noise((64, 48), 30).convert("RGB").save(picture, name)
    picture.seek(0)
    with c2pa.Context.from_dict(SETTINGS) as context, c2pa.Builder(DEFINITION, context) as builder:
        signer = c2pa.Signer.from_info(c2pa.C2paSignerInfo(b"es256", chain, key, None))
        builder.sign(signer, mime_type, picture, signed)
    return signed.getvalue()

def clean(name):
    signed, cleaned = Path(f"signed.{name.lower()}"), Path(f"cleaned.{name.lower()}")
    signed.write_bytes(sign(name, f"image/{name.lower()}"))
    command = ["exiftool", "-q", "-all=", "-o", cleaned, signed]
    done = subprocess.run(command, check=True, capture_output=True)
    with c2pa.Context.from_dict(SETTINGS) as context:
        content = io.BytesIO(cleaned.read_bytes())
        return c2pa.Reader.try_create(f"image/{name.lower()}", content, None, context=context) is not None, done.stderr

version = subprocess.run(["exiftool", "-ver"], check=True, capture_output=True, text=True).stdout.strip()
seen = {name: clean(name) for name in ("JPEG", "PNG", "GIF", "AVIF", "HEIF")}
print(f"ExifTool {version}")
print("expected: no manifest left after -all= in any format")
has_words = any(words for _, words in seen.values())
print("seen: a manifest is left in", ", ".join(name for name, (is_left, _) in seen.items() if is_left),
      "with a warning" if has_words else "without a warning")
sys.exit(has_words or [name for name, (is_left, _) in seen.items() if not is_left] != ["JPEG"])
PYTHON
