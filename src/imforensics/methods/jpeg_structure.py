"""How the JPEG was written: tables, subsampling, markers. Facts about the last save, never a verdict."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from imforensics.methods.base import Method, Reference
from imforensics.types import Evidence, Family, Finding, JpegInfo, JsonValue, UInt16Array


class JpegStructure(Method):
    """Reads how the file's last encoder worked from the JPEG's own structure."""

    name: ClassVar[str] = "jpeg_structure"
    family: ClassVar[Family] = "jpeg"
    requires: ClassVar[frozenset[str]] = frozenset({"jpeg"})
    question: ClassVar[str] = "Which encoder settings wrote this file, and does its structure stand out?"
    idea: ClassVar[str] = (
        "Cameras, phones, editors and websites write JPEGs with their own quantization tables, chroma "
        "subsampling and order of segments. The tables are compared to those of the IJG encoder at "
        "every quality; markers, data after the end of the image and the thumbnail's tables are listed."
    )
    limitations: ClassVar[str] = (
        "This describes the last save of the whole file. A file saved by an editor or a website need not be "
        "altered, and an altered image can be saved with any tables. In public test sets the tables alone "
        "separate the classes, which says how the sets were made and nothing about the pixels: this method "
        "therefore gives no score."
    )
    reference: ClassVar[Reference] = Reference(
        "H. Farid, Digital image ballistics from JPEG quantization: a followup study, Dartmouth College, "
        "TR2008-638, 2008"
    )

    def analyze(self, evidence: Evidence) -> Finding:
        """List the structure.

        Args:
            evidence: a JPEG.

        Returns:
            A finding without score or map: observations and notes only.

        Raises:
            ValueError: the evidence has no JPEG structure.
        """
        jpeg = evidence.jpeg
        if jpeg is None:
            raise ValueError(f"expected JPEG evidence, received {evidence.format} without JPEG structure")
        thumbnail_tables = evidence.metadata.thumbnail_quantization_tables
        tables: list[JsonValue] = [_as_lists(table) for table in jpeg.quantization_tables]
        observations: dict[str, JsonValue] = {
            "estimated_quality": jpeg.estimated_quality,
            "is_standard_tables": jpeg.is_standard_tables,
            "subsampling": jpeg.subsampling,
            "is_progressive": jpeg.is_progressive,
            "component_count": len(jpeg.quantization_tables),
            "quantization_tables": tables,
            "markers": list(jpeg.markers),
            "trailing_bytes": jpeg.trailing_bytes,
            "has_jfif": _has_marker(jpeg, "APP0 JFIF"),
            "has_exif": _has_marker(jpeg, "APP1 Exif"),
            "has_photoshop_resources": _has_marker(jpeg, "APP13 Photoshop"),
            "has_adobe_marker": _has_marker(jpeg, "APP14 Adobe"),
            "has_content_credentials_container": _has_marker(jpeg, "APP11 JUMBF"),
            "thumbnail_quantization_tables": [_as_lists(table) for table in thumbnail_tables],
        }
        notes = (*_note_tables(jpeg), *_note_markers(jpeg), *_note_thumbnail(jpeg, thumbnail_tables))
        return Finding(
            method=self.name, family=self.family, status="ok", observations=observations, notes=notes
        )


def _as_lists(table: UInt16Array) -> list[JsonValue]:
    return [[int(value) for value in row] for row in table]


def _has_marker(jpeg: JpegInfo, name: str) -> bool:
    return name in jpeg.markers


def _note_tables(jpeg: JpegInfo) -> list[str]:
    kind = "progressive" if jpeg.is_progressive else "sequential"
    if jpeg.estimated_quality is None:
        words = "The quantization tables are near no IJG quality: a camera's or an editor's own."
    elif jpeg.is_standard_tables:
        words = f"The quantization tables are exactly the IJG encoder's at quality {jpeg.estimated_quality}."
    else:
        words = (
            f"The quantization tables are not the IJG encoder's, but near quality {jpeg.estimated_quality}."
        )
    sampling = (
        "one gray component" if jpeg.subsampling == "gray" else f"chroma subsampling {jpeg.subsampling}"
    )
    return [words, f"The frame is {kind}, with {sampling}."]


def _note_markers(jpeg: JpegInfo) -> list[str]:
    notes = []
    if _has_marker(jpeg, "APP13 Photoshop"):
        notes.append(
            "An APP13 segment holds Photoshop image resources: Adobe Photoshop writes them, and so do other "
            "programs that store IPTC captions."
        )
    if _has_marker(jpeg, "APP14 Adobe"):
        notes.append("An APP14 Adobe segment is present: written by Adobe programs and some others.")
    if _has_marker(jpeg, "APP11 JUMBF"):
        notes.append("APP11 JUMBF, as content credentials use it: marker present, not verified.")
    if jpeg.trailing_bytes and _has_marker(jpeg, "APP2 MPF"):
        notes.append(
            f"{jpeg.trailing_bytes} bytes follow the end of the image: further images, by the MPF segment."
        )
    elif jpeg.trailing_bytes:
        notes.append(f"{jpeg.trailing_bytes} bytes follow the end of the image, announced by no MPF segment.")
    if "EOI" not in jpeg.markers and not jpeg.markers[-1].endswith("more)"):
        notes.append("There is no end-of-image marker: the file is cut after its last coded block.")
    return notes


def _note_thumbnail(jpeg: JpegInfo, tables: Sequence[UInt16Array]) -> list[str]:
    if not tables:
        return []
    same = tables[0].tolist() == jpeg.quantization_tables[0].tolist()
    relation = "the same luminance table as" if same else "another luminance table than"
    return [
        f"The embedded thumbnail has {relation} the image; this is common in originals and in edited files."
    ]
