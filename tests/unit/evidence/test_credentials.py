"""Reading content credentials: found in every format, verified, and never a request to the network."""

from __future__ import annotations

import io
import random
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import ClassVar

import c2pa
import pytest

from fixtures import credentials
from fixtures import synthetic as make
from imforensics.evidence import read_evidence
from imforensics.evidence.credentials import CredentialsError, read_manifest_store

PHOTO = make.make_photo_like(48, 64)
FORMATS = {
    "JPEG": "image/jpeg",
    "PNG": "image/png",
    "WEBP": "image/webp",
    "TIFF": "image/tiff",
    "HEIF": "image/heic",
    "AVIF": "image/avif",
}


@pytest.fixture(scope="module")
def signer() -> credentials.Signer:
    return credentials.make_signer()


class CountingHandler(BaseHTTPRequestHandler):
    paths: ClassVar[list[str]] = []

    def do_GET(self) -> None:
        self.paths.append(self.path)
        self.send_error(404)

    def do_POST(self) -> None:
        self.do_GET()

    def log_message(self, *arguments: object) -> None:
        """Stay silent."""


@pytest.fixture
def server() -> Iterator[str]:
    CountingHandler.paths.clear()
    with HTTPServer(("127.0.0.1", 0), CountingHandler) as made:
        thread = threading.Thread(target=made.serve_forever, daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{made.server_port}"
        made.shutdown()
        thread.join()


@pytest.mark.parametrize("format_name", FORMATS)
def test_found_and_valid_in_every_format(format_name: str, signer: credentials.Signer) -> None:
    plain = make.encode(PHOTO, format_name)
    signed = credentials.sign(plain, FORMATS[format_name], signer)
    assert not read_evidence(plain).metadata.has_credentials
    evidence = read_evidence(signed)
    assert evidence.metadata.has_credentials
    store = read_manifest_store(evidence.read_content(), format_name=format_name)
    assert store is not None
    assert store["validation_state"] == "Valid"


def test_no_manifest_is_none() -> None:
    assert read_manifest_store(make.make_jpeg(), format_name="JPEG") is None


def test_a_manifest_kept_elsewhere_is_not_fetched(server: str, signer: credentials.Signer) -> None:
    signed = credentials.sign(make.make_jpeg(), "image/jpeg", signer, remote_url=f"{server}/manifest.c2pa")
    assert read_evidence(signed).metadata.xmp["dcterms:provenance"] == f"{server}/manifest.c2pa"
    with pytest.raises(CredentialsError, match="emote"):
        read_manifest_store(signed, format_name="JPEG")
    assert CountingHandler.paths == []
    with pytest.raises(c2pa.C2paError), c2pa.Reader("image/jpeg", io.BytesIO(signed)):
        pass
    assert CountingHandler.paths == ["/manifest.c2pa"]  # with the library's own settings it is


def test_the_state_of_certificates_is_not_asked_for(server: str) -> None:
    asking = credentials.make_signer(ocsp_url=f"{server}/ocsp")
    signed = credentials.sign(make.make_jpeg(), "image/jpeg", asking)
    CountingHandler.paths.clear()
    store = read_manifest_store(signed, format_name="JPEG", trust_anchors=asking.root)
    assert store is not None
    assert store["validation_state"] == "Trusted"
    assert CountingHandler.paths == []


def test_damage_is_an_error_in_words_or_a_failure(signer: credentials.Signer) -> None:
    signed = credentials.sign(make.make_jpeg(), "image/jpeg", signer)
    start = signed.index(b"jumb")
    rng = random.Random(3)
    outcomes = set()
    for _ in range(60):
        damaged = bytearray(signed)
        at = rng.randrange(start, start + 1500)
        damaged[at : at + 4] = rng.choice([b"\xff\xff\xff\xff", b"\x00\x00\x00\x00", b"\x7f\xff\xff\xff"])
        try:
            store = read_manifest_store(bytes(damaged), format_name="JPEG")
            outcomes.add("none" if store is None else store["validation_state"])
        except CredentialsError:
            outcomes.add("error")
    assert {"error", "Invalid"} <= outcomes


def test_a_jpeg_with_the_words_in_its_pixels_has_none() -> None:
    jpeg = make.insert_after_soi(make.make_jpeg(), make.make_jpeg_segment(0xFE, b"jumb c2pa"))
    assert not read_evidence(jpeg).metadata.has_credentials
