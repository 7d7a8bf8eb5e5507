"""How the JPEG was written: tables, subsampling, markers. Facts about the last save, never a verdict."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from imforensics.evidence.table_families import TableCandidate, identify_services, identify_tables
from imforensics.methods.base import Method, Reference
from imforensics.methods.jpeg.jpeg_mismatches import find_mismatches
from imforensics.methods.metadata.traces import list_traces
from imforensics.types import Evidence, Family, Finding, JpegInfo, JsonValue, UInt16Array

NEAR_IJG = "near_ijg"
UNKNOWN = "unknown"


class JpegStructure(Method):
    """Reads how the file's last encoder worked from the JPEG's own structure."""

    name: ClassVar[str] = "jpeg_structure"
    family: ClassVar[Family] = "jpeg"
    requires: ClassVar[frozenset[str]] = frozenset({"jpeg"})
    question: ClassVar[str] = "Which encoder settings wrote this file, and does its structure stand out?"
    idea: ClassVar[str] = (
        "Cameras, phones, editors and websites write JPEGs with their own quantization tables, chroma "
        "subsampling and order of segments. The tables are looked up among those of the IJG encoder at "
        "every quality, of mozjpeg, jpegli and FFmpeg, of Photoshop, Apple and cameras. Tables, markers and "
        "the thumbnail's tables are then compared with the camera or program that the metadata claim."
    )
    limitations: ClassVar[str] = (
        "This describes the last save of the whole file. A file saved by an editor or a website need not be "
        "altered, and an altered image can be saved with any tables. A match says consistent with, not "
        "written by: encoders share tables, and the list of cameras is short. In public test sets the tables "
        "alone "
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
        candidates = identify_tables(jpeg.quantization_tables)
        services = identify_services(
            evidence.declared_size,
            jpeg.estimated_quality if jpeg.is_standard_tables else None,
            evidence.metadata,
        )
        traces = find_mismatches(evidence, candidates)
        tables: list[JsonValue] = [_as_lists(table) for table in jpeg.quantization_tables]
        observations: dict[str, JsonValue] = {
            "estimated_quality": jpeg.estimated_quality,
            "is_standard_tables": jpeg.is_standard_tables,
            "table_family": _name_family(jpeg, candidates),
            "table_candidates": [candidate.as_json() for candidate in (*candidates, *services)],
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
            "photoshop_quality": evidence.metadata.photoshop_quality,
            "thumbnail_quantization_tables": [_as_lists(table) for table in thumbnail_tables],
            "thumbnail_table_family": _name_thumbnail_family(thumbnail_tables),
            "traces": list_traces(traces),
        }
        notes = (
            *_note_tables(jpeg),
            *_note_candidates(candidates, services),
            *_note_markers(jpeg, evidence.metadata.trailing),
            *_note_end(evidence),
            *_note_thumbnail(jpeg, thumbnail_tables),
            *(trace.note for trace in traces),
        )
        return Finding(
            method=self.name, family=self.family, status="ok", observations=observations, notes=notes
        )


def _as_lists(table: UInt16Array) -> list[JsonValue]:
    return [[int(value) for value in row] for row in table]


def _has_marker(jpeg: JpegInfo, name: str) -> bool:
    return name in jpeg.markers


def _name_family(jpeg: JpegInfo, candidates: Sequence[TableCandidate]) -> str:
    if candidates:
        return candidates[0].family
    return UNKNOWN if jpeg.estimated_quality is None else NEAR_IJG


def _name_thumbnail_family(tables: Sequence[UInt16Array]) -> str | None:
    if not tables:
        return None
    candidates = identify_tables(tables)
    return candidates[0].family if candidates else UNKNOWN


def _note_candidates(candidates: Sequence[TableCandidate], services: Sequence[TableCandidate]) -> list[str]:
    """One sentence for all tables that are known and not simply the IJG encoder's, one for services."""
    known = [candidate.words for candidate in candidates if candidate.family != "ijg"]
    notes = [f"The tables are consistent with {'; '.join(known)}."] if known else []
    if services:
        notes.append(
            f"The file is consistent with {'; '.join(service.words for service in services)}: "
            "size, tables and missing metadata fit, which other programs can produce too."
        )
    return notes


def _note_tables(jpeg: JpegInfo) -> list[str]:
    kind = "progressive" if jpeg.is_progressive else "sequential"
    if jpeg.estimated_quality is None:
        words = "The quantization tables are near no IJG quality: a camera's or an editor's own."
    elif jpeg.is_standard_tables:
        words = (
            f"The quantization tables are exactly the IJG encoder's at quality {jpeg.estimated_quality}, "
            "which GIMP, libvips, Pillow and most other programs use."
        )
    else:
        words = (
            f"The quantization tables are not the IJG encoder's, but near quality {jpeg.estimated_quality}."
        )
    sampling = (
        "one gray component" if jpeg.subsampling == "gray" else f"chroma subsampling {jpeg.subsampling}"
    )
    return [words, f"The frame is {kind}, with {sampling}."]


def _note_markers(jpeg: JpegInfo, trailing: Sequence[str]) -> list[str]:
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
    if jpeg.trailing_bytes:
        what = f": {', '.join(trailing)}" if trailing else ""
        notes.append(f"{jpeg.trailing_bytes} bytes follow the end of the image{what}.")
    return notes


def _note_end(evidence: Evidence) -> list[str]:
    markers = () if evidence.jpeg is None else evidence.jpeg.markers
    if evidence.truncation is not None:
        words = evidence.truncation.describe()
        return [f"{words[0].upper()}{words[1:]}. What is missing is left out of every method."]
    if "EOI" not in markers and not markers[-1].endswith("more)"):
        return ["There is no end-of-image marker; the coded data are whole."]
    return []


def _note_thumbnail(jpeg: JpegInfo, tables: Sequence[UInt16Array]) -> list[str]:
    if not tables:
        return []
    same = tables[0].tolist() == jpeg.quantization_tables[0].tolist()
    relation = "the same luminance table as" if same else "another luminance table than"
    return [
        f"The embedded thumbnail has {relation} the image; this is common in originals and in edited files."
    ]
