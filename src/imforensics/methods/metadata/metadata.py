"""What the file says of its own history, and where it contradicts itself. Observations, never a verdict."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import ClassVar

from imforensics.methods.base import Method, Reference
from imforensics.methods.metadata.metadata_dates import find_date_traces, find_position_traces
from imforensics.methods.metadata.metadata_software import (
    count_ancestors,
    count_history_steps,
    find_software_traces,
    list_editors,
    list_history,
    list_local_corrections,
    list_origin,
    name_source_type,
)
from imforensics.methods.metadata.metadata_structure import (
    find_camera_traces,
    find_structure_traces,
    list_marker_order,
)
from imforensics.methods.metadata.programs import list_programs
from imforensics.methods.metadata.thumbnails import ThumbnailComparison, compare_thumbnail
from imforensics.methods.metadata.traces import Trace, list_traces
from imforensics.types import Evidence, Family, Finding, JsonValue, UInt8Array

# Correlations of gray values, as stored and with a part of the image. Cameras' own thumbnails reach one of
# them, thumbnails of other pictures hardly ever: docs/experiments/camera_originals.md.
SIMILAR_THUMBNAIL, SIMILAR_VIEW = 0.8, 0.85
SIMILAR_PART = 0.9  # the image in a part of the thumbnail, which has many places to fit by chance
BETTER_PART = 0.01  # and by so much better than in the whole thumbnail
LEAST_CONTRAST = 8.0  # levels: below, noise and JPEG of the thumbnail decide on the correlation
MOST_FINE_SHARE = 0.5  # of variance in what a thumbnail cannot show: its maker's moire decides then
SAME_ASPECT = 0.06  # thumbnails of 160 x 120 round a side by up to 1 in 120; cameras crop a little for 4:3


class MetadataTraces(Method):
    """Reads camera, dates, software, position and thumbnail, and names what does not fit together."""

    name: ClassVar[str] = "metadata"
    family: ClassVar[Family] = "metadata"
    question: ClassVar[str] = "What does the file say of its origin and processing, and is it consistent?"
    idea: ClassVar[str] = (
        "Cameras and programs leave their names, dates and settings in EXIF, XMP, IPTC and text fields. "
        "These are listed and compared with each other and with the image: software that edits and the "
        "history it keeps, dates and time zones out of order, a recorded size or thumbnail that does not "
        "match the pixels, what a camera's file lacks, the order of segments, data after the image. Each "
        "trace carries a weight: note, weak or moderate."
    )
    limitations: ClassVar[str] = (
        "Metadata are easily changed or removed, and most websites remove them: their absence says "
        "nothing, their presence proves nothing. Editing software can alter an image, and it also rotates, "
        "crops and captions. Clocks of cameras are often wrong. This method therefore gives no score."
    )
    reference: ClassVar[Reference] = Reference(
        "E. Kee, M. K. Johnson, H. Farid, Digital image authentication from JPEG headers, IEEE Transactions "
        "on Information Forensics and Security 6(3), 2011",
        "10.1109/TIFS.2011.2128309",
    )

    def analyze(self, evidence: Evidence) -> Finding:
        """List what the metadata say and where they conflict.

        Args:
            evidence: any image.

        Returns:
            A finding without score or map: observations and notes only.
        """
        metadata = evidence.metadata
        comparison = (
            None
            if metadata.thumbnail is None or evidence.truncation is not None
            else compare_thumbnail(evidence.pixels, metadata.thumbnail)
        )
        recorded = _recorded_size(metadata.exif)
        traces = [
            *find_software_traces(metadata),
            *find_date_traces(metadata),
            *find_position_traces(metadata),
            *find_camera_traces(evidence),
            *find_structure_traces(evidence),
            *_find_size_traces(evidence, recorded),
            *find_thumbnail_traces(comparison),
        ]
        observations: dict[str, JsonValue] = {
            **_list_facts(evidence),
            "recorded_size": None if recorded is None else {"height": recorded[0], "width": recorded[1]},
            "thumbnail_size": _thumbnail_size(metadata.thumbnail),
            "thumbnail_similarity": None if comparison is None else comparison.similarity,
            "thumbnail_turn": None if comparison is None else comparison.turn,
            "traces": list_traces(traces),
            "problems": list(metadata.problems),
        }
        notes = (*_note_origin(evidence), *(trace.note for trace in traces))
        return Finding(
            method=self.name,
            family=self.family,
            status="ok",
            observations=observations,
            notes=notes or ("The metadata name no editing software and do not contradict themselves.",),
        )


def _list_facts(evidence: Evidence) -> dict[str, JsonValue]:
    metadata = evidence.metadata
    return {
        "camera": metadata.camera,
        "software": list(metadata.software),
        "editing_software": list(list_editors(metadata)),
        "programs": [{"name": each.name, "kind": each.kind} for each in list_programs(metadata)],
        "dates": dict(metadata.dates),
        "gps": None if metadata.gps is None else list(metadata.gps),
        "icc_description": metadata.icc_description,
        "exif_tag_count": len(metadata.exif),
        "xmp_property_count": len(metadata.xmp),
        "xmp_history_steps": count_history_steps(metadata.xmp),
        "xmp_history": list_history(metadata.xmp),
        "xmp_derived_from": list_origin(metadata.xmp),
        "xmp_ancestor_count": count_ancestors(metadata.xmp),
        "xmp_local_corrections": list(list_local_corrections(metadata.xmp)),
        "xmp_source_type": name_source_type(metadata.xmp),
        "iptc_field_count": len(metadata.iptc),
        "photoshop_resources": list(metadata.photoshop_resources),
        "has_maker_note": "EXIF MakerNote" in metadata.exif,
        "has_matching_extension": evidence.has_matching_extension,
        "marker_order": list(list_marker_order(evidence)),
        "trailing": list(metadata.trailing),
    }


def _note_origin(evidence: Evidence) -> Iterator[str]:
    metadata = evidence.metadata
    if metadata.unread:
        reasons = [words for words in metadata.problems if words.partition(":")[0] in metadata.unread]
        yield f"Not all metadata could be read, so the rest is not known: {'; '.join(reasons[:5])}."
    if not (metadata.exif or metadata.xmp or metadata.iptc or metadata.text or metadata.unread):
        yield "There is no EXIF, XMP, IPTC or text: removed, or never written. This says nothing either way."
    if not evidence.has_matching_extension:
        yield f"The content is {evidence.format}, the name's extension belongs to another format."


def _find_size_traces(evidence: Evidence, recorded: tuple[int, int] | None) -> Iterator[Trace]:
    size = evidence.declared_size
    if recorded is None or recorded == size:
        return
    is_exchanged = recorded == size[::-1]
    if is_exchanged and evidence.format == "HEIF":  # the decoder applies the rotation that the file asks for
        return
    relation = "height and width are exchanged (rotated)" if is_exchanged else "cropped, resized or joined"
    yield Trace(
        "recorded_size_differs",
        "weak" if is_exchanged else "moderate",
        f"EXIF records {recorded[1]} x {recorded[0]} pixels, the image has {size[1]} x {size[0]}: "
        f"{relation} after EXIF was written.",
    )
    if is_exchanged and evidence.orientation in {5, 6, 7, 8}:
        yield Trace(
            "orientation_not_reset",
            "weak",
            f"The image was rotated, but orientation {evidence.orientation} still asks viewers to rotate it.",
        )


def find_thumbnail_traces(comparison: ThumbnailComparison | None) -> Iterator[Trace]:
    """What a thumbnail says of its image, where both have content to compare."""
    if comparison is None or not _is_telling(comparison):
        return
    same = max(comparison.similarity, comparison.shifted_similarity)
    is_similar = comparison.similarity >= SIMILAR_THUMBNAIL or comparison.shifted_similarity >= SIMILAR_VIEW
    if comparison.crop_box is not None and comparison.crop_similarity >= max(
        SIMILAR_PART, same + BETTER_PART, comparison.turned_similarity + BETTER_PART
    ):
        top, left, bottom, right = comparison.crop_box
        yield Trace(
            "thumbnail_shows_more",
            "moderate",
            "The embedded thumbnail shows more than the image, which fits its part from "
            f"{left:.0%} to {right:.0%} across and {top:.0%} to {bottom:.0%} down "
            f"(correlation {comparison.crop_similarity:.2f}): the image was probably cropped.",
        )
    elif is_similar:
        if abs(comparison.aspect_ratio - 1) > SAME_ASPECT:
            yield Trace(
                "thumbnail_aspect_differs",
                "weak",
                f"The thumbnail's ratio of width to height is {comparison.aspect_ratio:.2f} times the "
                "image's: the image was stretched, or the thumbnail was.",
            )
    elif comparison.turned_similarity >= SIMILAR_THUMBNAIL:
        yield Trace(
            "thumbnail_turned",
            "weak",
            f"The embedded thumbnail shows the image {comparison.turn}: the image was turned after the "
            "thumbnail was made.",
        )
    else:
        yield Trace(
            "thumbnail_differs",
            "moderate",
            f"The embedded thumbnail differs from the image (correlation {same:.2f}, expected above "
            f"{SIMILAR_THUMBNAIL}): the image may have been changed, cropped or rotated after it was made.",
        )


def _is_telling(comparison: ThumbnailComparison) -> bool:
    """Whether both pictures have content that a correlation can compare."""
    return comparison.contrast >= LEAST_CONTRAST and comparison.fine_share <= MOST_FINE_SHARE


def _recorded_size(exif: Mapping[str, str]) -> tuple[int, int] | None:
    height, width = (exif.get(f"EXIF ExifImage{axis}", "") for axis in ("Length", "Width"))
    if not (height.isascii() and width.isascii() and height.isdigit() and width.isdigit()):
        return None
    size = int(height[:10]), int(width[:10])
    return size if min(size) > 0 else None


def _thumbnail_size(thumbnail: UInt8Array | None) -> JsonValue:
    return None if thumbnail is None else {"height": thumbnail.shape[0], "width": thumbnail.shape[1]}
