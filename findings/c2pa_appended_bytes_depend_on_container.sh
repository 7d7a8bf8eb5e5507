#!/usr/bin/env bash
# Guess:   a hundred bytes after the end of a signed file break its hash, and c2pa says "Invalid" with the code of
#          the mismatch, in every container.
# Seen:    so it does for JPEG, PNG, WebP, TIFF and GIF. In AVIF and HEIC it depends on the bytes: zeros give
#          "Invalid", others an exception, "asset could not be parsed", and no manifest at all.
# Matters: "not readable" and "changed after signing" are two statements; which of them is made hangs on the
#          container and on the first bytes that follow it.
# Version: c2pa-python 0.38.1, Pillow 13.0.0, pillow-heif 1.8.1. Date: 2026-11-28.
set -euo pipefail

work="$(mktemp -d)"
trap 'rm -rf "$work"' EXIT
cd "$work"
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
import importlib.metadata
import io
import json
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

def check(content, mime_type):
    try:
        with c2pa.Context.from_dict(SETTINGS) as context:
            reader = c2pa.Reader(mime_type, io.BytesIO(content), None, context=context)
            return json.loads(reader.json())["validation_state"]
    except c2pa.C2paError:
        return "exception"

print(f"c2pa-python {importlib.metadata.version('c2pa-python')}")
print("expected: Valid as signed, Invalid with 100 bytes appended")
seen = {}
for name in ("JPEG", "PNG", "WEBP", "TIFF", "GIF", "AVIF", "HEIF"):
    mime_type = f"image/{name.lower()}"
    signed = sign(name, mime_type)
    seen[name] = tuple(check(signed + tail, mime_type) for tail in (b"", b"x" * 100, bytes(100)))
    print(f"seen: {name}: {seen[name][0]}; with letters appended {seen[name][1]}, with zeros {seen[name][2]}")
boxes = {seen.pop("AVIF"), seen.pop("HEIF")}
sys.exit(not (set(seen.values()) == {("Valid", "Invalid", "Invalid")}
              and boxes == {("Valid", "exception", "Invalid")}))
PYTHON
