"""What in a JPEG's structure does not fit its own claims: tables, markers, thumbnail against the camera."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from imforensics.evidence.table_families import TableCandidate, identify_tables
from imforensics.methods.metadata.metadata_software import list_editors
from imforensics.methods.metadata.programs import name_maker
from imforensics.methods.metadata.traces import Trace
from imforensics.types import Evidence, JpegInfo, Metadata

PHOTOSHOP_FAMILIES = frozenset({"photoshop_save_as", "photoshop_save_for_web"})
ENCODER_FAMILIES = frozenset({"mozjpeg", "jpegli", "ffmpeg"})
CAPTION_RESOURCES = 3  # IPTC, its digest and one more are what caption tools write, Photoshop a dozen
_SAVE_AS_LEVEL = "level "


def claims_camera_original(metadata: Metadata) -> bool:
    """Whether the file names a camera and no program that writes images anew, as an original does."""
    return metadata.camera is not None and not list_editors(metadata)


def find_mismatches(evidence: Evidence, candidates: Sequence[TableCandidate]) -> list[Trace]:
    """Every mismatch of one JPEG.

    Args:
        evidence: a JPEG.
        candidates: known origins of its tables, from `identify_tables`.
    """
    jpeg = evidence.jpeg
    if jpeg is None:
        return []
    metadata = evidence.metadata
    traces = [*_compare_thumbnail_tables(metadata, candidates), *_compare_level(metadata, candidates)]
    if claims_camera_original(metadata):
        traces += [*_compare_camera_tables(metadata, candidates), *_compare_camera_markers(metadata, jpeg)]
    traces += _find_stripped_save(metadata, jpeg, candidates)
    return traces


def _compare_camera_tables(metadata: Metadata, candidates: Sequence[TableCandidate]) -> Iterator[Trace]:
    families = {candidate.family for candidate in candidates}
    if families & PHOTOSHOP_FAMILIES:
        words = next(c.words for c in candidates if c.family in PHOTOSHOP_FAMILIES)
        yield Trace(
            "camera_claim_photoshop_tables",
            "moderate",
            f"The metadata name a camera ({metadata.camera}) and no editor, but the tables are consistent "
            f"with {words}: the file was probably saved again after the camera.",
        )
    elif families & {"ijg", "ijg_separate"}:
        yield Trace(
            "camera_claim_ijg_tables",
            "note",
            f"The metadata name a camera ({metadata.camera}) and no editor, but the tables are the IJG "
            "encoder's, as most programs and websites write them; so do many phones and some cameras.",
        )
    elif families & ENCODER_FAMILIES:
        words = next(c.words for c in candidates if c.family in ENCODER_FAMILIES)
        yield Trace(
            "camera_claim_encoder_tables",
            "moderate",
            f"The metadata name a camera ({metadata.camera}) and no editor, but the tables are consistent "
            f"with {words}: websites, converters and optimizers use it, cameras do not.",
        )
    elif "apple" in families and name_maker(metadata.camera or "") != "Apple":
        words = next(c.words for c in candidates if c.family == "apple")
        yield Trace(
            "camera_claim_apple_tables",
            "weak",
            f"The metadata name a camera ({metadata.camera}) and no editor, but the tables are consistent "
            f"with {words}: probably saved again on a Mac or a phone.",
        )
    elif "camera" in families and not any(
        _is_listed(metadata.camera or "", candidate) for candidate in candidates
    ):
        listed = "; ".join(c.setting for c in candidates if c.family == "camera")
        yield Trace(
            "camera_claim_other_camera_tables",
            "weak",
            f"The metadata name {metadata.camera}; these tables were seen in files of {listed}. Cameras of "
            "one maker share tables, and the list of known cameras is short.",
        )


def _is_listed(camera: str, candidate: TableCandidate) -> bool:
    """Whether the candidate's list holds the camera, or one of the same maker."""
    claimed = camera.lower()
    return candidate.family == "camera" and any(
        name_maker(name) == name_maker(camera) or name.lower().split(" ", 1)[-1] in claimed
        for name in candidate.setting.split("; ")
    )


