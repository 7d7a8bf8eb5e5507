"""The evidence part of the document: identity, encoding, metadata."""

from __future__ import annotations

from imforensics.types import Evidence, InferredJpeg, JpegInfo, JsonValue, Metadata, Truncation


def evidence_block(evidence: Evidence) -> JsonValue:
    """What was received, as JSON values; strings as found, to be cleaned by the caller."""
    inferred = evidence.inferred_jpeg
    return {
        "name": evidence.name,
        "name_hex": name_in_hex(evidence.name),
        "size_bytes": evidence.size_bytes,
        "sha256": evidence.sha256,
        "pixel_sha256": evidence.pixel_sha256,
        "format": evidence.format,
        "has_matching_extension": evidence.has_matching_extension,
        "mode": evidence.mode,
        "height": evidence.height,
        "width": evidence.width,
        "orientation": evidence.orientation,
        "frame_count": evidence.frame_count,
        "truncation": None if evidence.truncation is None else _truncation_block(evidence.truncation),
        "jpeg": None if evidence.jpeg is None else _jpeg_block(evidence.jpeg),
        "inferred_jpeg": None if inferred is None else _inferred_block(inferred),
        "metadata": _metadata_block(evidence.metadata),
        "notes": list(evidence.notes),
    }


def name_in_hex(name: str) -> str | None:
    r"""The raw bytes of a name that is not UTF-8, in hexadecimal; None for every other name.

    >>> name_in_hex("photo.jpg"), name_in_hex("\udcff.jpg")
    (None, 'ff2e6a7067')
    """
    try:
        name.encode("utf-8")
    except UnicodeEncodeError:
        pass
    else:
        return None
    try:
        return name.encode("utf-8", "surrogateescape").hex()
    except UnicodeEncodeError:  # a surrogate that stands for no byte
        return name.encode("utf-8", "surrogatepass").hex()


def _truncation_block(truncation: Truncation) -> JsonValue:
    return {
        "declared_height": truncation.declared_height,
        "decoded_height": truncation.decoded_height,
        "has_all_detail": truncation.has_all_detail,
    }


def _jpeg_block(jpeg: JpegInfo) -> JsonValue:
    return {
        "quantization_tables": [table.tolist() for table in jpeg.quantization_tables],
        "subsampling": jpeg.subsampling,
        "is_progressive": jpeg.is_progressive,
        "estimated_quality": jpeg.estimated_quality,
        "is_standard_tables": jpeg.is_standard_tables,
        "markers": list(jpeg.markers),
        "trailing_bytes": jpeg.trailing_bytes,
    }


def _inferred_block(inferred: InferredJpeg) -> JsonValue:
    return {
        "description": inferred.describe(),
        "offset": list(inferred.offset),
        "quantization_table": inferred.table.tolist(),
        "is_seen": inferred.is_seen.tolist(),
        "estimated_quality": inferred.estimated_quality,
        "is_standard_table": inferred.is_standard_table,
        "encoder": inferred.encoder,
        "fit": inferred.fit,
        "confidence": inferred.confidence,
    }


def _metadata_block(metadata: Metadata) -> JsonValue:
    gps: JsonValue = None
    if metadata.gps is not None:
        latitude, longitude = map(float, metadata.gps)
        gps = {"latitude": latitude, "longitude": longitude, "source": metadata.gps_source}
    thumbnail: JsonValue = None
    if metadata.thumbnail is not None:
        thumbnail = {"height": metadata.thumbnail.shape[0], "width": metadata.thumbnail.shape[1]}
    return {
        "camera": metadata.camera,
        "software": list(metadata.software),
        "dates": dict(metadata.dates),
        "gps": gps,
        "icc_description": metadata.icc_description,
        "thumbnail": thumbnail,
        "exif": dict(metadata.exif),
        "xmp": dict(metadata.xmp),
        "iptc": dict(metadata.iptc),
        "problems": list(metadata.problems),
    }
