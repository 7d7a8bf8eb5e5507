"""Content credentials (C2PA): whether a file holds them, and what c2pa-python reads and verifies, offline."""

from __future__ import annotations

import io
import json
from typing import Any

from imforensics.errors import EvidenceError
from imforensics.evidence.chunks import walk_chunks
from imforensics.evidence.jpeg_structure import JpegLayout

MIME_TYPES = {
    "JPEG": "image/jpeg",
    "PNG": "image/png",
    "WEBP": "image/webp",
    "TIFF": "image/tiff",
    "HEIF": "image/heif",
    "AVIF": "image/avif",
    "GIF": "image/gif",
}
MAX_MANIFEST_MB = 16  # after decompression; real ones have kilobytes, with thumbnails a few megabytes
_APP11 = 0xEB
_CHUNKS = {"PNG": b"caBX", "WEBP": b"C2PA"}


class CredentialsError(EvidenceError):
    """Content credentials are there and cannot be read."""


def has_credentials(data: bytes, *, format_name: str, layout: JpegLayout | None) -> bool:
    """Whether a file has a container as content credentials use it: seen, not verified.

    Args:
        data: the file.
        format_name: its format by content.
        layout: the JPEG's segments, None for every other format.

    Reference:
        C2PA Technical Specification 2.1, A.3 (embedding manifests); ISO/IEC 19566-5 (JUMBF).
    """
    if format_name in _CHUNKS:
        return any(kind == _CHUNKS[format_name] for kind, _ in walk_chunks(data, format_name))
    if layout is None:
        return b"jumb" in data and b"c2pa" in data
    return any(
        segment.code == _APP11 and data.startswith(b"JP", segment.payload, segment.payload_stop)
        for segment in layout.segments
    )


def read_manifest_store(
    data: bytes, *, format_name: str, trust_anchors: str | None = None
) -> dict[str, Any] | None:
    """Read and verify the content credentials of a file, without any access to the network.

    Manifests that the file only points to are not fetched, nor is the state of certificates asked for.

    Args:
        data: the file.
        format_name: its format by content.
        trust_anchors: certificates in PEM that a signer's chain may end in; without, trust is not evaluated.

    Returns:
        The manifest store as c2pa-python reports it: "manifests", "active_manifest", "validation_state",
        "validation_results". None where there is no manifest after all.

    Raises:
        CredentialsError: a manifest is there and cannot be read.
    """
    import c2pa

    settings: dict[str, Any] = {
        "verify": {
            "verify_trust": trust_anchors is not None,
            "ocsp_fetch": False,
            "remote_manifest_fetch": False,
        },
        "core": {"allowed_network_hosts": [], "max_decompressed_manifest_size_in_mb": MAX_MANIFEST_MB},
    }
    if trust_anchors is not None:
        settings["trust"] = {"trust_anchors": trust_anchors}
    try:
        with c2pa.Context.from_dict(settings) as context:
            reader = c2pa.Reader.try_create(
                MIME_TYPES.get(format_name), io.BytesIO(data), None, context=context
            )
            if reader is None:
                return None
            with reader:
                store = json.loads(reader.json())
    except (c2pa.C2paError, ValueError, RecursionError) as error:
        reason = " ".join(str(error).split())[:300] or type(error).__name__
        raise CredentialsError(reason) from None
    if not isinstance(store, dict):
        raise CredentialsError("the library's report is no JSON object")
    return store
