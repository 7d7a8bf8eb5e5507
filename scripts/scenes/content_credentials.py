"""Scenes of the content credentials method: changed after signing, by a forger and by a harmless tool."""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "tests"))

from scene import SAMPLES, Scene

from fixtures import credentials
from fixtures import synthetic as make


def make_hit() -> Scene:
    """The authentic sample, signed; then the tampered sample's scan is put in the place of its own."""
    signed = sign_sample()
    bare = (SAMPLES / "authentic.jpg").read_bytes()
    manifest = signed[: signed.index(b"\xff\xdb")][
        2:
    ]  # every segment before the tables, the manifest with them
    other = (SAMPLES / "tampered.jpg").read_bytes()
    start = other.index(b"\xff\xdb")
    if start != bare.index(b"\xff\xdb"):
        raise ValueError("expected both samples to start with the same segments")
    return Scene(
        other[:2] + manifest + other[start:],
        "signed_then_changed.jpg",
        "The authentic sample was signed as a camera would; then the tampered picture was put under the same "
        "manifest. The signature holds, the hash of the content does not: not valid "
        "(assertion.dataHash.mismatch).",
    )


def make_false_alarm() -> Scene:
    """The signed sample with a comment added by a tool that knows nothing of content credentials."""
    comment = make.make_jpeg_segment(0xFE, b"Lake view, May 2020")
    return Scene(
        make.insert_after_soi(sign_sample(), comment),
        "signed_then_captioned.jpg",
        "The signed sample, to which a captioning tool added a comment; no pixel changed. The hash covers "
        "the whole file but the manifest, so the state is the same: not valid (assertion.dataHash.mismatch).",
    )


def sign_sample() -> bytes:
    """The authentic sample with a manifest that says a camera took it; the certificate is made here."""
    capture = "http://cv.iptc.org/newscodes/digitalsourcetype/digitalCapture"
    definition = credentials.make_definition(
        {"action": "c2pa.created", "digitalSourceType": capture}, title="authentic.jpg"
    )
    content = (SAMPLES / "authentic.jpg").read_bytes()
    return credentials.sign(content, "image/jpeg", credentials.make_signer(), definition=definition)