def _compare_camera_markers(metadata: Metadata, jpeg: JpegInfo) -> Iterator[Trace]:
    markers = jpeg.markers
    if "APP0 JFIF" in markers and "APP1 Exif" in markers:
        yield Trace(
            "camera_claim_jfif_marker",
            "note",
            "A JFIF segment stands in a file that names a camera and no editor: programs write it when they "
            "save; cameras mostly write EXIF alone, phones and some cameras write both.",
        )
    if metadata.thumbnail is None:
        yield Trace(
            "camera_claim_without_thumbnail",
            "note",
            "A camera is named but EXIF holds no thumbnail: nearly all cameras write one, some phones do "
            "not; many programs drop it.",
        )
    is_caption = len(metadata.photoshop_resources) <= CAPTION_RESOURCES
    adobe = [name for name in markers if name in {"APP14 Adobe", "APP12 Ducky"}]
    if "APP13 Photoshop" in markers and is_caption:
        yield Trace(
            "camera_claim_captions",
            "note",  # 2.5 % of camera originals
            "A camera is named and no editor, but there is an APP13 segment with IPTC fields: programs store "
            "captions there, mostly without touching the image.",
        )
    elif "APP13 Photoshop" in markers:
        adobe.append("APP13 Photoshop")
    if adobe:
        yield Trace(
            "camera_claim_adobe_markers",
            "moderate",
            f"A camera is named and no editor, but there are segments as Adobe programs write them "
            f"({', '.join(dict.fromkeys(adobe))}).",
        )
    if jpeg.is_progressive:
        yield Trace(
            "camera_claim_progressive",
            "moderate",
            "A camera is named and no editor, but the frame is progressive: cameras write sequential frames, "
            "websites and optimizers progressive ones.",
        )


def _compare_thumbnail_tables(metadata: Metadata, candidates: Sequence[TableCandidate]) -> Iterator[Trace]:
    tables = metadata.thumbnail_quantization_tables
    if not tables:
        return
    thumbnail = identify_tables(tables)
    is_photoshop = any(c.family in PHOTOSHOP_FAMILIES for c in candidates)
    photoshop_words = next((c.words for c in thumbnail if c.family in PHOTOSHOP_FAMILIES), None)
    if photoshop_words is not None and not is_photoshop:
        yield Trace(
            "thumbnail_photoshop_tables",
            "moderate",
            f"The thumbnail's tables are consistent with {photoshop_words}, the image's are not: the image "
            "was probably saved by another program after Photoshop made the thumbnail.",
        )
    elif is_photoshop and photoshop_words is None and claims_camera_original(metadata):
        yield Trace(
            "thumbnail_older_than_image",
            "weak",
            "The image's tables are Photoshop's, the thumbnail's are not: the thumbnail may still be the "
            "camera's.",
        )


def _compare_level(metadata: Metadata, candidates: Sequence[TableCandidate]) -> Iterator[Trace]:
    """The level that APP13 records against the level that the tables show."""
    recorded = metadata.photoshop_quality
    if recorded is None:
        return
    shown = {
        int(c.setting.removeprefix(_SAVE_AS_LEVEL).split(" ")[0])
        for c in candidates
        if c.family == "photoshop_save_as"
    }
    is_ijg = any(candidate.family.startswith("ijg") for candidate in candidates)
    if (shown and recorded not in shown) or (not shown and is_ijg):
        seen = f"level {sorted(shown)[0]}" if shown else candidates[0].words
        yield Trace(
            "photoshop_level_mismatch",
            "moderate",
            f"The APP13 segment records that Photoshop saved at level {recorded}, the tables are consistent "
            f"with {seen}: the file was saved again and the segment was carried along.",
        )


def _find_stripped_save(
    metadata: Metadata, jpeg: JpegInfo, candidates: Sequence[TableCandidate]
) -> list[Trace]:
    is_stripped = not ({"APP13 Photoshop", "APP14 Adobe"} & set(jpeg.markers)) and not metadata.software
    words = next((c.words for c in candidates if c.family in PHOTOSHOP_FAMILIES), None)
    if words is None or not is_stripped or claims_camera_original(metadata):
        return []
    return [
        Trace(
            "photoshop_tables_without_markers",
            "weak",
            f"The tables are consistent with {words}, but every segment that Adobe programs write is gone: "
            "removed afterwards without saving again, as tools that strip metadata do.",
        )
    ]
